"""What retention needs from outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from blickschutz.retention.model import Confirmed, Reason, Record, Removed, Sample, StampedClip


class Shelf(Protocol):
    """Where the sealed files lie. Everything may be called again after a crash, and raises `DeviceError`."""

    def size(self, clip: str) -> int | None:
        """Bytes of a clip's file; None where there is none."""
        ...

    def overwrite(self, clip: str) -> int | None:
        """Overwrite a clip's file from its beginning, where the shares are; how many bytes, None where there is no file (any more)."""
        ...

    def remove(self, clip: str) -> Removed:
        """Remove a clip's file and all that was made from it, which is overwritten first."""
        ...


class Sources(Protocol):
    """All clocks of this machine."""

    def sample(self) -> Sample:
        """All of them, as of one moment. May take two seconds."""
        ...

    def boottime(self) -> float:
        """The boot clock alone, at once."""
        ...


class RecordFile(Protocol):
    """Where the state of the time lies."""

    def read(self) -> Record | float | Reason | None:
        """The record; the one number of an earlier release; what is wrong with the file; or None where there is none."""
        ...

    def write(self, record: Record) -> None:
        """Whole or not at all, on disk when this returns. Raises `DeviceError`."""
        ...

    def set_aside(self) -> None:
        """Keep a damaged file beside, so that it is not written over."""
        ...


class Clips(Protocol):
    """The clips that are there and whose end nobody ordered."""

    def stamped(self) -> Sequence[StampedClip]: ...


class Journal(Protocol):
    """The log, as far as the time needs it."""

    def serial(self) -> int:
        """The highest serial number of the time's state that the log knows; 0 for none."""
        ...

    def begun(self) -> bool:
        """Whether the installation ran before: then there was a state of the time, and entries whose limit it counted."""
        ...

    def confirmed(self, decision: Confirmed) -> None:
        """Write the entry, and the stamps into the clips' rows, in one transaction that is on disk when this returns."""
        ...
