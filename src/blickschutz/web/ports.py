"""What the pages need from the running system."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from blickschutz.alerts.service import AlertDesk
from blickschutz.pipeline.messages import Health
from blickschutz.regime.model import CurrentRegime, Override, OverrideEntry, RegimeName
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


class RegimeControl(Protocol):
    """The regime in force, and the override by hand."""

    override: Override | None

    def now(self) -> datetime: ...

    def current(self) -> CurrentRegime: ...

    def set_override(self, name: RegimeName, until: datetime, reason: str, by: str) -> None: ...

    def end_override(self, by: str) -> None: ...

    def entries(self) -> list[OverrideEntry]: ...


class ControlRoom(Protocol):
    """All cameras, by id."""

    @property
    def cameras(self) -> Mapping[str, CameraControl]: ...

    @property
    def problem(self) -> str:
        """What last failed while alerts were kept; empty where nothing did."""
        ...

    alerts: AlertDesk
    regime: RegimeControl

    def unsent(self) -> Mapping[str, tuple[int, str]]:
        """Per channel how many notices wait after a failed try, and why."""
        ...

    def stop_all(self, on: bool) -> None: ...
