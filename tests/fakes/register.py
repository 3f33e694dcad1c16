"""People with keys that others vouch for, without the slow derivation from a passphrase."""

from __future__ import annotations

from dataclasses import dataclass

from nacl.public import PrivateKey

from blickschutz.recording.model import Sealing
from blickschutz.vault.model import EntryKind, RegisterEntry, Reviewer, Vouched
from blickschutz.vault.register import confirmation_text, founding_text, hash_of, line_of, read, root_line, root_of, sign
from blickschutz.vault.service import signing_key


@dataclass(frozen=True)
class Keyed:
    """Somebody with a key that lies in the open."""

    id: str
    private: PrivateKey

    @property
    def vouched(self) -> Vouched:
        return Vouched(self.id, bytes(self.private.public_key).hex(), bytes(signing_key(self.private).verify_key).hex())

    @property
    def reviewer(self) -> Reviewer:
        return Reviewer(self.id, bytes(self.private.public_key))

    def sign(self, text: bytes) -> str:
        return sign(text, signing_key(self.private))


def keyed(name: str) -> Keyed:
    return Keyed(name, PrivateKey.generate())


class Book:
    """A register as people make it, one honest step after another."""

    def __init__(self, founders: list[Keyed], installation: str = "ab") -> None:
        self.installation, keys = installation, sorted(one.vouched for one in founders)
        text = founding_text(installation, keys)
        self.lines = [root_line(keys, {one.id: one.sign(text) for one in founders})]
        self.root = root_of(installation, keys)

    @property
    def head(self) -> str:
        return hash_of(self.lines[-1])

    def roll(self):
        return read(tuple(self.lines), self.root, self.installation)

    def add(self, kind: EntryKind, **more) -> str:
        self.lines.append(line_of(RegisterEntry(number=len(self.lines) + 1, before=self.head, kind=kind, **more)))
        return self.lines[-1]

    def confirm(self, by: Keyed, whom: Keyed, seen: str = "") -> str:
        seen = seen or self.head
        signature = by.sign(confirmation_text(self.root, seen, whom.vouched))
        return self.add(EntryKind.CONFIRMED, key=whom.vouched, by=by.id, seen=seen, signature=signature)

    def revoke(self, person: str) -> str:
        return self.add(EntryKind.REVOKED, person=person, why="blocked")


def certified_sealing(folder, count: int = 2) -> Sealing:
    """For `count` people, kvd-0 and so on, of a register that they founded (with another where it is one)."""
    people = [keyed(f"kvd-{number}") for number in range(max(count, 2))]
    book = Book(people)
    return Sealing("ab", str(folder), tuple(one.reviewer for one in people[:count]), tuple(book.lines), book.root)
