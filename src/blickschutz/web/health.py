"""How the control room is, as people read it: what needs somebody, then the figures."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from blickschutz.control.replicas import ReplicaState
from blickschutz.control.vitals import Concern, concerns
from blickschutz.guard.model import WorkKind, WorkState
from blickschutz.situations.kinds import Kind
from blickschutz.wall.model import TileState
from blickschutz.web import texts
from blickschutz.web.pages import Pages

_GB = 1e9
# Where there are more of them, what somebody has to look at comes first, and the rest only by demand: nobody reads thousands of rows.
MOST_CAMERAS, MOST_WORK, MOST_NEEDS = 100, 500, 100


def health_view(pages: Pages, language: str, *, every: bool = False) -> dict[str, Any]:
    """What the page of health shows of the room's vitals, as texts; with `every` each camera and each piece of work, however many."""
    vitals, translate = pages.room.vitals(), texts.translator(language)

    def moment(at: float) -> str:
        return texts.moment(pages.moment(at), language) if at else ""

    def age(at: float) -> str:
        return texts.lasting(vitals.at - at, translate) if at else ""

    until = vitals.certificate_until
    tiles, work = pages.tiles(), [(process, one) for process, states in vitals.work.items() for one in states]
    shown = work
    if not every and len(work) > MOST_WORK:
        shown = sorted(((process, one) for process, one in work if _is_told(one)), key=lambda told: _runs(told[1]))[:MOST_WORK]
    all_tiles, needs = len(tiles), concerns(vitals)
    if not every and all_tiles > MOST_CAMERAS:
        tiles = sorted(tiles, key=lambda one: (vitals.cameras.get(one.camera.id) or one.state) == TileState.LIVE)[:MOST_CAMERAS]
    return {
        "tiles": tiles,
        "all_tiles": all_tiles,
        "vitals": vitals,
        "needs": [_need(pages, one, moment, age, language) for one in (needs if every else needs[:MOST_NEEDS])],
        "all_needs": len(needs),
        "up": texts.lasting(vitals.up_s, translate),
        "free": texts.number(vitals.disk.free / _GB, language) if vitals.disk.free is not None else "",
        "reserve": texts.number(vitals.disk.reserve / _GB, language),
        "fits": texts.lasting(vitals.disk.forecast_s, translate) if vitals.disk.forecast_s is not None else "",
        "copies": [_copy(one, vitals.at, translate) for one in vitals.replication.replicas] if vitals.replication is not None else [],
        "databases": [(one, age(one.written)) for one in vitals.databases],
        "verified": moment(vitals.chain.verified_at) if vitals.chain is not None else "",
        "anchored": moment(vitals.anchor.at) if vitals.anchor is not None else "",
        "certificate": texts.day(datetime.fromtimestamp(until, pages.zone).date(), language) if until is not None else "",
        "orders_for": texts.lasting(vitals.orders.oldest_s, translate) if vitals.orders is not None else "",
        "overdue_for": texts.lasting(vitals.deadlines.oldest_s, translate) if vitals.deadlines is not None else "",
        "channels": [(one, texts.lasting(one.oldest_s, translate)) for one in vitals.channels or () if one.waiting],
        "work": [_work(one, process, translate) for process, one in shown],
        "all_work": len(work),
        "all_run": all(_runs(one) for _, one in work),
    }


def _need(pages: Pages, one: Concern, moment: Any, age: Any, language: str) -> dict[str, Any]:
    what, todo = texts.NEED_WORDS[one.need.value]
    translate = texts.translator(language)
    named = one.subject
    if one.of_camera:
        kinds = ", ".join(texts.kind_name(Kind(kind), language) for kind in one.kinds)
        named = pages.camera_name(one.subject) + (f" ({kinds})" if kinds else "")
    elif one.subject in texts.DATABASE_WORDS:
        named = translate(texts.DATABASE_WORDS[one.subject])
    return {
        "own": one,
        "what": translate(what),
        "todo": translate(todo),
        "subject": named,
        "since": moment(one.since) if one.since is not None else "",
        "age": age(one.since) if one.since is not None else "",
    }


def _copy(one: ReplicaState, at: float, translate: texts.Translate) -> tuple[str, bool, str]:
    """Name, whether all is well, and how it is."""
    if not one.there:
        return one.name, False, translate(texts.COPY_WORDS["gone"]).format(age=texts.lasting(at - one.since, translate))
    if one.is_behind:
        return one.name, False, translate(texts.COPY_WORDS["behind"]).format(age=texts.lasting(one.behind_s, translate))
    return one.name, one.awaited, translate(texts.COPY_WORDS["awaited" if one.awaited else "follows"])


def _runs(one: WorkState) -> bool:
    return one.running or one.kind is WorkKind.SHORT


def _is_told(one: WorkState) -> bool:
    """Whether there is more to say of it than that it runs."""
    return not _runs(one) or bool(one.failing or one.error or one.depth or one.set_aside)


def _work(one: WorkState, process: str, translate: texts.Translate) -> dict[str, Any]:
    return {
        "own": one,
        "process": process,
        "kind": translate(texts.WORK_KINDS[one.kind.value]),
        "oldest": texts.lasting(one.oldest_s, translate) if one.depth and one.kind is WorkKind.QUEUE else "",
    }
