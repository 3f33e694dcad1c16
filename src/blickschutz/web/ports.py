"""What the pages need from the running system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from blickschutz.pipeline.messages import Health
from blickschutz.wall.model import TileState
from blickschutz.wall.service import LiveStream


class CameraControl(Protocol):
    """One camera: its state, its figures, its live stream, its stop control."""

    camera: str
    health: Health | None
    restarts: int
    problem: str
    stopped: bool
    stream: LiveStream

    @property
    def state(self) -> TileState: ...

    @property
    def cause(self) -> str:
        """Why there is no live picture: a key of `texts.CAUSE_WORDS`, or empty."""
        ...

    def stop(self, on: bool) -> None: ...

    async def snapshot(self) -> bytes:
        """A redacted picture as JPEG. Raises `DeviceError` when there is none."""
        ...


class ControlRoom(Protocol):
    """All cameras, by id."""

    @property
    def cameras(self) -> Mapping[str, CameraControl]: ...

    def stop_all(self, on: bool) -> None: ...
