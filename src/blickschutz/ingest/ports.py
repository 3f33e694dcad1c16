"""What a camera session needs from outside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, TypeVar

from blickschutz.kernel.streams import Packet, Stamp

T_co = TypeVar("T_co", covariant=True)


class VideoSource(Protocol[T_co]):
    """An opened stream of raw pictures, or of the stamps of its packets where nobody looks at it. Raises a `DeviceError` or a
    `MediaError` when it fails.
    """

    def frames(self) -> Iterator[T_co]:
        """Pictures (or stamps) as they come, in order of time. Ends when the source has no more."""
        ...

    def close(self) -> None:
        """Let go of the device; may be called more than once and from another thread."""
        ...


class PacketSink(Protocol):
    """Takes the packets of a stream as they came, before they are decoded. Called in the session's thread; never raises."""

    def opened(self) -> None:
        """A stream begins."""
        ...

    def take(self, packet: Packet, stamp: Stamp) -> None:
        """The next packet, and where it lies."""
        ...
