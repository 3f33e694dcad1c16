"""When a clip must go. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from blickschutz.retention.model import Deadline, Kept, Limits, Reading, Receipt, Why

JUMP_S = 5.0


def deadline(kept: Kept, limits: Limits) -> Deadline:
    """When and why a clip ends: a hold in force decides alone; else the shorter of both limits."""
    if kept.held_until is not None:
        return Deadline(kept.held_until, Why.HOLD_EXPIRED)
    return Deadline(kept.opened_retention + min(limits.regular_s, limits.hard_s), Why.UNREVIEWED)


def is_due(kept: Kept, limits: Limits, now: float) -> bool:
    return not kept.restricted and now >= deadline(kept, limits).at


def is_near(kept: Kept, limits: Limits, now: float) -> bool:
    """Whether somebody should be warned."""
    return not kept.restricted and not is_due(kept, limits, now) and now >= deadline(kept, limits).at - limits.warn_s


def forward(mark: float, wall: float, passed_s: float | None) -> tuple[float, float]:
    """The retention time and how far the wall clock jumped.

    `mark` is the newest time so far, `wall` the wall clock, `passed_s` what a steady clock says has passed since `mark`,
    None after a restart. Time never goes back. While the system runs, it goes on by what really passed: a clock that is
    set forward by mistake destroys nothing early. Over a restart the wall clock is believed, unless it lies before `mark`.
    """
    if passed_s is None:
        return max(mark, wall), min(0.0, wall - mark)
    expected = mark + max(0.0, passed_s)
    jump = wall - expected
    return (max(mark, wall), 0.0) if abs(jump) <= JUMP_S else (expected, jump)


def judge(clips: Iterable[Kept], limits: Limits, reading: Reading) -> tuple[list[Kept], list[Kept]]:
    """What is due, and what soon will be. Nothing while the time is suspended."""
    if reading.suspended:
        return [], []
    known = list(clips)
    return [one for one in known if is_due(one, limits, reading.now)], [one for one in known if is_near(one, limits, reading.now)]


METHOD = "shares and key overwritten, ciphertext overwritten, file and derived files removed, absence looked at again"


def receipt_text(receipt: Receipt) -> bytes:
    """What a receipt's signature is over."""
    return msgspec.json.encode(msgspec.structs.replace(receipt, signature=""), order="deterministic")
