"""The committee's report of a site, from its log and its alerts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from blickschutz.alerts.model import Outcome
from blickschutz.audit.model import Entry, Event
from blickschutz.bootstrap.grounds import stored_alerts
from blickschutz.bootstrap.keeping import Keeping
from blickschutz.compliance.documents.model import Document
from blickschutz.compliance.model import Grounds
from blickschutz.compliance.policy import assess
from blickschutz.compliance.reports.committee import committee
from blickschutz.compliance.reports.crime import Row
from blickschutz.compliance.reports.model import EVENTS, Happened, RaisedAlert
from blickschutz.config.model import SiteFile


def report(g: Grounds, keeping: Keeping | None, first: date, last: date, crime: Sequence[Row] = (), *, public: bool) -> Document:
    """The report from `first` to `last`, both days included. `keeping` is None where the site never ran."""
    return committee(g, assess(g), _happened(g.site, keeping, first, last), crime, public=public)


def _happened(site: SiteFile, keeping: Keeping | None, first: date, last: date) -> Happened:
    if keeping is None:
        return Happened(first, last)
    zone = ZoneInfo(site.site.timezone)
    start, end = (datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() for day in (first, last + timedelta(days=1)))
    log: dict[Event, list[Entry]] = {what: [] for what in EVENTS}
    for entry in keeping.log.between(EVENTS, start, end):
        log[entry.event].append(entry)
    with stored_alerts(keeping) as alerts:
        raised = [
            RaisedAlert(kind, datetime.fromtimestamp(taken, zone).hour, outcome is Outcome.FALSE_ALARM)
            for kind, taken, outcome in alerts.raised(start, end)
        ]
    return Happened(first, last, raised, log)
