"""Guarded work: nothing ends unseen, nothing is swallowed, the rest goes on."""

from __future__ import annotations

import asyncio
import itertools
import random
import threading
import time
from collections import Counter

import pytest
import structlog
from structlog.testing import capture_logs

from blickschutz.guard.model import Backoff, Change, Trouble, WorkKind
from blickschutz.guard.rules import LINE_AGAIN_S, MOST_LINE_AGAIN_S, Lines, wait_after, words
from blickschutz.guard.service import Guard
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import CameraUnreachableError

_QUICK = Backoff(first_s=0.002, most_s=0.01, trouble_after=3, calm_s=0.1)


@pytest.fixture(autouse=True)
def quiet():
    before = structlog.get_config()
    structlog.reset_defaults()
    structlog.configure(processors=[structlog.processors.KeyValueRenderer()], logger_factory=structlog.ReturnLoggerFactory())
    yield
    structlog.configure(**before)


@pytest.fixture
def told():
    return []


@pytest.fixture
def guard(told):
    guard = Guard(SystemClock(), told.append, backoff=_QUICK)
    yield guard
    assert guard.end(5.0) == ()


def until(true, seconds=30.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.002)


def state_of(guard, name):
    return next(state for state in guard.states() if state.name == name)


class Running:
    """Work that fails as long as it is told to, and then runs until it is told to end."""

    def __init__(self, *failures):
        self.failures, self.runs = list(failures), 0
        self.ended = threading.Event()

    def __call__(self):
        self.runs += 1
        if self.failures:
            failure = self.failures.pop(0)
            if failure is not None:
                raise failure
            return
        self.ended.wait()


def test_a_thread_that_raises_or_returns_is_run_again_and_ends_when_told_to(guard, told):
    run = Running(ValueError("one"), SystemExit(2), None, GeneratorExit())
    work = guard.thread("reader", run, stop=run.ended.set)
    until(lambda: run.runs == 5)
    until(lambda: state_of(guard, "reader").running)
    state = state_of(guard, "reader")
    assert (state.kind, state.failing, state.failures, state.restarts) == (WorkKind.THREAD, 4, 4, 4)
    assert state.error.startswith("GeneratorExit at test_guard.py:")
    assert work.end(2.0)
    assert work.ended
    assert guard.states() == ()
    assert run.runs == 5


def test_trouble_is_told_once_and_recovery_too(guard, told):
    run = Running(*[CameraUnreachableError("nobody there")] * 7)
    guard.thread("reader", run, stop=run.ended.set)
    until(lambda: len(told) == 2)
    assert told == [Trouble("reader", Change.FAILING, "nobody there", 3), Trouble("reader", Change.RECOVERED, "nobody there", 0)]
    assert state_of(guard, "reader").failing == 0
    assert state_of(guard, "reader").failures == 7


def test_rounds_go_on_and_a_good_one_is_a_recovery(guard, told):
    outcomes = [ValueError(), ValueError(), ValueError(), None, None]
    rounds = []

    def one_round():
        rounds.append(time.monotonic())
        if outcomes and (failure := outcomes.pop(0)):
            raise failure

    work = guard.thread("chain", one_round, every_s=0.01)
    until(lambda: len(rounds) >= 8)
    assert [trouble.change for trouble in told] == [Change.FAILING, Change.RECOVERED]
    assert state_of(guard, "chain").failures == 3
    started = time.monotonic()
    assert work.end(20.0)
    assert time.monotonic() - started < 15


def test_what_has_rounds_runs_between_them_unless_the_last_one_failed(guard):
    broken = []

    def one_round():
        if broken:
            raise RuntimeError("x")

    work = guard.thread("rests", one_round, every_s=0.2)
    until(lambda: work.state().running)
    time.sleep(0.05)
    assert work.state().running
    broken.append(True)
    until(lambda: not work.state().running)


def test_a_long_wait_is_interrupted_by_the_end(guard):
    work = guard.thread("slow", lambda: None, every_s=3600.0)
    failing = guard.thread("failing", lambda: None, backoff=Backoff(first_s=3600.0, most_s=3600.0))
    time.sleep(0.05)
    started = time.monotonic()
    assert work.end(20.0)
    assert failing.end(20.0)
    assert time.monotonic() - started < 30


def test_short_work_is_not_repeated_and_its_error_is_told(guard, told):
    ran = []

    def fails():
        ran.append(1)
        raise KeyError("a name that nobody may read")

    assert guard.once_thread("moment", fails).wait(2.0)
    until(lambda: told)
    assert ran == [1]
    assert [(trouble.change, trouble.failures) for trouble in told] == [(Change.FAILED, 1)]
    assert "nobody may read" not in told[0].error
    assert guard.once_thread("moment", lambda: ran.append(2)).wait(2.0)
    until(lambda: len(told) == 2)
    assert told[1].change is Change.RECOVERED
    state = state_of(guard, "moment")
    assert (state.kind, state.running, state.failures, state.failing) == (WorkKind.SHORT, False, 1, 0)


def test_a_device_that_fails_again_and_again_is_one_line_in_words_and_what_nobody_foresaw_shows_its_way():
    """A host that is cut off tries its lease once a second."""
    guard = Guard(SystemClock(), backoff=_QUICK)
    with capture_logs() as logs:
        run = Running(*[CameraUnreachableError("nobody there")] * 40, *[ValueError("odd")] * 2)
        guard.thread("lease", run, stop=run.ended.set)
        until(lambda: state_of(guard, "lease").failures == 42)
        assert guard.end(5.0) == ()
    lines = [(entry["problem"], entry["exc_info"] is None) for entry in logs if entry["event"] == "work_failed"]
    assert lines[0] == ("nobody there", True)
    assert [(problem.partition(" ")[0], foreseen) for problem, foreseen in lines[1:]] == [("ValueError", False)] * 2


def test_lines_of_a_cut_that_lasts_come_ever_more_rarely_and_other_words_at_once():
    lines, cut, other = Lines(), CameraUnreachableError("cut"), CameraUnreachableError("refused")
    said = [now for now in range(86_400) if lines.want(cut, "cut", now + 1, now)]
    gaps = [after - before for before, after in itertools.pairwise(said)]
    assert gaps[:3] == [LINE_AGAIN_S, 2 * LINE_AGAIN_S, 4 * LINE_AGAIN_S]
    assert gaps == sorted(gaps)
    assert max(gaps) == MOST_LINE_AGAIN_S
    assert lines.want(other, "refused", 90_000, 86_400)
    assert not lines.want(other, "refused", 90_001, 86_401)
    assert lines.want(cut, "cut", 1, 86_402), "the first after it went well"
    assert sum(lines.want(cut, f"port {number}", number + 2, 86_403) for number in range(1000)) < 20


def test_who_is_told_may_fail_and_that_is_in_the_log_too():
    def fails(trouble):
        raise RuntimeError("no room for an alert")

    guard = Guard(SystemClock(), fails, backoff=_QUICK)
    with capture_logs() as logs:
        guard.once_thread("moment", lambda: 1 // 0).wait(2.0)
        until(lambda: any(entry["event"] == "trouble_not_told" for entry in logs))
    assert {entry["event"] for entry in logs} >= {"work_failed", "trouble_not_told"}
    assert guard.end() == ()


def test_a_thread_that_the_system_does_not_give_is_the_callers_error_and_leaves_nothing(guard, monkeypatch):
    def none_left(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", none_left)
    with pytest.raises(RuntimeError):
        guard.thread("reader", lambda: None)
    assert guard.states() == ()


def test_tasks_are_run_again_whatever_they_raise_and_end_by_cancelling(told):
    async def scene():
        guard = Guard(SystemClock(), told.append, backoff=_QUICK)
        gone = asyncio.get_running_loop().create_future()
        gone.cancel()
        runs = []

        async def run():
            runs.append(1)
            if len(runs) == 1:
                raise asyncio.InvalidStateError
            if len(runs) == 2:
                await gone  # cancelled, but not this task
            if len(runs) == 3:
                return
            await asyncio.Event().wait()

        work = guard.task("keeper", run)
        async with asyncio.timeout(5.0):
            while len(told) < 2:
                await asyncio.sleep(0.005)
        state = state_of(guard, "keeper")
        assert (state.kind, state.failures, state.running) == (WorkKind.TASK, 3, True)
        assert [trouble.change for trouble in told] == [Change.FAILING, Change.RECOVERED]
        work.end()
        assert await work.finished(2.0)
        assert guard.states() == ()
        assert len(runs) == 4

    asyncio.run(scene())


def test_a_task_with_a_stop_returns_by_itself_and_rounds_wait_for_their_time(told):
    async def scene():
        guard = Guard(SystemClock(), told.append, backoff=_QUICK)
        ended, closed, rounds = asyncio.Event(), [], []

        async def run():
            await ended.wait()
            closed.append(1)

        async def one_round():
            rounds.append(1)

        guard.task("server", run, stop=ended.set)
        guard.task("housekeeping", one_round, every_s=0.01)
        failed = guard.once_task("short", _fails)
        async with asyncio.timeout(5.0):
            while len(rounds) < 4:
                await asyncio.sleep(0.005)
        assert await failed.finished()
        await guard.finish(2.0)
        assert closed == [1]
        assert [state.name for state in guard.states()] == ["short"]
        assert [(trouble.name, trouble.change) for trouble in told] == [("short", Change.FAILED)]

    asyncio.run(scene())


async def _fails():
    raise LookupError


def test_a_loop_that_ends_takes_its_tasks_with_it():
    guard = Guard(SystemClock(), backoff=_QUICK)

    async def scene():
        guard.task("keeper", asyncio.Event().wait)
        await asyncio.sleep(0.01)

    asyncio.run(scene())
    assert guard.states() == ()


def test_a_queue_keeps_its_order_and_drains_at_the_end(guard, told):
    done = []
    queue = guard.queue("news", done.append, backoff=_QUICK)
    for number in range(1000):
        assert queue.push(number)
    assert queue.end(5.0)
    assert done == list(range(1000))
    assert told == []
    assert not queue.push(7)
    assert queue.aside()[0].error == "the queue has ended"
    assert told == [Trouble("news", Change.SET_ASIDE, "the queue has ended", 0)]


def test_a_bad_item_is_tried_again_and_set_aside_while_the_rest_goes_on(guard, told):
    done, tries, given_up = [], Counter(), []

    def handle(item):
        tries[item] += 1
        if item == "bad" or (item == "late" and tries[item] < 3):
            raise OSError(28, "No space left on device")
        done.append(item)

    queue = guard.queue("news", handle, tries=4, backoff=_QUICK, on_aside=lambda item, error: given_up.append((item, error)))
    for item in ("a", "bad", "late", "b"):
        queue.push(item)
    assert queue.idle(5.0)
    assert done[:2] == ["a", "b"]
    assert done[2:] == ["late"]
    assert tries == {"a": 1, "b": 1, "bad": 4, "late": 3}
    assert given_up == [("bad", "OSError: No space left on device")]
    assert [(one.item, one.tries) for one in queue.aside()] == [("bad", 4)]
    state = state_of(guard, "news")
    assert (state.kind, state.depth, state.oldest_s, state.set_aside) == (WorkKind.QUEUE, 0, 0.0, 1)
    assert Trouble("news", Change.SET_ASIDE, "OSError: No space left on device", 4) in told


def test_items_of_one_key_wait_for_each_other(guard):
    done, locked = [], threading.Event()

    def handle(item):
        if item[0] == "a" and not locked.is_set():
            raise OSError(5, "busy")
        done.append(item)

    queue = guard.queue("news", handle, tries=10_000, key=lambda item: item[0], backoff=_QUICK)
    for item in ("a1", "a2", "b1", "b2"):
        queue.push(item)
    until(lambda: done == ["b1", "b2"])
    state = state_of(guard, "news")
    assert state.depth == 2
    assert state.oldest_s > 0
    locked.set()
    assert queue.idle(5.0)
    assert done == ["b1", "b2", "a1", "a2"]


def test_what_was_set_aside_can_be_tried_again(guard, told):
    broken, done = [True], []

    def handle(item):
        if broken[0]:
            raise ValueError
        done.append(item)

    queue = guard.queue("news", handle, tries=2, backoff=_QUICK)
    queue.push(1)
    until(lambda: queue.aside())
    broken[0] = False
    assert queue.again() == 1
    assert queue.idle(5.0)
    assert done == [1]
    assert queue.aside() == ()


def test_a_full_queue_refuses_at_once_and_says_so(guard, told):
    hold = threading.Event()
    queue = guard.queue("news", lambda item: hold.wait(5.0), most=2, backoff=_QUICK)
    started = time.monotonic()
    assert [queue.push(n) for n in range(4)] == [True, True, False, False]
    assert time.monotonic() - started < 1.0
    assert [one.item for one in queue.aside()] == [2, 3]
    assert [trouble.error for trouble in told] == ["the queue is full"] * 2
    hold.set()


def test_an_item_that_waits_gets_its_last_try_at_the_end(guard, told):
    tries = Counter()

    def handle(item):
        tries[item] += 1
        raise ValueError

    queue = guard.queue("news", handle, tries=100, backoff=Backoff(first_s=3600, most_s=3600))
    queue.push("x")
    until(lambda: tries["x"] == 1)
    assert queue.end(5.0)
    assert tries["x"] == 2
    assert [one.item for one in queue.aside()] == ["x"]


def test_a_thousand_failures_at_random_lose_nothing(told):
    chance = random.Random(20)
    kinds = (ValueError, OSError, KeyError, SystemExit, MemoryError, CameraUnreachableError, asyncio.CancelledError)
    guard = Guard(SystemClock(), told.append, backoff=Backoff(first_s=0.0, most_s=0.0, calm_s=0.05))
    raised, handled = Counter(), []
    lock = threading.Lock()

    def fails(where, share):
        with lock:
            if chance.random() < share:
                raised[where] += 1
                raise chance.choice(kinds)

    def handle(item):
        fails("queue", 0.5)
        handled.append(item)

    queue = guard.queue("queue", handle, tries=4, backoff=Backoff(first_s=0.0, most_s=0.0))
    ended = threading.Event()

    def thread():
        fails("thread", 1.0 if raised["thread"] < 300 else 0.0)
        ended.wait()

    guard.thread("thread", thread, stop=ended.set)
    for item in range(1000):
        queue.push(item)
        if item % 3 == 0:
            guard.once_thread("short", lambda: fails("short", 0.7)).wait(5.0)
    until(lambda: raised["thread"] == 300, 30.0)
    assert queue.idle(30.0)
    states = {state.name: state for state in guard.states()}
    assert sum(raised.values()) > 1000
    assert {name: state.failures for name, state in states.items()} == dict(raised)
    assert sorted(handled + [one.item for one in queue.aside()]) == list(range(1000))
    assert states["queue"].set_aside == len(queue.aside())
    assert sum(trouble.change is Change.SET_ASIDE for trouble in told) == len(queue.aside())
    until(lambda: not state_of(guard, "thread").failing)
    assert guard.end(5.0) == ()


def test_waits_grow_and_end_at_the_longest():
    backoff = Backoff(first_s=0.5, most_s=60.0, factor=2.0)
    assert [wait_after(n, backoff, 1.0) for n in (1, 2, 3, 8, 10_000)] == [0.5, 1.0, 2.0, 60.0, 60.0]
    assert wait_after(1, backoff, 0.0) == 0.25


def test_an_error_in_words_holds_nothing_that_a_library_said_of_a_value():
    assert words(CameraUnreachableError("10.0.0.4: refused")) == "10.0.0.4: refused"
    assert words(OSError(2, "No such file or directory", "/secret")) == "FileNotFoundError: No such file or directory"
    assert words(ValueError("passphrase 'x'")) == "ValueError"
