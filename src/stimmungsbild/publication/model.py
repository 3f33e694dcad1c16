"""The file of figures. Shares are whole per cent: finer ones would say more of few people than their counts do."""

from __future__ import annotations

import msgspec

KIND = "stimmungsbild-figures/1"
# What the video system's committee and DSFA may take it for, and what not.
PURPOSE = "views of data subjects (Art. 35(9) GDPR); no evidence that a measure is necessary"


class Town(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A share of the town with its 95 % interval, in per cent."""

    percent: int
    low: int
    high: int


class Open(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A share of those who came to the open door. It has no interval: nobody drew them."""

    percent: int


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One share by both doors. None: too few people."""

    name: str
    town: Town | None
    open: Open | None

    @property
    def difference(self) -> int | None:
        """How much higher the open door is, in points: a finding about who comes, not about the town."""
        return self.open.percent - self.town.percent if self.open and self.town else None


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One item: hash of its German wording, how it stands to the earlier wave, how many answered by door, its choices."""

    name: str
    wording: str
    standing: str
    town_answers: int | None
    open_answers: int | None
    rows: tuple[Row, ...]


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Feeling unsafe somewhere by one stratum."""

    item: str
    by: str
    rows: tuple[Row, ...]


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A square that at least ten people named: lower left corner in hundreds of metres (ETRS89-LAEA), width in metres.

    `rest`: without those of its quarters that stand by themselves; `more`: `people` or more.
    """

    east: int
    north: int
    metres: int
    rest: bool
    people: int
    more: bool

    @property
    def name(self) -> str:
        """Name of the square after the INSPIRE grid, with its width in metres."""
        return f"{self.metres}mN{self.north:05}E{self.east:05}"


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many open texts say something, by door; `kappa` of the two who coded them. None: too few, or they did not agree enough."""

    category: str
    kappa: float | None
    register: int | None
    open: int | None


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Feeling unsafe somewhere beside an earlier wave. `standing`: `same`, or why there is no difference (`changed`, `new`, `few`).

    `points`: difference of the town's shares, with its 95 % interval, in points.
    """

    item: str
    standing: str
    then: Town | None
    points: int | None = None
    low: int | None = None
    high: int | None = None


class Method(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the figures for the town came about."""

    letters: int
    design_effect: float
    effective: int
    iterations: int
    residual_points: float
    trimmed: bool
    converged: bool
    altered: int
    missing: int


class Figures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that is published of a wave."""

    kind: str
    purpose: str
    field: str
    wave: str
    earlier: str
    questionnaire: str
    printed: str
    simulated: bool
    register_people: int | None
    open_people: int | None
    outreach_people: int | None
    bursts: int | None
    method: Method
    unsafe: tuple[Row, ...]
    without_bursts: tuple[Row, ...]
    groups: tuple[Group, ...]
    items: tuple[Asked, ...]
    register_places: tuple[Place, ...] = ()
    open_places: tuple[Place, ...] = ()
    said: tuple[Said, ...] = ()
    before: str = ""
    changes: tuple[Change, ...] = ()


class Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The figures as bytes of JSON, and the evaluation's signature over them (Ed25519, in hex)."""

    figures: str
    verify: str
    signature: str
