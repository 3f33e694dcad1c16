"""Looks at the control room from outside: work, databases, disk, log, deadlines, notices, orders, clock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog

from blickschutz.alerts.model import ChannelQueue
from blickschutz.anchor.model import PASSING
from blickschutz.control.model import OrderState
from blickschutz.control.ports import Probe
from blickschutz.control.replicas import ReplicationState
from blickschutz.control.rules import stamped
from blickschutz.control.service.office import Inspected
from blickschutz.control.vitals import (
    AnchorState,
    BudgetState,
    ChainState,
    ChannelState,
    ClockState,
    DeadlineState,
    DiskState,
    LoopState,
    OrdersState,
    Vitals,
)
from blickschutz.guard.model import WorkState
from blickschutz.hosts.rules.copies import uncopied
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import StoreError
from blickschutz.retention.rules import deadline, is_due
from blickschutz.review.model import Case, CaseState
from blickschutz.review.rules import MORTAL, THERE
from blickschutz.wall.model import TileState

T = TypeVar("T")
_log = structlog.get_logger(__name__)
# Pages and whoever collects figures ask together; the databases are asked once for all of them.
FRESH_S = 2.0
# Deadlines are looked at every few seconds; what is still there after this long does not go.
GRACE_S = 600.0
_MOST = 100_000
_ENDING = (MORTAL - {CaseState.RECORDING}) | {CaseState.DESTROYING}


@dataclass(frozen=True, slots=True)
class Sources:
    """What is asked besides the records; each from any thread.

    `work` by process. `problem`: what the thread of disk and database failed at last. `reserve`: bytes that must be free.
    `certificate_until` in POSIX seconds. `keeps_copies`: the site wants second copies of clips on hosts.
    """

    databases: Sequence[Probe]
    reserve: int
    channels: Callable[[], Sequence[ChannelState]]
    problem: Callable[[], str]
    cameras: Callable[[], Mapping[str, TileState]]
    work: Callable[[], Mapping[str, Sequence[WorkState]]]
    loop: Callable[[], LoopState]
    certificate_until: Callable[[], float | None]
    budget: Callable[[], Sequence[BudgetState]] = tuple
    unrecordable: Callable[[], Mapping[str, str]] = dict
    walls_missing: Sequence[str] = ()
    other_sizes: Callable[[], Mapping[str, str]] = dict
    other_devices: Callable[[], Mapping[str, str]] = dict
    other_decoders: Callable[[], Mapping[str, str]] = dict
    launcher_gone: Callable[[], bool] = bool
    replication: Callable[[], ReplicationState | None] = lambda: None
    keeps_copies: bool = False


class HealthWatch:
    """`look` is for any thread but that of the event loop. What cannot be asked is missing in the figures; nothing is raised."""

    def __init__(self, records: Inspected, sources: Sources, clock: Clock) -> None:
        self._records, self._sources, self._clock = records, sources, clock
        self._lock = threading.Lock()
        self._began = clock.monotonic()
        self._last: Vitals | None = None

    def look(self) -> Vitals:
        """The figures, at most `FRESH_S` old."""
        with self._lock:
            now = self._clock.monotonic()
            if self._last is None or not 0 <= now - self._last.steady < FRESH_S:
                self._last = self._look(now)
            return self._last

    def _look(self, now: float) -> Vitals:
        sources, archive = self._sources, self._records.archive
        cases = _asked(self._cases)
        return Vitals(
            at=self._clock.now(),
            steady=now,
            up_s=now - self._began,
            databases=[one.look() for one in sources.databases],
            loop=sources.loop(),
            disk=self._disk(cases or ()),
            clock=ClockState(self._clock.now() - archive.time.wall_of(archive.time.now()), bool(archive.time.suspended)),
            chain=_asked(self._chain),
            anchor=self._anchor(),
            deadlines=_asked(lambda: self._deadlines(cases)) if cases is not None else None,
            orders=_asked(self._orders),
            quarantined=sum(case.state is CaseState.QUARANTINED for case in cases) if cases is not None else None,
            uncopied=len(uncopied(cases, self._clock.now())) if cases is not None and sources.keeps_copies else None,
            channels=_asked(sources.channels),
            certificate_until=sources.certificate_until(),
            problem=sources.problem(),
            cameras=sources.cameras(),
            unrecordable=sources.unrecordable(),
            other_sizes=sources.other_sizes(),
            other_devices=sources.other_devices(),
            other_decoders=sources.other_decoders(),
            work=sources.work(),
            budget=sources.budget(),
            walls_missing=sources.walls_missing,
            launcher_gone=sources.launcher_gone(),
            replication=sources.replication(),
        )

    def _cases(self) -> list[Case]:
        """Every case whose file should be there."""
        return self._records.office.cases.store.find(states=sorted(THERE | {CaseState.DESTROYING}), most=_MOST)

    def _disk(self, cases: Sequence[Case]) -> DiskState:
        known = [case for case in cases if case.seconds > 0]
        seconds, size = sum(case.seconds for case in known), sum(case.size for case in known)
        try:
            free = self._records.archive.shelf.free()
        except OSError as error:
            _log.error("disk_not_read", problem=error.strerror)
            return DiskState(None, self._sources.reserve)
        left = max(0, free - self._sources.reserve)
        return DiskState(free, self._sources.reserve, left / (size / seconds) if size and seconds else None)

    def _chain(self) -> ChainState:
        report, (entries, _, _) = self._records.chain.report, self._records.office.log.state()
        return ChainState(entries, report.number, report.at, report.whole_at, len(report.faults))

    def _anchor(self) -> AnchorState | None:
        anchoring = self._records.anchoring
        if not anchoring.configured:
            return None
        state = anchoring.state
        problem = state.problem.value if state.problem is not None else ""
        return AnchorState(state.number, state.at, problem, state.problem in PASSING)

    def _deadlines(self, cases: Sequence[Case]) -> DeadlineState:
        archive = self._records.archive
        reading = archive.time.reading()
        if reading.suspended:
            return DeadlineState(0, 0, 0.0)
        judged = (archive.time.kept(stamped(case)) for case in cases if case.state in _ENDING)
        known = [one for one in judged if one is not None]
        late = [reading.now - deadline(one, archive.limits).at for one in known if is_due(one, archive.limits, reading.now)]
        overdue = [one for one in late if one > GRACE_S]
        return DeadlineState(len(late), len(overdue), max(overdue, default=0.0))

    def _orders(self) -> OrdersState:
        now, found = self._clock.now(), self._records.orders.store.open()
        untaken = [now - order.at for order in found if order.state is OrderState.GIVEN]
        return OrdersState(len(found), max((now - order.at for order in found), default=0.0), max(untaken, default=0.0))


def channels_of(queues: Mapping[str, ChannelQueue]) -> list[ChannelState]:
    """What waits for each channel, from the alert desk."""
    return [ChannelState(name, one.waiting, one.oldest_s, one.problem, one.set_aside) for name, one in queues.items()]


def _asked(ask: Callable[[], T]) -> T | None:
    """The answer; None where the database or the disk that has it gives none. Their own figures say why."""
    try:
        return ask()
    except (StoreError, OSError) as error:
        _log.error("figures_missing", problem=str(error))
        return None
