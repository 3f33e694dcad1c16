"""The launcher: a small process that has loaded what cells need, holds nothing, and forks one of a few kinds of process when asked.

Whoever asks names a kind and hands over a socket, nothing else: no function, no object, no path. So a control room that was taken over
can have cells and rooms started, which confine themselves, and not a line of its own outside of its profile. unix(7), pidfd_open(2).

There are two of them, since a confined control room may start no program: where one is killed, the other one forks it anew.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from select import POLLIN, poll
from typing import Protocol

EXIT = struct.Struct("=i")
PID = struct.Struct("=i")
# Until it has loaded its libraries, on a busy machine; later it has nothing to do but to fork.
_FIRST_PATIENCE_S, _PATIENCE_S = 30.0, 10.0
_TOLD_S = 1.0
# Asked of a launcher: whether it is there; to fork another one.
HERE, ANOTHER = "here", "launcher"


class Started(Protocol):
    """A process that was started for somebody, as `multiprocessing` has them too."""

    @property
    def pid(self) -> int | None:
        """Its number."""

    @property
    def exitcode(self) -> int | None:
        """What it ended with, a signal as a negative number; None while it lives or where nobody can say."""

    def is_alive(self) -> bool:
        """Whether it has not ended yet."""

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end, at most `timeout` seconds."""

    def kill(self) -> None:
        """End it at once."""


class LaunchedProcess:
    """A process that the launcher forked: followed by a descriptor of its own, so that no other can be meant."""

    def __init__(self, pid: int, handle: int, told: int) -> None:
        self.pid: int | None = pid
        self._handle, self._told, self._code = handle, told, b""
        weakref.finalize(self, close, (handle, told))

    def taken(self) -> int:
        """A descriptor of the process for whoever follows it further; theirs to close."""
        return os.dup(self._handle)

    def is_alive(self) -> bool:
        return not _ready(self._handle, 0.0)

    def join(self, timeout: float | None = None) -> None:
        _ready(self._handle, timeout)

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    @property
    def exitcode(self) -> int | None:
        if not self._code and not self.is_alive() and _ready(self._told, _TOLD_S):
            self._code = os.read(self._told, EXIT.size)
        return int(EXIT.unpack(self._code)[0]) if self._code else None


@dataclass(slots=True)
class _Serving:
    """A launcher that runs: the line to it, and a descriptor of its process by which no other can be meant."""

    line: socket.socket
    pid: int
    handle: int

    def ask(self, kind: str, handles: Sequence[int]) -> tuple[int, list[int]] | None:
        """Number and descriptor of what it forked, none where it could not; None where it does not answer."""
        try:
            socket.send_fds(self.line, [kind.encode()], handles)
            answer, got, _, _ = socket.recv_fds(self.line, PID.size, 1, socket.MSG_CMSG_CLOEXEC)
        except OSError:
            return None
        if len(answer) < PID.size:
            close(got)
            return None
        self.line.settimeout(_PATIENCE_S)
        return int(PID.unpack(answer)[0]), got

    def end(self) -> None:
        """Its process may stand still, so it is not asked; what it has forked lives on."""
        self.line.close()
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.handle, signal.SIGKILL)
        # The first one is a child of this process, any other one of its predecessor.
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        os.close(self.handle)


class Launcher:
    """Whoever wants processes started; from any thread. `command` is the program that calls `serve`, with a descriptor as last argument."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)
        self._lock = threading.Lock()
        self._serving: list[_Serving] = []
        self._wanted, self._lost = False, 0

    @property
    def pids(self) -> list[int]:
        """Numbers of the launchers that run: the one that is asked, then the one that stands by."""
        return [one.pid for one in self._serving]

    def start(self) -> None:
        """Start the launcher where none runs. Raises `OSError` where this process may start no program."""
        with self._lock:
            self._start()

    def launch(self, kind: str, connection: socket.socket) -> LaunchedProcess:
        """Have a process of that kind forked, with `connection` as its own. Raises `OSError` where that cannot be had."""
        with self._lock:
            self._start()
            return self._fork(kind, connection)

    def look(self) -> int:
        """See to it that two launchers answer. How many were found dead or without an answer since the last look, and replaced.

        Raises `ConnectionError` where none is left that could fork another one.
        """
        with self._lock:
            if not self._wanted:
                return 0
            for one in list(self._serving):
                if one.ask(HERE, ()) is None:
                    self._drop(one)
            self._start()
            if len(self._serving) == 1:
                self._stand_by()
            lost, self._lost = self._lost, 0
            return lost

    def end(self) -> None:
        """End the launchers; what they have forked lives on."""
        with self._lock:
            self._wanted = False
            while self._serving:
                self._serving.pop().end()

    def _fork(self, kind: str, connection: socket.socket) -> LaunchedProcess:
        """By the first launcher that answers."""
        for one in list(self._serving):
            told, tells = os.pipe()
            try:
                answer = one.ask(kind, [connection.fileno(), tells])
            finally:
                os.close(tells)
            if answer is not None and answer[1]:
                return LaunchedProcess(answer[0], answer[1][0], told)
            os.close(told)
            if answer is not None:
                raise BlockingIOError("the machine has no room for another process")
            self._drop(one)
        raise ConnectionError("the launcher of cells and rooms has ended")

    def _stand_by(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                process = self._fork(ANOTHER, theirs)
            except OSError:
                ours.close()
                raise
        ours.settimeout(_PATIENCE_S)
        self._serving.append(_Serving(ours, process.pid or 0, process.taken()))

    def _drop(self, one: _Serving) -> None:
        self._serving.remove(one)
        self._lost += 1
        one.end()

    def _start(self) -> None:
        if self._serving:
            return
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            theirs.set_inheritable(True)
            try:
                pid = os.posix_spawn(self._command[0], [*self._command, str(theirs.fileno())], os.environ)
            except OSError:
                ours.close()
                raise
        ours.settimeout(_FIRST_PATIENCE_S)
        self._serving.append(_Serving(ours, pid, os.pidfd_open(pid)))
        self._wanted = True


def _ready(handle: int, timeout_s: float | None) -> bool:
    """Whether there is something to be read, or the process behind it has ended. (`select` ends at 1,024 descriptors.)"""
    waiting = poll()
    waiting.register(handle, POLLIN)
    return bool(waiting.poll(None if timeout_s is None else round(1000 * timeout_s)))


def close(handles: Sequence[int]) -> None:
    for handle in handles:
        os.close(handle)
