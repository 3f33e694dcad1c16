"""The launcher: a small process that has loaded what cells need, holds nothing, and forks one of a few kinds of process when asked.

Whoever asks names a kind and hands over a socket, nothing else: no function, no object, no path. So a control room that was taken over
can have cells and rooms started, which confine themselves, and not a line of its own outside of its profile. unix(7), pidfd_open(2).
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import struct
import sys
import threading
import traceback
import weakref
from collections.abc import Callable, Mapping, Sequence
from select import POLLIN, poll
from typing import NoReturn, Protocol

_EXIT = struct.Struct("=i")
_PID = struct.Struct("=i")
_MOST_NAME = 64
# Until it has loaded its libraries, on a busy machine.
_PATIENCE_S = 30.0
_TOLD_S = 1.0


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
        weakref.finalize(self, _close, (handle, told))

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
            self._code = os.read(self._told, _EXIT.size)
        return int(_EXIT.unpack(self._code)[0]) if self._code else None


class Launcher:
    """Whoever wants processes started; from any thread. `command` is the program that calls `serve`, with a descriptor as last argument."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)
        self._lock = threading.Lock()
        self._line: socket.socket | None = None
        self.pid = 0

    def start(self) -> None:
        """Start the launcher where it does not run. Raises `OSError` where this process may start no program."""
        with self._lock:
            self._start()

    def launch(self, kind: str, connection: socket.socket) -> LaunchedProcess:
        """Have a process of that kind forked, with `connection` as its own. Raises `OSError` where there is none."""
        with self._lock:
            line = self._start()
            told, tells = os.pipe()
            try:
                socket.send_fds(line, [kind.encode()], [connection.fileno(), tells])
                answer, handles, _, _ = socket.recv_fds(line, _PID.size, 1, socket.MSG_CMSG_CLOEXEC)
            except OSError:
                answer, handles = b"", []
            finally:
                os.close(tells)
            if len(answer) < _PID.size or not handles:
                _close((told, *handles))
                self._drop()
                raise ConnectionError("the launcher of cells and rooms has ended")
            return LaunchedProcess(_PID.unpack(answer)[0], handles[0], told)

    def end(self) -> None:
        """End the launcher; what it has forked lives on."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        if self._line is None:
            return
        self._line.close()
        self._line = None
        with contextlib.suppress(ChildProcessError):
            if os.waitpid(self.pid, os.WNOHANG) == (0, 0):
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)

    def _start(self) -> socket.socket:
        if self._line is None:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                theirs.set_inheritable(True)
                try:
                    self.pid = os.posix_spawn(self._command[0], [*self._command, str(theirs.fileno())], os.environ)
                except OSError:
                    ours.close()
                    raise
            ours.settimeout(_PATIENCE_S)
            self._line = ours
        return self._line


def own_line(handle: int) -> socket.socket:
    """The descriptor `handle` as a socket. Every other one is closed, but for the standard ones, and nothing comes from standard input:
    what whoever started this process had open is nothing that its children should hold. To be called before libraries are loaded.
    """
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) != handle:
            with contextlib.suppress(OSError):  # the folder's own, which is closed already
                os.close(int(name))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return socket.socket(fileno=handle)


def serve(line: socket.socket, kinds: Mapping[str, Callable[[socket.socket], None]]) -> None:
    """Fork what is asked for until nobody can ask any more. This process must have one thread. What it does not know it does not answer."""
    children: dict[int, tuple[int, int]] = {}
    with selectors.DefaultSelector() as waiting:
        waiting.register(line, selectors.EVENT_READ)
        while True:
            for key, _ in waiting.select():
                if key.fileobj is not line:
                    waiting.unregister(key.fileobj)
                    _reap(key.fd, children.pop(key.fd))
                    continue
                asked, handles, _, _ = socket.recv_fds(line, _MOST_NAME, 2)
                target = kinds.get(asked.decode(errors="replace"))
                if target is None or len(handles) != 2:
                    return
                connection, tells = handles
                pid = os.fork()
                if pid == 0:
                    waiting.close()
                    line.close()
                    _close((tells, *(one for handle, (_, told) in children.items() for one in (handle, told))))
                    _become(target, connection)
                os.close(connection)
                handle = os.pidfd_open(pid)
                children[handle] = (pid, tells)
                waiting.register(handle, selectors.EVENT_READ)
                socket.send_fds(line, [_PID.pack(pid)], [handle])


def _become(target: Callable[[socket.socket], None], connection: int) -> NoReturn:
    code = 1
    try:
        target(socket.socket(fileno=connection))
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and not thread.daemon:
                thread.join()
        code = 0
    except BaseException:  # noqa: BLE001 - whatever it was, this process ends here, and says so by its exit code
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)


def _reap(handle: int, child: tuple[int, int]) -> None:
    pid, tells = child
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with contextlib.suppress(OSError):  # whoever asked for it is gone
        os.write(tells, _EXIT.pack(code))
    _close((handle, tells))


def _ready(handle: int, timeout_s: float | None) -> bool:
    """Whether there is something to be read, or the process behind it has ended. (`select` ends at 1,024 descriptors.)"""
    waiting = poll()
    waiting.register(handle, POLLIN)
    return bool(waiting.poll(None if timeout_s is None else round(1000 * timeout_s)))


def _close(handles: Sequence[int]) -> None:
    for handle in handles:
        os.close(handle)
