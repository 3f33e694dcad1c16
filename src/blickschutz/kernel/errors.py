"""One small tree of errors that answers: whose fault is it, and what now.

`OperatorError`  something that a person set up wrongly and can put right; the text says how.
`DeviceError`    a camera or a disk does not do what it should; the system goes on without it.
`FaultError`     our own promise is broken; the part that raised it stops and is started again.

`UNREADABLE` is what bytes of a stranger raise where they are decoded: no text, not of the schema (msgspec's errors are such),
numbers without end, or lists in lists so deep that Python gives up.
"""

from __future__ import annotations

from typing import Final

UNREADABLE: Final = (ValueError, RecursionError)


class BlickschutzError(Exception):
    """The root: everything that this software raises on purpose."""


class OperatorError(BlickschutzError):
    """A setting, a file or a command that a person must put right."""


class SettingsError(OperatorError):
    """The site file says something that cannot be; the text names file, line, key and the mend."""


class ModelError(OperatorError):
    """A detector model is missing, altered, unknown or of a form that cannot be used."""


class MediaError(OperatorError):
    """A video file cannot be read or holds no picture."""


class DeviceError(BlickschutzError):
    """A device outside this software failed; it is tried again."""


class CameraUnreachableError(DeviceError):
    """The camera cannot be connected to."""


class CameraRefusedError(CameraUnreachableError):
    """The camera answered, and not as it should. `cause` is one of `ingest.model.Cause`."""

    def __init__(self, cause: str, text: str) -> None:
        super().__init__(text)
        self.cause = cause


class CameraStalledError(DeviceError):
    """The camera is connected and sends nothing."""


class StreamEndedError(DeviceError):
    """The camera ended its stream, or the stream became unreadable."""


class StoreError(DeviceError):
    """A database does not do what it should; nothing of the transaction was kept."""


class StoreBusyError(StoreError):
    """Somebody else has been writing for longer than anybody waits; what was asked can be asked again."""


class StoreFullError(StoreError):
    """The disk under a database is full."""


class StoreDamagedError(StoreError):
    """A database, or a row of it, cannot be read as what it should be."""


class StoreUnreachableError(StoreError):
    """The files of a database cannot be opened, read or written."""


class StoreFencedError(StoreUnreachableError):
    """Another control room leads: what this one writes is refused, for good."""


class FaultError(BlickschutzError):
    """A promise of this software does not hold; a cell answers it with a fully redacted picture."""


class ProtocolError(FaultError):
    """A message between processes breaks the schema; the process that sent it is stopped."""
