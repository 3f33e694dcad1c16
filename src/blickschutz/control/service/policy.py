"""The policy of a running site as the pages see it: rules, documents, letters, reports."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Literal

import msgspec

from blickschutz.audit.io.log import Facts as LogFacts
from blickschutz.audit.model import Event
from blickschutz.compliance.documents.duty import duty_letter
from blickschutz.compliance.documents.letter import answer_letter, extension_letter
from blickschutz.compliance.documents.model import Document
from blickschutz.compliance.documents.receipt import receipt_paper
from blickschutz.compliance.facts import Facts
from blickschutz.compliance.io.documents import facts_path, load_facts
from blickschutz.compliance.io.press import Papers, papers, print_pack, render
from blickschutz.compliance.model import Found, Grounds
from blickschutz.compliance.policy import assess
from blickschutz.compliance.reports.model import NotPublic
from blickschutz.config.model import SiteFile
from blickschutz.control.service.facts import FactDesk
from blickschutz.control.service.grounds import gather
from blickschutz.control.service.office import Inspected
from blickschutz.control.service.reports import not_public, note_print, print_public, report
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import UNREADABLE, FaultError, SettingsError
from blickschutz.retention.model import Receipt
from blickschutz.retention.rules import receipt_text
from blickschutz.rights.model import Duty, Request
from blickschutz.vault.io.files import is_signed

_FRESH_S = 5.0


class PolicyWatch:
    """What the policy says of a running site, looked at again when somebody asks and the last look is seconds old; and its documents."""

    def __init__(self, site: SiteFile, path: Path | None, records: Inspected, clock: Clock) -> None:
        self._site, self._path, self._records, self._clock = site, path, records, clock
        self.desk = FactDesk(site, path, records, clock)
        self._lock, self._publishing = threading.Lock(), threading.Lock()
        self._last: tuple[list[Found], Grounds] | None = None

    def settle(self, site: SiteFile) -> None:
        """Other settings are in force."""
        self._site = site
        self.desk.settle(site)
        self.changed()

    @property
    def _folder(self) -> Path:
        return self._records.archive.data / "documents"

    def facts(self) -> Facts:
        """The facts file as it is now; empty where there is none, or where it has a mistake (`assessed` says which)."""
        try:
            return load_facts(facts_path(self._path)) if self._path is not None else Facts()
        except SettingsError:
            return Facts()

    def _gathered(self) -> Grounds:
        return gather(self._site, self._path, self._records, self._clock)

    def documents(self) -> Papers | None:
        """The last pack, and per document the sentences that would be others today; None where none was printed yet."""
        return papers(self._gathered(), self._folder)

    def letter(self, request: Request, *, extension: bool) -> bytes:
        """The answer to a request, or the notice that it takes longer, as PDF."""
        grounds = self._gathered()
        return render(extension_letter(grounds, request) if extension else answer_letter(grounds, request), grounds)

    def duty_letter(self, duty: Duty, language: Literal["de", "en"]) -> bytes:
        """The letter of a duty to inform as PDF; name and address are open, because nobody keeps them here."""
        grounds = self._gathered()
        return render(duty_letter(grounds, duty, language), grounds)

    def receipt(self, facts: Mapping[str, object], language: Literal["de", "en"]) -> bytes:
        """The receipt of a destruction as PDF, from the facts of its entry. Raises `FaultError` where they are no receipt."""
        try:
            found = msgspec.convert(facts, type=Receipt)
            signature = bytes.fromhex(found.signature)
        except UNREADABLE as error:
            raise FaultError(f"the entry is no receipt: {error}") from error
        grounds, public = self._gathered(), self._records.office.log.public
        genuine = is_signed(receipt_text(found), signature, public)
        return render(receipt_paper(grounds, found, public.hex(), language, genuine=genuine), grounds)

    def print_documents(self, by: str) -> None:
        """Print the pack anew. It is logged who asked for it."""
        self._records.office.log.require_writable()
        grounds = self._gathered()
        files, changes = print_pack(grounds, self._folder)
        facts: LogFacts = {"documents": len(files), "settings": grounds.settings, "changed": sorted(changes)}
        self._records.office.log.write(Event.DOCUMENTS_PRINTED, by, facts=facts)

    def report(self, first: date, last: date, *, public: bool) -> Document:
        """The committee's report from `first` to `last`."""
        found, grounds = self._looked()
        return report(grounds, found, self._records, first, last, self.desk.crime(first, last, "de").rows, public=public)

    def print_report(self, first: date, last: date, by: str, *, public: bool) -> bytes | None:
        """The same as PDF. It is logged who asked for it. A public one is the one that was printed first; None where that is gone."""
        self._records.office.log.require_writable()
        grounds = self._gathered()

        def make() -> bytes:
            rows = self.desk.crime(first, last, "de").rows
            return render(report(grounds, assess(grounds), self._records, first, last, rows, public=public), grounds)

        if public:
            with self._publishing:
                return print_public(self._records, grounds, first, last, by, make)
        printed = make()
        note_print(self._records.office.log, grounds, first, last, by)
        return printed

    def not_public(self, first: date, last: date) -> tuple[NotPublic, tuple[date, date]] | None:
        """Why that period is not printed for the public, with the period that stands against it; None where it is."""
        return not_public(self._site, self._records, first, last, self._records.orders.today())

    def document(self, name: str) -> bytes | None:
        """One document of the last pack; only names that are in the folder are known, so nothing else can be asked for."""
        known = {path.name for path in self._folder.glob("*.pdf")} if self._folder.exists() else set()
        return (self._folder / name).read_bytes() if name in known else None

    def assessed(self) -> tuple[list[Found], float]:
        """Every rule and what it says, and when that was found (POSIX)."""
        found, grounds = self._looked()
        return found, grounds.now

    def changed(self) -> None:
        """Somebody entered or signed something: the next look is a new one."""
        with self._lock:
            self._last = None

    def _looked(self) -> tuple[list[Found], Grounds]:
        """What the rules say and what they looked at, at most some seconds old."""
        with self._lock:
            if self._last is None or not 0 <= self._clock.now() - self._last[1].now < _FRESH_S:
                grounds = self._gathered()
                self._last = assess(grounds), grounds
            return self._last
