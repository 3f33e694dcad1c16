"""What a host knows of the clips that lie with it: one file for each, synced, in memory while the agent runs."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Final, Generic, TypeVar

import msgspec
import structlog

from blickschutz.hosts.model import KeptClip, KeptState
from blickschutz.hosts.rules.clips import LONGEST, stamped
from blickschutz.kernel.errors import UNREADABLE, DeviceError
from blickschutz.recording.model import Keep
from blickschutz.retention.model import Confirmed, StampedClip
from blickschutz.retention.ports import Clips
from blickschutz.storage.files import erase, read_regular, write_private

_log = structlog.get_logger(__name__)
_SUFFIX: Final = ".json"
_LIMITS: Final = "limits.keep"
_SERIAL: Final = "serial.keep"
_MOST_BYTES: Final = 1 << 20


K = TypeVar("K", bound=KeptClip)


class ClipRecords(Generic[K]):
    """In a folder of their own, each a `kind`. From any thread. A file that cannot be read is kept beside, and its clip is found again as a
    stray.
    """

    def __init__(self, folder: Path, kind: type[K]) -> None:
        self._folder, self._lock = folder, threading.RLock()
        self._known: dict[str, K] = {}
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in sorted(folder.glob(f"*{_SUFFIX}")):
            try:
                record = msgspec.json.decode(read_regular(path, _MOST_BYTES), type=kind)
                self._known[record.clip] = record
            except (OSError, *UNREADABLE) as error:
                _log.error("record_of_clip_damaged", record=path.name, problem=str(error))
                os.replace(path, path.with_name(f"{path.name}.damaged"))

    def all(self) -> list[K]:
        with self._lock:
            return list(self._known.values())

    def get(self, clip: str) -> K | None:
        with self._lock:
            return self._known.get(clip)

    def next_number(self) -> int:
        with self._lock:
            return max((one.number for one in self._known.values()), default=0) + 1

    def put(self, record: K) -> K:
        """On disk when this returns. Raises `DeviceError`."""
        with self._lock:
            self._write(f"{record.clip}{_SUFFIX}", msgspec.json.encode(record))
            self._known[record.clip] = record
        return record

    def drop(self, clip: str) -> None:
        """Raises `DeviceError`."""
        with self._lock:
            try:
                erase(self._folder / f"{clip}{_SUFFIX}")
            except OSError as error:
                raise DeviceError(f"the record of the clip {clip} cannot be removed: {error.strerror}") from error
            self._known.pop(clip, None)

    @property
    def keep(self) -> Keep:
        """The limits of the newest order."""
        try:
            return msgspec.json.decode((self._folder / _LIMITS).read_bytes(), type=Keep)
        except (OSError, *UNREADABLE):
            return LONGEST

    def keep_for(self, keep: Keep) -> None:
        """Clips that begin from now on have these limits. Raises `DeviceError`."""
        with self._lock:
            if keep != self.keep:
                self._write(_LIMITS, msgspec.json.encode(keep))

    # --- as `retention.ports.Clips` ---

    def stamped(self) -> list[StampedClip]:
        return [stamped(one) for one in self.all() if one.state is not KeptState.GONE]

    # --- as `retention.ports.Journal` ---

    def serial(self) -> int:
        try:
            return int(msgspec.json.decode((self._folder / _SERIAL).read_bytes(), type=int))
        except (OSError, *UNREADABLE):
            return 0

    def note_serial(self, serial: int) -> None:
        """The newest state of the time that is on disk. Raises `DeviceError`."""
        self._write(_SERIAL, msgspec.json.encode(max(serial, self.serial())))

    def begun(self) -> bool:
        """Whether there was a time before: where no clip is left nobody needs to know."""
        return False

    def confirmed(self, decision: Confirmed) -> None:
        """Nobody decides on the clock of a host: it is put right there, or the control room orders what is to end."""
        raise DeviceError("nobody decides on the clock of a host")

    def _write(self, name: str, data: bytes) -> None:
        try:
            write_private(self._folder / name, data)
        except OSError as error:
            raise DeviceError(f"{name} cannot be written: {error.strerror}") from error


class AllRecords:
    """Several folders as one, for the time: see `retention.ports.Clips`."""

    def __init__(self, *folders: Clips) -> None:
        self._folders = folders

    def stamped(self) -> list[StampedClip]:
        return [one for folder in self._folders for one in folder.stamped()]
