"""What the alerts need from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from blickschutz.alerts.model import Alert, AlertState, HistoryEntry, Notice, Outcome, Tally
from blickschutz.kernel.situation import Kind
from blickschutz.storage.rows import DamagedRow


class AlertStore(Protocol):
    """Keeps alerts, their history and what is still to be told. Every call is one transaction."""

    def add(self, alert: Alert, channels: Sequence[str], entry: HistoryEntry) -> Alert: ...

    def get(self, number: int) -> Alert | None: ...

    def find(
        self,
        *,
        states: Sequence[AlertState] = (),
        camera: str = "",
        kind: Kind | None = None,
        since: float = 0.0,
        until: float = 0.0,
        before: int = 0,
        most: int = 200,
    ) -> list[Alert]: ...

    def change(
        self,
        number: int,
        before: AlertState,
        after: AlertState,
        entry: HistoryEntry,
        outcome: Outcome | None = None,
        note: str = "",
        channels: Sequence[str] = (),
    ) -> bool: ...

    def end(self, number: int, at: float, figures: Mapping[str, float], confidence: float) -> None: ...

    def log(self, number: int, entry: HistoryEntry) -> None: ...

    def order_recording(self, number: int, entry: HistoryEntry) -> None: ...

    def history(self, number: int) -> list[HistoryEntry]: ...

    def open_count(self) -> int: ...

    def count(self, camera: str, kind: Kind, at: float) -> None: ...

    def tally(self, since: float) -> list[Tally]: ...

    def put_clip(self, number: int, data: bytes) -> None: ...

    def clip(self, number: int) -> bytes | None: ...

    def drop_clips(self, closed_before: float) -> int: ...

    def drop_clip(self, number: int) -> None: ...

    def due(self, channel: str, now: float, most: int = 20) -> list[Notice]: ...

    def sent(self, number: int, at: float) -> None: ...

    def failed(self, number: int, next_at: float, problem: str) -> None: ...

    def unsent(self) -> dict[str, tuple[int, str]]: ...

    def damaged(self) -> list[DamagedRow]:
        """Rows that cannot be read, and so are in no other list. What asks for one of them by number raises `StoreDamagedError`."""
        ...


class OutsideSource(Protocol):
    """Situations that something outside finds: cameras with their own analysis. MQTT here; ONVIF events fit behind it."""

    def start(self) -> None: ...

    def close(self) -> None: ...


class Channel(Protocol):
    """A way to tell somebody outside. `send` raises `DeviceError` when it could not; it is called in a thread of its own."""

    name: str

    def send(self, notice: Notice) -> None: ...

    def close(self) -> None: ...
