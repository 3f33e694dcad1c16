"""What a giver of leases must not forget, kept before anybody hears of it: the highest token that was ever given, which could be given
twice, and which host may film a camera without end, which another one could be given while the first is cut off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from blickschutz.kernel.errors import UNREADABLE, DeviceError
from blickschutz.storage.files import write_private

T = TypeVar("T")


class Tokens(Protocol):
    """All raise `DeviceError`."""

    def read(self) -> int: ...

    def alone(self) -> dict[str, str]:
        """Hosts by camera."""
        ...

    def remember(self, newest: int, alone: Mapping[str, str]) -> None: ...


class TokenFile:
    """Two files in the data folder: `newest` and `alone`. To begin at nought where they cannot be read would let old tokens count, and two
    hosts film one camera.
    """

    def __init__(self, newest: Path, alone: Path) -> None:
        self._newest, self._alone = newest, alone

    def read(self) -> int:
        return _read(self._newest, int, 0)

    def alone(self) -> dict[str, str]:
        return _read(self._alone, dict[str, str], {})

    def remember(self, newest: int, alone: Mapping[str, str]) -> None:
        # Rare, and some bytes; a site without such cameras has no such file.
        if alone != self.alone():
            _write(self._alone, dict(alone))
        _write(self._newest, newest)


def _read(path: Path, kind: type[T], without: T) -> T:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return without
    except (OSError, *UNREADABLE) as error:
        raise DeviceError(f"{path} does not say what was given by leases: {error}") from error


def _write(path: Path, what: object) -> None:
    try:
        write_private(path, msgspec.json.encode(what))
    except OSError as error:
        raise DeviceError(f"{path} cannot be written: {error.strerror}") from error


class LedTokens:
    """The highest one is kept with the lead, too, which refuses whoever has lost it: of two givers the earlier one gives nothing more."""

    def __init__(self, file: TokenFile, newest: int, remember: Callable[[int], object]) -> None:
        self._file, self._newest, self._remember = file, newest, remember

    def read(self) -> int:
        return max(self._file.read(), self._newest)

    def alone(self) -> dict[str, str]:
        return self._file.alone()

    def remember(self, newest: int, alone: Mapping[str, str]) -> None:
        self._remember(newest)
        self._file.remember(newest, alone)
