"""The folder of keys: the installation's signing key and the reviewers' sealed private keys."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import msgspec
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from blickschutz.kernel.errors import UNREADABLE, BlickschutzError, FaultError, OperatorError
from blickschutz.storage.files import overwrite as overwrite
from blickschutz.storage.files import read_regular as read_regular
from blickschutz.storage.files import sync_folder as sync_folder
from blickschutz.storage.files import write_private as write_private
from blickschutz.vault.model import Reviewer, SealedPrivateKey

# A credential of a security key has 1 KiB at most, in base64.
_MOST_BYTES = 64 * 1024


class InstallationKey:
    """The Ed25519 key with which this installation signs; never shipped.

    With `create` it is made where there is none. Without, a file that is missing, damaged or holds another key leaves the private half
    out: `whole` is false, nothing can be signed, and what was signed before is verified with what `continue_as` knows.
    """

    def __init__(self, path: Path, *, create: bool = True) -> None:
        self._path, self._key, self.damaged = path, None, False
        self._known, self._name, self._former = b"", "", frozenset[bytes]()
        if create and not path.exists():
            write_private(path, bytes(SigningKey.generate()))
        try:
            self._key = SigningKey(path.read_bytes())
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            if create:
                raise OperatorError(f"{path} is no signing key of 32 bytes: {error}") from error
            self.damaged = True

    _key: SigningKey | None
    _other: SigningKey | None = None

    @property
    def other(self) -> bytes:
        """The public half of a key that lies in the file and is not this installation's; empty without one. It signs nothing."""
        return bytes(self._other.verify_key) if self._other is not None else b""

    @property
    def whole(self) -> bool:
        """Whether this installation can sign."""
        return self._key is not None

    @property
    def public(self) -> bytes:
        """The public half; empty where nothing is known of it."""
        return bytes(self._key.verify_key) if self._key is not None else self._known

    @property
    def installation(self) -> str:
        """Name of the installation: the first 16 digits of its first public key."""
        return self._name or self.public.hex()[:16]

    def continue_as(self, public: bytes, installation: str, former: Iterable[bytes] = ()) -> None:
        """What is known from elsewhere: the public half, the name that stays over a new key, and keys that were in force before."""
        self._known, self._name, self._former = public, installation, frozenset(former)
        if self._key is not None and public and self.public not in {public, *self._former}:
            self._key, self._other = None, self._key

    def renew(self) -> tuple[bytes, bytes]:
        """A new key in place of one that is lost; a damaged file, or another key, is kept beside. The public halves before and after.

        The name stays, and what the lost key signed is believed as before.
        """
        before, name = self._known or self.public, self.installation
        if self._path.exists() and self._key is None:
            self._path.replace(self._path.with_name(f"{self._path.name}.{'other' if self._other is not None else 'damaged'}"))
        if self._key is None:
            write_private(self._path, bytes(SigningKey.generate()))
            self._key, self._other, self.damaged = SigningKey(self._path.read_bytes()), None, False
        self._name, self._former = name, self._former | ({before} if before else frozenset())
        self._known = self.public
        return before, self.public

    @property
    def former(self) -> frozenset[bytes]:
        """Public halves of keys that were in force before."""
        return self._former

    def is_own(self, installation: str) -> bool:
        """Whether that is a name of this installation, by its first key or a later one."""
        return installation in {self.installation, *(key.hex()[:16] for key in (self.public, *self._former))}

    def sign(self, data: bytes) -> bytes:
        """Raises `FaultError` where the private half is missing."""
        signature = self.try_sign(data)
        if signature is None:
            raise FaultError(f"{self._path.name} is missing or damaged: nothing can be signed")
        return signature

    def try_sign(self, data: bytes) -> bytes | None:
        """The signature; None where the private half is missing."""
        return bytes(self._key.sign(data).signature) if self._key is not None else None

    def signed(self, data: bytes, signature: bytes) -> bool:
        """Whether this installation signed `data`, now or with a key that it had before."""
        return any(is_signed(data, signature, key) for key in (self.public, *self._former) if key)


def is_signed(data: bytes, signature: bytes, public: bytes) -> bool:
    """Whether `signature` over `data` was made with the key whose public half is `public`."""
    try:
        VerifyKey(public).verify(data, signature)
    except (BadSignatureError, ValueError, TypeError):
        return False
    return True


def digest_of(sealed: SealedPrivateKey) -> str:
    """SHA-256 (hex) of the file that `KeyFolder.put` makes of it."""
    return hashlib.sha256(msgspec.json.encode(sealed)).hexdigest()


class KeyFolder:
    """Reviewers' sealed private keys, one file a person. The passphrases are nowhere."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, sealed: SealedPrivateKey) -> None:
        write_private(self._path(sealed.id), msgspec.json.encode(sealed))

    def get(self, reviewer: str) -> SealedPrivateKey | None:
        """A person's sealed private key, None where they are not enrolled. Raises `FaultError` for a damaged file."""
        path = self._path(reviewer)
        try:
            return msgspec.json.decode(read_regular(path, _MOST_BYTES), type=SealedPrivateKey)
        except FileNotFoundError:
            return None
        except (OSError, *UNREADABLE) as error:
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

    def readable(self) -> tuple[Reviewer, ...]:
        """Those whose file can be read: a damaged or stray one takes nobody else's key away; `faults` names it."""
        return tuple(found for found in self._looked() if isinstance(found, Reviewer))

    def digests(self) -> dict[str, str]:
        """SHA-256 (hex) of each file that can be read, by person: the same key under another passphrase is another file."""
        return {one.id: hashlib.sha256(read_regular(self._path(one.id), _MOST_BYTES)).hexdigest() for one in self.readable()}

    def faults(self) -> list[str]:
        """Files in the folder that are nobody's key, each with what is wrong with it."""
        return [str(found) for found in self._looked() if not isinstance(found, Reviewer)]

    def altered(self) -> list[str]:
        """Those of them that bear a person's name: a copy that some program left takes nobody's place, these do."""
        return [str(found) for found in self._looked() if isinstance(found, BlickschutzError) and not isinstance(found, OperatorError)]

    def _looked(self) -> list[Reviewer | BlickschutzError]:
        found: list[Reviewer | BlickschutzError] = []
        for path in sorted(self._folder.glob("*.json")):
            try:
                sealed = self.get(path.stem)
            except OperatorError:
                found.append(OperatorError(f"{path.name} bears no person's short name"))
                continue
            except BlickschutzError as error:
                found.append(error)
                continue
            if sealed is not None:
                own = sealed.id == path.stem
                found.append(Reviewer(sealed.id, sealed.public) if own else FaultError(f"{path.name} holds the key of {sealed.id}"))
        return found

    def _path(self, reviewer: str) -> Path:
        if not reviewer.replace("-", "").isalnum():
            raise OperatorError(f"{reviewer!r} is no short name of a person")
        return self._folder / f"{reviewer}.json"
