"""What the alerts need from outside."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from blickschutz.alerts.model import (
    Alert,
    AlertState,
    ChannelQueue,
    Digest,
    Expired,
    FaultNotice,
    HistoryEntry,
    Lives,
    Mark,
    Notice,
    Origin,
    Outcome,
    OwedEntry,
    Place,
    Priorities,
    Tally,
)
from blickschutz.audit.model import Entry, Event
from blickschutz.situations.kinds import Kind
from blickschutz.storage.rows import DamagedRow


class Outbox(Protocol):
    """What channels are still to be told. Every call is one transaction."""

    def due(self, channel: str, now: float, most: int = 20, *, newest_first: bool = False) -> list[Notice]: ...

    def digest(self, channel: str, stale_before: float, now: float) -> Digest | None: ...

    def sent(self, told: Notice | Digest, at: float) -> int: ...

    def failed(self, told: Notice | Digest, next_at: float, problem: str) -> None: ...

    def queues(self, now: float) -> dict[str, ChannelQueue]: ...

    def keep_to(self, channels: Sequence[str], at: float) -> None: ...


class AlertStore(Protocol):
    """Keeps alerts, their history and what is still to be told. Every call is one transaction."""

    @property
    def outbox(self) -> Outbox: ...

    def add(self, alert: Alert, channels: Sequence[str], entry: HistoryEntry) -> Alert | None: ...

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
        outcome: Outcome | None = None,
        text: str = "",
    ) -> list[Alert]: ...

    def queue(self, after: Place | None = None, most: int | None = None, *, camera: str = "", kind: Kind | None = None) -> list[Alert]: ...

    def marks(self) -> list[Mark]: ...

    def some(self, numbers: Sequence[int]) -> list[Alert]: ...

    def arrived(self, since: float) -> list[tuple[str, float]]: ...

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

    def escalate(self, raised_until: float, raised_from: float, entry: HistoryEntry, channels: Sequence[str]) -> list[Alert]: ...

    def end(self, camera: str, run: str, situation: int, at: float, figures: Mapping[str, float], confidence: float) -> int | None: ...

    def lose(
        self,
        entry: HistoryEntry,
        origin: Origin,
        *,
        camera: str = "",
        run: str = "",
        raised_before: float | None = None,
        but: Collection[str] = (),
    ) -> list[int]: ...

    def log(self, number: int, entry: HistoryEntry) -> None: ...

    def order_recording(self, number: int, entry: HistoryEntry, *, ordered: bool) -> None: ...

    def history(self, number: int) -> list[HistoryEntry]: ...

    def owed(self, most: int) -> list[OwedEntry]: ...

    def entered(self, number: int) -> None: ...

    def open_count(self) -> int: ...

    def open_cameras(self) -> set[str]: ...

    def order_by(self, priorities: Priorities) -> None: ...

    def waiting(self) -> list[tuple[str, Kind, str]]: ...

    def count(self, camera: str, kind: Kind, at: float) -> None: ...

    def tally(self, since: float) -> list[Tally]: ...

    def spread(self, since: float, until: float, *, camera: str = "", kind: Kind | None = None) -> list[tuple[int, str, int]]: ...

    def put_clip(self, number: int, data: bytes) -> None: ...

    def clip(self, number: int) -> bytes | None: ...

    def drop_clip(self, number: int) -> None: ...

    def expire(self, now: float, lives: Lives) -> Expired: ...

    def forget(self) -> None: ...

    def damaged(self) -> list[DamagedRow]:
        """Rows that cannot be read, and so are in no other list. What asks for one of them by number raises `StoreDamagedError`."""
        ...


class SiteLog(Protocol):
    """The log of the site, as far as decisions on alerts are entered in it."""

    def write(self, what: Event, by: str, subject: str = "", facts: Any = None) -> Entry: ...

    def find(self, *, event: str = "", subject: str = "", by: str = "", before: int = 0, most: int = 200) -> list[tuple[Entry, str]]: ...


class OutsideSource(Protocol):
    """Situations that cameras with their own analysis tell a broker. What they tell by ONVIF comes from their cells."""

    def start(self) -> None: ...

    def close(self) -> None: ...


class Channel(Protocol):
    """A way to tell somebody outside, called in a thread of its own. What is raised means: not told, try again.

    `DeviceError` says what is wrong in words. The same notice, or digest of the same `key`, may come again.
    """

    name: str

    def send(self, notice: Notice) -> None: ...

    def send_digest(self, digest: Digest) -> None: ...

    def send_fault(self, fault: FaultNotice) -> None: ...

    def close(self) -> None: ...
