"""What is said between a host and the control room beside the messages of a cell, and how each of those is delivered."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import msgspec

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
