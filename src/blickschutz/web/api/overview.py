"""What an overview of several sites may read of this one. See docs/design/overview.md."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence

from fastapi import APIRouter, Request

from blickschutz import __version__
from blickschutz.access.model import Permission
from blickschutz.access.service.sessions import Tries, hashed
from blickschutz.alerts.model import Alert
from blickschutz.alerts.rules import OPEN
from blickschutz.compliance.model import Found, Result
from blickschutz.compliance.policy import closed_gates
from blickschutz.control.vitals import concerns
from blickschutz.web.allowed import allow_token
from blickschutz.web.api import models as m
from blickschutz.web.api.problems import ApiProblem
from blickschutz.web.pages import Pages

MOST_A_MINUTE = 12
# What the rules say takes a look at the whole machine: who asks twice a minute gets what was found a while ago.
RULES_S = 300.0
_MOST_ALERTS = 1000


class _Rules:
    """What the rules said, for a while."""

    def __init__(self, pages: Pages) -> None:
        self._pages, self._lock = pages, threading.Lock()
        self._last: tuple[Sequence[Found], float] | None = None

    def said(self, now: float) -> m.RulesSaid:
        with self._lock:
            if self._last is None or not 0 <= now - self._last[1] < RULES_S:
                self._last = self._pages.room.policy.assessed()
            found, at = self._last
        by = Counter(one.answer.result for one in found)
        return m.RulesSaid(
            holds=by[Result.HOLDS],
            broken=by[Result.BROKEN],
            unknown=by[Result.UNKNOWN],
            gates=len(closed_gates(list(found))),
            broken_ids=[one.rule.id for one in found if one.answer.result is Result.BROKEN],
            age_s=max(0.0, now - at),
        )


def routes(pages: Pages) -> APIRouter:
    """One address, for a token of that scope alone."""
    router, room, rules, tries = pages.router(), pages.room, _Rules(pages), Tries(pages.clock, MOST_A_MINUTE, 60.0)

    @router.get("/overview", dependencies=[allow_token(Permission.OVERVIEW)])
    def overview(request: Request) -> m.Overview:
        """States, counts, ages, results of rules: what an overview of several sites shows. No names, no places, no pictures."""
        if not pages.site.server.overview:
            raise ApiProblem(409, "no-overview", "This site takes part in no overview (server.overview).")
        if not tries.take(hashed(request.headers["authorization"])):
            raise ApiProblem(429, "too-often", f"At most {MOST_A_MINUTE} times a minute.")
        vitals = room.vitals()
        chain, deadlines, needs = vitals.chain, vitals.deadlines, concerns(vitals)
        urgent = sum(one.is_urgent for one in needs)
        return m.Overview(
            version=__version__,
            at=pages.moment(vitals.at),
            up_s=vitals.up_s,
            cameras=dict(Counter(str(getattr(tile.state, "value", tile.state)) for tile in pages.tiles())),
            recording=not (room.recordings.recording_problem() or vitals.unrecordable),
            alerts=_by_kind(room.alerts.store.find(states=sorted(OPEN), most=_MOST_ALERTS), vitals.at),
            deadlines=m.DueClips(due=deadlines.due, overdue=deadlines.overdue, oldest_s=deadlines.oldest_s)
            if deadlines is not None
            else None,
            chain=m.Chain(
                entries=chain.entries,
                faults=chain.faults,
                verified_at=pages.moment(chain.verified_at) if chain.verified_at else None,
            )
            if chain is not None
            else None,
            clock=m.ClockSaid(offset_s=vitals.clock.offset_s, suspended=vitals.clock.suspended),
            rules=rules.said(vitals.at),
            needs=m.NeedsSaid(urgent=urgent, other=len(needs) - urgent),
        )

    return router


def _by_kind(found: Sequence[Alert], now: float) -> dict[str, m.Count]:
    ages: dict[str, list[float]] = {}
    for one in found:
        ages.setdefault(one.kind.value, []).append(max(0.0, now - one.raised))
    return {kind: m.Count(count=len(those), oldest_s=max(those)) for kind, those in sorted(ages.items())}
