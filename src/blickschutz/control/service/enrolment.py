"""Whose key counts: proposed at the key desk, vouched for by two others, and compared with the log before anything is sealed."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import msgspec
import structlog

from blickschutz.access.model import AccountState, Member
from blickschutz.access.rules import unfit
from blickschutz.access.voices import Decision, Voices
from blickschutz.audit.io.log import AuditLog, Facts
from blickschutz.audit.model import Event
from blickschutz.control.model import Refused
from blickschutz.control.ports import RegisterStore
from blickschutz.control.rules import strayed
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import UNREADABLE, BlickschutzError
from blickschutz.kernel.events import Topic
from blickschutz.vault.io.files import KeyFolder, digest_of
from blickschutz.vault.model import EntryKind, RegisterEntry, Reviewer, SealedPrivateKey, Vouched
from blickschutz.vault.register import (
    LEAST_FOUNDERS,
    RegisterError,
    RegisterProblem,
    Roll,
    are_founders,
    line_of,
    read,
    root_line,
    root_of,
    vouched,
)

_log = structlog.get_logger(__name__)
# An order asks three times, and every few seconds somebody sweeps: of the same lines the signatures are the same.
_verified = functools.lru_cache(maxsize=4)(read)
LOOK_S = 300.0
KEY_EVENTS = (Event.REVIEWER_ENROLLED, Event.PASSPHRASE_CHANGED, Event.KEY_PRESENTED, Event.REVIEWER_LEFT)
ACCOUNT_EVENTS = (Event.ACCOUNT_CREATED, Event.RIGHTS_CHANGED)
STATE_EVENTS = (Event.ACCOUNT_BLOCKED, Event.ACCOUNT_ACTIVATED, Event.CODE_ISSUED)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A key that two others are to vouch for, and who did so already."""

    key: Vouched
    voices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Founding:
    """A founding that is not complete: who is to found, and who signed."""

    founders: tuple[Vouched, ...]
    signed: tuple[str, ...]


class Enrolment:
    """The register of reviewers of an installation. Not in the event loop: disk and database are waited for.

    `pin` is the root that the site file names, empty without one. `found` tells what `look` found.
    """

    def __init__(
        self,
        store: RegisterStore,
        keys: KeyFolder,
        log: AuditLog,
        members: Callable[[], Mapping[str, Member]],
        today: Callable[[], date],
        clock: Clock,
        installation: Callable[[], str],
        pin: str,
    ) -> None:
        self.store, self._keys, self._log, self._members, self._today, self._clock = store, keys, log, members, today, clock
        self._installation, self.pin, self._voices = installation, pin, Voices(members)
        self.faults: tuple[str, ...] = ()
        self.found: Topic[str] = Topic()
        self._looked: float | None = None
        self._lock = threading.Lock()

    # --- who counts ---

    def roll(self) -> Roll:
        """Raises `RegisterError` where no register counts."""
        return _verified(self.store.lines(), self.pin, self._installation())

    def recipients(self) -> tuple[Reviewer, ...]:
        """For whom may be sealed: others vouched for their key, it lies there, they are not blocked, and their training is valid."""
        certified = self.certified()
        members, today = self._members(), self._today()
        keys = {one.id: one for one in self._keys.readable()}
        return tuple(
            keys[name]
            for name, key in sorted(certified.items())
            if name in members
            and members[name].state is not AccountState.BLOCKED
            and unfit(members[name], today) is None
            and name in keys
            and keys[name].public.hex() == key.public
        )

    def certified(self) -> Mapping[str, Vouched]:
        """Keys that others vouched for, by person; none where no register counts."""
        try:
            return self.roll().certified
        except RegisterError:
            return {}

    def stray(self) -> list[str]:
        """Files among the keys that cannot be read."""
        return self._keys.faults()

    def refusal(self) -> str:
        """Why nothing may be sealed by this register, as a word of `Refused`; empty where it may."""
        if self.faults:
            return Refused.REGISTER.value
        try:
            self.roll()
        except RegisterError as error:
            if not self.store.lines():
                # Before two people have a key there is nothing to found.
                keys = len(self._keys.readable())
                return Refused.UNFOUNDED.value if keys >= LEAST_FOUNDERS else "; ".join(self.stray()) or Refused.REVIEWERS.value
            return (Refused.UNPINNED if error.problem is RegisterProblem.UNPINNED else Refused.REGISTER).value
        return ""

    def sealing(self) -> tuple[tuple[str, ...], str]:
        """The register and its root, for whoever seals."""
        return self.store.lines(), self.pin

    # --- is it what people made of it? ---

    def look(self) -> tuple[str, ...]:
        """What differs between register, key files, accounts and log; it is told, logged once, and nothing is sealed meanwhile."""
        with self._lock:
            before, self.faults = self.faults, tuple(self.compare())
            self._looked = self._clock.monotonic()
        for fault in self.faults:
            if fault not in before:
                _log.error("register_broken", problem=fault)
                self._log.write(Event.REGISTER_BROKEN, "system", facts={"text": fault})
                self.found.tell(fault)
        return self.faults

    def look_again(self) -> None:
        """The same, called every few seconds, and done every few minutes."""
        self.sweep()
        if self._looked is None or self._clock.monotonic() - self._looked >= LOOK_S:
            self.look()

    def sweep(self) -> None:
        """Whoever is blocked, gone or in no role that reviews counts no longer: when they come back others vouch for them anew."""
        for name in self.certified():
            if not self._voices.counts(Decision.REVIEWER, name):
                self.revoke(name, "blocked", "system")

    def revoke(self, person: str, why: str, by: str) -> None:
        """The key of somebody counts no longer; nothing where it did not."""
        try:
            roll = self.roll()
        except RegisterError:
            return
        if person in roll.certified or any(key.id == person for key in roll.voices):
            number = len(roll.heads) + 1
            entry = RegisterEntry(number=number, before=roll.head, kind=EntryKind.REVOKED, person=person, why=why)
            self.store.append(line_of(entry), number, Event.REVIEWER_REVOKED, by, person, {"why": why})

    def compare(self) -> list[str]:
        """What differs; nothing is told or logged."""
        faults = [*([fault] if (fault := self.store.fault()) else ()), *self._keys.altered()]
        certified: Mapping[str, Vouched] = {}
        try:
            certified = self.roll().certified
        except RegisterError as error:
            if error.problem not in {RegisterProblem.EMPTY, RegisterProblem.UNPINNED}:
                faults.append(str(error))
        files, digests = {one.id: one.public.hex() for one in self._keys.readable()}, self._keys.digests()
        rights, states = self.store.newest_of(ACCOUNT_EVENTS), self.store.newest_of(STATE_EVENTS)
        return faults + strayed(files, digests, certified, self._members(), self._told(), rights, states)

    def _told(self) -> dict[str, Facts]:
        """What the log said last of each person's key. Where that was before November 2026, the digest of its file was first told when
        somebody confirmed it."""
        told, voices = self.store.newest_of(KEY_EVENTS), self.store.newest_of((Event.REVIEWER_CONFIRMED,))
        for name, facts in told.items():
            voice = voices.get(name, {})
            if "sealed" not in facts and voice.get("sealed") and voice.get("public") == facts.get("public"):
                told[name] = {**facts, "sealed": voice["sealed"]}
        return told

    # --- what people do at the key desk ---

    def waiting(self) -> list[Waiting]:
        """Keys that lie there and that not enough others vouched for."""
        try:
            roll = self.roll()
            certified, voices = roll.certified, roll.voices
        except RegisterError:
            certified, voices = {}, {}
        return [Waiting(key, voices.get(key, ())) for key in self._own_keys().values() if certified.get(key.id) != key]

    def can_found(self) -> bool:
        """Whether a register may be founded: there is none, or fewer than two are left in it who could vouch for others."""
        if not self.store.lines():
            return True
        try:
            return len(self.roll().certified) < LEAST_FOUNDERS
        except RegisterError as error:
            # One that nobody can read any more is replaced by people; only the site file gives a new one its weight.
            return error.problem is not RegisterProblem.UNPINNED

    def founding(self) -> Founding | None:
        """What was signed of a founding by keys that still lie there."""
        keys, signed = self._own_keys(), self.store.drafts()
        for text, _ in signed.values():
            founders = msgspec.json.decode(text, type=tuple[Vouched, ...])
            if all(keys.get(one.id) == one for one in founders):
                return Founding(founders, tuple(sorted(name for name, (other, _) in signed.items() if other == text)))
        return None

    def take_key(self, sealed: SealedPrivateKey, event: Event) -> None:
        """A person made or presented their key, or changed its passphrase."""
        facts: Facts = {"public": sealed.public.hex(), "second_half": sealed.second is not None, "sealed": digest_of(sealed)}
        # Whoever compares meanwhile waits: between the two steps log and file differ.
        with self._lock:
            self._log.write(event, sealed.id, sealed.id, facts)
            self._keys.put(sealed)

    def sign_founding(self, person: str, founders: tuple[Vouched, ...], signature: str) -> str:
        """Somebody founds together with others; with the last signature there is a register. Why not, or empty."""
        keys, founders = self._own_keys(), tuple(sorted(founders))
        fit = all(keys.get(one.id) == one and self.is_fit(one.id) for one in founders)
        if not self.can_found() or not are_founders(founders) or not fit or person not in {one.id for one in founders}:
            return "not-now"
        text = msgspec.json.encode(founders).decode()
        signatures = {name: given for name, (other, given) in self.store.drafts().items() if other == text} | {person: signature}
        names = {one.id for one in founders}
        line, root = root_line(founders, {name: signatures[name] for name in sorted(names & set(signatures))}), self.root(founders)
        if names - set(signatures):
            self.store.put_draft(person, text, signature)
            return ""
        try:
            read((line,), root, self._installation())
        except RegisterError:
            return "not-now"
        self.store.append(line, 1, Event.REVIEWERS_FOUNDED, person, "", {"root": root, "people": sorted(names)})
        return ""

    def confirm(self, person: str, key: Vouched, seen: str, signature: str) -> str:
        """Somebody vouches for another's key. Why it was not taken, or empty."""
        # What somebody else said who may no longer review goes first: it is no half of this.
        self.sweep()
        if self._own_keys().get(key.id) != key or not self.is_fit(key.id) or not self.is_fit(person):
            return "not-now"
        lines = self.store.lines()
        try:
            roll = self.roll()
            given = roll.voices.get(key, ())
            if given and self._voices.lack(Decision.REVIEWER, given, person) is not None:
                return "not-now"
            number = len(roll.heads) + 1
            entry = RegisterEntry(
                number=number, before=roll.head, kind=EntryKind.CONFIRMED, key=key, by=person, seen=seen, signature=signature
            )
            read((*lines, line_of(entry)), self.pin, self._installation())
        except RegisterError as error:
            _log.warning("confirmation_refused", person=person, problem=str(error))
            return "not-now"
        # What was told of the file before stands: a voice for the key makes no other file the right one.
        known = self._told().get(key.id, {}).get("sealed") or self._keys.digests().get(key.id, "")
        facts: Facts = {"public": key.public, "signing": key.signing, "sealed": known}
        taken = self.store.append(line_of(entry), number, Event.REVIEWER_CONFIRMED, person, key.id, facts)
        return "" if taken else "not-now"

    def root(self, founders: Sequence[Vouched]) -> str:
        return root_of(self._installation(), founders)

    def known_root(self) -> str:
        """The root of the register that lies there, whatever the site file says; empty without one."""
        lines = self.store.lines()
        if not lines:
            return ""
        try:
            return self.root(msgspec.json.decode(lines[0], type=RegisterEntry).founders)
        except UNREADABLE:
            return ""

    def _own_keys(self) -> dict[str, Vouched]:
        found: dict[str, Vouched] = {}
        for reviewer in self._keys.readable():
            sealed = self._keys.get(reviewer.id)
            try:
                if sealed is not None:
                    found[reviewer.id] = vouched(sealed)
            except BlickschutzError:
                continue  # from before there was a key to vouch with; its owner presents it
        return found

    def is_fit(self, person: str) -> bool:
        """Whether somebody has account, role and valid training to review."""
        member = self._members().get(person)
        return member is not None and member.state is not AccountState.BLOCKED and unfit(member, self._today()) is None
