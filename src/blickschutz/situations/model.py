"""Settings of the rules, and what a rule says of one moment.

Distances are in metres and speeds in metres per second; where a camera is not calibrated a person's height in
the picture stands for 1.75 m. Times are in seconds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Gt, Le

from blickschutz.kernel.density import Density
from blickschutz.kernel.geometry import Box, Points
from blickschutz.situations.kinds import Kind

Seconds = Annotated[float, Ge(0), Le(3600)]
Metres = Annotated[float, Gt(0), Le(100)]
Share = Annotated[float, Ge(0), Le(1)]

# Below this score a rule says nothing: half of what its own settings ask for.
FLOOR = 1 / 3
# What an alarm needs before a camera has a threshold of its own. A rule with bounds of its own scores one half where they are met.
# The learned rules have theirs from the ordinary footage of scenes that they did not learn from (docs/models).
START_THRESHOLDS: Mapping[Kind, float] = {
    **dict.fromkeys(Kind, 0.5),
    Kind.FAST_MOVEMENT: 0.54,
    Kind.PHYSICAL_ALTERCATION: 0.9,
    Kind.PERSON_DOWN: 0.78,
}

WHOLE: Points = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))

_STRICT: dict[str, Any] = {"extra": "forbid", "use_attribute_docstrings": True}


@dataclass(frozen=True, slots=True)
class RuleSettings:
    """What each rule asks for: met in full it scores one half (`graded`). Every rule can be switched off by `off`."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    off: tuple[Kind, ...] = ()
    """Kinds that are not looked for."""
    in_zone_s: Seconds = 1.0
    """person_in_zone: how long somebody must be there."""
    loitering_s: Seconds = 180.0
    """loitering: how long somebody stays within `loitering_m`."""
    loitering_m: Metres = 6.0
    """loitering: radius in metres."""
    gathering_persons: Annotated[int, Ge(3), Le(100)] = 7
    """gathering: least number of persons."""
    gathering_m: Metres = 4.0
    """gathering: radius in metres around the middle of the group."""
    gathering_s: Seconds = 20.0
    """gathering: how long."""
    fast_mps: Annotated[float, Gt(0), Le(15)] = 4.5
    """fast_movement: least speed in metres per second."""
    fast_s: Seconds = 0.8
    """fast_movement: how long."""
    approach_mps: Annotated[float, Gt(0), Le(15)] = 3.5
    """approach: least closing speed in metres per second."""
    approach_from_m: Metres = 4.0
    """approach: from at least this distance."""
    approach_to_m: Metres = 1.2
    """approach: to at most this distance."""
    altercation_s: Seconds = 0.6
    """physical_altercation: span over which it is judged at the least."""
    altercation_height: Share = 0.3
    """physical_altercation: least share of the picture's height that the two fill; smaller limbs are not told from noise."""
    down_s: Seconds = 0.4
    """person_down: how long somebody must be down after a fall."""
    lying_s: Seconds = 0.8
    """person_down: how long somebody must lie who was not seen to fall."""
    contacts: Annotated[int, Ge(2), Le(20)] = 4
    """repeated_brief_contact: number of different persons."""
    contact_m: Metres = 1.0
    """repeated_brief_contact: distance that counts as a contact."""
    contact_least_s: Seconds = 2.0
    """repeated_brief_contact: shortest contact."""
    contact_most_s: Seconds = 25.0
    """repeated_brief_contact: longest contact."""
    contact_window_s: Seconds = 600.0
    """repeated_brief_contact: span in which the contacts lie."""
    object_s: Seconds = 10.0
    """object_left, object_removed: how long nobody was near."""
    surface_s: Seconds = 10.0
    """surface_changed: how long the change stays."""
    tamper_s: Seconds = 1.0
    """camera_tampered: how long the camera does not see what it usually sees."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line from `start` to `end` (shares of the picture). Crossing from its left to its right counts, or both ways."""

    id: str
    start: tuple[float, float]
    end: tuple[float, float]
    both_ways: bool = True


@dataclass(frozen=True, slots=True)
class WatchedZone:
    """A part of the picture (polygon in shares of it) and the rules in it. `surface` marks a protected surface."""

    id: str
    polygon: Points = WHOLE
    surface: bool = False
    rules: RuleSettings = RuleSettings()


@dataclass(frozen=True, slots=True)
class SituationSettings:
    """What is looked for in one camera's picture. `px_per_metre` is its calibration in source pixels or as two points, or None.

    A situation begins when the score of its kind reaches `thresholds`, and ends when its rule was silent for `release_s`.
    A kind without a threshold of its own has that of the start; above 1 it is never told.
    """

    zones: tuple[WatchedZone, ...] = (WatchedZone("all"),)
    lines: tuple[Line, ...] = ()
    px_per_metre: Density | None = None
    release_s: float = 3.0
    thresholds: Mapping[Kind, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """What speaks for a kind at this moment. `subject` tells two findings of one kind in one zone apart, for as long as they last.

    `score` is the evidence from `FLOOR` to 1, of which nothing is decided here.
    """

    kind: Kind
    zone: str
    subject: str
    score: float
    box: Box
    figures: Mapping[str, float] = field(default_factory=dict)


def graded(*figures: tuple[float, float]) -> float:
    """The score of a rule that asks for (value, bound) in each of `figures`: that of the figure which is met least.

    One half where a bound is just met, `FLOOR` at half of it, towards 1 far beyond it.
    """
    met = min((value / bound if bound > 0 else math.inf) for value, bound in figures)
    return 1.0 if math.isinf(met) else max(0.0, met / (1 + met))
