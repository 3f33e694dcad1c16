"""`orders-owed.json`: orders that were given and that the database has not taken yet, so that no crash meanwhile forgets one."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
import structlog

from blickschutz.control.model import RecordingOrder
from blickschutz.kernel.errors import UNREADABLE, DeviceError
from blickschutz.storage.files import sync_folder, write_private

_log = structlog.get_logger(__name__)


class OwedFile:
    """See `OwedStore`. A file that cannot be read is kept beside, and told of in the log of the program: its orders are minutes old."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> list[RecordingOrder]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=list[RecordingOrder])
        except FileNotFoundError:
            return []
        except (OSError, *UNREADABLE) as error:
            _log.error("owed_orders_unreadable", problem=str(error))
            with suppress(OSError):
                self._path.replace(self._path.with_name(f"{self._path.name}.damaged"))
            return []

    def write(self, orders: Sequence[RecordingOrder]) -> None:
        try:
            if orders:
                write_private(self._path, msgspec.json.encode(orders))
            elif self._path.exists():
                self._path.unlink()
                sync_folder(self._path.parent)
        except OSError as error:
            raise DeviceError(f"{self._path.name} cannot be written: {error.strerror}") from error
