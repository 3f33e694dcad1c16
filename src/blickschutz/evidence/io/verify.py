"""Verify a package of evidence, offline: what is missing, altered, added, or signed by somebody else."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import bagit
import msgspec
import pyrage

from blickschutz.evidence.io.package import SIGNATURE, SIGNED, encode_signature, tar, unpack
from blickschutz.evidence.model import FORMAT, Fault, Signature
from blickschutz.evidence.rules import signed_text
from blickschutz.kernel.errors import UNREADABLE, OperatorError

IsSigned = Callable[[bytes, bytes, bytes], bool]
_AGE = b"age-encryption.org/"
_WITH_WORDS = b"age-encryption.org/v1\n-> scrypt "
_LISTED = {"bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt", SIGNATURE}


def verify(path: Path, is_signed: IsSigned, public: bytes | None = None, identity: str = "", words: str = "") -> list[Fault]:
    """Everything that is wrong with a package: a folder, a tar, or an encrypted tar with the recipient's `identity` or its `words`.

    Without `public` the key in the package is believed. Raises `OperatorError` where there is nothing to verify.
    """
    if path.is_dir():
        return list(_verify_folder(path, is_signed, public))
    try:
        data = path.read_bytes()
    except OSError as error:
        raise OperatorError(f"{path} cannot be read: {error.strerror}") from error
    if data.startswith(_AGE):
        try:
            data = _decrypted(data, identity.strip(), words.strip())
        except pyrage.DecryptError as error:
            return [Fault(path.name, "encryption", f"the package does not open: altered, cut off, or for another recipient ({error})")]
    with tempfile.TemporaryDirectory(prefix="blickschutz-verify-") as name:
        folder = Path(name)
        try:
            unpack(data, folder)
        except OperatorError as error:
            return [Fault(path.name, "tar", str(error))]
        faults = list(_verify_folder(folder, is_signed, public))
        if not faults and tar(folder) != data:
            faults.append(Fault(path.name, "tar", "bytes between the files of the package were altered"))
        return faults


def _decrypted(data: bytes, identity: str, words: str) -> bytes:
    """What lies in an encrypted package. Raises `OperatorError` where the wrong thing was given, `pyrage.DecryptError`."""
    if data.startswith(_WITH_WORDS):
        if not words:
            raise OperatorError("the package is encrypted with words; give them in a file (--words)")
        return bytes(pyrage.passphrase.decrypt(data, words))
    try:
        return bytes(pyrage.decrypt(data, [pyrage.x25519.Identity.from_str(identity)]))
    except pyrage.IdentityError as error:
        raise OperatorError("the package is encrypted; give the recipient's identity (AGE-SECRET-KEY-1...)") from error


def _verify_folder(folder: Path, is_signed: IsSigned, public: bytes | None) -> Iterator[Fault]:
    yield from _verify_bag(folder)
    yield from _verify_signature(folder, is_signed, public)
    for path in folder.rglob("*"):
        inside = path.relative_to(folder).as_posix()
        if path.is_file() and not inside.startswith("data/") and inside not in _LISTED:
            yield Fault(inside, "added", f"{inside} does not belong to the package")


def _verify_bag(folder: Path) -> Iterator[Fault]:
    """Each file against the manifest, so that each is named; then the bag as a whole."""
    try:
        bag = bagit.Bag(str(folder))
        listed = {str(name): hashes.get("sha256", "") for name, hashes in bag.payload_entries().items()}
    except (bagit.BagError, OSError, UnicodeDecodeError, ValueError) as error:
        yield Fault("bag", "bag", f"the package is no readable bag: {error}")
        return
    there = {path.relative_to(folder).as_posix(): path for path in (folder / "data").rglob("*") if path.is_file()}
    named = False
    for name in sorted(listed.keys() | there.keys()):
        if name not in there:
            yield Fault(name, "missing", f"{name} is missing")
        elif name not in listed:
            yield Fault(name, "added", f"{name} does not belong to the package")
        elif hashlib.sha256(there[name].read_bytes()).hexdigest() != listed[name]:
            yield Fault(name, "altered", f"{name} is not the file that was signed")
        else:
            continue
        named = True
    try:
        bag.validate(processes=1)
    except (bagit.BagError, OSError, UnicodeDecodeError, ValueError) as error:
        if not named:
            yield Fault("bag", "bag", str(error))


def _verify_signature(folder: Path, is_signed: IsSigned, public: bytes | None) -> Iterator[Fault]:
    try:
        text = (folder / SIGNATURE).read_bytes()
        signed = msgspec.json.decode(text, type=Signature)
        key, signature = bytes.fromhex(signed.public_key), bytes.fromhex(signed.signature)
    except FileNotFoundError:
        yield Fault(SIGNATURE, "missing", "the signature is missing")
        return
    except UNREADABLE as error:
        yield Fault(SIGNATURE, "altered", f"the signature cannot be read: {error}")
        return
    if signed.format != FORMAT or text != encode_signature(
        msgspec.structs.replace(signed, public_key=key.hex(), signature=signature.hex())
    ):
        yield Fault(SIGNATURE, "altered", "the signature is not written as this software writes it")
    if public is not None and key != public:
        yield Fault(SIGNATURE, "foreign", "the package was signed by another installation, or its key was exchanged")
    for name in SIGNED:
        found = hashlib.sha256((folder / name).read_bytes()).hexdigest() if (folder / name).exists() else ""
        if signed.digests.get(name) != found:
            yield Fault(name, "altered", f"{name} is not the one that was signed")
    if not is_signed(signed_text(signed.digests), signature, public or key):
        yield Fault(SIGNATURE, "signature", "the signature is wrong")
