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
from blickschutz.config.loader import load_site
from blickschutz.config.model import SiteFile
from blickschutz.control.service.facts import FactDesk
from blickschutz.control.service.grounds import gather
from blickschutz.control.service.office import Inspected
from blickschutz.control.service.reports import not_public, note_print, print_public, report
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
    "unfinished": (
        "der Zeitraum ist noch nicht zu Ende; öffentlich gedruckt wird er, wenn er es ist, denn ein Bericht von heute und einer von morgen "
        "würden zusammen kleine Anzahlen verraten. Drucken lässt sich, was spätestens am {last} endet",
        "the period is not over yet; it is printed for the public when it is, because a report of today and one of tomorrow would together "
        "tell small counts. What ends on {last} at the latest can be printed",
    ),
    "erased": (
        "was vor dem {first} geschah, ist nach Ablauf der Fristen gelöscht; ein Bericht darüber nennt zu kleine Anzahlen und wird nicht "
        "öffentlich gedruckt",
        "what happened before {first} is deleted at its limit; a report about it would state too small counts and is not printed for the "
        "public",
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
    # Whoever reads it works for the site, whatever their terminal speaks; as `check` and `documents`.
    spoken: Literal["de", "en"] = "de" if site.site.language == "de" else "en"
    rows = read_rows(crime.read_bytes(), str(crime), spoken, (first, last)) if crime is not None else []
    with if_started(site, path, data) as records:
        inspected = records.inspected if records is not None else None
        if crime is None and inspected is not None:
            rows = list(FactDesk(site, path, inspected, SystemClock()).crime(first, last, spoken).rows)
        grounds = gather(site, path, inspected, SystemClock())
        if public and (problem := not_public(site, inspected, first, last, grounds.today)) is not None:
            raise _refused(site, problem[0].value, *problem[1])
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
