"""What retention needs from outside."""

from __future__ import annotations

from typing import Protocol

from blickschutz.retention.model import Destroyed


class Shelf(Protocol):
    """Where the sealed files lie."""

    def destroy(self, clip: str) -> Destroyed:
        """Destroy a clip and all that was made from it; may be called again after a crash. Raises `DeviceError`."""
        ...
