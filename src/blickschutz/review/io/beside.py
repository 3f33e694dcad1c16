"""What lies beside a clip and must not be lost with the database: its hold, and the requests that restrict it. Signed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import msgspec
import structlog

from blickschutz.kernel.errors import UNREADABLE, DeviceError
from blickschutz.review.model import Beside, Ground, Hold
from blickschutz.storage.files import OddFileError, erase, is_text, read_regular, write_private
from blickschutz.vault.io.files import InstallationKey

SUFFIX = ".hold"
_log = structlog.get_logger(__name__)
_MOST_BYTES = 64 * 1024
_CONTEXT = b"blickschutz-hold-1:"


class _Held(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A hold without its case number. `until` and `since` are POSIX seconds; people by their short names."""

    ground: Ground
    owner: str
    until: float
    by: tuple[str, ...]
    since: float


class _Note(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is signed."""

    format: Literal[1] = 1
    clip: str
    held: _Held | None = None
    restricted: tuple[int, ...] = ()


class _Signed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The text of a note exactly as it was signed, and the signature (Ed25519, hex)."""

    note: msgspec.Raw
    signature: str


class NotesBeside:
    """See `BesideClips`. They are signed with the installation's key."""

    def __init__(self, folder: Path, key: InstallationKey) -> None:
        self._folder, self._key = folder, key

    def clips(self) -> set[str]:
        try:
            return {
                name.removesuffix(SUFFIX) for name in os.listdir(self._folder) if name.endswith(SUFFIX) and name[0] != "." and is_text(name)
            }
        except FileNotFoundError:
            return set()
        except OSError as error:
            raise DeviceError(f"the folder of clips cannot be read: {error.strerror}") from error

    def read(self, clip: str) -> Beside:
        path = self._path(clip)
        try:
            data = read_regular(path, _MOST_BYTES)
        except FileNotFoundError:
            return Beside()
        except OddFileError as error:
            _log.error("note_damaged", clip=clip, problem=error.strerror)
            return Beside(damaged=True)
        except OSError as error:
            raise DeviceError(f"{path.name} cannot be read: {error.strerror}") from error
        try:
            signed = msgspec.json.decode(data, type=_Signed)
            note = msgspec.json.decode(signed.note, type=_Note)
            trusted = note.clip == clip and self._key.signed(_CONTEXT + bytes(signed.note), bytes.fromhex(signed.signature))
        except UNREADABLE as error:
            _log.error("note_damaged", clip=clip, problem=type(error).__name__)
            return Beside(damaged=True)
        if not trusted:
            _log.error("note_not_signed", clip=clip)
            return Beside(damaged=True)
        held = note.held
        hold = Hold(held.ground, "", held.owner, held.until, held.by, held.since) if held is not None else None
        return Beside(hold, note.restricted)

    def keep(self, clip: str, hold: Hold | None, restricted: tuple[int, ...]) -> None:
        path = self._path(clip)
        try:
            if hold is None and not restricted:
                erase(path)
                return
            held = _Held(ground=hold.ground, owner=hold.owner, until=hold.until, by=hold.by, since=hold.since) if hold is not None else None
            text = msgspec.json.encode(_Note(clip=clip, held=held, restricted=restricted))
            signature = self._key.sign(_CONTEXT + text).hex()
            write_private(path, msgspec.json.encode(_Signed(note=msgspec.Raw(text), signature=signature)) + b"\n")
        except OSError as error:
            raise DeviceError(f"{path.name} cannot be written: {error.strerror}") from error

    def tidy(self) -> None:
        """Remove what a crash left half written."""
        for left in self._folder.glob(f".*{SUFFIX}.*"):
            try:
                left.unlink()
            except OSError as error:
                _log.error("half_written_file_stays", file=left.name, problem=error.strerror)

    def _path(self, clip: str) -> Path:
        return self._folder / f"{clip}{SUFFIX}"
