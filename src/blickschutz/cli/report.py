"""`blickschutz report`: the committee's report for a period."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

import click

from blickschutz.cli.users import if_started
from blickschutz.compliance.documents.model import Document
from blickschutz.compliance.io.press import render, write
from blickschutz.compliance.model import Grounds
from blickschutz.compliance.policy import assess
from blickschutz.compliance.reports.crime import read_rows
from blickschutz.compliance.reports.model import clash
from blickschutz.config.loader import load_site, operator_language
from blickschutz.config.model import SiteFile
from blickschutz.control.service.facts import FactDesk
from blickschutz.control.service.grounds import gather
from blickschutz.control.service.office import Inspected
from blickschutz.control.service.reports import note_print, print_public, published, report
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import OperatorError

_BY = "terminal"
_TEXTS = {
    "order": ("der Zeitraum endet ({last}), bevor er beginnt ({first})", "the period ends ({last}) before it begins ({first})"),
    "clash": (
        "ein öffentlicher Bericht vom {first} bis {last} ist schon gedruckt; beide zusammen würden kleine Anzahlen verraten. Drucken Sie "
        "denselben Zeitraum oder einen ohne gemeinsamen Tag",
        "a public report from {first} to {last} was printed already; both together would tell small counts. Print the same period, or one "
        "that shares no day with it",
    ),
    "gone": (
        "der öffentliche Bericht dieses Zeitraums ist schon gedruckt, und der Datenordner hat ihn nicht mehr; neu gedruckt könnte er sich "
        "um eine kleine Anzahl unterscheiden und sie verraten. Verwenden Sie den gedruckten",
        "the public report of this period was printed already, and the data folder has it no longer; printed anew it could differ by a "
        "small count and tell it. Use the printed one",
    ),
}


def _refused(site: SiteFile, text: str, first: date, last: date) -> OperatorError:
    return OperatorError(_TEXTS[text][0 if site.site.language == "de" else 1].format(first=first, last=last))


def print_report(path: Path, data: Path | None, folder: Path, first: date, last: date, crime: Path | None, *, public: bool) -> None:
    """Print the report and say where it lies. A period without data gives a report that says so. A public one that was printed before is
    the same again, byte for byte."""
    site = load_site(path)
    if last < first:
        raise _refused(site, "order", first, last)
    spoken: Literal["de", "en"] = "de" if operator_language() == "de" else "en"
    rows = read_rows(crime.read_bytes(), str(crime), spoken, (first, last)) if crime is not None else []
    with if_started(site, path, data) as records:
        inspected = records.inspected if records is not None else None
        if crime is None and inspected is not None:
            rows = list(FactDesk(site, path, inspected, SystemClock()).crime(first, last, spoken).rows)
        if public and inspected is not None and (other := clash(first, last, published(inspected.office.log))) is not None:
            raise _refused(site, "clash", *other)
        grounds = gather(site, path, inspected, SystemClock())
        document = report(grounds, assess(grounds), inspected, first, last, rows, public=public)
        pdf = _printed(inspected, grounds, document, first, last, public=public)
        if pdf is None:
            raise _refused(site, "gone", first, last)
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{document.key}.pdf"
        write(file, pdf)
    click.echo(str(file))


def _printed(records: Inspected | None, g: Grounds, document: Document, first: date, last: date, *, public: bool) -> bytes | None:
    if public and records is not None:
        return print_public(records, g, first, last, _BY, lambda: render(document, g))
    pdf = render(document, g)
    if records is not None:
        note_print(records.office.log, g, first, last, _BY)
    return pdf
