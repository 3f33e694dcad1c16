"""Attacks on the register of reviewers, key files, accounts and orders: nothing opens with fewer than two people that others vouched for.

The attacker is the service's own user: they read and write every file and row, have the installation's key, any keys of their own,
and the passphrase of one reviewer. What they lack are the passphrases of two.
"""

from __future__ import annotations

import itertools
import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blickschutz.vault.model import EntryKind, RegisterEntry, Reviewer
from blickschutz.vault.register import RegisterError, RegisterGuard, hash_of, line_of
from blickschutz.vault.service import TooFewReviewersError, VaultError, join_shares, new_key, open_share, seal_key
from tests.fakes.register import Book, Keyed, keyed

CLIP = "c" * 32
ATTACKS = ("drop", "swap", "double", "flip", "forge_voice", "replay", "refound", "cut", "alter")
PEOPLE = [keyed(f"kvd-{number}") for number in range(5)]
ATTACKERS = [keyed("kvd-1"), keyed("kvd-9"), keyed("kvd-8")]


class Case:
    """An honest register of some length, and an attacker who alters it and says for whom is to be sealed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        founders = PEOPLE[: self.random.choice((2, 2, 3))]
        self.honest = Book(founders)
        self.certified = {one.id: one for one in founders}
        for _ in range(self.random.randrange(6)):
            self.live()
        self.seen = tuple(self.honest.lines[: self.random.randrange(len(self.honest.lines) + 1)])
        # One of those who count is bribed: their passphrase is the attacker's.
        self.bribed = self.random.choice(sorted(self.certified.values(), key=lambda one: one.id)) if self.certified else founders[0]
        self.forged, self.sealed = list(self.honest.lines), False

    def live(self) -> None:
        """Something honest happens."""
        choice, voices = self.random.random(), list(self.certified.values())
        if choice < 0.5 and len(voices) >= 2:
            new = next((one for one in PEOPLE if one.id not in self.certified), None)
            if new is not None:
                known = self.honest.roll().voices.get(new.vouched, ())
                for by in [one for one in voices if one.id not in known][: 2 - len(known)]:
                    self.honest.confirm(by, new)
                if new.id in self.honest.roll().certified:
                    self.certified[new.id] = new
        elif choice < 0.75 and voices:
            whom = self.random.choice(PEOPLE)
            by = self.random.choice(voices)
            known = self.honest.roll().voices.get(whom.vouched, ())
            if whom.id != by.id and whom.id not in self.certified and by.id not in known and len(known) == 0:
                self.honest.confirm(by, whom)
        elif len(voices) > 2:
            gone = self.random.choice(voices)
            self.honest.revoke(gone.id)
            self.certified.pop(gone.id)

    # --- what an attacker does to rows ---

    def attack(self) -> None:
        for _ in range(self.random.randint(1, 3)):
            getattr(self, self.random.choice(ATTACKS))()

    def chained(self, entries: list[RegisterEntry]) -> list[str]:
        """Entries numbered and chained anew, as whoever has the installation's key can."""
        lines: list[str] = []
        for number, entry in enumerate(entries, 1):
            before = hash_of(lines[-1]) if lines else "0" * 64
            lines.append(line_of(msgspec.structs.replace(entry, number=number, before=before)))
        return lines

    def entries(self) -> list[RegisterEntry]:
        found = []
        for line in self.forged:
            try:
                found.append(msgspec.json.decode(line, type=RegisterEntry))
            except msgspec.DecodeError:
                continue
        return found

    def rechain(self, change) -> None:
        entries = self.entries()
        if entries:
            change(entries)
            self.forged = self.chained(entries)

    def drop(self) -> None:
        self.rechain(lambda entries: entries.pop(self.random.randrange(len(entries))))

    def cut(self) -> None:
        self.forged = self.forged[: self.random.randrange(len(self.forged) + 1)]

    def swap(self) -> None:
        self.rechain(self.random.shuffle)

    def double(self) -> None:
        self.rechain(lambda entries: entries.append(self.random.choice(entries)))

    def flip(self) -> None:
        if self.forged:
            at = self.random.randrange(len(self.forged))
            line = self.forged[at]
            place = self.random.randrange(len(line))
            self.forged[at] = line[:place] + self.random.choice('0123456789abcdef"{') + line[place + 1 :]

    def forge_voice(self) -> None:
        """A voice for a key of the attacker: by themselves, by the bribed, by honest names with the attacker's signature."""
        whom, by = self.random.choice(ATTACKERS), self.random.choice([*ATTACKERS, self.bribed, *PEOPLE])
        signer = by if by in ATTACKERS or by is self.bribed else self.random.choice([*ATTACKERS, self.bribed])
        entries = self.entries()
        book = Book.__new__(Book)
        book.installation, book.root, book.lines = "ab", self.honest.root, self.forged or [""]
        seen = self.random.choice([hash_of(line) for line in self.forged] or ["0" * 64])
        line = book.confirm(Keyed(by.id, signer.private), whom, seen)
        self.forged = self.chained([*entries, msgspec.json.decode(line, type=RegisterEntry)]) if entries else [line]

    def replay(self) -> None:
        """A voice from before at another place, or for another key."""
        old = [entry for entry in self.entries() if entry.kind is EntryKind.CONFIRMED]
        if old:
            one = self.random.choice(old)
            key = self.random.choice([one.key, *(attacker.vouched for attacker in ATTACKERS)])
            self.rechain(lambda entries: entries.insert(self.random.randrange(len(entries) + 1), msgspec.structs.replace(one, key=key)))

    def refound(self) -> None:
        """A register of the attacker's own, with or without honest names in it."""
        self.forged = Book(self.random.sample([*ATTACKERS[1:], self.bribed], 2)).lines

    def alter(self) -> None:
        """Another's key under an honest name."""
        whom = self.random.choice(ATTACKERS).vouched

        def change(entries: list[RegisterEntry]) -> None:
            at = self.random.randrange(len(entries))
            one = entries[at]
            founders = (*one.founders[1:], whom) if one.founders else ()
            entries[at] = msgspec.structs.replace(one, key=whom if one.key else None, founders=founders, by=one.by or whom.id)

        self.rechain(change)

    # --- what a cell makes of it ---

    def recipients(self) -> list[Reviewer]:
        """For whom the attacker has it sealed."""
        pool = [one.reviewer for one in (*ATTACKERS, self.bribed, *PEOPLE)]
        pool += [Reviewer(one.id, self.random.choice(ATTACKERS).reviewer.public) for one in PEOPLE]
        # Half of the time somebody who looks honest, so that the door opens and what is behind it is tried.
        if self.random.random() < 0.5:
            pool = [one.reviewer for one in self.certified.values()]
            return self.random.sample(pool, min(len(pool), self.random.randint(2, 4)))
        return self.random.sample(pool, self.random.randint(1, 4))

    def opens_alone(self) -> bool:
        """Whether a clip is sealed by this register and opens with what the attacker has."""
        guard, reviewers = RegisterGuard(self.honest.root), self.recipients()
        if self.seen:
            guard.require([], self.seen, self.honest.root, "ab")
        try:
            guard.require(reviewers, self.forged, self.random.choice([self.honest.root, self.honest.root, "ff" * 32]), "ab")
            key = new_key()
            envelope = seal_key(key, CLIP, reviewers)
        except (RegisterError, TooFewReviewersError):
            return False
        self.sealed = True
        shares = []
        for name, one in itertools.product({share.reviewer for share in envelope.shares}, [*ATTACKERS, self.bribed]):
            try:
                shares.append(open_share(envelope, name, one.private))
            except VaultError:
                continue
        for first, second in itertools.combinations(shares, 2):
            try:
                return join_shares(envelope, first, second) == key
            except VaultError:
                continue
        return False


@given(st.integers(0, 2**32))
def test_no_attack_on_the_register_lets_one_person_open_a_clip(seed):
    case = Case(seed)
    case.attack()
    assert not case.opens_alone()


def test_the_attacks_meet_a_door_that_opens_for_two():
    """What holds against attacks would hold too if nothing were ever sealed: two who count open it."""
    people = PEOPLE[:2]
    book = Book(people)
    RegisterGuard(book.root).require([one.reviewer for one in people], book.lines, book.root, "ab")
    key = new_key()
    envelope = seal_key(key, CLIP, [one.reviewer for one in people])
    assert join_shares(envelope, *(open_share(envelope, one.id, one.private) for one in people)) == key


@pytest.mark.parametrize("attack", ATTACKS)
def test_every_attack_alters_something(attack):
    for seed in range(40):
        case = Case(seed)
        getattr(case, attack)()
        if case.forged != case.honest.lines:
            return
    pytest.fail(f"{attack} alters nothing")
