"""`blickschutz report`: the committee's report for a period."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from blickschutz.alerts.model import Outcome
from blickschutz.audit.model import Event
from blickschutz.bootstrap.grounds import gather, stored_alerts
from blickschutz.bootstrap.keeping import Keeping
from blickschutz.cli.users import if_started
from blickschutz.compliance.io.press import print_document
from blickschutz.compliance.policy import assess
from blickschutz.compliance.reports.committee import committee
from blickschutz.compliance.reports.crime import read_rows
from blickschutz.compliance.reports.model import Happened, RaisedAlert
from blickschutz.config.loader import load_site, operator_language
from blickschutz.config.model import SiteFile
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import OperatorError

_MOST = 1_000_000


def print_report(path: Path, folder: Path, first: date, last: date, crime: Path | None, *, public: bool) -> None:
    """Print the report and say where it lies. A period without data gives a report that says so."""
    if last < first:
        raise OperatorError(f"the period ends ({last}) before it begins ({first})")
    site = load_site(path)
    rows = read_rows(crime.read_bytes(), str(crime), "de" if operator_language() == "de" else "en") if crime is not None else []
    with if_started(site, path) as keeping:
        grounds = gather(site, path, keeping, SystemClock())
        happened = _happened(site, keeping, first, last)
    document = committee(grounds, assess(grounds), happened, rows, public=public)
    click.echo(str(print_document(document, grounds, folder)))


def _happened(site: SiteFile, keeping: Keeping | None, first: date, last: date) -> Happened:
    zone = ZoneInfo(site.site.timezone)
    start = datetime(first.year, first.month, first.day, tzinfo=zone).timestamp()
    after = last + timedelta(days=1)
    end = datetime(after.year, after.month, after.day, tzinfo=zone).timestamp()
    if keeping is None:
        return Happened(first, last)
    log = {what: [entry for entry, _ in keeping.log.find(event=what, most=_MOST) if start <= entry.at < end] for what in Event}
    with stored_alerts(keeping) as alerts:
        raised = [
            RaisedAlert(one.kind, datetime.fromtimestamp(one.taken, zone).hour, one.outcome is Outcome.FALSE_ALARM)
            for one in alerts.find(since=start, until=end, most=_MOST)
        ]
    return Happened(first, last, raised, log)
