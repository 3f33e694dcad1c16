"""What a rule says of one moment, and of which part of the picture.

Distances are in metres and speeds in metres per second; where a camera is not calibrated a person's height in
the picture stands for 1.75 m. Times are in seconds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, Protocol

from annotated_types import Ge, Gt, Le

from blickschutz.kernel.density import Density
from blickschutz.kernel.geometry import Box, Points

Seconds = Annotated[float, Ge(0), Le(3600)]
Metres = Annotated[float, Gt(0), Le(100)]
Share = Annotated[float, Ge(0), Le(1)]

# Below this score a rule says nothing: half of what its own settings ask for.
FLOOR = 1 / 3

WHOLE: Points = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


@dataclass(frozen=True, slots=True)
class Line:
    """A line from `start` to `end` (shares of the picture). Crossing from its left to its right counts, or both ways."""

    id: str
    start: tuple[float, float]
    end: tuple[float, float]
    both_ways: bool = True


class Area(Protocol):
    """A part of the picture as rules see it (polygon in shares of it). `surface` marks a protected surface."""

    @property
    def id(self) -> str: ...
    @property
    def polygon(self) -> Points: ...
    @property
    def surface(self) -> bool: ...


class Measured(Protocol):
    """What is known of a camera's scale: source pixels for a metre or two points, or None."""

    @property
    def px_per_metre(self) -> Density | None: ...


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Declaration:
    """All that there is to know of one kind of situation. Words come as a pair: German, English.

    `id` is its name in files, messages and figures: it stays as it is. `order` is its place in lists. `explanation` tells what a
    person can check with their own eyes, and takes the figures that the rule gives by their names ({m}, {mps} and {sqm} are units).
    """

    id: str
    order: int
    name: tuple[str, str]
    explanation: tuple[str, str]
    start: float = 0.5
    """What an alarm needs before a camera has a threshold of its own. A rule with bounds of its own scores one half where they are met.
    The learned rules have theirs from the ordinary footage of scenes that they did not learn from (docs/models)."""
    release_s: float = 0.0
    """A moment that passes is still a situation for a while, so that one run or one fall is not told several times."""
    one_per_zone: bool = False
    """What happens to the whole picture or to one place belongs together whoever is in it."""
    same_place: float = 0.0
    """Who lies and what stands somewhere is found at slightly changing places; within this share of the picture it is the same."""
    priority: Literal["high", "medium", "low"] = "medium"
    """How soon somebody must see to it, by what follows and how much time there is: high where somebody may be hurt, low where a thing
    waits, medium where something may be about to happen, or the watch is blind."""
    must_not_wait: bool = False
    """What a person in danger, or a camera that sees nothing any more, cannot wait for: told by its start threshold in shadow as well."""
    is_fact: bool = False
    """A fact of the place (somebody is in a zone): a threshold on it would not make it rarer, only later."""
    device_class: str = ""
    """Its class as a `binary_sensor` of Home Assistant (on means unsafe, tampered with, wrong, taken); a kind that none fits has none."""
    onvif: tuple[str, ...] = ()
    """Beginnings of topics by which cameras tell it themselves, without namespaces (ONVIF Imaging 5.3, Analytics A)."""
    learned_from: tuple[str, ...] = ()
    """The figures that its file of trees was learned from, where it is learned; a file that was learned from others is not loaded."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What speaks for a kind at this moment. `subject` tells two findings of one kind in one zone apart, for as long as they last.

    `score` is the evidence from `FLOOR` to 1, of which nothing is decided here.
    """

    kind: Declaration
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
