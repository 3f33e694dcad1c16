"""What the launcher itself does (`zones.launcher` is whoever asks it): it forks until nobody can ask any more."""

from __future__ import annotations

import contextlib
import ctypes
import os
import selectors
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from typing import NoReturn

from blickschutz.zones.launcher import ANOTHER, EXIT, HERE, PID, close

_MOST_NAME = 64
_PR_SET_NAME = 15


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
    """Fork what is asked for until nobody can ask any more. This process must have one thread. What it does not know it does not answer.

    Besides `kinds` it knows two words: whether it is there, and another launcher like itself.
    """
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # whoever went before the answer came cannot ask either
        _serve(line, kinds)


def _serve(line: socket.socket, kinds: Mapping[str, Callable[[socket.socket], None]]) -> None:
    kinds = {**kinds, ANOTHER: lambda other: serve(other, kinds)}
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
                word = asked.decode(errors="replace")
                if word == HERE and not handles:
                    line.send(PID.pack(os.getpid()))
                    continue
                target = kinds.get(word)
                if target is None or len(handles) != 2:
                    close(handles)
                    return
                connection, tells = handles
                try:
                    pid = os.fork()
                except OSError:  # too many processes, or too little memory: whoever asked tries again
                    close(handles)
                    line.send(PID.pack(0))
                    continue
                if pid == 0:
                    waiting.close()
                    line.close()
                    close((tells, *(one for handle, (_, told) in children.items() for one in (handle, told))))
                    _become(word, target, connection)
                os.close(connection)
                handle = os.pidfd_open(pid)
                children[handle] = (pid, tells)
                waiting.register(handle, selectors.EVENT_READ)
                socket.send_fds(line, [PID.pack(pid)], [handle])


def _become(kind: str, target: Callable[[socket.socket], None], connection: int) -> NoReturn:
    code = 1
    # What `ps -o comm` shows: cells, rooms and launchers were all started by the same command.
    ctypes.CDLL(None).prctl(_PR_SET_NAME, kind.encode())
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
        os.write(tells, EXIT.pack(code))
    close((handle, tells))
