"""The committee's report of a site, from its log and its alerts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from blickschutz.alerts.model import Outcome
from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.io.log import Facts as LogFacts
from blickschutz.audit.model import Entry, Event
from blickschutz.budget.service import judged
from blickschutz.compliance.documents.model import Document
from blickschutz.compliance.io.cabinet import FOLDER, Cabinet
from blickschutz.compliance.model import Found, Grounds
from blickschutz.compliance.reports.committee import committee
from blickschutz.compliance.reports.crime import Row
from blickschutz.compliance.reports.model import EVENTS, Happened, NotPublic, RaisedAlert, clash
from blickschutz.config.budgets import budget_settings
from blickschutz.config.model import SiteFile
from blickschutz.control.service.office import Inspected

_HOUR_S = 3600.0
_MOST_PRINTS = 100_000


def report(
    g: Grounds, found: Sequence[Found], records: Inspected | None, first: date, last: date, crime: Sequence[Row] = (), *, public: bool
) -> Document:
    """The report from `first` to `last`, both days included; `found` is what the rules say, `records` None where the site never ran."""
    return committee(g, found, _happened(g.site, records, first, last, g.today), crime, public=public)


def _happened(site: SiteFile, records: Inspected | None, first: date, last: date, today: date) -> Happened:
    if records is None:
        return Happened(first, last)
    zone = ZoneInfo(site.site.timezone)
    start, end = (datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() for day in (first, last + timedelta(days=1)))
    log: dict[Event, list[Entry]] = {what: [] for what in EVENTS}
    for entry in records.office.log.between(EVENTS, start, end):
        log[entry.event].append(entry)
    hours, found = _Hours(zone), records.alerts.raised(start, end)
    raised = [
        RaisedAlert(kind, hours.of(taken), None if outcome is None else outcome is Outcome.FALSE_ALARM) for kind, taken, outcome in found
    ]
    views = judged(budget_settings(site, records.curves.evidence), records.budget, records.curves.recalls())
    counting = [view.camera for view in views if view.in_shadow]
    unavailable = [(view.camera, one.kind) for view in views for one in view.kinds if one.unavailable is not None]
    return Happened(first, last, raised, log, counting, unavailable, known_from(site, records, today))


def known_from(site: SiteFile, records: Inspected, today: date) -> date | None:
    """The first day of which log and alerts are whole; None where nothing was deleted at its limit yet."""
    limit = max(records.log_end.whole_from(), today - timedelta(days=site.alerts.rows_days))
    begun = records.office.log.find(before=2, most=1)
    midnight = datetime(limit.year, limit.month, limit.day, tzinfo=ZoneInfo(site.site.timezone)).timestamp()
    return limit if not begun or begun[0][0].at < midnight else None


def not_public(
    site: SiteFile, records: Inspected | None, first: date, last: date, today: date
) -> tuple[NotPublic, tuple[date, date]] | None:
    """Why a report is not printed for the public, with the period that stands against it; None where it is, or was printed already.

    One of a period that is not over would be another one tomorrow, and the difference would tell what both hide; one of which half is
    deleted would count too little.
    """
    printed = published(records.office.log) if records is not None else []
    if (first, last) in printed:
        return None
    if (other := clash(first, last, printed)) is not None:
        return NotPublic.CLASH, other
    if last >= today:
        return NotPublic.UNFINISHED, (first, today - timedelta(days=1))
    known = known_from(site, records, today) if records is not None else None
    return (NotPublic.ERASED, (known, last)) if known is not None and first < known else None


def published(log: AuditLog) -> list[tuple[date, date]]:
    """The periods, both days included, whose public reports were printed."""
    return [period for period, _ in _published(log)]


def _published(log: AuditLog) -> list[tuple[tuple[date, date], str]]:
    """Each period with the hash of what was printed, the newest first; empty where an older version printed it."""
    printed = (entry.facts for entry, _ in log.find(event=Event.DOCUMENTS_PRINTED, most=_MOST_PRINTS))
    found = []
    for facts in printed:
        if facts.get("public") is True and "report" in facts:
            first, last = (date.fromisoformat(day) for day in str(facts["report"]).split())
            found.append(((first, last), str(facts.get("sha256", ""))))
    return found


def print_public(records: Inspected, g: Grounds, first: date, last: date, by: str, make: Callable[[], bytes]) -> bytes | None:
    """The public report of a period as PDF: byte for byte the one that is out of the house already, else what `make` prints now.

    Printed anew it may differ by one late entry, and the difference would tell what both hide. None where the one of then is gone.
    """
    log, cabinet = records.office.log, Cabinet(records.archive.data / FOLDER)
    known = next((sha256 for period, sha256 in _published(log) if period == (first, last)), None)
    if known is not None:
        data = cabinet.read(known) if known else None
        sha256 = known
    else:
        data = make()
        sha256 = cabinet.add(data)
    if data is not None:
        log.write(Event.DOCUMENTS_PRINTED, by, facts={**_print_facts(g, first, last), "public": True, "sha256": sha256})
    return data


def note_print(log: AuditLog, g: Grounds, first: date, last: date, by: str) -> None:
    """Write down that a report was printed that stays in the house."""
    log.write(Event.DOCUMENTS_PRINTED, by, facts={**_print_facts(g, first, last), "public": False})


def _print_facts(g: Grounds, first: date, last: date) -> LogFacts:
    return {"documents": 1, "report": f"{first} {last}", "settings": g.settings}


class _Hours:
    """Hours of the day in a time zone, quickly for many moments: within an hour of UTC the offset is one and the same."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._offsets: dict[int, float] = {}

    def of(self, at: float) -> int:
        bucket = int(at // _HOUR_S)
        if bucket not in self._offsets:
            offset = datetime.fromtimestamp(bucket * _HOUR_S, self._zone).utcoffset()
            self._offsets[bucket] = offset.total_seconds() if offset is not None else 0.0
        return int((at + self._offsets[bucket]) // _HOUR_S) % 24
