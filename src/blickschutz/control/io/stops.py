"""What the stop control said last, in a file of its own: a camera that was stopped stays so, whatever becomes of the database."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from blickschutz.control.model import StopEntry
from blickschutz.kernel.errors import DeviceError, FaultError
from blickschutz.vault.io.files import write_private


class StopFile:
    """See `StopStore`. Raises `FaultError` for a file that cannot be read: then every camera stays stopped until somebody decides."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, StopEntry]:
        if not self._path.exists():
            return {}
        try:
            found = msgspec.json.decode(self._path.read_bytes(), type=list[StopEntry])
        except (OSError, msgspec.DecodeError) as error:
            raise FaultError(f"{self._path} is damaged: {error}") from error
        return {entry.camera: entry for entry in found}

    def write(self, entries: Sequence[StopEntry]) -> None:
        """Raises `DeviceError`."""
        try:
            write_private(self._path, msgspec.json.encode(list(entries)))
        except OSError as error:
            raise DeviceError(f"{self._path} cannot be written: {error.strerror}") from error
