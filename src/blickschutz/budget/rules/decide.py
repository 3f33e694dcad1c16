"""From counted peaks to what is said of a camera: shares of the budget, thresholds in force, costs, proposals, drift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from blickschutz.budget.model import (
    DAY_S,
    FACTS,
    LEAST_DAYS,
    LEAST_RECALL,
    MUST_NOT_WAIT,
    NEVER,
    RECENT_DAYS,
    BudgetSettings,
    CameraBudget,
    CameraView,
    Day,
    Decision,
    KindView,
    Proposal,
    Shadow,
    Standing,
    Why,
)
from blickschutz.budget.rules.tail import BINS, Floats, Tail, bin_of, dispersion, score_of
from blickschutz.situations.kinds import Kind

# (least score, share of the reference incidents that reach it), by growing score.
Curve = Sequence[tuple[float, float]]
# What must not wait gets twice the share of another kind.
_WEIGHT = 2.0
# Shares are bounds that are not all reached at once: of five kinds and more they may add up to twice the common budget, and the camera
# keeps it all the same (tests/properties/test_budget.py).
_TOGETHER, _ONE_MORE = 2.0, 0.25
# A threshold may come down where that is more than rounding, and two weeks say so.
_ROOM_BINS, _ROOM_DAYS = 4, 14
# Points of a drawn curve.
_DRAWN = 24


def shares(budget: CameraBudget) -> Mapping[Kind, float]:
    """False alarms a day that each told kind may cost at most: its own budget, else its part of the common one."""
    told = [kind for kind, regimes in budget.told.items() if regimes]
    common = [kind for kind in told if kind not in FACTS and kind not in budget.kinds]
    weights = {kind: _WEIGHT if kind in MUST_NOT_WAIT else 1.0 for kind in common}
    whole = sum(weights.values()) / min(_TOGETHER, 1 + _ONE_MORE * (len(common) - 1))
    own = {kind: budget.kinds[kind] for kind in told if kind in budget.kinds}
    return {**{kind: budget.per_day * weight / whole for kind, weight in weights.items()}, **own}


def thresholds(settings: BudgetSettings, camera: str, accepted: Mapping[Kind, float | None]) -> dict[Kind, tuple[Standing, float]]:
    """The threshold in force of every kind that is looked for, and why. Needs no tail: nothing changes by itself."""
    budget, share = settings.cameras[camera], shares(settings.cameras[camera])
    found: dict[Kind, tuple[Standing, float]] = {}
    for kind, regimes in budget.told.items():
        start, chosen = settings.start[kind], accepted.get(kind)
        if kind in share and share[kind] <= 0:
            found[kind] = Standing.NEVER, NEVER
        elif kind in budget.fixed:
            found[kind] = Standing.FIXED, budget.fixed[kind]
        elif not regimes:
            found[kind] = Standing.COUNTED, start
        elif kind not in share:
            found[kind] = Standing.FACT, start
        elif chosen is not None:
            found[kind] = (Standing.ACCEPTED if chosen < NEVER else Standing.OFF), chosen
        elif kind in MUST_NOT_WAIT or settings.shadow_s <= 0:
            found[kind] = Standing.START, start
        else:
            found[kind] = Standing.SHADOW, NEVER
    return found


def counts(day: Day, kind: Kind, regimes: frozenset[str]) -> Floats:
    """Peaks of a day by bin in these regimes."""
    found = np.zeros(BINS)
    for cell, bins in day.peaks.get(kind, {}).items():
        if cell.split(" ")[0] in regimes:
            for number, count in bins.items():
                found[number] += count
    return found


def false_counts(days: Sequence[Day], kind: Kind, regimes: frozenset[str]) -> list[Floats]:
    """The same day by day, less what people confirmed: an incident is no false alarm.

    A confirmed one is taken from the nearest peak at or above its score, the newest day first.
    """
    found = [counts(day, kind, regimes) for day in days]
    confirmed = np.zeros(BINS)
    for day in days:
        for number, count in day.confirmed.get(kind, {}).items():
            confirmed[min(number, BINS - 1)] += count
    for number in map(int, np.flatnonzero(confirmed)):
        left = float(confirmed[number])
        for edge in range(number, BINS):
            for one in reversed(found):
                taken = min(left, float(one[edge]))
                one[edge] -= taken
                left -= taken
    return found


def recall(curve: Curve, threshold: float) -> float | None:
    """Share of the reference incidents that reach a score: that of the next higher score that was measured. None: not measured."""
    if not curve:
        return None
    return next((share for score, share in curve if score >= threshold - 1e-9), 0.0)


def pooled(settings: BudgetSettings, days: Mapping[str, Sequence[Day]]) -> dict[str, dict[Kind, Floats]]:
    """For each camera and kind the false peaks of all others."""
    own = {
        camera: {
            kind: np.asarray(sum(false_counts(known, kind, regimes), np.zeros(BINS)), np.float64)
            for kind, regimes in settings.cameras[camera].told.items()
            if any(kind in day.peaks for day in known)
        }
        for camera, known in days.items()
    }
    totals: dict[Kind, Floats] = {}
    for counted in own.values():
        for kind, peaks in counted.items():
            totals[kind] = totals.get(kind, np.zeros(BINS)) + peaks
    return {camera: {kind: total - counted.get(kind, np.zeros(BINS)) for kind, total in totals.items()} for camera, counted in own.items()}


def tail_of(days: Sequence[Day], kind: Kind, regimes: frozenset[str], floor: float, like: Floats | None = None) -> Tail:
    """The tail of a kind over `days`; `like` are peaks of other cameras."""
    by_day = false_counts(days, kind, regimes)
    whole = [float(one[bin_of(floor) :].sum()) for one, day in zip(by_day, days, strict=True) if day.seconds >= 0.9 * DAY_S]
    total = np.asarray(np.sum(by_day, axis=0) if by_day else np.zeros(BINS), np.float64)
    return Tail(total, sum(day.seconds for day in days) / DAY_S, dispersion(np.array(whole)), floor, like)


def judge(
    settings: BudgetSettings,
    shadow: Shadow,
    days: Sequence[Day],
    decisions: Mapping[Kind, Decision],
    curves: Mapping[Kind, Curve],
    others: Mapping[Kind, Floats],
    *,
    drawn: bool = False,
) -> CameraView:
    """All that is said of a camera. `days` are those of this stretch, the oldest first; `decisions` the newest of each kind.

    `others` are the peaks of all other cameras. `drawn`: with curves of what each score would cost, which takes ten times as long.
    """
    camera, observed = shadow.camera, sum(day.seconds for day in days)
    ready = observed >= max(settings.shadow_s, LEAST_DAYS * DAY_S)
    accepted = {kind: one.threshold for kind, one in decisions.items()}
    laid, share = thresholds(settings, camera, accepted), shares(settings.cameras[camera])
    views = []
    for kind, (standing, threshold) in laid.items():
        regimes = settings.cameras[camera].told[kind]
        curve = curves.get(kind, ())
        common = KindView(
            kind,
            standing,
            threshold,
            share.get(kind),
            recall=recall(curve, threshold),
            episodes=sum(sum(bins.values()) for day in days for bins in day.peaks.get(kind, {}).values()),
            alarms=sum(day.alarms.get(kind, 0) for day in days),
            closed=_closed(days, kind),
            hours=_hours(days, kind),
            decided=decisions.get(kind),
        )
        views.append(
            _weighed(settings, common, days, regimes, curve, others.get(kind), ready=ready, drawn=drawn) if kind in share else common
        )
    return CameraView(camera, shadow, observed, settings.shadow_s, views)


def _weighed(
    settings: BudgetSettings,
    view: KindView,
    days: Sequence[Day],
    regimes: frozenset[str],
    curve: Curve,
    like: Floats | None,
    *,
    ready: bool,
    drawn: bool,
) -> KindView:
    """With what its threshold costs, whether that is too much, and what is proposed."""
    share = view.share or 0.0
    tail = tail_of(days, view.kind, regimes, settings.floor, like)
    recent = tail_of(days[-RECENT_DAYS:], view.kind, regimes, settings.floor, like) if len(days) > RECENT_DAYS else tail
    known = sum(day.seconds for day in days) >= LEAST_DAYS * DAY_S
    cost = recent.rate(view.threshold) if known else None
    # In shadow a start threshold may cost more: that is what is being found out.
    over = ready and cost is not None and view.is_told and cost.low > share
    proposal = None
    if ready and share > 0 and view.standing is not Standing.FIXED:
        proposal = _proposal(settings, view, recent if over else tail, share, curve, over=over, days=len(days))
    return replace(view, cost=cost, curve=_drawn(tail, settings.floor) if known and drawn else (), over=over, proposal=proposal)


def _proposal(
    settings: BudgetSettings, view: KindView, tail: Tail, share: float, curve: Curve, *, over: bool, days: int
) -> Proposal | None:
    """None where what is in force stays as it is: a threshold that somebody accepted is touched by drift and by room alone."""
    threshold = max(tail.threshold(share), settings.floor)
    found = recall(curve, threshold)
    first = view.standing in {Standing.SHADOW, Standing.START}
    lower = threshold < NEVER and bin_of(min(1.0, view.threshold)) - bin_of(threshold) >= _ROOM_BINS
    room = not (first or over) and lower and days >= _ROOM_DAYS
    if not (first or room or (over and threshold > view.threshold)):
        return None
    if threshold >= NEVER or (found is not None and found < LEAST_RECALL):
        # What is off already need not be proposed again.
        why = Why.NOISE if threshold >= NEVER else Why.RECALL
        return None if view.standing is Standing.OFF else Proposal(NEVER, tail.rate(NEVER), 0.0 if curve else None, why)
    return Proposal(threshold, tail.rate(threshold), found, Why.OVER if over else Why.ROOM if room else Why.FIRST)


def _drawn(tail: Tail, floor: float) -> Curve:
    """What each score would cost, a day: points for a drawing."""
    step = max(1, (BINS - bin_of(floor)) // _DRAWN)
    return [(score_of(edge), tail.rate(score_of(edge)).expected) for edge in range(bin_of(floor), BINS, step)]


def _closed(days: Sequence[Day], kind: Kind) -> dict[str, int]:
    found: dict[str, int] = {}
    for day in days:
        for outcome, count in day.closed.get(kind, {}).items():
            found[outcome] = found.get(outcome, 0) + count
    return found


def _hours(days: Sequence[Day], kind: Kind) -> dict[str, int]:
    """Episodes by regime and hour."""
    found: dict[str, int] = {}
    for day in days:
        for cell, bins in day.peaks.get(kind, {}).items():
            found[cell] = found.get(cell, 0) + sum(bins.values())
    return found
