"""`anchor.json`: what an installation remembers of its witness."""

from __future__ import annotations

from pathlib import Path

import msgspec
import structlog

from blickschutz.anchor.model import Bond
from blickschutz.kernel.errors import UNREADABLE, DeviceError
from blickschutz.storage.files import write_private

_log = structlog.get_logger(__name__)


class BondFile:
    """Nothing depends on it but how soon another witness, or one that forgot, is told from one's own: the log names the witness too."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Bond | None:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Bond)
        except FileNotFoundError:
            return None
        except (OSError, *UNREADABLE) as error:
            _log.error("bond_unreadable", problem=type(error).__name__)
            return None

    def write(self, bond: Bond) -> None:
        try:
            write_private(self._path, msgspec.json.encode(bond) + b"\n")
        except OSError as error:
            raise DeviceError(f"{self._path.name} cannot be written: {error.strerror}") from error
