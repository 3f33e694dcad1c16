"""What two people can decide while the time is suspended, and stamps for clips that have none. Pure."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable

from msgspec.structs import replace

from blickschutz.retention.model import FAULTS, Adopted, Basis, Limits, Record, Sample, Sourced, Stamp, StampedClip, Trust
from blickschutz.retention.rules import is_due
from blickschutz.retention.rules.time import adopted_epoch, ahead, closed, is_usable, kept, newest, retention, shifted


def choices(record: Record, sample: Sample, trust: Trust) -> tuple[tuple[Basis, float], ...]:
    """What can be confirmed, and by how much all that is older than the gap gets older.

    Nothing can before the machine's clock is set to a time that can be.
    """
    if record.suspension is None or not is_usable(sample.wall, trust):
        return ()
    seconds = ahead(record, sample)
    if seconds > 0 or record.suspension.reason in FAULTS:
        return ((Basis.WALL, max(0.0, seconds)), (Basis.COUNT, 0.0))
    return ((Basis.COUNT, 0.0),)


def decided(record: Record, sample: Sample, basis: Basis, seconds: float) -> Record:
    """After two people confirmed one of `choices`."""
    record = closed(shifted(record, seconds))
    now = retention(record, sample.boottime)
    offset = sample.wall - now
    vouched = basis is Basis.WALL or sample.synchronised
    sourced = Sourced(offset=offset, at=now) if vouched else None
    return replace(record, offset=offset, sourced=sourced, agreed=True)


def adopted(record: Record, clips: Iterable[StampedClip], now: float, basis: Basis, trust: Trust) -> dict[str, Adopted]:
    """Stamps for clips that have none that is known, as late as they can be: none ends early, and none lasts longer than from now.

    By the wall clock: opened when its date says, but not before an older clip, not after now, and now where no date can be.
    By the count: opened now.
    """
    found, latest, epoch = {}, -math.inf, newest(record)
    for clip in sorted(clips, key=lambda one: one.number):
        if is_usable(clip.opened, trust):
            latest = max(latest, clip.opened - record.offset)
        at = min(now, latest) if basis is Basis.WALL and math.isfinite(latest) else now
        # What lies in the newest epoch is stamped there, so that it moves with it.
        stamp = Stamp(epoch.id, at - epoch.base) if at >= epoch.base else Stamp(adopted_epoch(record), at)
        found[clip.clip] = Adopted(stamp, None if clip.hold_date is None else clip.hold_date - record.offset)
    return found


def stamps(record: Record, clips: Iterable[StampedClip], sample: Sample, basis: Basis, seconds: float, trust: Trust) -> dict[str, Adopted]:
    """Stamps that a decision gives to clips without a known one. Without a fault in the file their dates are good, as counted so far."""
    known, suspension = decided(record, sample, basis, seconds), record.suspension
    if suspension is not None and suspension.reason not in FAULTS:
        known, basis = record, Basis.WALL
    bare = [clip for clip in clips if kept(known, clip) is None]
    return adopted(known, bare, retention(known, sample.boottime), basis, trust)


def ends(
    record: Record, clips: Iterable[StampedClip], sample: Sample, basis: Basis, seconds: float, until: float, limits: Limits, trust: Trust
) -> tuple[str, ...]:
    """The clips that a decision would end up to `until` (retention time as counted before it)."""
    there = list(clips)
    after, given = decided(record, sample, basis, seconds), stamps(record, there, sample, basis, seconds, trust)
    moved, found = newest(after).base - newest(record).base, []
    for clip in there:
        if (new := given.get(clip.clip)) is not None:
            clip = dataclasses.replace(clip, stamp=new.stamp, held_until=new.held_until)
        known = kept(after, clip)
        if known is not None and is_due(known, limits, until + moved):
            found.append(clip.clip)
    return tuple(sorted(found))
