"""Clips that stay on their host: what the control room says of one, what follows from it there, when it ends. Pure.

docs/design/clips-on-hosts.md.
"""

from __future__ import annotations

import hashlib
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from blickschutz.hosts.model import CopyOrder, Directive, Doom, HostReceipt, KeptClip, KeptState
from blickschutz.recording.model import Keep
from blickschutz.retention.model import Ending, Kept, Limits, Stamp, StampedClip
from blickschutz.retention.rules import deadline, is_due
from blickschutz.review.model import Case, CaseState

DIRECTIVE: Final = b"blickschutz-clip-directive-1:"
RECEIPT: Final = b"blickschutz-host-receipt-1:"
# The longest that any site file allows for what nobody decided: in force until an order said otherwise.
LONGEST: Final = Keep(regular_s=72 * 3600.0, hard_s=72 * 3600.0, zone="UTC")
_encode = msgspec.json.Encoder(order="deterministic").encode
K = TypeVar("K", bound=KeptClip)


def directive_of(case: Case, installation: str) -> Directive:
    """What the host of a case's clip has to know of it now. The row's version counts up with every change, so it is the serial."""
    hold = case.hold if case.state is CaseState.HELD and case.hold is not None and case.hold.in_force else None
    doomed = case.state is CaseState.DESTROYING
    return Directive(
        installation=installation,
        host=case.host,
        clip=case.clip,
        serial=case.version,
        held_until=hold.until if hold is not None else None,
        restricted=case.restricted,
        doom=Doom(reason=case.shred_reason, people=case.shred_by, due=case.due) if doomed else None,
    )


def meaning(directive: Directive) -> str:
    """A hash of what it says, without its number: where two say the same nothing needs to be told. Empty for what a host does by itself."""
    if directive.held_until is None and not directive.restricted and directive.doom is None:
        return ""
    return hashlib.sha256(_encode(msgspec.structs.replace(directive, serial=0))).hexdigest()


def text_of(told: Directive | CopyOrder | HostReceipt) -> bytes:
    """What a signature is over, after the words for its kind."""
    return _encode(told)


def limits_of(keep: Keep) -> Limits:
    return Limits(keep.regular_s, keep.hard_s, zone=ZoneInfo(keep.zone))


def stamped(record: KeptClip) -> StampedClip:
    """A clip as the host's time for deadlines sees it."""
    return StampedClip(
        clip=record.clip,
        number=record.number,
        opened=record.opened,
        stamp=Stamp(record.epoch, record.stamped),
        hold_date=record.held_until,
        held_until=record.held_at,
        restricted=bool(record.restricted),
    )


def obeyed(record: K, told: Directive | CopyOrder, held_at: float | None) -> K | None:
    """The record after a directive; None where a newer one was heard. An end that was ordered stays ordered."""
    if told.serial <= record.serial:
        return None
    return msgspec.structs.replace(
        record,
        serial=told.serial,
        held_until=told.held_until,
        held_at=held_at if told.held_until is not None else None,
        restricted=told.restricted,
        doom=record.doom or told.doom,
    )


def doomed(record: KeptClip, known: Kept | None, now: float) -> str:
    """Why a clip ends by the host's own count at `now` (retention time); empty where it does not, and where nothing judges it."""
    if record.state not in {KeptState.THERE, KeptState.COMING} or record.doom is not None or known is None:
        return ""
    limits = limits_of(record.keep)
    return deadline(known, limits).why.value if is_due(known, limits, now) else ""


def receipt(record: KeptClip, installation: str, host: str, destroyed: float, derived: int, *, deleted: bool = False) -> HostReceipt:
    """What was done, from what was noted while it was done. Only for a clip of which nothing is left; `deleted` where it lay in a store."""
    erasing, doom = record.erasing, record.doom
    assert doom is not None  # nothing is destroyed without an order
    ending = Ending.VANISHED if erasing is None else Ending.OVERWRITTEN if erasing.done else Ending.INTERRUPTED
    ending = Ending.DELETED if deleted else ending
    size = erasing.size if erasing is not None else 0
    return HostReceipt(
        installation=installation,
        host=host,
        clip=record.clip,
        camera=record.camera,
        opened=record.opened,
        destroyed=max(destroyed, doom.due, erasing.at if erasing is not None else 0.0),
        reason=doom.reason,
        people=doom.people,
        sha256=record.sha256,
        size=record.size,
        overwritten=size if ending is Ending.OVERWRITTEN else 0,
        derived=derived,
        absent=True,
        ending=ending.value,
        begun=size if ending is Ending.INTERRUPTED else 0,
    )
