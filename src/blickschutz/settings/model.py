"""Changes of the site file, from the wish to the history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

import msgspec

Path: TypeAlias = tuple[str, ...]
"""Where a setting stands. Behind the name of a list of tables comes the `id` of one of them: `("cameras", "eingang", "name")`."""


class Edit(msgspec.Struct, frozen=True):
    """One wish: `value` (text, number, truth, list or table of such) at `path`, or nothing there (`remove`).

    A path that ends with an id that is not there yet adds a table, whose `id` is that. Raises `ValueError` where there is no path.
    """

    path: Path
    value: Any = None
    remove: bool = False

    def __post_init__(self) -> None:
        if not self.path or (not self.remove and self.value is None):
            raise ValueError("an edit names a path, and a value or that it is removed")


class Difference(msgspec.Struct, frozen=True):
    """One difference between two site files. `had`, `has`: whether there was and is a value; `place` is where a table stood in its list."""

    path: Path
    before: Any = None
    after: Any = None
    had: bool = True
    has: bool = True
    place: int = -1

    @property
    def key(self) -> str:
        return ".".join(self.path)


class State(StrEnum):
    """Where a proposal is. `WRITING` is seen by nobody but a start after a crash."""

    WAITING = "waiting"
    WRITING = "writing"
    APPLIED = "applied"
    WITHDRAWN = "withdrawn"
    OVERTAKEN = "overtaken"


class Origin(StrEnum):
    """Where a change comes from: somebody at a page, or the file, which somebody edited by hand."""

    PAGE = "page"
    FILE = "file"


class Noted(msgspec.Struct, frozen=True):
    """What a running system says of the file to other programs: which version is in force, and what became of the one it was asked about
    last (`turn` counts that): why it is not in force, in words, or which keys wait for a restart.
    """

    in_force: str
    asked: str = ""
    turn: int = 0
    why: str = ""
    lines: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()


class Why(StrEnum):
    """Why a change was not made."""

    LAW = "law"
    FILE = "file"
    NOTHING = "nothing"
    CLASH = "clash"
    BY_HAND = "by-hand"
    OTHER = "other"
    GONE = "gone"
    SAME = "same"
    LEFT = "left"
    ACCOUNTS = "accounts"
    ANCHOR = "anchor"
    FORM = "form"
    READ_ONLY = "read-only"
    DEMO = "demo"
    DEVICE = "device"
    VALUE = "value"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule of the policy says of a change: its short name, its source (paragraph), and the mend in German and English."""

    rule: str
    source: str
    text: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Sentences:
    """The sentences of a document that end and those that come, by a change."""

    title: str
    gone: tuple[str, ...]
    new: tuple[str, ...]


class Reach(StrEnum):
    """What becomes of a camera's cell by a change."""

    TOLD = "told"
    ANEW = "anew"
    BEGINS = "begins"
    ENDS = "ends"


@dataclass(frozen=True, slots=True)
class Effects:
    """What a change does. `against`: rules that it breaks; `open`: rules that it leaves open until somebody enters a fact; `anew`: rules
    whose signatures are for the settings before; `cells`: cameras that it touches; `restart`: keys that wait for a restart.
    """

    against: tuple[Verdict, ...] = ()
    open: tuple[Verdict, ...] = ()
    anew: tuple[Verdict, ...] = ()
    documents: tuple[Sentences, ...] = ()
    cells: Mapping[str, Reach] = field(default_factory=dict)
    restart: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a change was not made, with what there is to say: lines in words for people, rules that stand against it, keys that clash."""

    why: Why
    lines: tuple[str, ...] = ()
    against: tuple[Verdict, ...] = ()
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change that somebody proposed. Times are POSIX seconds; `second` says whether it takes a second person.

    `before`, `after`: SHA-256 of the file (hex) without and with it, `after` once it was written. `undoes` is the number of the proposal
    that it takes back, 0 for none. `restart` are the keys of it that wait for a restart.
    """

    number: int
    by: str
    at: float
    differences: tuple[Difference, ...]
    state: State = State.WAITING
    origin: Origin = Origin.PAGE
    reason: str = ""
    second: bool = True
    before: str = ""
    after: str = ""
    decided_by: str = ""
    decided_at: float = 0.0
    undoes: int = 0
    restart: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """What is written of a change that is made: the hashes of the file before and after, the keys that wait for a restart."""

    before: str
    after: str
    restart: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Looked:
    """A change that was looked at and not made: `second` says whether it takes a second person, `text` is the file as it would be."""

    differences: tuple[Difference, ...]
    effects: Effects
    second: bool
    text: str


@dataclass(frozen=True, slots=True)
class HandEdit:
    """What somebody wrote into the file by hand and nobody put in force yet. `seen` names exactly this difference."""

    differences: tuple[Difference, ...]
    effects: Effects
    seen: str


Edits: TypeAlias = Sequence[Edit]
