"""Facts as people enter and sign them on the pages: document, log entry, two signatures."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from blickschutz.access.model import Member
from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.io.log import Facts as LogFacts
from blickschutz.audit.model import Event
from blickschutz.compliance.entered import (
    CRIME,
    EVENTS,
    KINDS,
    Entered,
    NotSigned,
    Standing,
    as_fact,
    counting,
    entered,
    refusal,
    roles_wanted,
)
from blickschutz.compliance.facts import Facts
from blickschutz.compliance.io.cabinet import FOLDER, Cabinet
from blickschutz.compliance.io.documents import facts_path, load_facts
from blickschutz.compliance.io.incoming import Incoming
from blickschutz.compliance.model import Form, Paper
from blickschutz.compliance.policy.evidence import LEAST_BYTES, says_something
from blickschutz.compliance.reports.crime import read_rows
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
        self._zone, self._lock = ZoneInfo(site.site.timezone), threading.Lock()
        self._cabinet = Cabinet(records.archive.data / FOLDER)
        self.settings = settings_hash(site)

    def all(self) -> list[Entered]:
        """Everything that was ever entered, the oldest first."""
        return read_entered(self._log)

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
        if given.kind != CRIME and not says_something(given.text):
            return FactRefused(NotEntered.TEXT)
        if not incoming.size:
            return FactRefused(NotEntered.NO_FILE)
        if given.kind == CRIME:
            try:
                read_rows(incoming.path.read_bytes(), given.file, language)
            except SettingsError as error:
                return FactRefused(NotEntered.NOT_CSV, tuple(str(error).splitlines()))
        elif incoming.size < LEAST_BYTES:
            return FactRefused(NotEntered.SMALL)
        elif self._cabinet.look(incoming).form is Form.UNREADABLE:
            return FactRefused(NotEntered.UNREADABLE)
        return self._used(incoming.sha256, given.kind)

    def _used(self, sha256: str, kind: str) -> FactRefused | None:
        """Whether the document stands for something already: each has one purpose."""
        there = [one for one in self.all() if one.sha256 == sha256 and not one.withdrawn_by]
        if any(one.kind == kind for one in there):
            return FactRefused(NotEntered.THERE, tuple(str(one.number) for one in there if one.kind == kind))
        others = {one.kind for one in there} | (self._recorded().uses(sha256) - {kind})
        return FactRefused(NotEntered.USED, tuple(sorted(others))) if others else None

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
        known = any(one.sha256 == sha256 for one in self.all())
        self._cabinet.keep(incoming)
        try:
            entry = self._log.write(Event.FACT_ENTERED, by, sha256, facts)
        except BlickschutzError:
            if not known:
                self._cabinet.drop(sha256)
            raise
        return entered([entry])[0]

    def sign(self, number: int, member: Member) -> NotSigned | None:
        """Put somebody's signature under it, for the settings in force; why not, or None."""
        with self._lock:
            one = self.get(number)
            if one is None:
                return NotSigned.GONE
            refused = refusal(one, member, self.settings)
            if refused is not None:
                return refused
            if self._cabinet.read(one.sha256) is None:
                return NotSigned.ALTERED
            role = next(role for role in sorted(roles_wanted(one, self.settings)) if role in member.roles)
            facts: LogFacts = {"entry": number, "kind": one.kind, "name": member.name, "role": role.value, "settings": self.settings}
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
    """The facts file together with what was entered and counts, and what the documents of the latter are."""
    counts = counting(found, settings)
    cabinet, papers = Cabinet(data / FOLDER), {}
    for one in counts:
        paper = cabinet.paper(one.sha256)
        if paper is not None:
            papers[one.name] = paper
    made = tuple(as_fact(one, settings) for one in counts)
    return facts.model_copy(update={"facts": (*made, *facts.facts)}), papers


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
