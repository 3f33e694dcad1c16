"""What the stop control said last, in a file of its own: a camera that was stopped stays so, whatever becomes of the database."""

from __future__ import annotations

from pathlib import Path

import msgspec

from blickschutz.control.model import StopEntry, Stops
from blickschutz.kernel.errors import UNREADABLE, DeviceError, FaultError
from blickschutz.vault.io.files import write_private


class _Noted(msgspec.Struct, frozen=True):
    """An entry as releases up to 0.2 wrote it, one for each camera; `logged` once it was in the log."""

    camera: str
    stopped: bool
    by: str
    reason: str
    at: float
    logged: bool = False


class StopFile:
    """See `StopStore`. Raises `FaultError` for a file that cannot be read: then every camera stays stopped until somebody decides."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Stops:
        if not self._path.exists():
            return Stops()
        try:
            found = msgspec.json.decode(self._path.read_bytes(), type=list[_Noted] | Stops)
        except (OSError, *UNREADABLE) as error:
            raise FaultError(f"{self._path} is damaged: {error}") from error
        return found if isinstance(found, Stops) else _upgraded(found)

    def write(self, stops: Stops) -> None:
        """Raises `DeviceError`."""
        try:
            write_private(self._path, msgspec.json.encode(stops))
        except OSError as error:
            raise DeviceError(f"{self._path} cannot be written: {error.strerror}") from error


def _upgraded(noted: list[_Noted]) -> Stops:
    entries = [StopEntry(one.camera, one.stopped, one.by, one.reason, one.at) for one in noted]
    owed = [entry for one, entry in zip(noted, entries, strict=True) if one.stopped and not one.logged]
    return Stops(tuple(entries), tuple(owed))
