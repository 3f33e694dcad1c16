"""Facts as people enter and sign them on the pages: document, log entry, two signatures."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from blickschutz.access.model import Member
from blickschutz.access.voices import Decision
from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.io.log import Facts as LogFacts
from blickschutz.audit.model import Event
from blickschutz.compliance.entered import (
    ACCEPTANCE,
    CRIME,
    EVENTS,
    KINDS,
    LASTING,
    PHOTOGRAPH,
    PICTURES,
    REPEATED,
    SHEETS,
    Entered,
    NotSigned,
    Signature,
    Standing,
    as_fact,
    counting,
    entered,
    of_those_who_may,
    refusal,
    roles_wanted,
)
from blickschutz.compliance.facts import Facts, Sign
from blickschutz.compliance.io.cabinet import FOLDER, Cabinet
from blickschutz.compliance.io.documents import facts_path, load_facts, shown
from blickschutz.compliance.io.incoming import Incoming
from blickschutz.compliance.model import Form, Paper
from blickschutz.compliance.plan import shows_sign
from blickschutz.compliance.policy.evidence import LEAST_BYTES, LEAST_SIDE, says_something
from blickschutz.compliance.recorded import Acceptance
from blickschutz.compliance.reports.crime import read_rows
from blickschutz.compliance.sheets import Sheet
from blickschutz.compliance.tables import Read, read_table, template
from blickschutz.config.loader import settings_hash
from blickschutz.config.model import SiteFile
from blickschutz.control.model import CrimeFigures, FactRefused, Given, NotEntered
from blickschutz.control.service.office import Inspected
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import BlickschutzError, SettingsError

MOST_TEXT, MOST_NAME = 2000, 120
Language = Literal["de", "en"]


class FactDesk:
    """Not in the event loop: it reads the log and the disk. Each act is an entry of the log before it counts."""

    def __init__(self, site: SiteFile, path: Path | None, records: Inspected, clock: Clock) -> None:
        self._path, self._log, self._clock = path, records.office.log, clock
        self._access = records.office.access
        self._zone, self._lock = ZoneInfo(site.site.timezone), threading.Lock()
        self._data = records.archive.data
        self._cabinet = Cabinet(self._data / FOLDER)
        self._read = 0, tuple[Entered, ...]()
        self.settings, self.cameras = "", dict[str, str]()
        self.settle(site)

    def settle(self, site: SiteFile) -> None:
        """Other settings are in force: what is signed from now on is signed for them."""
        self.settings = settings_hash(site)
        self.cameras = {camera.id: camera.name for camera in site.cameras}

    def all(self) -> list[Entered]:
        """Everything that was ever entered, the oldest first, with the signatures that count now."""
        return [of_those_who_may(one, self.settings, self._counts) for one in self._all()]

    def _counts(self, made: Signature) -> bool:
        """Whether whoever signed as the first of two may still sign in that role."""
        member = self._access.members.get(made.person)
        return member is not None and member.may(made.role) and self._access.voices.counts(Decision.FACT, made.person)

    def _all(self) -> tuple[Entered, ...]:
        """As it stands in the log. Every page asks; read again only where an entry came."""
        count, found = self._read
        there = self._log.count(EVENTS, float("-inf"))
        if there != count:
            found = tuple(read_entered(self._log))
            self._read = there, found
        return found

    def waiting(self, member: Member) -> int:
        """How many facts wait for that person's signature."""
        return sum(refusal(one, member, self.settings) is None for one in self.all())

    def get(self, number: int) -> Entered | None:
        return next((one for one in self.all() if one.number == number), None)

    def begin(self) -> Incoming:
        """Take a document. Raises `DeviceError`, and `StoreError` where its entry could not be written either."""
        self._log.require_writable()
        return self._cabinet.begin()

    def enter(self, incoming: Incoming, given: Given, by: str, language: Language) -> Entered | FactRefused:
        """Keep a document that came, and what it proves. `incoming` is not there any more afterwards."""
        with self._lock:
            try:
                refused = self._refused(incoming, given, language)
                return refused or self._entered(incoming, given, by)
            finally:
                incoming.close()

    def _refused(self, incoming: Incoming, given: Given, language: Language) -> FactRefused | None:
        day = _day(given.day)
        today = datetime.fromtimestamp(self._clock.now(), self._zone).date()
        if given.kind not in KINDS:
            return FactRefused(NotEntered.KIND)
        if day is None or day > today:
            return FactRefused(NotEntered.DAY)
        is_table = given.kind in SHEETS | {CRIME}
        if not is_table and not says_something(given.text):
            return FactRefused(NotEntered.TEXT)
        if not incoming.size:
            return FactRefused(NotEntered.NO_FILE)
        refused = self._no_table(incoming, given, language) if is_table else self._no_document(incoming, given)
        return refused or self._used(incoming.sha256, given.kind)

    def _no_document(self, incoming: Incoming, given: Given) -> FactRefused | None:
        if incoming.size < LEAST_BYTES:
            return FactRefused(NotEntered.SMALL)
        paper = self._cabinet.look(incoming, is_photograph=given.kind == PHOTOGRAPH)
        if paper.form is Form.UNREADABLE:
            return FactRefused(NotEntered.UNREADABLE)
        if given.kind == ACCEPTANCE:
            refused = None if given.subject in self.cameras else NotEntered.CAMERA
            refused = refused or (None if paper.form is Form.PICTURE else NotEntered.NO_PICTURE)
            return FactRefused(refused) if refused is not None else None
        if given.kind != PHOTOGRAPH:
            return None
        if given.subject not in self.signs():
            return FactRefused(NotEntered.SIGN)
        if paper.form is not Form.PICTURE or paper.side < LEAST_SIDE:
            return FactRefused(NotEntered.NO_PHOTOGRAPH)
        if not paper.code:
            return FactRefused(NotEntered.NO_CODE)
        address = self.in_force().information_address
        if address and not shows_sign(paper.code, address, given.subject):
            return FactRefused(NotEntered.OTHER_CODE, (paper.code,))
        return None

    def _no_table(self, incoming: Incoming, given: Given, language: Language) -> FactRefused | None:
        try:
            data = incoming.path.read_bytes()
            if given.kind == CRIME:
                read_rows(data, given.file, language)
            else:
                read_table(Sheet(given.kind), data, given.file, language, frozenset(self.cameras))
        except SettingsError as error:
            return FactRefused(NotEntered.NOT_CSV, tuple(str(error).splitlines()))
        return None

    def _used(self, sha256: str, kind: str) -> FactRefused | None:
        """Whether the document stands for something already: each has one purpose."""
        there = [one for one in self.all() if one.sha256 == sha256 and not one.withdrawn_by]
        if any(one.kind == kind for one in there):
            return FactRefused(NotEntered.THERE, tuple(str(one.number) for one in there if one.kind == kind))
        others = {one.kind for one in there} | (self._recorded().uses(sha256) - {kind})
        return FactRefused(NotEntered.USED, tuple(sorted(others))) if others else None

    def in_force(self) -> Facts:
        """The facts file together with what was entered and counts."""
        return with_entered(self._recorded(), self.all(), self._data, self.settings)[0]

    def signs(self) -> tuple[str, ...]:
        """Short names of the signs that a photograph may show, those of a table that waits for signatures too."""
        there = [one for one in self.all() if one.kind == Sheet.SIGNS and one.standing(self.settings) is Standing.WAITING]
        waiting = [found for one in there if (found := self.table(one)) is not None]
        signs = [sign.id for facts in (self.in_force().signs, *(one.sections["signs"] for one in waiting)) for sign in facts]
        return tuple(dict.fromkeys(signs))

    def template(self, sheet: Sheet, language: Language) -> bytes:
        """A table as it is in force, to be filled in and handed in."""
        return template(sheet, self.in_force(), language)

    def table(self, one: Entered) -> Read | None:
        """What a table says; None where it can no longer be read, and of what is no table."""
        return _table(self._cabinet, one)

    def picture(self, one: Entered) -> bytes | None:
        """A photograph or picture drawn anew for the page; None of everything else."""
        data = self._cabinet.read(one.sha256) if one.kind in PICTURES else None
        return shown(data) if data is not None else None

    def code(self, one: Entered) -> str:
        """What the picture code on a photograph says; empty of everything else."""
        paper = self._cabinet.paper(one.sha256, is_photograph=True) if one.kind == PHOTOGRAPH else None
        return paper.code if paper is not None else ""

    def _recorded(self) -> Facts:
        try:
            return load_facts(facts_path(self._path)) if self._path is not None else Facts()
        except SettingsError:
            # `check` and the page of rules say what is wrong with the facts file; the entry does not depend on it.
            return Facts()

    def _entered(self, incoming: Incoming, given: Given, by: str) -> Entered:
        sha256 = incoming.sha256
        facts: LogFacts = {
            "kind": given.kind,
            "day": given.day,
            "text": given.text.strip()[:MOST_TEXT],
            "file": given.file[:MOST_NAME],
            "sha256": sha256,
            "size": incoming.size,
            "settings": self.settings,
        }
        if given.kind in PICTURES:
            facts["subject"] = given.subject
        known = any(one.sha256 == sha256 for one in self.all())
        self._cabinet.keep(incoming)
        try:
            entry = self._log.write(Event.FACT_ENTERED, by, sha256, facts)
        except BlickschutzError:
            if not known:
                self._cabinet.drop(sha256)
            raise
        return entered([entry])[0]

    def sign(self, number: int, member: Member, seen: str) -> NotSigned | None:
        """Put somebody's signature under it, for the settings in force, which are those that they saw (`seen`); why not, or None."""
        with self._lock:
            one = self.get(number)
            if one is None:
                return NotSigned.GONE
            refused = refusal(one, member, self.settings)
            if refused is not None:
                return refused
            if seen != self.settings and one.kind not in LASTING:
                return NotSigned.OTHER_SETTINGS
            if not self._access.voices.seconds(Decision.FACT, member.id):
                return NotSigned.ROLE
            if self._cabinet.read(one.sha256) is None:
                return NotSigned.ALTERED
            role = next(role for role in sorted(roles_wanted(one, self.settings)) if role in member.roles)
            facts: LogFacts = {"entry": number, "kind": one.kind, "name": member.name, "role": role.value, "settings": self.settings}
            there = {made.person for made in next(raw for raw in self._all() if raw.number == number).valid(self.settings)}
            if gone := there - {made.person for made in one.signatures}:
                # Whoever comes back has to sign anew: what they signed before is not a second voice to this one.
                facts["without"] = sorted(gone)
            self._log.write(Event.FACT_SIGNED, member.id, one.sha256, facts)
        return None

    def withdraw(self, number: int, by: str, reason: str) -> NotSigned | None:
        """Take it back: it counts no longer, its document stays and can be had."""
        with self._lock:
            one = self.get(number)
            if one is None or one.withdrawn_by:
                return NotSigned.GONE
            self._log.write(Event.FACT_WITHDRAWN, by, one.sha256, {"entry": number, "kind": one.kind, "reason": reason})
        return None

    def document(self, one: Entered) -> bytes | None:
        """The document byte for byte; None where it is missing or is another one now."""
        return self._cabinet.read(one.sha256)

    def crime(self, first: date, last: date, language: Language) -> CrimeFigures:
        """The newest figures that two people signed and that fit a report from `first` to `last`."""
        problems: tuple[str, ...] = ()
        for one in reversed(self.all()):
            if one.kind != CRIME or one.standing(self.settings) is not Standing.SIGNED:
                continue
            data = self._cabinet.read(one.sha256)
            try:
                if data is not None:
                    return CrimeFigures(read_rows(data, one.file, language, (first, last)), one)
            except SettingsError as error:
                problems = problems or tuple(str(error).splitlines())
        return CrimeFigures(problems=problems)


def read_entered(log: AuditLog) -> list[Entered]:
    """What the log says was entered, the oldest first."""
    return entered(log.between(EVENTS, float("-inf"), float("inf")))


def with_entered(facts: Facts, found: Sequence[Entered], data: Path, settings: str) -> tuple[Facts, dict[str, Paper]]:
    """The facts file together with what was entered and counts, and what the documents of the latter are.

    What counts stands in the place of what the file says of the same kind or section; a photograph belongs to its sign.
    """
    counts = counting(found, settings)
    cabinet, papers = Cabinet(data / FOLDER), dict[str, Paper]()
    sections, photographs, pictures = dict[str, Any](), dict[str, Entered](), dict[tuple[str, date], Entered]()
    for one in counts:
        paper = cabinet.paper(one.sha256, is_photograph=one.kind == PHOTOGRAPH)
        table = _table(cabinet, one)
        if paper is None or (one.kind in SHEETS and table is None):
            continue
        papers[one.name] = paper
        if table is not None:
            sections |= table.sections
        elif one.kind == PHOTOGRAPH:
            photographs[one.subject] = one
        elif one.kind == ACCEPTANCE:
            pictures[one.subject, one.day] = one
    kinds = {one.kind for one in counts} - REPEATED
    made = tuple(as_fact(one, settings) for one in counts if one.kind not in SHEETS | PICTURES)
    sections["facts"] = (*made, *(fact for fact in facts.facts if fact.kind.value not in kinds))
    sections["signs"] = tuple(_photographed(sign, photographs.get(sign.id)) for sign in sections.get("signs", facts.signs))
    accepted = sections.get("acceptances", facts.acceptances)
    sections["acceptances"] = tuple(_pictured(one, pictures.get((one.camera, one.date))) for one in accepted)
    return facts.model_copy(update=sections), papers


def _table(cabinet: Cabinet, one: Entered) -> Read | None:
    """What a table says; None where it is missing, is another one now or no longer fits, and of what is no table."""
    data = cabinet.read(one.sha256) if one.kind in SHEETS else None
    try:
        return read_table(Sheet(one.kind), data, one.file, "de") if data is not None else None
    except SettingsError:
        # Written by an older version: the rules say of it that it is to be entered anew.
        return None


def _photographed(sign: Sign, one: Entered | None) -> Sign:
    """The sign with its newest photograph, seen on the day of that."""
    return sign.model_copy(update={"photo": one.name, "sha256": one.sha256, "checked": one.day}) if one is not None else sign


def _pictured(acceptance: Acceptance, one: Entered | None) -> Acceptance:
    """The acceptance with the picture of its day."""
    return acceptance.model_copy(update={"picture": one.name, "sha256": one.sha256}) if one is not None else acceptance


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
