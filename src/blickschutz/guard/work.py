"""One piece of guarded work: a thread or a task."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from blickschutz.guard.model import Trouble, WorkKind, WorkState
from blickschutz.guard.rules import Lines, Tally, trace_of, wait_after, words
from blickschutz.kernel.clock import Clock

_log = structlog.get_logger(__name__)
_UNASKED: Final = "returned unasked"


@dataclass(frozen=True, slots=True)
class Around:
    """What the guard gives to all of its work. `tell` takes None too; `done` is called once the work has ended for good."""

    clock: Clock
    chance: Callable[[], float]
    tell: Callable[[Trouble | None], None]
    done: Callable[[Guarded], None]


def attempt(run: Callable[[], object]) -> BaseException | None:
    """Run; what it raised."""
    try:
        run()
    # Whatever it is, SystemExit too: the caller records, counts and tells it. This is what the guard is for.
    except BaseException as error:  # noqa: BLE001 - given back, and recorded by every caller
        return error
    return None


class Guarded(Protocol):
    """What the guard keeps: threads, tasks, queues."""

    kind: WorkKind

    @property
    def name(self) -> str: ...

    @property
    def ended(self) -> bool:
        """Whether nothing of it runs any more, or will."""

    @property
    def in_trouble(self) -> bool:
        """Whether somebody was told that it fails, and not yet that it has recovered."""

    def start(self) -> None: ...

    def end(self, wait_s: float = 0.0) -> bool:
        """End it, and wait so long for it; whether it has ended. May be called again."""

    def state(self) -> WorkState: ...

    def look(self) -> None:
        """Say that it has recovered, where it has run for long enough."""


class Work:
    """What threads and tasks have in common. `stop` makes a run that is under way return; `end` calls it.

    With `every_s` a run is one round: when it returns all is well, and the next begins after so many seconds.
    """

    def __init__(self, tally: Tally, kind: WorkKind, around: Around, stop: Callable[[], None] | None, every_s: float | None) -> None:
        self.tally, self.kind, self._around = tally, kind, around
        self._stop, self._every_s = stop, every_s
        self._ending = threading.Event()
        self._running, self._since = False, around.clock.monotonic()
        self._lines = Lines()
        # What was said last, of what.
        self._state: tuple[tuple[object, ...], WorkState] = ((), WorkState(tally.name, kind, False))

    @property
    def name(self) -> str:
        return self.tally.name

    @property
    def in_trouble(self) -> bool:
        return self.tally.in_trouble

    def state(self) -> WorkState:
        """Made anew only where it says something else: there are thousands, and a page asks for all of them."""
        tally = self.tally
        now = (self._running, tally.failing, tally.failures, tally.restarts, tally.error, self._since)
        said, state = self._state
        if said != now:
            running, failing, failures, restarts, error, since = now
            state = WorkState(tally.name, self.kind, running, failing, failures, restarts, error, round(since, 3))
            self._state = now, state
        return state

    def failed(self, error: BaseException, *, tell_at_once: bool = False) -> None:
        """Record an error: for work that goes on after it by itself, in a way of its own."""
        self._record(words(error), error, tell_at_once=tell_at_once)

    def well(self) -> None:
        """All is well again, and need not wait for the time after which that is taken for granted."""
        self._around.tell(self.tally.went_well())

    def look(self) -> None:
        if self._running and self._every_s is None and self._around.clock.monotonic() - self._since >= self.tally.backoff.calm_s:
            self._around.tell(self.tally.went_well())

    def _began(self) -> None:
        self._running, self._since = True, self._around.clock.monotonic()

    def _judged(self, error: BaseException | None) -> float | None:
        """What follows from a run that is over: seconds until the next, or None for none."""
        ran_s = self._around.clock.monotonic() - self._since
        self._running, self._since = False, self._around.clock.monotonic()
        tally, short = self.tally, self.kind is WorkKind.SHORT
        if error is None and (short or self._every_s is not None):
            self._around.tell(tally.went_well())
            if short or self._ending.is_set():
                return None
            self._began()  # it waits for its next round, which is what it is there for
            return self._every_s
        if error is None and self._ending.is_set():
            return None
        if not short and self._every_s is None and ran_s >= tally.backoff.calm_s:
            self._around.tell(tally.went_well())
        self._record(words(error) if error is not None else _UNASKED, error, tell_at_once=short)
        if short or self._ending.is_set():
            return None
        tally.restarts += 1
        return wait_after(tally.failing, tally.backoff, self._around.chance())

    def _record(self, text: str, error: BaseException | None, *, tell_at_once: bool) -> None:
        trouble = self.tally.failed(text, tell_at_once=tell_at_once)
        failing = self.tally.failing
        if self._lines.want(error, text, failing, self._around.clock.monotonic()):
            _log.error("work_failed", work=self.name, failures=failing, problem=text, exc_info=trace_of(error))
        self._around.tell(trouble)

    def _call_stop(self) -> None:
        if self._stop is not None and (error := attempt(self._stop)) is not None:
            self.failed(error)


class ThreadWork(Work):
    """Work in a thread of its own."""

    def __init__(
        self,
        run: Callable[[], object],
        tally: Tally,
        kind: WorkKind,
        around: Around,
        stop: Callable[[], None] | None = None,
        every_s: float | None = None,
    ) -> None:
        super().__init__(tally, kind, around, stop, every_s)
        self._run = run
        self._thread = threading.Thread(target=self._loop, name=tally.name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def ended(self) -> bool:
        return self._ending.is_set() and not self._thread.is_alive()

    def end(self, wait_s: float = 0.0) -> bool:
        self._ending.set()
        self._call_stop()
        return self.wait(wait_s)

    def wait(self, wait_s: float) -> bool:
        """Wait until it has ended; whether it has."""
        if self._thread is not threading.current_thread():
            self._thread.join(max(0.0, wait_s))
        return not self._thread.is_alive()

    def _loop(self) -> None:
        wait: float | None = 0.0
        while wait is not None and not self._ending.wait(wait):
            self._began()
            wait = self._judged(attempt(self._run))
        self._running = False
        self._ending.set()
        self._around.done(self)


class TaskWork(Work):
    """Work in a task of the running loop. Without `stop` it is cancelled when it ends."""

    def __init__(
        self,
        run: Callable[[], Awaitable[object]],
        tally: Tally,
        kind: WorkKind,
        around: Around,
        stop: Callable[[], None] | None = None,
        every_s: float | None = None,
    ) -> None:
        super().__init__(tally, kind, around, stop, every_s)
        self._run = run
        self._woken = asyncio.Event()
        self._owner = asyncio.get_running_loop()

    def start(self) -> None:
        self.task: asyncio.Task[None] = self._owner.create_task(self._loop(), name=self.name)

    @property
    def ended(self) -> bool:
        return self._ending.is_set() and self.task.done()

    def end(self, wait_s: float = 0.0) -> bool:
        """End it, from any thread; a loop cannot be waited for here, so `finished` waits."""
        del wait_s
        self._ending.set()
        # A loop that is closed has ended its tasks itself.
        with contextlib.suppress(RuntimeError):
            self._owner.call_soon_threadsafe(self._end_in_loop)
        return self.task.done()

    def _end_in_loop(self) -> None:
        self._woken.set()
        if self._stop is None:
            self.task.cancel()
        else:
            self._call_stop()

    async def finished(self, wait_s: float | None = None) -> bool:
        """Wait until it has ended; cancels it after `wait_s`. Whether it ended by itself or when it was told to."""
        await asyncio.wait([self.task], timeout=wait_s)
        if self.task.done():
            return True
        self.task.cancel()
        await asyncio.wait([self.task], timeout=1.0)
        return False

    async def _loop(self) -> None:
        try:
            wait: float | None = 0.0
            while wait is not None and not await self._woken_within(wait):
                self._began()
                wait = self._judged(await self._attempt())
        finally:
            self._running = False
            self._ending.set()
            self._around.done(self)

    async def _woken_within(self, seconds: float) -> bool:
        if seconds > 0 and not self._ending.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), seconds)
        return self._ending.is_set()

    async def _attempt(self) -> BaseException | None:
        me = asyncio.current_task()
        try:
            await self._run()
        except asyncio.CancelledError as error:
            # Cancelled itself, or something that it waited for was: the second is an error like any other.
            if self._ending.is_set() or (me is not None and me.cancelling()):
                raise
            return error
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001 - given back, and recorded by the caller
            return error
        return None
