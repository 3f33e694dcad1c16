"""What is looked for in a camera's picture: the bounds of all rules as one table, zones, lines, thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from blickschutz.kernel.density import Density
from blickschutz.kernel.geometry import Points
from blickschutz.situations.declare import bound
from blickschutz.situations.kinds import DECLARED, RULES, Kind
from blickschutz.situations.model import WHOLE, Line

START_THRESHOLDS: Mapping[Kind, float] = {kind: declared.start for kind, declared in DECLARED.items()}


@dataclass(frozen=True)
class Off:
    """What is asked of all rules together."""

    off: tuple[Kind, ...] = bound((), "Arten, nach denen nicht gesucht wird.", "Kinds that are not looked for.")


if TYPE_CHECKING:

    class RuleSettings(Off):
        """As below; which bounds there are is known when all rules are, so types know their kind alone. A rule gets its own, typed."""

        def __init__(self, off: tuple[Kind, ...] = (), **bounds: float) -> None: ...

        def __getattr__(self, name: str) -> float: ...

else:
    # The last base comes first in a dataclass: `off`, then the bounds in the order of their rules.
    @dataclass(frozen=True)
    class RuleSettings(*dict.fromkeys(rule.bounds for rule in reversed(RULES)), Off):
        """What each rule asks for: met in full it scores one half (`graded`). Every rule can be switched off by `off`."""

        __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}


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
