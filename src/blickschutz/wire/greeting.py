"""The first words of both sides of a link: which contracts they speak, of which installation they are, which clock they read.

The form of a greeting and of a refusal never changes, and takes fields that it does not know: every version can read every other's.
docs/design/cell-contract.md.
"""

from __future__ import annotations

import os
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from blickschutz.kernel.errors import ProtocolError

# What this program speaks: the first and the last of the contracts.
FIRST: Final = 2
LAST: Final = 3
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_TIME_SPACE = Path("/proc/self/ns/time")


class RefusalCause(StrEnum):
    """Why a link is not opened. The sentence says what to do."""

    OLDER = "older"
    NEWER = "newer"
    INSTALLATION = "installation"
    UNREADABLE = "unreadable"


class Greeting(msgspec.Struct, frozen=True, kw_only=True, tag="greeting"):
    """Who speaks: contracts from `first` to `last`, the program's version for people to read, whose cell it is, its clock's name."""

    first: int
    last: int
    program: str = ""
    installation: str = ""
    camera: str = ""
    run: str = ""
    clock: str = ""


class Refusal(msgspec.Struct, frozen=True, kw_only=True, tag="refusal"):
    """Instead of a greeting, or after one: the link is not opened. `cause` of a later version may be one that is not known here."""

    cause: str
    words: str


Opening: TypeAlias = Greeting | Refusal
opening_decoder: msgspec.msgpack.Decoder[Opening] = msgspec.msgpack.Decoder(Opening)


class RefusedError(ProtocolError):
    """The two sides do not speak with each other; the text says why and what to do."""

    def __init__(self, cause: str, words: str) -> None:
        super().__init__(words)
        self.refusal = Refusal(cause=cause, words=words)


def agreed(ours: Greeting, theirs: Opening | None, *, same_installation: bool = True) -> int:
    """The contract that both speak. Raises `RefusedError`, with the words of whichever side refuses."""
    if theirs is None:
        raise RefusedError(RefusalCause.UNREADABLE, "the other side did not greet")
    if isinstance(theirs, Refusal):
        raise RefusedError(theirs.cause, f"refused by the other side: {theirs.words}")
    if same_installation and theirs.installation != ours.installation:
        raise RefusedError(RefusalCause.INSTALLATION, f"it belongs to the installation {theirs.installation or 'without a name'}")
    if theirs.last < ours.first:
        raise RefusedError(
            RefusalCause.OLDER,
            f"it speaks contracts up to {theirs.last} (version {theirs.program}), here they begin with {ours.first} "
            f"(version {ours.program}): update the other side",
        )
    if theirs.first > ours.last:
        raise RefusedError(
            RefusalCause.NEWER,
            f"it speaks contracts from {theirs.first} on (version {theirs.program}), here they end with {ours.last} "
            f"(version {ours.program}): update this side",
        )
    return min(ours.last, theirs.last)


@cache
def clock_name() -> str:
    """The name of this process's monotonic clock: the boot of its machine and its time namespace. Empty where it cannot be told.

    time_namespaces(7). Two empty names are never taken for the same clock.
    """
    try:
        boot = _BOOT_ID.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    try:
        space = os.readlink(_TIME_SPACE)
    except OSError:
        space = ""  # before Linux 5.6 there was one
    return f"{boot} {space}".strip()


def is_one_clock(ours: Greeting, theirs: Greeting) -> bool:
    return bool(ours.clock) and ours.clock == theirs.clock
