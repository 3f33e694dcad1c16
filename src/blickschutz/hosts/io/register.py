"""The hosts that were let in: a file in the data folder, read anew when it is another one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec

from blickschutz.hosts.model import Enrolled
from blickschutz.hosts.rules.enrolled import valid
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import UNREADABLE, DeviceError
from blickschutz.storage.files import write_private

_MOST_BYTES: Final = 4 * 1024 * 1024
_decoder: msgspec.json.Decoder[list[Enrolled]] = msgspec.json.Decoder(list[Enrolled])


class HostRegister:
    """Of one installation. Raises `DeviceError` where the file cannot be read or written."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path, self._clock = path, clock
        self._mark: tuple[int, int, int] | None = None
        self._read: tuple[Enrolled, ...] = ()

    def all(self) -> tuple[Enrolled, ...]:
        """In the order in which they were let in; those that are out again, too."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise DeviceError(f"{self._path} cannot be read: {error.strerror}") from error
        mark = (found.st_ino, found.st_mtime_ns, found.st_size)
        if mark != self._mark:
            self._read, self._mark = self._parsed(), mark
        return self._read

    def known(self) -> frozenset[str]:
        """Every host that was ever in: what it has is taken back where it is out."""
        return frozenset(one.host for one in self.all())

    def valid(self) -> dict[str, str]:
        """By host the enrolment that counts now."""
        return valid(self.all(), self._clock.now())

    def add(self, one: Enrolled) -> None:
        """Let a host in; an earlier enrolment of it counts no more."""
        now = self._clock.now()
        before = [_ended(other, now) if other.host == one.host else other for other in self.all()]
        self._write([*before, one])

    def revoke(self, host: str) -> bool:
        """Whether it was in."""
        if host not in self.valid():
            return False
        now = self._clock.now()
        self._write([_ended(one, now) if one.host == host else one for one in self.all()])
        return True

    def _write(self, hosts: list[Enrolled]) -> None:
        try:
            write_private(self._path, msgspec.json.format(msgspec.json.encode(hosts)) + b"\n")
        except OSError as error:
            raise DeviceError(f"{self._path} cannot be written: {error.strerror}") from error

    def _parsed(self) -> tuple[Enrolled, ...]:
        try:
            with self._path.open("rb") as file:
                if os.fstat(file.fileno()).st_size > _MOST_BYTES:
                    raise DeviceError(f"{self._path} is too long")
                return tuple(_decoder.decode(file.read(_MOST_BYTES)))
        except OSError as error:
            raise DeviceError(f"{self._path} cannot be read: {error.strerror}") from error
        except UNREADABLE as error:
            raise DeviceError(f"{self._path} is no register of hosts: {error}") from error


def _ended(one: Enrolled, now: float) -> Enrolled:
    return one if one.revoked is not None else msgspec.structs.replace(one, revoked=now)
