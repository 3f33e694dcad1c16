"""Cells that answer twice, late, never, or nonsense: the real cell with somebody between it and the control room.

python -m benchmarks.faults.odd_cells ARGUMENTS, with the kind in $ODD_CELL, is `blickschutz run ARGUMENTS` with such cells.
"""

from __future__ import annotations

import functools
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess

import msgspec
from benchmarks.faults import seed

_LENGTH = struct.Struct(">I")
_ANSWERS = {"snapshot", "moment"}
_LATE_S = 4.0
KINDS = ("twice", "late", "never", "nonsense", "silent")


def run(connection: socket.socket, kind: str) -> None:
    """Entry point of the process: passes on what is said, between the control room and the cell in a process of its own, which ends
    when this one does. A cell that is confined has no other threads.
    """
    ours, inner = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    cell = os.fork()
    if not cell:
        ours.close()
        connection.close()
        seed.run_cell(inner)
        os._exit(0)
    inner.close()
    threading.Thread(target=_forward, args=(connection, ours), daemon=True).start()
    threading.Thread(target=_answer, args=(ours, connection, kind), daemon=True).start()
    os._exit(os.waitstatus_to_exitcode(os.waitpid(cell, 0)[1]) & 0xFF)


def _forward(source: socket.socket, target: socket.socket) -> None:
    """What the control room says reaches the cell as it is."""
    while data := source.recv(65_536):
        target.sendall(data)
    target.shutdown(socket.SHUT_WR)


def _frames(source: socket.socket) -> Iterator[tuple[str, bytes]]:
    """What the cell says: the kind of each message, and all its bytes."""
    with source.makefile("rb") as file:
        while len(head := file.read(_LENGTH.size)) == _LENGTH.size:
            data = file.read(_LENGTH.unpack(head)[0])
            yield msgspec.msgpack.decode(data)["type"], head + data


def _answer(source: socket.socket, target: socket.socket, kind: str) -> None:
    lock, begun = threading.Lock(), time.monotonic()

    def say(data: bytes) -> None:
        with lock:
            target.sendall(data)

    for name, data in _frames(source):
        if kind == "silent" and time.monotonic() - begun > 3:
            continue
        if kind == "nonsense" and time.monotonic() - begun > 3:
            say(_LENGTH.pack(5) + b"\xc1" * 5)
        if name in _ANSWERS and kind == "late":
            threading.Timer(_LATE_S, say, (data,)).start()
        elif not (name in _ANSWERS and kind == "never"):
            say(data)
            if kind == "twice" and name in {*_ANSWERS, "clip", "situation"}:
                say(data)


def launch(connection: socket.socket, name: str) -> BaseProcess:
    return seed.fork(functools.partial(run, kind=os.environ["ODD_CELL"]), connection, name)


if __name__ == "__main__":
    from benchmarks.faults import odd_cells

    # The module by its name, not as the program: what is started from it must be found again in another process.
    seed.serve(sys.argv[1:], odd_cells.launch)
