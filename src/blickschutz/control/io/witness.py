"""`witness.json`: what stood in the databases lately, kept outside of them, signed."""

from __future__ import annotations

from pathlib import Path

import msgspec
import structlog

from blickschutz.control.model import Witness
from blickschutz.kernel.errors import UNREADABLE, DeviceError
from blickschutz.storage.files import write_private
from blickschutz.vault.io.files import InstallationKey, is_signed

_log = structlog.get_logger(__name__)
_CONTEXT = b"blickschutz-witness-1:"


class _Signed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The text of a witness exactly as it was signed, and the signature (Ed25519, hex)."""

    witness: msgspec.Raw
    signature: str


class WitnessFile:
    """See `WitnessStore`. `damaged` after reading: there is a file, and it cannot be believed. Signed with the installation's key."""

    def __init__(self, path: Path, key: InstallationKey) -> None:
        self._path, self._key, self.damaged = path, key, False

    def read(self) -> Witness | None:
        """It vouches for itself with the key that it names: whether that is this installation's key is another question."""
        self.damaged = False
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            _log.error("witness_unreadable", problem=error.strerror)
            self.damaged = True
            return None
        try:
            signed = msgspec.json.decode(data, type=_Signed)
            witness = msgspec.json.decode(signed.witness, type=Witness)
            if is_signed(_CONTEXT + bytes(signed.witness), bytes.fromhex(signed.signature), bytes.fromhex(witness.public_key)):
                return witness
        except UNREADABLE as error:
            _log.error("witness_damaged", problem=type(error).__name__)
        self.damaged = True
        return None

    def write(self, witness: Witness) -> None:
        text = msgspec.json.encode(witness)
        signed = _Signed(witness=msgspec.Raw(text), signature=self._key.sign(_CONTEXT + text).hex())
        try:
            write_private(self._path, msgspec.json.encode(signed) + b"\n")
        except OSError as error:
            raise DeviceError(f"{self._path.name} cannot be written: {error.strerror}") from error
