"""`blickschutz report`: the committee's report for a period."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

import click

from blickschutz.cli.users import if_started
from blickschutz.compliance.io.press import print_document
from blickschutz.compliance.policy import assess
from blickschutz.compliance.reports.crime import read_rows
from blickschutz.compliance.reports.model import clash
from blickschutz.config.loader import load_site, operator_language
from blickschutz.control.service.facts import FactDesk
from blickschutz.control.service.grounds import gather
from blickschutz.control.service.reports import note_print, published, report
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import OperatorError


def print_report(path: Path, data: Path | None, folder: Path, first: date, last: date, crime: Path | None, *, public: bool) -> None:
    """Print the report and say where it lies. A period without data gives a report that says so."""
    if last < first:
        raise OperatorError(f"the period ends ({last}) before it begins ({first})")
    site = load_site(path)
    spoken: Literal["de", "en"] = "de" if operator_language() == "de" else "en"
    rows = read_rows(crime.read_bytes(), str(crime), spoken, (first, last)) if crime is not None else []
    with if_started(site, path, data) as records:
        if crime is None and records is not None:
            rows = list(FactDesk(site, path, records.inspected, SystemClock()).crime(first, last, spoken).rows)
        if public and records is not None and (other := clash(first, last, published(records.office.log))) is not None:
            raise OperatorError(
                f"a public report from {other[0]} to {other[1]} was printed already; both together would tell small counts. "
                "Print the same period, or one that shares no day with it"
            )
        grounds = gather(site, path, records.inspected if records else None, SystemClock())
        document = report(grounds, assess(grounds), records.inspected if records else None, first, last, rows, public=public)
        printed = print_document(document, grounds, folder)
        if records is not None:
            note_print(records.office.log, grounds, first, last, "terminal", public=public)
    click.echo(str(printed))
