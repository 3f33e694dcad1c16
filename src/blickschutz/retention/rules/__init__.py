"""When a clip must go. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from blickschutz.kernel.periods import gone_by
from blickschutz.retention.model import (
    CopyProof,
    Deadline,
    Ending,
    Kept,
    Limits,
    Reading,
    Receipt,
    ReceiptOne,
    ReceiptThree,
    ReceiptTwo,
    Why,
)


def deadline(kept: Kept, limits: Limits) -> Deadline:
    """When and why a clip ends: a hold in force decides alone; else the shorter of both limits, and two calendar months in any case."""
    if kept.held_until is not None:
        return Deadline(kept.held_until, Why.HOLD_EXPIRED)
    end = kept.opened_retention + min(limits.regular_s, limits.hard_s)
    return Deadline(min(end, gone_by(kept.opened_retention, limits.zone)), Why.UNREVIEWED)


def is_due(kept: Kept, limits: Limits, now: float) -> bool:
    return not kept.restricted and now >= deadline(kept, limits).at


def is_near(kept: Kept, limits: Limits, now: float) -> bool:
    """Whether somebody should be warned."""
    return not kept.restricted and not is_due(kept, limits, now) and now >= deadline(kept, limits).at - limits.warn_s


def judge(clips: Iterable[Kept], limits: Limits, reading: Reading) -> tuple[list[Kept], list[Kept]]:
    """What is due, and what soon will be. Nothing while the time is suspended."""
    if reading.suspended:
        return [], []
    known = list(clips)
    return [one for one in known if is_due(one, limits, reading.now)], [one for one in known if is_near(one, limits, reading.now)]


METHODS: Mapping[Ending, str] = {
    Ending.OVERWRITTEN: "shares and key overwritten, ciphertext overwritten, file and derived files removed, absence looked at again",
    Ending.INTERRUPTED: (
        "a run that was interrupted had begun to overwrite the file; the next one found none, or an empty one, and overwrote nothing; "
        "derived files removed, absence looked at again"
    ),
    Ending.VANISHED: (
        "no file was found, or an empty one, and nothing was overwritten by this order; derived files removed, absence looked at again"
    ),
    Ending.DELETED: (
        "every version and every marker of the object deleted in the store that kept it, listed again: none is left; "
        "nothing was overwritten there, because such a store overwrites nothing"
    ),
}
# A clip that does not go is tried again ever more rarely, and at least every quarter of an hour; people are told after the fifth try.
FIRST_WAIT_S, MOST_WAIT_S, MOST_TRIES = 5.0, 900.0, 5


def wait_s(tries: int) -> float:
    """How long to wait after so many tries that failed."""
    return min(MOST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(tries - 1, 20))


def proof_text(proof: CopyProof) -> str:
    """As a receipt and the log have it."""
    return msgspec.json.encode(proof, order="deterministic").decode()


def proofs_of(receipt: Receipt) -> list[CopyProof]:
    """What became of each second copy. Raises `msgspec.MsgspecError`."""
    return [msgspec.json.decode(text, type=CopyProof) for text in receipt.copies]


def receipt_text(receipt: Receipt) -> bytes:
    """What a receipt's signature is over. One of version 1 has no ending, one of a clip that lay here no host, one without second copies
    has none of these, and their texts no such fields.
    """
    bare = msgspec.structs.replace(receipt, signature="")
    if not receipt.ending:
        return msgspec.json.encode(msgspec.convert(bare, ReceiptOne, from_attributes=True), order="deterministic")
    if not receipt.host:
        return msgspec.json.encode(msgspec.convert(bare, ReceiptTwo, from_attributes=True), order="deterministic")
    if not receipt.copies:
        return msgspec.json.encode(msgspec.convert(bare, ReceiptThree, from_attributes=True), order="deterministic")
    return msgspec.json.encode(bare, order="deterministic")
