"""Cells that are none, all in one process: they greet, beat once a second, and answer. For tests and figures of a control room.

As a program it takes the number of a socket on which it gets the sockets of its cells: `python -m tests.fakes.many_cells 3`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
import subprocess
import sys
import time

from blickschutz.ingest.model import SessionState
from blickschutz.kernel.errors import ProtocolError
from blickschutz.pipeline.channel import first_to_cell, unpack_to_cell
from blickschutz.pipeline.messages import AskClock, ClockTold, Health, Quit, Snapshot, Stop, TakeMoment, TakeSnapshot
from blickschutz.wire.frames import LENGTH, pack

BEAT_S = 1.0


class FakeCell:
    """One of them; `live_after_s` it says that it has a picture."""

    def __init__(self, connection: socket.socket, live_after_s: float = 0.0) -> None:
        self._connection, self._live_at = connection, time.monotonic() + live_after_s
        self.stopped = False
        self._frames = 0

    async def run(self) -> None:
        """Until it is told to quit, or the control room has gone."""
        first = await asyncio.to_thread(first_to_cell, self._connection)
        if first is None:
            self._connection.close()
            return
        if first.listener is not None:
            first.listener.close()
        reader, writer = await asyncio.open_connection(sock=self._connection)
        beats = asyncio.create_task(self._beat(writer))
        try:
            while True:
                (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
                message = unpack_to_cell(await reader.readexactly(length))
                if isinstance(message, Quit):
                    return
                self._answer(message, writer)
        except (asyncio.IncompleteReadError, ConnectionError, ProtocolError):
            return
        finally:
            beats.cancel()
            writer.close()

    def _answer(self, message, writer) -> None:
        if isinstance(message, AskClock):
            now = time.monotonic()
            writer.write(pack(ClockTold(message.number, now, now, time.time())))
        elif isinstance(message, Stop):
            self.stopped = message.on
            writer.write(pack(self._health()))
        elif isinstance(message, TakeSnapshot | TakeMoment):
            writer.write(pack(Snapshot(message.number, b"")))

    async def _beat(self, writer) -> None:
        while True:
            self._frames += 10
            writer.write(pack(self._health()))
            # The first beat comes at once, those after it not in step with the others'.
            wait_s = BEAT_S * (random.random() if self._frames == 10 else 1.0)
            await asyncio.sleep(wait_s if self._is_live else min(wait_s, max(0.02, self._live_at - time.monotonic())))

    @property
    def _is_live(self) -> bool:
        return time.monotonic() >= self._live_at

    def _health(self) -> Health:
        state = SessionState.STOPPED if self.stopped else SessionState.LIVE if self._is_live else SessionState.CONNECTING
        facts = {"width": 640, "height": 360, "fps": 10.0, "frames": self._frames, "pss_mb": 90.0}
        return Health(session=state, stopped=self.stopped, doubt=None, picture_at=time.monotonic(), **facts)


class ManyCells:
    """A process with all of them; `launch` is what a control room starts cells with."""

    def __init__(self) -> None:
        self._line, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", "tests.fakes.many_cells", str(theirs.fileno())]
            self.process = subprocess.Popen(command, pass_fds=[theirs.fileno()])

    def launch(self, connection: socket.socket, name: str) -> OneOfMany:
        del name
        socket.send_fds(self._line, [b"+"], [connection.fileno()])
        return OneOfMany(self.process)

    def end(self) -> None:
        self._line.close()
        self.process.wait(30)


class OneOfMany:
    """What the control room knows of the process of one; it ends when the cell's socket does."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process, self._gone = process, False

    @property
    def pid(self) -> int | None:
        return self._process.pid

    @property
    def exitcode(self) -> int | None:
        return 0 if self._gone else self._process.poll()

    def is_alive(self) -> bool:
        return not self._gone and self._process.poll() is None

    def join(self, timeout: float | None = None) -> None:
        del timeout
        self._gone = True

    def kill(self) -> None:
        self._gone = True


async def _serve(line: socket.socket) -> None:
    loop, cells = asyncio.get_running_loop(), set()
    line.setblocking(False)
    ended = asyncio.Event()

    def take() -> None:
        with contextlib.suppress(BlockingIOError):
            data, handles, _, _ = socket.recv_fds(line, 1, 1)
            if not data:
                loop.remove_reader(line)
                ended.set()
            for handle in handles:
                task = loop.create_task(FakeCell(socket.socket(fileno=handle)).run())
                cells.add(task)
                task.add_done_callback(cells.discard)

    loop.add_reader(line, take)
    await ended.wait()


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with socket.socket(fileno=int(sys.argv[1])) as control:
        asyncio.run(_serve(control))
