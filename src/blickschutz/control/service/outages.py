"""Writes into the log when a camera shows no picture, or a wholly covered one, for ten seconds and more, and when that ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.model import Event
from blickschutz.kernel.clock import Clock
from blickschutz.wall.model import TileState

LEAST_S = 10.0
_OUT = frozenset({TileState.LOST, TileState.STALE, TileState.REDACTION_FAULT})


class Shown(Protocol):
    """A camera as the wall shows it."""

    @property
    def state(self) -> TileState: ...


class OutageWatch:
    """Looks at all cameras when it is told to. `do` runs what touches the disk in its own thread."""

    def __init__(self, cameras: Mapping[str, Shown], log: AuditLog, clock: Clock, do: Callable[[Callable[[], Any]], None]) -> None:
        self._cameras, self._log, self._clock, self._do = cameras, log, clock, do
        # Since when (monotonic) a camera is out, how, and whether that is in the log yet.
        self._out: dict[str, tuple[float, TileState, bool]] = {}

    def look(self) -> None:
        """Once every few seconds. A fault that becomes another one is two outages."""
        now = self._clock.monotonic()
        for name, camera in self._cameras.items():
            state, known = camera.state, self._out.get(name)
            if known is not None and known[1] is not state:
                del self._out[name]
                if known[2]:
                    self._write(Event.OUTAGE_ENDED, name, known[1], {"seconds": round(now - known[0], 1)})
                known = None
            if state not in _OUT:
                continue
            since, _, told = known or (now, state, False)
            if not told and now - since >= LEAST_S:
                self._write(Event.OUTAGE_BEGAN, name, state, {})
                told = True
            self._out[name] = since, state, told

    def _write(self, event: Event, camera: str, state: TileState, facts: dict[str, float]) -> None:
        self._do(lambda: self._log.write(event, "system", camera, {"kind": state.value, **facts}))
