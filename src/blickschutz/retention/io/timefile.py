"""The file with the state of the time: checked, signed, whole or not at all."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec
import structlog

from blickschutz.kernel.errors import UNREADABLE, DeviceError, FaultError
from blickschutz.retention.model import Reason, Record, Trust
from blickschutz.retention.rules.time import checked, is_usable
from blickschutz.vault.io.files import write_private

_log = structlog.get_logger(__name__)
_MOST_BYTES = 4 * 1024 * 1024


class _Signed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The text of a record exactly as it was signed, and the signature (hex)."""

    record: msgspec.Raw
    signature: str


class TimeFile:
    """See `RecordFile`. `sign` and `is_signed` (text, signature) are the installation's."""

    def __init__(self, path: Path, sign: Callable[[bytes], bytes], is_signed: Callable[[bytes, bytes], bool], *, keep: bool = True) -> None:
        self._path, self._sign, self._is_signed, self._keep = path, sign, is_signed, keep

    def read(self) -> Record | float | Reason | None:
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            _log.error("time_file_unreadable", problem=error.strerror)
            return Reason.FILE_DAMAGED
        return self._old(data) or self._record(data) or Reason.FILE_DAMAGED

    @staticmethod
    def _old(data: bytes) -> float | None:
        """Earlier releases wrote one number; what cannot be a time is none."""
        try:
            mark = float(data.decode("ascii"))
        except ValueError:
            return None
        return mark if math.isfinite(mark) and is_usable(mark, Trust()) else None

    def _record(self, data: bytes) -> Record | None:
        try:
            signed = msgspec.json.decode(data, type=_Signed)
            if not self._is_signed(bytes(signed.record), bytes.fromhex(signed.signature)):
                raise ValueError("it is not signed by this installation")
            return checked(msgspec.json.decode(signed.record, type=Record))
        except UNREADABLE as error:
            _log.error("time_file_damaged", problem=str(error))
            return None

    def write(self, record: Record) -> None:
        if not self._keep:
            return
        text = msgspec.json.encode(checked(record))
        try:
            signature = self._sign(text).hex()
        except FaultError as error:
            raise DeviceError(f"{self._path.name} cannot be signed: {error}") from error
        try:
            write_private(self._path, msgspec.json.encode(_Signed(record=msgspec.Raw(text), signature=signature)) + b"\n")
        except OSError as error:
            raise DeviceError(f"{self._path.name} cannot be written: {error.strerror}") from error

    def set_aside(self) -> None:
        if not self._keep:
            return
        # A disk that cannot rename cannot write over it either.
        with suppress(OSError):
            self._path.replace(self._path.with_name(f"{self._path.name}.damaged"))
