"""The launcher: what it forks, what it does not, how an end is told."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import pytest

from blickschutz.control.service.launchers import LauncherWatch
from blickschutz.guard.model import Change, Trouble
from blickschutz.guard.service import Guard
from blickschutz.kernel.clock import SystemClock
from blickschutz.zones import forking
from blickschutz.zones import launcher as module
from blickschutz.zones.launcher import Launcher

PROGRAM = """
import os, socket, sys, threading
from blickschutz.zones.forking import own_line, serve
def echo(line):
    while data := line.recv(100):
        line.sendall(data.upper())
def fail(line):
    raise ZeroDivisionError
def late(line):
    threading.Thread(target=lambda: line.sendall(line.recv(100)), daemon=False).start()
def holds(line):
    line.sendall(" ".join(sorted(os.readlink(f"/proc/self/fd/{one}").split(":")[0] for one in os.listdir("/proc/self/fd")
        if int(one) > 2 and os.path.exists(f"/proc/self/fd/{one}"))).encode())
serve(own_line(int(sys.argv[1])), {"echo": echo, "fail": fail, "late": late, "holds": holds})
"""


@pytest.fixture
def launcher():
    made = Launcher([sys.executable, "-c", PROGRAM])
    yield made
    made.end()


def launched(launcher, kind):
    ours, theirs = socket.socketpair()
    ours.settimeout(20)
    with theirs:
        return launcher.launch(kind, theirs), ours


def test_a_process_has_the_socket_and_its_end_is_told(launcher):
    process, line = launched(launcher, "echo")
    with line:
        line.sendall(b"hello")
        assert line.recv(100) == b"HELLO"
        assert process.is_alive()
        assert process.exitcode is None
        process.join(0.05)
        assert process.is_alive(), "it was waited for, not ended"
        assert Path(f"/proc/{process.pid}").exists()
    process.join(20)
    assert not process.is_alive()
    assert process.exitcode == process.exitcode == 0


def test_a_process_that_fails_or_is_killed_says_so(launcher):
    failed, line = launched(launcher, "fail")
    with line:
        failed.join(20)
        assert failed.exitcode == 1
    killed, line = launched(launcher, "echo")
    with line:
        killed.kill()
        killed.join(20)
        assert killed.exitcode == -signal.SIGKILL
        killed.kill()  # of somebody who is gone: nothing


def test_it_ends_when_its_threads_have_ended(launcher):
    process, line = launched(launcher, "late")
    with line:
        process.join(0.2)
        assert process.is_alive()
        line.sendall(b"now")
        assert line.recv(100) == b"now"
        process.join(20)
        assert process.exitcode == 0


def test_a_process_holds_nothing_of_its_siblings(launcher):
    others = [launched(launcher, "echo") for _ in range(3)]
    process, line = launched(launcher, "holds")
    with line:
        assert line.recv(1000).decode().split() == ["socket"]
    process.join(20)
    for other, theirs in others:
        theirs.close()
        other.join(20)
        assert other.exitcode == 0, "a sibling held its socket open"


def test_what_is_not_known_ends_the_launcher_and_the_next_one_is_new(launcher):
    """It answers no guess: whoever asks for something else is no control room of ours."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with pytest.raises(ConnectionError, match="has ended"):
            launcher.launch("os.system", theirs)
        process = launcher.launch("echo", theirs)
    process.join(20)
    assert process.exitcode == 0


def test_cells_live_on_when_the_launcher_is_killed(launcher):
    process, line = launched(launcher, "echo")
    with line:
        os.kill(launcher.pids[0], signal.SIGKILL)
        os.waitpid(launcher.pids[0], 0)
        line.sendall(b"still")
        assert line.recv(100) == b"STILL"
        assert process.is_alive()
    process.join(20)
    assert not process.is_alive()
    assert process.exitcode is None, "nobody is left who could say it"


def test_many_at_once_each_get_their_own(launcher):
    found = []

    def one():
        process, line = launched(launcher, "echo")
        with line:
            line.sendall(str(process.pid).encode())
            found.append(line.recv(100).decode() == str(process.pid))

    threads = [threading.Thread(target=one) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 12


def test_no_descriptor_is_left(launcher):
    process, line = launched(launcher, "echo")
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(2):
        other, theirs = launched(launcher, "echo")
        theirs.close()
        other.join(20)
        del other
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == before
    line.close()
    process.join(20)


def test_the_launcher_ends_with_whoever_started_it(launcher):
    launcher.start()
    (pid,) = launcher.pids
    launcher.end()
    end = time.monotonic() + 20
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < end
        time.sleep(0.01)


def answers(launcher) -> bool:
    process, line = launched(launcher, "echo")
    with line:
        line.sendall(b"hello")
        found = line.recv(100) == b"HELLO"
    process.join(20)
    return found


@pytest.mark.parametrize("which", [0, 1])
def test_where_one_of_two_launchers_is_killed_the_other_one_replaces_it(launcher, which):
    launcher.start()
    assert launcher.look() == 0
    for _ in range(3):
        before = launcher.pids
        os.kill(before[which], signal.SIGKILL)
        assert answers(launcher), "nothing waits for the next look"
        assert launcher.look() == 1
        assert launcher.look() == 0
        assert len(launcher.pids) == 2
        assert set(launcher.pids) & set(before) == {before[1 - which]}


def test_a_process_of_a_killed_launcher_lives_on_beside_the_next_one(launcher):
    launcher.start()
    launcher.look()
    process, line = launched(launcher, "echo")
    with line:
        os.kill(launcher.pids[0], signal.SIGKILL)
        launcher.look()
        line.sendall(b"still")
        assert line.recv(100) == b"STILL"
    process.join(20)
    assert not process.is_alive()


def test_one_that_stands_still_is_ended_and_replaced(launcher, monkeypatch):
    monkeypatch.setattr(module, "_PATIENCE_S", 0.3)
    launcher.start()
    launcher.look()
    still = launcher.pids[0]
    launcher.look()
    os.kill(still, signal.SIGSTOP)
    assert launcher.look() == 1
    assert still not in launcher.pids
    assert not Path(f"/proc/{still}").exists()
    assert answers(launcher)


def test_where_both_are_killed_at_once_and_none_may_be_started_it_says_so(launcher):
    launcher.start()
    launcher.look()
    for pid in launcher.pids:
        os.kill(pid, signal.SIGKILL)
    launcher._command = ("/nowhere/python",)
    for _ in range(2):
        with pytest.raises(OSError, match="No such file"):
            launcher.look()
        assert launcher.pids == []


def test_nobody_is_started_by_a_look_before_there_is_need(launcher):
    assert launcher.look() == 0
    assert launcher.pids == []
    launcher.start()
    launcher.end()
    assert launcher.look() == 0
    assert launcher.pids == []


def test_a_machine_without_room_for_a_process_refuses_one_and_keeps_the_launcher():
    full = PROGRAM.replace("def echo", "def no():\n    raise BlockingIOError\nos.fork = no\ndef echo")
    launcher = Launcher([sys.executable, "-c", full])
    try:
        launcher.start()
        pids = launcher.pids
        ours, theirs = socket.socketpair()
        with ours, theirs:
            for _ in range(2):
                with pytest.raises(BlockingIOError, match="no room"):
                    launcher.launch("echo", theirs)
        assert launcher.pids == pids
    finally:
        launcher.end()


class FakeLauncher:
    def __init__(self, *pids: int) -> None:
        self.found: list[int | OSError] = []
        self.pids = list(pids)

    def look(self) -> int:
        found = self.found.pop(0) if self.found else 0
        if isinstance(found, OSError):
            raise found
        return found


def test_what_happened_to_a_launcher_is_told_once_and_that_it_is_over():
    told: list[Trouble] = []
    guard, launcher = Guard(SystemClock(), told.append), FakeLauncher()
    watch = LauncherWatch(launcher, every_s=0.01)
    watch.start(guard)
    launcher.found = [1]
    end = time.monotonic() + 20
    while len(told) < 2:
        assert time.monotonic() < end
        time.sleep(0.01)
    guard.end()
    assert [(one.name, one.change) for one in told] == [("launcher", Change.FAILED), ("launcher", Change.RECOVERED)]
    assert "replaced" in told[0].error
    assert not watch.gone


def test_one_that_is_left_is_one_though_the_machine_has_no_room_for_the_other():
    launcher = FakeLauncher(7)
    launcher.found = [BlockingIOError(11, "no room")]
    watch = LauncherWatch(launcher)
    with pytest.raises(BlockingIOError):
        watch.look()
    assert not watch.gone, "cells are started as before"


def test_that_none_is_left_is_known_until_there_is_one():
    launcher = FakeLauncher()
    watch = LauncherWatch(launcher)
    launcher.found = [PermissionError(13, "Permission denied"), 0]
    with pytest.raises(PermissionError):
        watch.look()
    assert watch.gone
    watch.look()
    assert not watch.gone


def test_a_program_that_cannot_be_started_is_an_error():
    with pytest.raises(OSError, match="No such file"):
        Launcher(["/nowhere/python"]).start()


def test_whoever_goes_before_the_answer_comes_ends_it_without_a_word(capfd):
    ours, line = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.send(module.HERE.encode())
    ours.close()
    forking.serve(line, {})
    line.close()
    assert capfd.readouterr() == ("", "")
