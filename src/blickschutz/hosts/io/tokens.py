"""The highest token of a lease that was ever given, kept before anybody hears of it: one that is forgotten could be given twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from blickschutz.kernel.errors import UNREADABLE, DeviceError
from blickschutz.storage.files import write_private


class Tokens(Protocol):
    """Both raise `DeviceError`."""

    def read(self) -> int: ...

    def remember(self, newest: int) -> None: ...


class TokenFile:
    """A file in the data folder. To begin at nought where it cannot be read would let old tokens count."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> int:
        try:
            return int(msgspec.json.decode(self._path.read_bytes(), type=int))
        except FileNotFoundError:
            return 0
        except (OSError, *UNREADABLE) as error:
            raise DeviceError(f"{self._path} holds no token of a lease: {error}") from error

    def remember(self, newest: int) -> None:
        # Rare, and some bytes.
        try:
            write_private(self._path, msgspec.json.encode(newest))
        except OSError as error:
            raise DeviceError(f"{self._path} cannot be written: {error.strerror}") from error


class LedTokens:
    """Kept with the lead, too, which refuses whoever has lost it: of two givers the earlier one gives nothing more."""

    def __init__(self, file: TokenFile, newest: int, remember: Callable[[int], object]) -> None:
        self._file, self._newest, self._remember = file, newest, remember

    def read(self) -> int:
        return max(self._file.read(), self._newest)

    def remember(self, newest: int) -> None:
        self._remember(newest)
        self._file.remember(newest)
