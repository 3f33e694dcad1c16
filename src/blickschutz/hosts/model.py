"""What is said between a host and the control room beside the messages of a cell, and how each of those is delivered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

import msgspec

from blickschutz.recording.model import Keep
from blickschutz.review.model import Erasing
from blickschutz.wire.greeting import Greeting


class Delivery(StrEnum):
    """Kept until confirmed, in order, once; the last one counts; only while somebody asked."""

    MUST_ARRIVE = "must-arrive"
    NEWEST_WINS = "newest-wins"
    BY_DEMAND = "by-demand"


@dataclass(frozen=True, slots=True)
class Place:
    """One camera on one host of one installation."""

    installation: str
    host: str
    camera: str


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a camera is filmed. What was told under a token up to `floor` was told before another host had it."""

    host: str
    token: int
    floor: int = 0


class Open(msgspec.Struct, frozen=True, tag="open", forbid_unknown_fields=True):
    """The control room opens a session: all before it are over. `greeting` first, as on every link."""

    session: str
    greeting: Greeting


class Part(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A message of a session, or a part of one. `number` counts the parts of one direction from 1 on, without a gap; 0 ends the session:
    the cell that it was opened for has ended, or is another one.
    """

    session: str
    number: int
    last: bool
    data: bytes


# From this contract on a host says what its cells say in bundles, and hears once for all of them that somebody is there.
BUNDLES: Final = 3


class Bundle(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What several cells of one host say in one message of the broker, in the order in which it was said."""

    parts: tuple[Part, ...]


class Present(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The control room is there, and has these sessions with cells of one host."""

    sessions: tuple[str, ...]


class Told(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """News of a cell's run as they are kept and sent. `after` is the number before it that is still to come, or has come.

    What lies between the two was dropped from a full journal. `token` is the lease under which it was told, `clock` the name of the clock
    by which its times are (`wire.greeting`): a machine that was started anew has another one.
    """

    run: str
    number: int
    after: int
    token: int
    data: bytes
    clock: str = ""

    @property
    def name(self) -> str:
        """By which a broker knows a double."""
        return f"{self.run}.{self.number}"


class Confirmed(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """All news of this run up to this number are in the control room's rows."""

    run: str
    number: int


class Enrolled(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A host that two people let in, once: `enrolment` names this one time, and stands in its certificate. Times are POSIX seconds."""

    host: str
    enrolment: str
    at: float
    until: float
    by: tuple[str, str]
    revoked: float | None = None


# --- clips that stay on the host that made them (docs/design/clips-on-hosts.md) ---


class Doom(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The end of a clip is ordered: why, by whom, and since which deadline (POSIX, 0 where people did)."""

    reason: str
    people: tuple[str, ...] = ()
    due: float = 0.0


class Directive(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the control room says of one clip of one host, as a whole; of two the one with the higher `serial` counts.

    `held_until` is the date at which a hold of two people ends (POSIX), `restricted` are open requests of somebody concerned.
    """

    installation: str
    host: str
    clip: str
    serial: int
    held_until: float | None = None
    restricted: tuple[int, ...] = ()
    doom: Doom | None = None


class SignedDirective(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The text (JSON) of a directive exactly as it was signed by the installation's key."""

    text: bytes
    signature: bytes


class HostReceipt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a host did: as `retention.model.Receipt`, whose fields these are. `destroyed` is by the host's own count."""

    installation: str
    host: str
    clip: str
    camera: str
    opened: float
    destroyed: float
    reason: str
    people: tuple[str, ...]
    sha256: str
    size: int
    overwritten: int
    derived: int
    absent: bool
    ending: str
    begun: int = 0


class DirectiveHeard(msgspec.Struct, frozen=True, kw_only=True, tag="directive-heard", forbid_unknown_fields=True):
    """The directive with that serial is on the host's disk. `known` is False where the host has no such clip (any more)."""

    clip: str
    serial: int
    known: bool
    number: int = 0


class ClipGone(msgspec.Struct, frozen=True, kw_only=True, tag="clip-gone", forbid_unknown_fields=True):
    """A clip was destroyed: the text (JSON) of the `HostReceipt`, the host's signature over it, and its certificate (PEM)."""

    receipt: bytes
    signature: bytes
    certificate: bytes
    number: int = 0


HostNews: TypeAlias = DirectiveHeard | ClipGone


class AskPiece(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A piece of a clip's ciphertext is wanted, from that byte on."""

    clip: str
    start: int


class Piece(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A piece of ciphertext. `size` is that of the whole file; with a `problem` there is nothing."""

    start: int
    size: int
    data: bytes
    problem: str = ""


class CopyOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the control room says of the second copy of one clip, as a whole; of two the one with the higher `serial` counts.

    `host` keeps it, `origin` made the clip; `size` and `sha256` are those of the sealed file. It ends at `ends` (POSIX) or `left_s` after
    the order was signed, whichever is first by the keeper's count. `had`: the keeper confirmed once that it has all of it. `anew`: what it
    has is damaged, and is to be brought once more; said to whoever knows the copy. `store` is where the keeper is to have it, empty for
    its own disk. The rest is as in `Directive`. A keeper of a version before refuses what it does not know: so nothing is in the text that
    is not said.
    """

    installation: str
    host: str
    origin: str
    clip: str
    serial: int
    opened: float
    size: int
    sha256: str
    ends: float
    left_s: float
    had: bool = False
    anew: bool = False
    store: str = ""
    held_until: float | None = None
    restricted: tuple[int, ...] = ()
    doom: Doom | None = None


class AskCopy(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A piece of a clip's ciphertext is wanted for a copy, from that byte on, by whoever has the installation's order for it."""

    order: SignedDirective
    start: int


class KeptState(StrEnum):
    """Where a clip stands on its host: it is written, it is being copied from another host, it lies there, it is gone and the receipt is
    not confirmed yet.
    """

    RECORDING = "recording"
    COMING = "coming"
    THERE = "there"
    GONE = "gone"


class KeptClip(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a host knows of a clip that lies with it. `run` is the life of the cell that writes it; `stamped` seconds in `epoch` of the
    host's own time for deadlines; `held_until` a date (POSIX), `held_at` the same by that time.
    """

    clip: str
    camera: str
    run: str
    mode: str
    cause: str
    orders: tuple[int, ...]
    opened: float
    epoch: str
    stamped: float
    number: int
    keep: Keep
    state: KeptState = KeptState.RECORDING
    closed: float = 0.0
    seconds: float = 0.0
    size: int = 0
    sha256: str = ""
    reason: str = ""
    serial: int = 0
    held_until: float | None = None
    held_at: float | None = None
    restricted: tuple[int, ...] = ()
    doom: Doom | None = None
    erasing: Erasing | None = None
    gone: ClipGone | None = None
    told: tuple[str, int] | None = None


class KeptCopy(KeptClip, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a host knows of a second copy that it keeps. `size` and `sha256` are those that the order names, `stamped` and `keep` make the
    order's deadline. `line` is the camera under which the host tells of it, `order` what it was told first, `answered` the newest serial
    that it confirmed.
    `stored`: it is, or was on its way to, the store that the order names.
    """

    origin: str
    line: str
    order: SignedDirective
    answered: int = 0
    store: str = ""
    stored: bool = False


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """What a store said: whether what is put there is locked by itself, its rules that move or end objects by their names, those that
    copy them elsewhere, what could not be asked (question and error), and why what was tried was still there afterwards.
    """

    locked: bool = False
    lifecycle: Sequence[str] = ()
    replicated: Sequence[str] = ()
    unasked: Sequence[str] = ()
    not_proven: str = ""
