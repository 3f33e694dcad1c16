"""Two published waves beside each other: a difference only where the same was asked, with its interval, else why there is none."""

from __future__ import annotations

import math

from stimmungsbild.errors import OpeningError
from stimmungsbild.publication.model import Change, Figures, Town

# Shares and bounds are printed in whole per cent, so each may be half a point off.
_ROUNDED = 0.5


def changes(now: Figures, before: Figures) -> tuple[Change, ...]:
    """Feeling unsafe, place by place, by letters alone. Raises `OpeningError` for what may not stand beside each other."""
    if now.simulated != before.simulated:
        raise OpeningError("one of the two waves is of a simulated town")
    if now.wave == before.wave:
        raise OpeningError(f"both files are of wave {now.wave}")
    wordings = {one.name: one.wording for one in before.items}
    known = {one.name: one.wording for one in now.items}
    then = {row.name: row.town for row in before.unsafe}
    return tuple(_change(row.name, row.town, then.get(row.name), known.get(row.name), wordings.get(row.name)) for row in now.unsafe)


def _change(name: str, now: Town | None, then: Town | None, asked: str | None, before: str | None) -> Change:
    if before is None:
        return Change(name, "new", None)
    if asked != before:
        return Change(name, "changed", then)
    if now is None or then is None:
        return Change(name, "few", then)
    points = now.percent - then.percent
    half = math.sqrt(_half(now) ** 2 + _half(then) ** 2)
    return Change(name, "same", then, points, math.floor(points - half), math.ceil(points + half))


def _half(one: Town) -> float:
    """Half of an interval, in points, as wide as it may have been before it was rounded."""
    return max(one.high - one.percent, one.percent - one.low) + _ROUNDED
