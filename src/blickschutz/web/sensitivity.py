"""The alarm budget as people read it: false alarms a week, scores, drawings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from blickschutz.budget.model import DAY_S, NEVER, CameraView, KindView, Proposal, Rate, Standing, Why
from blickschutz.web import texts
from blickschutz.web.pages import Pages

_WEEK = 7
# The drawing of a curve, in its own units: scores on log odds to the right, false alarms a week on a log scale upward.
_WIDTH, _HEIGHT = 300.0, 120.0
_LEAST, _MOST = 0.01, 10_000.0
_HOURS = 24


def overview(pages: Pages, views: Sequence[CameraView], language: str) -> list[dict[str, Any]]:
    """A row for each camera."""
    return [{**_camera(pages, view, language), **_sums(view, language)} for view in views]


def camera_page(pages: Pages, view: CameraView, language: str) -> dict[str, Any]:
    """One camera with all its kinds, those for which a person is asked first."""
    rows = [_kind(pages, one, language) for one in view.kinds]
    return {"camera": _camera(pages, view, language), "kinds": rows, "proposals": [row for row in rows if row["proposal"]]}


def _camera(pages: Pages, view: CameraView, language: str) -> dict[str, Any]:
    days, needed = view.observed_s / DAY_S, view.shadow_s / DAY_S
    return {
        "id": view.camera,
        "name": pages.camera_name(view.camera),
        "in_shadow": view.in_shadow,
        "observed": texts.number(days, language),
        "needed": texts.number(needed, language, 0 if needed == round(needed) else 1),
        "share": min(1.0, days / needed) if needed else 1.0,
        "began": texts.BEGAN_WORDS[view.shadow.began.value],
        "since": texts.moment(pages.moment(view.shadow.at), language),
        "is_new": view.shadow.number == 1,
    }


def _sums(view: CameraView, language: str) -> dict[str, Any]:
    weighed = [one for one in view.kinds if one.cost is not None and one.is_told]
    return {
        "waiting": len(view.waiting),
        "over": [texts.kind_name(one.kind, language) for one in view.kinds if one.over],
        "unavailable": [texts.kind_name(one.kind, language) for one in view.kinds if one.unavailable is not None],
        "silent": sum(one.standing is Standing.SHADOW for one in view.kinds),
        "cost": _per_week(sum(one.cost.expected for one in weighed if one.cost is not None), language) if weighed else "",
    }


def _kind(pages: Pages, view: KindView, language: str) -> dict[str, Any]:
    word, meaning = texts.STANDING_WORDS[view.standing.value]
    decided = view.decided
    return {
        "kind": view.kind.value,
        "name": texts.kind_name(view.kind, language),
        "standing": view.standing.value,
        "word": word,
        "meaning": meaning,
        "threshold": score(view.threshold, language),
        "is_told": view.is_told,
        "share": _per_week(view.share, language) if view.share is not None else "",
        "cost": _cost(view.cost, language),
        "recall": recall(view.recall, language),
        "episodes": view.episodes,
        "alarms": view.alarms,
        "confirmed": view.closed.get("confirmed", 0),
        "false": view.closed.get("false-alarm", 0),
        "over": view.over,
        "unavailable": texts.WHY_WORDS[view.unavailable.value] if view.unavailable is not None else "",
        "decided_by": pages.person_name(decided.by) if decided is not None and decided.threshold is not None else "",
        "decided_at": texts.moment(pages.moment(decided.at), language) if decided is not None else "",
        "proposal": _proposal(view.proposal, language) if view.proposal is not None else None,
        "curve": curve(view),
        "hours": _hours(view.hours),
    }


def _proposal(one: Proposal, language: str) -> dict[str, Any]:
    return {
        "seen": repr(one.threshold),
        "threshold": score(one.threshold, language),
        "cost": _cost(one.cost, language),
        "recall": recall(one.recall, language),
        "why": texts.WHY_WORDS[one.why.value],
        "off": one.why in {Why.RECALL, Why.NOISE},
    }


def score(value: float, language: str) -> str:
    """A threshold; empty for one that no score reaches."""
    return "" if value >= NEVER else texts.number(value, language, 3)


def recall(value: float | None, language: str) -> str:
    """A share of incidents; empty where it was not measured."""
    return "" if value is None else f"{texts.number(100 * value, language, 0)} %"


def _per_week(per_day: float, language: str) -> str:
    a_week = _WEEK * per_day
    if 0 < a_week < _LEAST:
        return f"< {texts.number(_LEAST, language, 2)}"
    return texts.number(a_week, language, 2 if a_week < 10 else 0)


def _cost(cost: Rate | None, language: str) -> dict[str, str] | None:
    return None if cost is None else {"expected": _per_week(cost.expected, language), "high": _per_week(cost.high, language)}


def curve(view: KindView) -> dict[str, Any] | None:
    """What each score would cost, as a path; where the thresholds and the budget lie. None where nothing was counted yet."""
    if not view.curve or view.share is None:
        return None
    odds = [math.log(one / (1 - one)) for one, _ in view.curve]
    first, last = odds[0], odds[-1]

    def across(value: float) -> float:
        return round(_WIDTH * (min(last, max(first, math.log(value / (1 - value)))) - first) / (last - first), 1)

    def up(per_day: float) -> float:
        a_week = min(_MOST, max(_LEAST, _WEEK * per_day))
        return round(_HEIGHT * (1 - math.log(a_week / _LEAST) / math.log(_MOST / _LEAST)), 1)

    points = " ".join(f"{'L' if index else 'M'}{across(one)} {up(cost)}" for index, (one, cost) in enumerate(view.curve))
    proposed = view.proposal.threshold if view.proposal is not None else NEVER
    return {
        "path": points,
        "budget": up(view.share),
        "now": across(view.threshold) if view.is_told else None,
        "then": across(proposed) if proposed < NEVER else None,
        "width": _WIDTH,
        "height": _HEIGHT,
    }


def _hours(cells: Mapping[str, int]) -> list[tuple[int, int, float]]:
    """Hour, episodes, share of the busiest hour; day and night together."""
    found = [0] * _HOURS
    for cell, count in cells.items():
        found[int(cell.split(" ")[1]) % _HOURS] += count
    most = max(1, *found)
    return [(hour, count, round(40 * count / most, 1)) for hour, count in enumerate(found)] if any(found) else []
