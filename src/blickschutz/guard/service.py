"""The guard: starts work, knows all of it, tells what goes wrong."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable
from typing import TypeVar

import structlog

from blickschutz.guard.model import Backoff, Tell, Trouble, WorkKind, WorkState
from blickschutz.guard.queues import GuardedQueue
from blickschutz.guard.rules import Tally
from blickschutz.guard.work import Around, Guarded, TaskWork, ThreadWork, attempt
from blickschutz.kernel.clock import Clock

_log = structlog.get_logger(__name__)
_LOOK_S = 1.0
# Longer than a database is locked by a backup: 1, 3, 9 and 27 s between five tries.
QUEUE_BACKOFF = Backoff(first_s=1.0, most_s=60.0, factor=3.0)
T = TypeVar("T")
Some = TypeVar("Some", bound=Guarded)


class Guard:
    """One for each process. `on_trouble` is called in whichever thread the trouble is; what it raises is logged."""

    def __init__(
        self,
        clock: Clock,
        on_trouble: Tell | None = None,
        *,
        backoff: Backoff | None = None,
        chance: Callable[[], float] | None = None,
    ) -> None:
        self._on_trouble, self._backoff = on_trouble, backoff or Backoff()
        self._around = Around(clock, chance or random.SystemRandom().random, self._tell, self._forget)
        self._lock = threading.Lock()
        # In the order in which it was begun. Not a list: a control room has thousands of them, and each that ends is looked for.
        self._kept: dict[int, Guarded] = {}
        self._short: dict[str, Tally] = {}
        self._looking = False

    def thread(
        self,
        name: str,
        run: Callable[[], object],
        *,
        stop: Callable[[], None] | None = None,
        every_s: float | None = None,
        backoff: Backoff | None = None,
    ) -> ThreadWork:
        """Run in a thread, again and again until ended. `stop` makes a run return; with `every_s` a run is one round."""
        return self._begun(ThreadWork(run, self._tally(name, backoff), WorkKind.THREAD, self._around, stop, every_s))

    def task(
        self,
        name: str,
        run: Callable[[], Awaitable[object]],
        *,
        stop: Callable[[], None] | None = None,
        every_s: float | None = None,
        backoff: Backoff | None = None,
    ) -> TaskWork:
        """The same in a task of the running loop."""
        return self._begun(TaskWork(run, self._tally(name, backoff), WorkKind.TASK, self._around, stop, every_s))

    def once_thread(self, name: str, run: Callable[[], object], *, stop: Callable[[], None] | None = None) -> ThreadWork:
        """Run once in a thread. Work of one name is counted together, so a name says what it is, not which one."""
        return self._begun(ThreadWork(run, self._short_tally(name), WorkKind.SHORT, self._around, stop))

    def once_task(self, name: str, run: Callable[[], Awaitable[object]], *, stop: Callable[[], None] | None = None) -> TaskWork:
        """The same in a task of the running loop."""
        return self._begun(TaskWork(run, self._short_tally(name), WorkKind.SHORT, self._around, stop))

    def queue(
        self,
        name: str,
        handle: Callable[[T], object],
        *,
        tries: int = 5,
        most: int = 10_000,
        key: Callable[[T], Hashable] | None = None,
        on_aside: Callable[[T, str], object] | None = None,
        backoff: Backoff | None = None,
    ) -> GuardedQueue[T]:
        """A worker over items; `on_aside` gets an item that was given up, and the last error in words."""
        return self._begun(GuardedQueue(handle, self._tally(name, backoff or QUEUE_BACKOFF), self._around, tries, most, key, on_aside))

    def states(self) -> tuple[WorkState, ...]:
        """All work that is not over, and the short work that there was, together by name."""
        with self._lock:
            kept, short = list(self._kept.values()), dict(self._short)
        running = Counter(one.name for one in kept if one.kind is WorkKind.SHORT)
        states = [one.state() for one in kept if one.kind is not WorkKind.SHORT]
        for name, tally in short.items():
            states.append(
                WorkState(name, WorkKind.SHORT, running[name] > 0, tally.failing, tally.failures, error=tally.error, depth=running[name])
            )
        return tuple(states)

    def end(self, wait_s: float = 5.0) -> tuple[str, ...]:
        """End all, the newest first, in so many seconds together; the names of what has not ended (tasks end in their loop)."""
        clock = self._around.clock
        until = clock.monotonic() + wait_s
        with self._lock:
            kept = list(reversed(self._kept.values()))
        return tuple(one.name for one in kept if not one.end(max(0.0, until - clock.monotonic())))

    async def finish(self, wait_s: float = 5.0) -> None:
        """End all tasks, and wait for them; `end` for the rest is to be called in a thread."""
        with self._lock:
            tasks = [one for one in reversed(self._kept.values()) if isinstance(one, TaskWork)]
        for task in tasks:
            task.end()
        for task in tasks:
            await task.finished(wait_s)

    def _begun(self, work: Some) -> Some:
        with self._lock:
            self._kept[id(work)] = work
        # A thread that the system does not give is the caller's error, and nothing is kept of it.
        try:
            work.start()
        except RuntimeError:
            self._forget(work)
            raise
        return work

    def _tally(self, name: str, backoff: Backoff | None) -> Tally:
        return Tally(name, backoff or self._backoff)

    def _short_tally(self, name: str) -> Tally:
        with self._lock:
            return self._short.setdefault(name, Tally(name, self._backoff))

    def _forget(self, work: Guarded) -> None:
        with self._lock:
            self._kept.pop(id(work), None)

    def _tell(self, trouble: Trouble | None) -> None:
        if trouble is None:
            return
        _log.warning("work_trouble", work=trouble.name, change=trouble.change.value, failures=trouble.failures)
        on_trouble = self._on_trouble
        if on_trouble is not None and (error := attempt(lambda: on_trouble(trouble))) is not None:
            _log.error("trouble_not_told", work=trouble.name, exc_info=error)
        self._look_for_recovery()

    def _look_for_recovery(self) -> None:
        """A thread that looks once a second whether work that is in trouble has recovered; only while there is some."""
        with self._lock:
            if self._looking or not self._troubled():
                return
            self._looking = True
        threading.Thread(target=self._look, name="guard", daemon=True).start()

    def _troubled(self) -> list[Guarded]:
        """What may recover with time: short work and queues do so with the next that goes well."""
        return [one for one in self._kept.values() if one.kind in {WorkKind.THREAD, WorkKind.TASK} and one.in_trouble]

    def _look(self) -> None:
        pause = threading.Event()
        while True:
            pause.wait(min(_LOOK_S, self._backoff.calm_s))
            with self._lock:
                troubled = self._troubled()
                if not troubled:
                    self._looking = False
                    return
            for work in troubled:
                work.look()
