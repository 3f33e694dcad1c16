"""What time it is for deadlines, when that may be believed, and what two people can decide. Pure.

The tables that this follows stand in `docs/design/time.md`.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence

from msgspec.structs import replace

from blickschutz.retention.model import (
    FAULTS,
    FORMAT,
    JUMPS,
    Change,
    Epoch,
    Gap,
    Kept,
    LastSeen,
    Reason,
    Record,
    Sample,
    Sourced,
    Stamp,
    StampedClip,
    Suspension,
    Trust,
    What,
)

_ADOPTED = "adopted"
_TOLD_S = 5.0
_MOST = 1e12


def newest(record: Record) -> Epoch:
    return record.epochs[-1]


def retention(record: Record, boottime: float) -> float:
    """Retention time at a reading of the boot clock of now."""
    return newest(record).base + boottime


def wall_of(record: Record, at: float) -> float:
    """The wall time at which a retention time will be or was, as far as is known."""
    return at + record.offset + record.claim


def adopted_epoch(record: Record) -> str:
    """The epoch of clips that were given their stamp later: seconds in it are retention time."""
    return f"{record.clock}-{_ADOPTED}"


def resolve(record: Record, stamp: Stamp) -> float | None:
    """The retention time of a stamp; None where this count does not know its epoch."""
    if stamp.epoch == adopted_epoch(record):
        return stamp.at
    return next((epoch.base + stamp.at for epoch in record.epochs if epoch.id == stamp.epoch), None)


def kept(record: Record, clip: StampedClip) -> Kept | None:
    """A clip as deadlines see it; None where its stamp, or its hold's end, is not known, so that nothing judges it."""
    opened = resolve(record, clip.stamp) if clip.stamp is not None else None
    is_held_unknown = clip.hold_date is not None and clip.held_until is None
    return None if opened is None or is_held_unknown else Kept(clip.clip, opened, clip.held_until, clip.restricted)


def is_usable(wall: float, trust: Trust) -> bool:
    return math.isfinite(wall) and trust.earliest <= wall <= trust.latest


def ahead(record: Record, sample: Sample) -> float:
    """How far the wall clock is ahead of what was counted, in seconds; by the last vouched difference where a time server speaks."""
    offset = record.sourced.offset if sample.synchronised and record.sourced is not None else record.offset
    return sample.wall - offset - retention(record, sample.boottime)


def fresh(clock: str, sample: Sample, trust: Trust, fault: Reason | None = None) -> Record:
    """A count that begins now, with nothing known before; with a `fault` it is suspended until two people confirm."""
    usable = is_usable(sample.wall, trust)
    epoch = Epoch(id=_name(clock, 1, sample), boot=sample.boot, base=sample.wall - sample.boottime if usable else 0.0)
    record = Record(clock=clock, epochs=(epoch,), agreed=usable, last=_seen(sample))
    if fault is not None:
        return faulty(record, sample, fault)
    return _agree(record, sample, trust) if usable else _suspend(record, sample, Reason.IMPOSSIBLE)


def from_mark(clock: str, mark: float) -> Record:
    """The last known time of a release that kept one number. To be handed to `continued`."""
    epoch = Epoch(id=f"{clock}-0-mark", boot="", base=mark)
    return Record(clock=clock, epochs=(epoch,), begun=0, last=LastSeen(boottime=0.0, wall=mark))


def faulty(record: Record, sample: Sample, reason: Reason) -> Record:
    """Suspended for what is wrong with the file; nothing but two people ends that."""
    record = record if record.gap is not Gap.NONE else replace(record, gap=Gap.START, open_from=newest(record).id)
    return _suspend(record, sample, reason)


def continued(record: Record, sample: Sample, clips: Iterable[StampedClip]) -> tuple[Record, bool]:
    """After a start of the process, and whether it is another boot: then a new epoch begins at the last known time.

    That is when the file was written last, or the newest stamp of a clip. In the same boot counting never stopped. The seconds
    since another boot are certain and count at once; not where the count went back within one, nor after an earlier release, of
    which nobody knows in which boot it ran.
    """
    before = newest(record)
    if before.boot == sample.boot and sample.boottime >= record.last.boottime - 1.0:
        return record, False
    since = sample.boottime if before.boot in {"", sample.boot} else 0.0
    begun = record.begun + 1
    stamped = [at for clip in clips if clip.stamp is not None and (at := resolve(record, clip.stamp)) is not None]
    base = max([before.base + record.last.boottime, *stamped]) - since
    epoch = Epoch(id=_name(record.clock, begun, sample), boot=sample.boot, base=base)
    open_from = record.open_from if record.gap is not Gap.NONE else epoch.id
    epochs = (*record.epochs, epoch)
    return replace(record, epochs=epochs, begun=begun, gap=Gap.START, open_from=open_from, last=_seen(sample)), True


def observed(record: Record, sample: Sample, trust: Trust, *, booted: bool = False) -> Record:
    """After a look at all sources; `booted`: the first one in another boot."""
    record = replace(record, last=_seen(sample))
    if record.suspension is not None and record.suspension.reason in FAULTS:
        return record
    if not record.agreed:
        return _agree(record, sample, trust)
    if record.gap is Gap.START:
        jumped = not booted and (record.suspension is None or record.suspension.reason in JUMPS)
        return _after_start(record, sample, trust, jumped=jumped)
    return _running(record, sample, trust)


def _agree(record: Record, sample: Sample, trust: Trust) -> Record:
    """The first wall clock that can be: the whole count moves to its scale, all stamps alike."""
    if not is_usable(sample.wall, trust):
        return _suspend(record, sample, Reason.IMPOSSIBLE)
    moved = sample.wall - retention(record, sample.boottime)
    epochs = tuple(replace(epoch, base=epoch.base + moved) for epoch in record.epochs)
    record = replace(record, epochs=epochs, agreed=True, offset=0.0, suspension=None)
    return _vouched(record, sample) if sample.synchronised and record.gap is Gap.NONE else record


def _running(record: Record, sample: Sample, trust: Trust) -> Record:
    """Within a boot ages need no wall clock; whether it still agrees is asked all the same."""
    leap, sourced = ahead(record, sample), record.sourced
    if is_usable(sample.wall, trust):
        if sample.synchronised:
            slack = _slack(record, sample, trust) if sourced is not None else trust.synchronised_s
            if abs(leap) <= slack:
                return _vouched(closed(record), sample)
        elif abs(leap) <= trust.step_s:
            return replace(closed(record), offset=record.offset + leap)
    if record.gap is Gap.NONE:
        begun = record.begun + 1
        epoch = replace(newest(record), id=_name(record.clock, begun, sample))
        record = replace(record, epochs=(*record.epochs, epoch), begun=begun, gap=Gap.JUMP, open_from=epoch.id)
    return _suspend(record, sample, Reason.JUMP_AHEAD if leap > 0 else Reason.JUMP_BACK)


def _after_start(record: Record, sample: Sample, trust: Trust, *, jumped: bool) -> Record:
    """The time between two boots is not settled. `jumped`: the wall clock was agreed on in this boot, so it may not move."""
    off, usable = ahead(record, sample), is_usable(sample.wall, trust)
    if usable and sample.synchronised:
        if record.sourced is None:
            # A time server speaks for the first time: how wrong the clock was before nobody knows, so nothing is counted.
            if abs(off) <= trust.unproved_s:
                return _vouched(closed(record), sample)
        elif -_slack(record, sample, trust) <= off <= trust.synchronised_s:
            return _vouched(closed(shifted(record, max(0.0, off))), sample)
    elif usable and jumped:
        if abs(moved := off - record.claim) <= trust.step_s:
            return replace(record, offset=record.offset + moved, suspension=None)
    elif usable and record.claim - trust.step_s <= off <= trust.unproved_s:
        return replace(record, offset=record.offset + min(0.0, off), claim=max(0.0, off), suspension=None)
    if not usable and not jumped:
        return _suspend(record, sample, Reason.IMPOSSIBLE)
    if jumped:
        return _suspend(record, sample, Reason.JUMP_AHEAD if off > record.claim else Reason.JUMP_BACK)
    return _suspend(record, sample, Reason.START_AHEAD if off > 0 else Reason.START_BACK)


def _slack(record: Record, sample: Sample, trust: Trust) -> float:
    """How far a wall clock with a time server may be from the count: a quartz drifts while nobody vouches for it."""
    alone = retention(record, sample.boottime) - record.sourced.at if record.sourced is not None else 0.0
    return trust.step_s + trust.drift * max(0.0, alone)


def _vouched(record: Record, sample: Sample) -> Record:
    """Somebody stands behind the wall clock: dates follow it."""
    now = retention(record, sample.boottime)
    return replace(record, offset=sample.wall - now, sourced=Sourced(offset=sample.wall - now, at=now))


def closed(record: Record) -> Record:
    return replace(record, gap=Gap.NONE, open_from="", claim=0.0, suspension=None)


def shifted(record: Record, seconds: float) -> Record:
    """Count seconds that passed before the epochs that are not joined: what is older gets older by them, what is in them does not."""
    first = next((n for n, epoch in enumerate(record.epochs) if epoch.id == record.open_from), len(record.epochs))
    later = tuple(replace(epoch, base=epoch.base + seconds) for epoch in record.epochs[first:])
    return replace(record, epochs=(*record.epochs[:first], *later))


def _suspend(record: Record, sample: Sample, reason: Reason) -> Record:
    known = record.suspension
    if known is not None and known.reason is reason:
        return record
    since = known.since if known is not None else retention(record, sample.boottime)
    return replace(record, suspension=Suspension(reason=reason, since=since, wall=_seen(sample).wall))


def _seen(sample: Sample) -> LastSeen:
    return LastSeen(boottime=sample.boottime, wall=sample.wall if is_number(sample.wall) else 0.0)


def is_number(value: float) -> bool:
    return math.isfinite(value) and abs(value) < _MOST


def _name(clock: str, number: int, sample: Sample) -> str:
    return f"{clock}-{number}-{sample.boot[:8]}"


def forgotten(record: Record, needed: Collection[str]) -> Record:
    """Without the epochs that no clip names. A gap that no clip lies before is nobody's any more."""
    first = next((n for n, epoch in enumerate(record.epochs) if epoch.id == record.open_from), len(record.epochs))
    # Of this boot nothing is forgotten: the row of a clip that was just stamped may not be written yet.
    boot = newest(record).boot
    before = tuple(epoch for epoch in record.epochs[:first] if epoch.id in needed or epoch.boot == boot)
    later = tuple(epoch for epoch in record.epochs[first:] if epoch.id in needed or epoch.boot == boot)
    record = replace(record, epochs=(*before, *later), open_from=later[0].id if later else "")
    if record.gap is Gap.START and record.suspension is None and not before and adopted_epoch(record) not in needed:
        return replace(closed(record), offset=record.offset + record.claim, sourced=None)
    return record


def changes(before: Record, after: Record) -> tuple[Change, ...]:
    """What to tell of: `after` followed from `before` by itself."""
    found: list[Change] = []
    was_base = next((epoch.base for epoch in before.epochs if epoch.id == newest(after).id), newest(before).base)
    if (counted := newest(after).base - was_base) > 0 and before.agreed:
        found.append(Change(What.COUNTED, counted))
    if after.claim > before.claim:
        found.append(Change(What.UNCOUNTED, after.claim - before.claim))
    was, now = before.suspension, after.suspension
    if now is not None and (was is None or was.reason is not now.reason):
        found.append(Change(What.SUSPENDED, after.last.wall - wall_of(after, retention(after, after.last.boottime)), now.reason))
    elif was is not None and now is None:
        found.append(Change(What.RESUMED, 0.0, was.reason))
    dated = after.offset - before.offset
    if abs(dated) > _TOLD_S and before.agreed and now is None:
        found.append(Change(What.DATED, dated))
    return tuple(found)


def checked(record: Record) -> Record:
    """A record as read. Raises `ValueError` for what no record of ours can say."""
    numbers = [record.offset, record.claim, record.last.boottime, record.last.wall, *(epoch.base for epoch in record.epochs)]
    numbers += [record.sourced.offset, record.sourced.at] if record.sourced is not None else []
    numbers += [record.suspension.since, record.suspension.wall] if record.suspension is not None else []
    if record.decided is not None:
        numbers += [record.decided.offset, *(epoch.base for epoch in record.decided.epochs)]
    if not all(is_number(number) for number in numbers):
        raise ValueError("a number is out of all bounds")
    names = [epoch.id for epoch in record.epochs]
    if not names or len(set(names)) != len(names) or record.format != FORMAT:
        raise ValueError("no epochs, or an epoch twice, or another format")
    if (record.gap is not Gap.NONE) != bool(record.open_from) or (record.open_from and record.open_from not in names):
        raise ValueError("a gap before an epoch that is not there")
    if record.decided is not None and not record.decided.epochs:
        raise ValueError("a decision without epochs")
    return record


def unknown(record: Record, clips: Sequence[StampedClip]) -> list[StampedClip]:
    """Clips that were stamped by another count, or by one that this record does not know."""
    return [clip for clip in clips if clip.stamp is not None and resolve(record, clip.stamp) is None]
