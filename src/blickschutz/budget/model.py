"""What is known of a camera's false alarms, what may be spent, and what was decided. Days are 24 observed hours, whenever they were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from blickschutz.situations.kinds import DECLARED, Kind

HOUR_S, DAY_S = 3600.0, 86_400.0
# Above every score: what has this threshold is never told.
NEVER = 2.0
MUST_NOT_WAIT = frozenset(kind for kind, declared in DECLARED.items() if declared.must_not_wait)
FACTS = frozenset(kind for kind, declared in DECLARED.items() if declared.is_fact)
# Under this share of the reference incidents a kind finds too few of them to be relied upon.
LEAST_RECALL = 0.3
# Nothing is proposed from less than a day; drift is looked for in a week; what is older than four weeks is another season.
LEAST_DAYS, RECENT_DAYS, MOST_DAYS = 1.0, 7, 28


@dataclass(frozen=True, slots=True)
class Rate:
    """Events a day: what is expected, and two bounds each of which holds with the confidence of `rules.tail`."""

    expected: float
    low: float
    high: float


class Began(StrEnum):
    """Why the shadow of a camera began, or began anew."""

    NEW = "new"
    SETTINGS = "settings"
    VIEW = "view"
    DAMAGED = "damaged"
    BY_HAND = "by-hand"


class Standing(StrEnum):
    """Why a kind has the threshold that it has on a camera."""

    FACT = "fact"
    COUNTED = "counted"
    FIXED = "fixed"
    NEVER = "never"
    SHADOW = "shadow"
    START = "start"
    ACCEPTED = "accepted"
    OFF = "off"


class Why(StrEnum):
    """Why another threshold is proposed."""

    FIRST = "first"
    OVER = "over"
    ROOM = "room"
    RECALL = "recall"
    NOISE = "noise"


@dataclass(frozen=True, slots=True)
class CameraBudget:
    """What a camera may cost. `per_day` over all kinds, `kinds` those with a budget of their own; false alarms a day.

    `told` are the regimes in which a kind notifies or records; kinds that are not looked for are in neither. `fixed` are thresholds
    of the site file. `mark` stands for all settings on which the evidence depends.
    """

    per_day: float
    told: Mapping[Kind, frozenset[str]]
    kinds: Mapping[Kind, float] = field(default_factory=dict)
    fixed: Mapping[Kind, float] = field(default_factory=dict)
    mark: str = ""


@dataclass(frozen=True, slots=True)
class BudgetSettings:
    """All cameras by id; how many seconds of observation the shadow lasts; start thresholds; the score under which nothing is evidence."""

    cameras: Mapping[str, CameraBudget]
    shadow_s: float
    start: Mapping[Kind, float]
    floor: float


class Day(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Numbers of 24 observed hours. Cells are named "REGIME HOUR"; bins are those of `rules.tail`.

    `observed`: seconds by cell. `peaks`: episodes by kind, cell and bin. `confirmed`: those that people confirmed, by kind and bin,
    whenever they were. `closed`: what people found, by kind and outcome. `alarms`: how many were told, by kind.
    """

    camera: str
    shadow: int
    number: int
    observed: dict[str, float] = {}
    peaks: dict[Kind, dict[str, dict[int, int]]] = {}
    confirmed: dict[Kind, dict[int, int]] = {}
    closed: dict[Kind, dict[str, int]] = {}
    alarms: dict[Kind, int] = {}

    @property
    def seconds(self) -> float:
        return sum(self.observed.values())


@dataclass(frozen=True, slots=True)
class Shadow:
    """The stretch of observation that a camera is in: the first one is number 1. `at` is POSIX seconds, `mark` as in `CameraBudget`."""

    camera: str
    number: int
    began: Began
    at: float
    mark: str


@dataclass(frozen=True, slots=True)
class Decision:
    """A threshold that a person accepted; None goes back to none. `number` grows; `shadow` is the stretch that it was judged by."""

    camera: str
    kind: Kind
    threshold: float | None
    by: str
    at: float
    shadow: int
    number: int = 0


@dataclass(frozen=True, slots=True)
class Proposal:
    """Another threshold, what it would cost (a day), what it would find of the reference incidents (None: not measured)."""

    threshold: float
    cost: Rate
    recall: float | None
    why: Why


@dataclass(frozen=True, slots=True)
class KindView:
    """A kind on a camera. `share` is its part of the budget a day (None where it has none), `cost` what the threshold in force costs.

    `over`: the rate of the last days is above the share with confidence. `episodes`, `alarms`: of the days that are kept.
    `before` is the threshold that an undo would bring back, None where there is nothing to undo.
    """

    kind: Kind
    standing: Standing
    threshold: float
    share: float | None = None
    cost: Rate | None = None
    recall: float | None = None
    episodes: int = 0
    alarms: int = 0
    closed: Mapping[str, int] = field(default_factory=dict)
    hours: Mapping[str, int] = field(default_factory=dict)
    curve: Sequence[tuple[float, float]] = ()
    over: bool = False
    proposal: Proposal | None = None
    decided: Decision | None = None

    @property
    def unavailable(self) -> Why | None:
        """Why this kind does not serve on this camera within its budget; None where it does, or where nobody knows yet."""
        if self.proposal is not None and self.proposal.why in {Why.RECALL, Why.NOISE}:
            return self.proposal.why
        if self.standing is Standing.OFF:
            return Why.NOISE
        low = self.standing is Standing.ACCEPTED and self.recall is not None and self.recall < LEAST_RECALL
        return Why.RECALL if low else None

    @property
    def is_told(self) -> bool:
        """Whether people can be told of it at all at this moment."""
        return self.threshold < NEVER


@dataclass(frozen=True, slots=True)
class CameraView:
    """A camera with all its kinds. Seconds of observation so far in this stretch, and how many the shadow lasts."""

    camera: str
    shadow: Shadow
    observed_s: float
    shadow_s: float
    kinds: Sequence[KindView]

    @property
    def in_shadow(self) -> bool:
        return self.observed_s < self.shadow_s

    @property
    def waiting(self) -> Sequence[KindView]:
        """Kinds for which a person is asked."""
        return [one for one in self.kinds if one.proposal is not None]


class NotDone(StrEnum):
    """Why nothing was changed."""

    UNKNOWN = "unknown"
    CHANGED = "changed"
    NOTHING = "nothing"
