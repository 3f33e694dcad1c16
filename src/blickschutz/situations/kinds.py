"""What a behaviour rule found: kinds from a closed vocabulary, in neutral physical words, with figures to check it by.

Names describe movement and things, never intent, identity or guilt (DESIGN 6, KI-02). The vocabulary is what the modules in
`situations.rules` declare, each kind beside the rule that finds it; it is closed as soon as anybody asks for it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import EnumMeta, StrEnum
from typing import TYPE_CHECKING

from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import Cause
from blickschutz.situations import rules
from blickschutz.situations.declare import Rule, Where, close
from blickschutz.situations.model import Declaration

for _module in pkgutil.iter_modules(rules.__path__, f"{rules.__name__}."):
    importlib.import_module(_module.name)

RULES: tuple[Rule, ...] = close()
"""All rules, in the order of their bounds."""

_DECLARED = sorted((one for rule in RULES for one in rule.kinds), key=lambda one: one.order)


if TYPE_CHECKING:

    class _Vocabulary(EnumMeta):
        """Which members there are is known when all rules are: `Kind.LOITERING` is a kind, and whether there is one a test looks up."""

        def __getattr__(cls, name: str) -> Kind: ...

else:
    # Of its very own type an enumeration is known to msgspec; of a subclass it is not.
    _Vocabulary = EnumMeta


class Kind(StrEnum, metaclass=_Vocabulary):
    """All situations that this software knows. There are no others."""

    if TYPE_CHECKING:
        _value_: str
    else:
        _ignore_ = ("one", "members")
        members = vars()
        for one in _DECLARED:
            members[one.id.upper()] = one.id


DECLARED: Mapping[Kind, Declaration] = {Kind(one.id): one for one in _DECLARED}
WHERE: Mapping[Kind, Where] = {Kind(one.id): rule.where for rule in RULES for one in rule.kinds}
NAMES: Mapping[Kind, tuple[str, str]] = {kind: declared.name for kind, declared in DECLARED.items()}

# Put before the figures: which of these a situation has a figure for, by name.
_CAUSES: Mapping[str, tuple[str, str]] = {
    Cause.COVERED.value: ("verdeckt", "covered"),
    Cause.DEFOCUSED.value: ("unscharf", "out of focus"),
    Cause.DARK.value: ("verdunkelt", "darkened"),
    Cause.BLINDED.value: ("geblendet", "blinded"),
    Cause.MOVED.value: ("verdreht oder verschoben", "turned or moved"),
    Cause.FROZEN.value: ("Bild eingefroren", "picture frozen"),
}

# A figure that says that metres were estimated: its value is what a body's height was taken for, in metres.
UNCALIBRATED = "body_metres"
_POWERS: Mapping[str, int] = {"metres": 1, "from_metres": 1, "to_metres": 1, "metres_per_second": 1, "square_metres": 2}


@dataclass(frozen=True, slots=True)
class Situation:
    """One situation, from the moment at which its rule became true.

    `number` is unique in its camera since the cell's start. Times in seconds: `at` monotonic, `taken` POSIX.
    `box` is where, in shares of the picture (0..1). `ended_at` is None while it goes on.
    """

    number: int
    kind: Kind
    zone: str
    at: float
    taken: float
    confidence: float
    figures: Mapping[str, float] = field(default_factory=dict)
    box: Box | None = None
    ended_at: float | None = None


@dataclass(frozen=True, slots=True)
class Episode:
    """Evidence for one kind about one candidate (pair, person, place) from its begin to its end: numbers alone.

    `peak` is the highest score (0..1) on which a threshold is laid, `threshold` the one in force at that moment. `at` is when the
    score reached it, where it did; else when the score was highest. Times in seconds: `at` and `ended_at` monotonic, `taken` POSIX.
    """

    kind: Kind
    zone: str
    at: float
    taken: float
    ended_at: float
    peak: float
    threshold: float
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def alarmed(self) -> bool:
        """Whether people were told of it."""
        return self.peak >= self.threshold


def name(kind: Kind, language: str) -> str:
    """The neutral name of a kind, in "de" or "en"."""
    return NAMES[kind][0 if language == "de" else 1]


def explanation(kind: Kind, figures: Mapping[str, float], language: str) -> str:
    """The figures of a situation as one line; empty where an outside source gave other figures.

    Where the camera is not calibrated (`figures` hold `UNCALIBRATED`) lengths are told in body heights.
    """
    german = language == "de"
    body = figures.get(UNCALIBRATED, 0.0)
    values = {key: value / body ** _POWERS.get(key, 0) if body else value for key, value in figures.items()}
    height = "Körperhöhen" if german else "body heights"
    units = {"m": height, "mps": f"{height}/s", "sqm": f"{height}²"} if body else {"m": "m", "mps": "m/s", "sqm": "m²"}
    try:
        text = DECLARED[kind].explanation[0 if german else 1].format(**values, **units)
    except KeyError:
        return ""
    causes = ", ".join(words[0 if german else 1] for cause, words in _CAUSES.items() if cause in figures)
    text = f"{causes}: {text}" if causes else text
    # A decimal comma, as an office writes it; the dots in these lines stand in numbers only.
    return text.replace(".", ",").replace("%", " %") if german else text
