"""Destroys what is due, with a signed receipt for each time; receipts lean on each other.

A receipt is announced before anything is destroyed (`.intent`), so that whoever is interrupted in between finishes with the same list:
nothing is destroyed without its receipt, and no receipt names what is still there.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import msgspec
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from stimmungsbild.errors import LawError
from stimmungsbild.law.model import Facts, Kept
from stimmungsbild.law.rules import due, months

RECEIPTS, _KEY, _INTENT = "receipts", "key", "next.intent"
# Where in an evaluation's folder each kind lies. With the evaluation's key every copy of the answers elsewhere is closed for good.
PLACES: dict[Kept, tuple[str, ...]] = {
    Kept.ANSWERS: ("answers.sealed", "evaluation.json", "field/answers.db", "field/answers.db-wal", "field/answers.db-shm", "letters.pdf"),
    Kept.TEXTS: ("texts",),
    Kept.LOG: ("report/internal",),
    Kept.SCANS: ("scans",),
}
_PIECE = 1 << 20


class Gone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that was destroyed: its name in the folder, its SHA-256 (hex) and size."""

    name: str
    sha256: str
    size: int


class Receipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was destroyed, why and when. `before`: SHA-256 of the receipt before this one, empty for the first."""

    number: int
    wave: str
    kinds: tuple[str, ...]
    reason: str
    due: str
    destroyed: str
    files: tuple[Gone, ...]
    before: str


class Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A receipt as bytes of JSON with its signature (Ed25519); all in hex."""

    receipt: str
    verify: str
    signature: str


def destroy_due(room: Path, facts: Facts, today: date, randomness: Callable[[int], bytes]) -> Receipt | None:
    """Destroy everything in `room` that is due today; the receipt, None where nothing was. Raises `OSError`, `LawError`."""
    folder = room / RECEIPTS
    key = _signing(folder, randomness)
    begun = folder / _INTENT
    if begun.exists():
        return _finish(room, key, msgspec.json.decode(begun.read_bytes(), type=Receipt))
    kinds = [one for one in Kept if due(facts, one) <= today]
    files = [path for kind in kinds for path in _files(room, kind)]
    if not files:
        return None
    found = _receipts(folder)
    receipt = Receipt(
        len(found) + 1,
        facts.wave,
        tuple(one.value for one in kinds if any(_files(room, one))),
        "; ".join(f"{one.value}: {months(facts, one)} months after {facts.ends.isoformat()}" for one in kinds),
        min(due(facts, one) for one in kinds).isoformat(),
        today.isoformat(),
        tuple(Gone(str(path.relative_to(room)), _digest(path), path.stat().st_size) for path in files),
        hashlib.sha256(found[-1].read_bytes()).hexdigest() if found else "",
    )
    _write(begun, msgspec.json.encode(receipt))
    return _finish(room, key, receipt)


def _finish(room: Path, key: SigningKey, receipt: Receipt) -> Receipt:
    for one in receipt.files:
        _destroy(room / one.name)
    left = [one.name for one in receipt.files if (room / one.name).exists()]
    if left:
        raise LawError(f"still there after it was destroyed: {', '.join(left)}")
    text = msgspec.json.encode(receipt)
    signed = Signed(text.decode(), bytes(key.verify_key).hex(), key.sign(text).signature.hex())
    folder = room / RECEIPTS
    _write(folder / f"{receipt.number:04}.json", msgspec.json.encode(signed))
    (folder / _INTENT).unlink()
    return receipt


def _files(room: Path, kind: Kept) -> Iterator[Path]:
    for name in PLACES[kind]:
        path = room / name
        yield from sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else (path,) if path.is_file() else ()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _destroy(path: Path) -> None:
    """Overwrite, cut, remove. On a disk that writes elsewhere what is overwritten, its encryption is what counts."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        left = path.stat().st_size
        while left > 0:
            left -= file.write(bytes(min(left, _PIECE)))
        file.flush()
        os.fsync(file.fileno())
        file.truncate(0)
    path.unlink()
    _sync(path.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(path: Path, data: bytes) -> None:
    draft = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    _sync(path.parent)


def _signing(folder: Path, randomness: Callable[[int], bytes]) -> SigningKey:
    """The room's key for receipts, made at the first time."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / _KEY
    if not path.exists():
        _write(path, randomness(32))
    return SigningKey(path.read_bytes())


def _receipts(folder: Path) -> list[Path]:
    return sorted(folder.glob("[0-9]*.json"))


def read_receipts(room: Path) -> tuple[Receipt, ...]:
    """All receipts of a room, verified: signatures, numbers, and that each leans on the one before. Raises `LawError`."""
    found: list[Receipt] = []
    before, verify = "", ""
    for number, path in enumerate(_receipts(room / RECEIPTS), 1):
        data = path.read_bytes()
        try:
            signed = msgspec.json.decode(data, type=Signed)
            VerifyKey(bytes.fromhex(signed.verify)).verify(signed.receipt.encode(), bytes.fromhex(signed.signature))
            receipt = msgspec.json.decode(signed.receipt, type=Receipt)
        except (msgspec.MsgspecError, BadSignatureError, ValueError) as error:
            raise LawError(f"{path.name}: the receipt was altered") from error
        if receipt.number != number or receipt.before != before or (verify and verify != signed.verify):
            raise LawError(f"{path.name}: a receipt before it was taken away, added or altered")
        before, verify = hashlib.sha256(data).hexdigest(), signed.verify
        found.append(receipt)
    return tuple(found)


def outlook(facts: Facts) -> dict[str, str]:
    """On which day what is destroyed."""
    return {one.value: due(facts, one).isoformat() for one in Kept}
