"""The register of reviewers: who may be sealed for, because others vouched for their key with keys that only they can unlock.

Nothing here trusts whoever keeps the register. By the root, which is pinned outside of it, everybody who seals verifies all of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

import msgspec
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from blickschutz.kernel.errors import UNREADABLE, BlickschutzError
from blickschutz.vault.model import EntryKind, RegisterEntry, Reviewer, SealedPrivateKey, Vouched

FIRST = "0" * 64
LEAST_FOUNDERS = LEAST_VOICES = 2
_MOST_ENTRIES = 5000
# Proquints (Wilkerson, A Proposal for Proquints, arXiv:0901.4016): sixteen bits that can be said and heard.
_CONSONANTS, _VOWELS = "bdfghjklmnprstvz", "aiou"
_WORDS = 6


class RegisterProblem(StrEnum):
    """Why a register counts for nothing."""

    EMPTY = "empty"
    UNPINNED = "unpinned"
    OTHER_ROOT = "other-root"
    ALTERED = "altered"
    OLDER = "older"
    UNCERTIFIED = "uncertified"


class RegisterError(BlickschutzError):
    """Nothing is sealed by such a register."""

    def __init__(self, problem: RegisterProblem, text: str = "") -> None:
        super().__init__(text or problem.value)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Roll:
    """What a register says: whose key counts, who vouches for whom that not enough others vouch for yet.

    `heads` are the hashes of its entries, in order; `voices` are by the key that they are about.
    """

    root: str
    heads: tuple[str, ...]
    certified: dict[str, Vouched]
    voices: dict[Vouched, tuple[str, ...]]

    @property
    def head(self) -> str:
        return self.heads[-1]


def words_of(digest: bytes) -> str:
    """The first 96 bits of a digest as six words that two people read to each other."""
    words = []
    for start in range(0, 2 * _WORDS, 2):
        bits = int.from_bytes(digest[start : start + 2], "big")
        word = _CONSONANTS[bits >> 12] + _VOWELS[bits >> 10 & 3] + _CONSONANTS[bits >> 6 & 15] + _VOWELS[bits >> 4 & 3]
        words.append(word + _CONSONANTS[bits & 15])
    return "-".join(words)


def key_words(key: Vouched) -> str:
    """The words of a person's key: name and both public halves are in them."""
    return words_of(hashlib.sha256(b"blickschutz-key-1:" + msgspec.json.encode(key)).digest())


def root_words(root: str) -> str:
    return words_of(bytes.fromhex(root))


def same_words(given: str, words: str) -> bool:
    """Whether somebody typed these words, however they parted them."""
    clean = "".join(one for one in given.lower() if one.isalpha())
    return clean == words.replace("-", "")


def founding_text(installation: str, founders: Iterable[Vouched]) -> bytes:
    """What every founder signs; its SHA-256 is the root."""
    return b"blickschutz-root-1:" + msgspec.json.encode([installation, sorted(founders)])


def root_of(installation: str, founders: Iterable[Vouched]) -> str:
    return hashlib.sha256(founding_text(installation, founders)).hexdigest()


def confirmation_text(root: str, seen: str, key: Vouched) -> bytes:
    """What somebody signs who vouches for `key`, having seen the register up to `seen`: no voice can be used elsewhere or again."""
    return b"blickschutz-confirm-1:" + msgspec.json.encode([root, seen, key])


def sign(text: bytes, key: SigningKey) -> str:
    return bytes(key.sign(text).signature).hex()


def vouched(sealed: SealedPrivateKey) -> Vouched:
    """What others vouch for of a person's key file; raises `RegisterError` for one from before there was a key to vouch with."""
    if not sealed.signing:
        raise RegisterError(RegisterProblem.UNCERTIFIED, f"the key of {sealed.id} is from before people vouched for each other")
    return Vouched(sealed.id, sealed.public.hex(), sealed.signing.hex())


def root_line(founders: Sequence[Vouched], signatures: Mapping[str, str]) -> str:
    """The first entry of a register."""
    return line_of(RegisterEntry(number=1, before=FIRST, kind=EntryKind.ROOT, founders=tuple(founders), signatures=dict(signatures)))


def line_of(entry: RegisterEntry) -> str:
    return msgspec.json.encode(entry).decode()


def hash_of(line: str) -> str:
    return hashlib.sha256(line.encode()).hexdigest()


def are_founders(founders: Sequence[Vouched]) -> bool:
    """Whether these can found a register together: at least two, no name and no key among them twice."""
    count = len(founders)
    parts = ({one.id for one in founders}, {one.public for one in founders}, {one.signing for one in founders})
    return count >= LEAST_FOUNDERS and all(len(part) == count for part in parts)


@lru_cache(maxsize=16)
def read(lines: tuple[str, ...], pin: str, installation: str) -> Roll:
    """What a register says. Raises `RegisterError` for one that is not wholly what people signed, or has another root than `pin`."""
    if not pin:
        raise RegisterError(RegisterProblem.UNPINNED)
    if not lines:
        raise RegisterError(RegisterProblem.EMPTY)
    if len(lines) > _MOST_ENTRIES:
        raise _altered(_MOST_ENTRIES, "is one too many")
    reading = _Reading(pin, installation)
    for line in lines:
        reading.take(line)
    return reading.roll()


def require_certified(reviewers: Sequence[Reviewer], roll: Roll) -> None:
    """Raises `RegisterError` where one of them is somebody else, or has another key, than those whom others vouched for."""
    for one in reviewers:
        known = roll.certified.get(one.id)
        if known is None or known.public != one.public.hex():
            raise RegisterError(RegisterProblem.UNCERTIFIED, f"nobody vouched for this key of {one.id}")


class RegisterGuard:
    """Whoever seals remembers what they saw: the root stays, and a register only ever grows. One for each cell."""

    def __init__(self, pin: str = "") -> None:
        self._pin, self._heads = pin, tuple[str, ...]()

    def require(self, reviewers: Sequence[Reviewer], lines: Sequence[str], pin: str, installation: str) -> None:
        """Raises `RegisterError` unless others vouched for every one of `reviewers`."""
        if self._pin and pin != self._pin:
            raise RegisterError(RegisterProblem.OTHER_ROOT, "the root is another one than before")
        roll = read(tuple(lines), pin, installation)
        if roll.heads[: len(self._heads)] != self._heads:
            raise RegisterError(RegisterProblem.OLDER, "entries are missing that were there before")
        require_certified(reviewers, roll)
        self._pin, self._heads = pin, roll.heads


@dataclass(slots=True)
class _Reading:
    """Takes one entry after another, as they were made."""

    pin: str
    installation: str
    heads: list[str] = field(default_factory=list)
    certified: dict[str, Vouched] = field(default_factory=dict)
    voices: dict[Vouched, list[str]] = field(default_factory=dict)
    # From which entry on somebody may be vouched for: what was signed before their key was revoked counts no longer.
    since: dict[str, int] = field(default_factory=dict)

    def take(self, line: str) -> None:
        number = len(self.heads) + 1
        try:
            entry = msgspec.json.decode(line, type=RegisterEntry)
        except UNREADABLE as error:
            raise _altered(number, str(error)) from error
        if entry.number != number or entry.before != (self.heads[-1] if self.heads else FIRST):
            raise _altered(number, "does not follow the one before it")
        if (entry.kind is EntryKind.ROOT) != (number == 1):
            raise _altered(number, "is no root" if number == 1 else "is a second root")
        if entry.kind is EntryKind.ROOT:
            self._found(entry)
        elif entry.kind is EntryKind.CONFIRMED:
            self._confirm(entry)
        else:
            self._revoke(entry)
        self.heads.append(hash_of(line))

    def roll(self) -> Roll:
        voices = {key: tuple(by) for key, by in self.voices.items() if self.certified.get(key.id) != key}
        return Roll(self.pin, tuple(self.heads), dict(self.certified), voices)

    def _found(self, entry: RegisterEntry) -> None:
        text = founding_text(self.installation, entry.founders)
        if hashlib.sha256(text).hexdigest() != self.pin:
            raise RegisterError(RegisterProblem.OTHER_ROOT, "the register has another root than the site file says")
        if not are_founders(entry.founders):
            raise _altered(1, "has founders that are not different people")
        for one in entry.founders:
            if not _is_signed(text, entry.signatures.get(one.id, ""), one.signing):
                raise _altered(1, f"is not signed by {one.id}")
            self.certified[one.id] = one

    def _confirm(self, entry: RegisterEntry) -> None:
        number, key, voucher = entry.number, entry.key, self.certified.get(entry.by)
        if key is None or voucher is None or voucher.id == key.id:
            raise _altered(number, f"{entry.by} cannot vouch for it")
        if entry.seen not in self.heads[self.since.get(key.id, 0) :]:
            raise _altered(number, "is from before something that changed it")
        others = [one for one in self.certified.values() if one.id != key.id]
        if any(key.public == one.public or key.signing == one.signing for one in others):
            raise _altered(number, "is the key of somebody else")
        if not _is_signed(confirmation_text(self.pin, entry.seen, key), entry.signature, voucher.signing):
            raise _altered(number, f"is not signed by {entry.by}")
        voices = self.voices.setdefault(key, [])
        if entry.by in voices:
            raise _altered(number, f"{entry.by} vouched for it before")
        voices.append(entry.by)
        if len(voices) >= LEAST_VOICES:
            self.certified[key.id] = key
            self._forget(key.id, entry.number)

    def _revoke(self, entry: RegisterEntry) -> None:
        self.certified.pop(entry.person, None)
        self._forget(entry.person, entry.number)
        # Whoever's key counts no longer vouches for nobody who still waits.
        for key, voices in list(self.voices.items()):
            self.voices[key] = [one for one in voices if one != entry.person]

    def _forget(self, person: str, number: int) -> None:
        self.voices = {key: voices for key, voices in self.voices.items() if key.id != person}
        self.since[person] = number - 1


def _altered(number: int, text: str) -> RegisterError:
    return RegisterError(RegisterProblem.ALTERED, f"entry {number} of the register {text}")


def _is_signed(text: bytes, signature: str, public: str) -> bool:
    try:
        VerifyKey(bytes.fromhex(public)).verify(text, bytes.fromhex(signature))
    except (BadSignatureError, ValueError, TypeError):
        return False
    return True
