"""How the control room itself is: figures of one moment, and what of them needs somebody. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from blickschutz.control.replicas import ReplicationState
from blickschutz.guard.model import WorkKind, WorkState
from blickschutz.wall.model import TileState

_HOUR_S, _DAY_S = 3600.0, 86_400.0
# What is slower than this is felt at a desk.
SLOW_READ_S = 0.3
SLOW_LOOP_S = 0.1
STOOD_LOOP_S = 2.0
# Failures in a row after which the guard tells somebody.
FAILING = 3
OLD_ITEM_S = 60.0
OLD_NOTICE_S = 300.0
OLD_ORDER_S = 180.0
SHORT_DISK_S = 48 * _HOUR_S
# The chain is looked at every minute, as a whole every day.
OLD_CHAIN_S, OLD_WHOLE_S = 15 * 60.0, 2 * _DAY_S
# Certificates are made anew long before that.
CERTIFICATE_S = 7 * _DAY_S
# The witness is asked every minute; one that is away over a weekend is worth a word on its first day.
OLD_ANCHOR_S = _DAY_S
CLOCK_S = 5.0
_OUT = frozenset({TileState.LOST, TileState.STALE, TileState.REDACTION_FAULT})


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """A database: how long a read took (seconds; None where it failed, and `problem` why).

    `written` and `refused` say when (POSIX) something was last written, and last could not be; 0 for not since the start.
    """

    name: str
    read_s: float | None
    problem: str = ""
    written: float = 0.0
    refused: float = 0.0


@dataclass(frozen=True, slots=True)
class LoopState:
    """How late the event loop was over the last minute, in seconds."""

    p99_s: float = 0.0
    max_s: float = 0.0


@dataclass(frozen=True, slots=True)
class DiskState:
    """Bytes that are free (None where the disk cannot be asked) and must be; seconds of recording that fit, None where not known."""

    free: int | None
    reserve: int
    forecast_s: float | None = None


@dataclass(frozen=True, slots=True)
class ChainState:
    """The log: number of entries, up to which and when (POSIX) the chain was verified, when as a whole, faults."""

    entries: int
    verified: int = 0
    verified_at: float = 0.0
    whole_at: float = 0.0
    faults: int = 0


@dataclass(frozen=True, slots=True)
class AnchorState:
    """The log's witness: up to which entry and when (POSIX, 0 for never) it countersigned last, and why not now, as a word.

    `passing` where that may pass by itself.
    """

    number: int = 0
    at: float = 0.0
    problem: str = ""
    passing: bool = False


@dataclass(frozen=True, slots=True)
class DeadlineState:
    """Clips whose time is up; those of them that are still there after a grace; by how many seconds the oldest is late."""

    due: int = 0
    overdue: int = 0
    oldest_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ChannelState:
    """Notices that wait for a channel: how many, the oldest for how many seconds, the last problem in words.

    `set_aside` are those that the channel did not take though it took others.
    """

    name: str
    waiting: int
    oldest_s: float
    problem: str = ""
    set_aside: int = 0


@dataclass(frozen=True, slots=True)
class OrdersState:
    """Orders to record without an outcome, their oldest in seconds; and of those that no cell took yet the oldest."""

    open: int = 0
    oldest_s: float = 0.0
    untaken_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ClockState:
    """By how many seconds the wall clock is ahead of the time for deadlines; whether deadlines are suspended for it."""

    offset_s: float = 0.0
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class BudgetState:
    """The alarm budget of a camera: seconds of observation, kinds for which a threshold is proposed, that cost more than they may,
    that are not available here; by kind what the threshold in force costs as a share of its budget (1: all of it), and episodes and
    alarms since the start.
    """

    camera: str
    in_shadow: bool = False
    observed_s: float = 0.0
    waiting: int = 0
    over: Sequence[str] = ()
    unavailable: Sequence[str] = ()
    shares: Mapping[str, float] = field(default_factory=dict)
    episodes: Mapping[str, int] = field(default_factory=dict)
    alarms: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Vitals:
    """All of it, at the moment `at` (POSIX), `up_s` seconds after the start. `work` by process; ages in it are of `steady` (monotonic).

    What a database that cannot be read would have said is None.
    `anchor` is None also where the site names no witness. `quarantined` are clips about which two people decide, `uncopied`
    those that are to have a second copy on another host and have none (None where the site wants none). `problem` is what the
    thread of disk and database failed at last. `walls_missing` are those of `zones.model.Wall` that this machine does not have.
    `launcher_gone`: no cell and no room can be started any more. `replication` is None also where the databases are files.
    """

    at: float
    steady: float
    up_s: float
    databases: Sequence[DatabaseState]
    loop: LoopState
    disk: DiskState
    clock: ClockState
    chain: ChainState | None = None
    anchor: AnchorState | None = None
    deadlines: DeadlineState | None = None
    orders: OrdersState | None = None
    quarantined: int | None = None
    uncopied: int | None = None
    channels: Sequence[ChannelState] | None = None
    certificate_until: float | None = None
    problem: str = ""
    cameras: Mapping[str, TileState] = field(default_factory=dict)
    unrecordable: Mapping[str, str] = field(default_factory=dict)
    other_sizes: Mapping[str, str] = field(default_factory=dict)
    # By camera, why its detector computes on another device than it should, or slower.
    other_devices: Mapping[str, str] = field(default_factory=dict)
    # The same of what decodes its stream.
    other_decoders: Mapping[str, str] = field(default_factory=dict)
    work: Mapping[str, Sequence[WorkState]] = field(default_factory=dict)
    budget: Sequence[BudgetState] = ()
    walls_missing: Sequence[str] = ()
    launcher_gone: bool = False
    replication: ReplicationState | None = None


class Need(StrEnum):
    """What needs somebody; the texts of the pages say what it means and what to do."""

    CAMERA_OUT = "camera-out"
    CAMERA_UNRECORDABLE = "camera-unrecordable"
    PICTURE_SIZE = "picture-size"
    OTHER_DEVICE = "other-device"
    OTHER_DECODER = "other-decoder"
    WORK_STOPPED = "work-stopped"
    WORK_FAILING = "work-failing"
    ITEMS_ASIDE = "items-aside"
    QUEUE_OLD = "queue-old"
    STORE_FAILED = "store-failed"
    DATABASE_UNREADABLE = "database-unreadable"
    DATABASE_BUSY = "database-busy"
    DATABASE_SLOW = "database-slow"
    REPLICA_GONE = "replica-gone"
    REPLICA_BEHIND = "replica-behind"
    REPLICA_UNAWAITED = "replica-unawaited"
    REPLICAS_UNSEEN = "replicas-unseen"
    LOOP_STOOD = "loop-stood"
    LOOP_SLOW = "loop-slow"
    DISK_UNREADABLE = "disk-unreadable"
    DISK_FULL = "disk-full"
    DISK_SHORT = "disk-short"
    CHAIN_BROKEN = "chain-broken"
    CHAIN_OLD = "chain-old"
    ANCHOR_BROKEN = "anchor-broken"
    ANCHOR_OLD = "anchor-old"
    DEADLINES_OVERDUE = "deadlines-overdue"
    NOTICES_UNSENT = "notices-unsent"
    NOTICES_ASIDE = "notices-aside"
    ORDERS_OPEN = "orders-open"
    CLOCK_SUSPENDED = "clock-suspended"
    CLOCK_OFF = "clock-off"
    QUARANTINE = "quarantine"
    COPIES_MISSING = "copies-missing"
    CERTIFICATE_ENDS = "certificate-ends"
    BUDGET_EXCEEDED = "budget-exceeded"
    KINDS_UNAVAILABLE = "kinds-unavailable"
    THRESHOLDS_WAIT = "thresholds-wait"
    WALLS_MISSING = "walls-missing"
    LAUNCHER_GONE = "launcher-gone"


# What cannot wait until tomorrow: evidence, deadlines, or the eyes of staff are at stake.
URGENT = frozenset(
    {
        Need.CAMERA_OUT,
        Need.CAMERA_UNRECORDABLE,
        Need.WORK_STOPPED,
        Need.DATABASE_UNREADABLE,
        Need.REPLICA_GONE,
        Need.DISK_UNREADABLE,
        Need.DISK_FULL,
        Need.CHAIN_BROKEN,
        Need.ANCHOR_BROKEN,
        Need.DEADLINES_OVERDUE,
        Need.NOTICES_UNSENT,
        Need.ORDERS_OPEN,
        Need.CLOCK_SUSPENDED,
        Need.LAUNCHER_GONE,
    }
)


@dataclass(frozen=True, slots=True)
class Concern:
    """Something that needs somebody: what it is about, since when (POSIX, None where not known), how many, an error in words.

    `kinds` are kinds of situations, by their names in the settings. `of_camera`: it is about the camera of this id.
    """

    need: Need
    subject: str = ""
    since: float | None = None
    count: int = 0
    problem: str = ""
    kinds: Sequence[str] = ()
    of_camera: bool = False

    @property
    def is_urgent(self) -> bool:
        return self.need in URGENT


def concerns(vitals: Vitals) -> list[Concern]:
    """What needs somebody, the urgent first."""
    out = [Concern(Need.CAMERA_OUT, camera, of_camera=True) for camera, state in vitals.cameras.items() if state in _OUT]
    out += [Concern(Need.CAMERA_UNRECORDABLE, camera, problem=why, of_camera=True) for camera, why in vitals.unrecordable.items()]
    out += [Concern(Need.PICTURE_SIZE, camera, problem=size, of_camera=True) for camera, size in vitals.other_sizes.items()]
    out += [Concern(Need.OTHER_DEVICE, camera, problem=why, of_camera=True) for camera, why in vitals.other_devices.items()]
    out += [Concern(Need.OTHER_DECODER, camera, problem=why, of_camera=True) for camera, why in vitals.other_decoders.items()]
    found = [*out, *_of_work(vitals), *_of_stores(vitals), *_of_copies(vitals), *_of_records(vitals), *_of_budget(vitals)]
    return sorted(found, key=lambda one: not one.is_urgent)


def _of_work(vitals: Vitals) -> Iterator[Concern]:
    for states in vitals.work.values():
        for one in states:
            # Of thousands nearly all run, and there is nothing to be reckoned.
            if not (one.failing or one.set_aside or one.oldest_s > OLD_ITEM_S):
                continue
            since = vitals.at - max(0.0, vitals.steady - one.since)
            if one.kind is not WorkKind.SHORT and not one.running and one.failing >= FAILING:
                yield Concern(Need.WORK_STOPPED, one.name, since, one.failing, one.error)
            elif one.failing >= (1 if one.kind is WorkKind.SHORT else FAILING):
                yield Concern(Need.WORK_FAILING, one.name, None, one.failing, one.error)
            if one.set_aside:
                yield Concern(Need.ITEMS_ASIDE, one.name, None, one.set_aside, one.error)
            if one.oldest_s > OLD_ITEM_S:
                yield Concern(Need.QUEUE_OLD, one.name, vitals.at - one.oldest_s, one.depth, one.error)
    if vitals.launcher_gone:
        yield Concern(Need.LAUNCHER_GONE)
    if vitals.problem:
        yield Concern(Need.STORE_FAILED, problem=vitals.problem)


def _of_stores(vitals: Vitals) -> Iterator[Concern]:
    for one in vitals.databases:
        if one.read_s is None:
            yield Concern(Need.DATABASE_UNREADABLE, one.name, problem=one.problem)
        elif one.refused > one.written:
            yield Concern(Need.DATABASE_BUSY, one.name, one.written or None)
        elif one.read_s > SLOW_READ_S:
            yield Concern(Need.DATABASE_SLOW, one.name)
    if vitals.loop.max_s > STOOD_LOOP_S:
        yield Concern(Need.LOOP_STOOD)
    elif vitals.loop.p99_s > SLOW_LOOP_S:
        yield Concern(Need.LOOP_SLOW)
    disk = vitals.disk
    if disk.free is None:
        yield Concern(Need.DISK_UNREADABLE)
    elif disk.free < disk.reserve:
        yield Concern(Need.DISK_FULL)
    elif disk.forecast_s is not None and disk.forecast_s < SHORT_DISK_S:
        yield Concern(Need.DISK_SHORT)


def _of_copies(vitals: Vitals) -> Iterator[Concern]:
    found = vitals.replication
    if found is None:
        return
    for one in found.replicas:
        if not one.there:
            yield Concern(Need.REPLICA_GONE, one.name, one.since or None)
        elif one.is_behind:
            yield Concern(Need.REPLICA_BEHIND, one.name, vitals.at - one.behind_s)
    if found.nobody:
        yield Concern(Need.REPLICA_GONE)
    if found.replicas and not found.awaits:
        yield Concern(Need.REPLICA_UNAWAITED)
    if found.problem:
        yield Concern(Need.REPLICAS_UNSEEN, problem=found.problem)


def _of_records(vitals: Vitals) -> Iterator[Concern]:
    if vitals.chain is not None:
        yield from _of_chain(vitals, vitals.chain)
    if vitals.anchor is not None:
        yield from _of_anchor(vitals, vitals.anchor)
    deadlines, orders = vitals.deadlines, vitals.orders
    if deadlines is not None and deadlines.overdue:
        yield Concern(Need.DEADLINES_OVERDUE, since=vitals.at - deadlines.oldest_s, count=deadlines.overdue)
    for channel in vitals.channels or ():
        if channel.waiting and channel.oldest_s > OLD_NOTICE_S:
            yield Concern(Need.NOTICES_UNSENT, channel.name, vitals.at - channel.oldest_s, channel.waiting, channel.problem)
        if channel.set_aside:
            yield Concern(Need.NOTICES_ASIDE, channel.name, None, channel.set_aside, channel.problem)
    if orders is not None and orders.untaken_s > OLD_ORDER_S:
        yield Concern(Need.ORDERS_OPEN, since=vitals.at - orders.untaken_s, count=orders.open)
    if vitals.clock.suspended:
        yield Concern(Need.CLOCK_SUSPENDED)
    elif abs(vitals.clock.offset_s) > CLOCK_S:
        yield Concern(Need.CLOCK_OFF, count=round(vitals.clock.offset_s))
    if vitals.quarantined:
        yield Concern(Need.QUARANTINE, count=vitals.quarantined)
    if vitals.uncopied:
        yield Concern(Need.COPIES_MISSING, count=vitals.uncopied)
    if vitals.certificate_until is not None and vitals.certificate_until - vitals.at < CERTIFICATE_S:
        yield Concern(Need.CERTIFICATE_ENDS)
    if vitals.walls_missing:
        yield Concern(Need.WALLS_MISSING, ", ".join(vitals.walls_missing))


def _of_budget(vitals: Vitals) -> Iterator[Concern]:
    for one in vitals.budget:
        if one.over:
            yield Concern(Need.BUDGET_EXCEEDED, one.camera, kinds=one.over, of_camera=True)
        if one.unavailable:
            yield Concern(Need.KINDS_UNAVAILABLE, one.camera, kinds=one.unavailable, of_camera=True)
        if one.waiting:
            yield Concern(Need.THRESHOLDS_WAIT, one.camera, count=one.waiting, of_camera=True)


def _of_chain(vitals: Vitals, chain: ChainState) -> Iterator[Concern]:
    """Nothing was verified yet at the start: it is late by what has passed since."""
    start = vitals.at - vitals.up_s
    if chain.faults:
        yield Concern(Need.CHAIN_BROKEN, count=chain.faults)
    elif vitals.at - max(chain.verified_at, start) > OLD_CHAIN_S or vitals.at - max(chain.whole_at, start) > OLD_WHOLE_S:
        yield Concern(Need.CHAIN_OLD, since=chain.verified_at or None)


def _of_anchor(vitals: Vitals, anchor: AnchorState) -> Iterator[Concern]:
    if anchor.problem and not anchor.passing:
        yield Concern(Need.ANCHOR_BROKEN, since=anchor.at or None, problem=anchor.problem)
    elif anchor.problem or vitals.at - (anchor.at or vitals.at - vitals.up_s) > OLD_ANCHOR_S:
        yield Concern(Need.ANCHOR_OLD, since=anchor.at or None, problem=anchor.problem)
