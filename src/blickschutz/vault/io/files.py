"""The folder of keys: the installation's signing key and the reviewers' sealed private keys."""

from __future__ import annotations

from pathlib import Path

import msgspec
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from blickschutz.kernel.errors import FaultError, OperatorError
from blickschutz.storage.files import overwrite as overwrite
from blickschutz.storage.files import sync_folder as sync_folder
from blickschutz.storage.files import write_private as write_private
from blickschutz.vault.model import Reviewer, SealedPrivateKey


class InstallationKey:
    """The Ed25519 key with which this installation signs; made at the first start, never shipped."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            write_private(path, bytes(SigningKey.generate()))
        try:
            self._key = SigningKey(path.read_bytes())
        except (OSError, ValueError) as error:
            raise OperatorError(f"{path} is no signing key of 32 bytes: {error}") from error

    @property
    def public(self) -> bytes:
        return bytes(self._key.verify_key)

    @property
    def installation(self) -> str:
        """Name of the installation: the first 16 digits of its public key."""
        return self.public.hex()[:16]

    def sign(self, data: bytes) -> bytes:
        return bytes(self._key.sign(data).signature)


def is_signed(data: bytes, signature: bytes, public: bytes) -> bool:
    """Whether `signature` over `data` was made with the key whose public half is `public`."""
    try:
        VerifyKey(public).verify(data, signature)
    except (BadSignatureError, ValueError, TypeError):
        return False
    return True


class KeyFolder:
    """Reviewers' sealed private keys, one file a person. The passphrases are nowhere."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, sealed: SealedPrivateKey) -> None:
        write_private(self._path(sealed.id), msgspec.json.encode(sealed))

    def get(self, reviewer: str) -> SealedPrivateKey | None:
        """A person's sealed private key, None where they are not enrolled. Raises `FaultError` for a damaged file."""
        path = self._path(reviewer)
        if not path.exists():
            return None
        try:
            return msgspec.json.decode(path.read_bytes(), type=SealedPrivateKey)
        except (OSError, msgspec.DecodeError) as error:
            raise FaultError(f"{path} is damaged: {error}") from error

    def remove(self, reviewer: str) -> None:
        """The person leaves: their private key is overwritten and removed; nothing opens with their shares any more."""
        path = self._path(reviewer)
        if path.exists():
            overwrite(path)
            path.unlink()
            sync_folder(self._folder)

    def reviewers(self) -> tuple[Reviewer, ...]:
        """Everybody who is enrolled, by name."""
        found = (self.get(path.stem) for path in sorted(self._folder.glob("*.json")))
        return tuple(Reviewer(sealed.id, sealed.public) for sealed in found if sealed is not None)

    def _path(self, reviewer: str) -> Path:
        if not reviewer.replace("-", "").isalnum():
            raise OperatorError(f"{reviewer!r} is no short name of a person")
        return self._folder / f"{reviewer}.json"
