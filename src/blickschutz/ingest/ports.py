"""What a camera session needs from outside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from blickschutz.kernel.frames import RawFrame


class VideoSource(Protocol):
    """An opened stream. Raises a `DeviceError` or a `MediaError` when it fails."""

    def frames(self) -> Iterator[RawFrame]:
        """Frames as they come, in order of time. Ends when the source has no more."""
        ...

    def close(self) -> None:
        """Let go of the device; may be called more than once and from another thread."""
        ...
