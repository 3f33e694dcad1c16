"""What the service manager that started this process is told (sd_notify(3), sd_watchdog_enabled(3)); without one, nobody is told."""

from __future__ import annotations

import asyncio
import os
import socket
import weakref
from collections.abc import Callable, Mapping, MutableMapping
from typing import Protocol

import structlog

from blickschutz.wall.model import TileState

_log = structlog.get_logger(__name__)
_LOOK_S = 0.1
# Where the manager sets no watchdog, what it shows of the cameras is still renewed.
_STATUS_S = 10.0
# Three notices fit into the time after which the manager takes this process for dead.
_SHARE = 3


class ServiceManager:
    """A line to the manager, open from the start: a process that confines itself later needs no right to its address."""

    def __init__(self, line: socket.socket | None = None, watchdog_s: float | None = None) -> None:
        self._line, self.watchdog_s = line, watchdog_s
        if line is not None:
            weakref.finalize(self, line.close)

    @classmethod
    def from_environment(cls, environ: MutableMapping[str, str], pid: int) -> ServiceManager:
        """Takes its address out of the environment: no process that is started from this one speaks to it."""
        address, pause, whose = (environ.pop(name, "") for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"))
        watchdog_s = int(pause) / 1e6 if pause.isdecimal() and int(pause) and whose in {"", str(pid)} else None
        if not address.startswith(("/", "@")):
            return cls()
        line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            line.setblocking(False)
            line.connect(address.replace("@", "\0", 1) if address.startswith("@") else address)
        except OSError as error:
            line.close()
            _log.error("service_manager_not_reached", problem=error.strerror)
            return cls()
        return cls(line, watchdog_s)

    @property
    def is_there(self) -> bool:
        return self._line is not None

    def tell(self, *lines: str) -> None:
        """Never waits. What is not taken is logged: a manager that hears nothing ends this process, and says so."""
        if self._line is None:
            return
        try:
            self._line.send("\n".join(lines).encode())
        except OSError as error:
            _log.error("service_manager_not_told", problem=error.strerror or os.strerror(error.errno or 0))


class Kept(Protocol):
    """A camera's cell as it is kept."""

    @property
    def answered(self) -> bool: ...

    @property
    def cause(self) -> str: ...

    @property
    def state(self) -> TileState: ...


class Service:
    """Ready once every cell has answered or said why it does not; then a sign of life for as long as the event loop gives one.

    `open_`: the pages are served. `stuck`: no cell can be started any more. With a manager that starts this process anew, a camera that
    stays dark for that reason is a reason to end: `end` is called, once.
    """

    def __init__(
        self,
        manager: ServiceManager,
        cells: Mapping[str, Kept],
        open_: Callable[[], bool],
        stuck: Callable[[], bool],
        end: Callable[[], None],
    ) -> None:
        self._manager, self._cells, self._open, self._stuck, self._end = manager, cells, open_, stuck, end
        self._ended = False

    async def run(self) -> None:
        """Until cancelled."""
        pause = self._manager.watchdog_s / _SHARE if self._manager.watchdog_s is not None else _STATUS_S
        ready = False
        while True:
            if not ready:
                ready = self._open() and all(cell.answered for cell in self._cells.values())
                if ready:
                    self._manager.tell("READY=1", self._status())
            else:
                self._manager.tell("WATCHDOG=1", self._status())
            self._look()
            await asyncio.sleep(pause if ready else _LOOK_S)

    def _look(self) -> None:
        dark = any(cell.cause == "cell" for cell in self._cells.values())
        if self._manager.is_there and not self._ended and dark and self._stuck():
            self._ended = True
            _log.error("ended_to_be_started_anew")
            self._end()

    def ending(self) -> None:
        """It ends in order; how long that may take is the manager's to say."""
        self._manager.tell("STOPPING=1", "STATUS=closing recordings and rooms")

    def _status(self) -> str:
        live = sum(cell.state is TileState.LIVE for cell in self._cells.values())
        return f"STATUS={live} of {len(self._cells)} cameras live"
