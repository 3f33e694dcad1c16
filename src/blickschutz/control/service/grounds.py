"""Gathers what the policy looks at: settings, facts and documents, log, rows, people, models, this machine."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from blickschutz.access.model import AccountState
from blickschutz.access.rules import needs_factor
from blickschutz.analysis.io.registry import ModelRegistry
from blickschutz.audit.model import Entry, Event, Fault
from blickschutz.audit.rules import verify
from blickschutz.compliance.facts import Facts
from blickschutz.compliance.io.cabinet import FOLDER
from blickschutz.compliance.io.documents import facts_path, load_facts, look_at
from blickschutz.compliance.io.machine import look
from blickschutz.compliance.model import FalseAlarms, Grounds, Paper, Rows
from blickschutz.config.hours import holidays_of
from blickschutz.config.loader import settings_hash
from blickschutz.config.model import SiteFile
from blickschutz.control.rules import stamped
from blickschutz.control.service.facts import read_entered, with_entered
from blickschutz.control.service.office import Inspected
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.periods import IsHoliday
from blickschutz.redaction.rules.mosaic import CELLS_PER_METRE
from blickschutz.retention.rules import is_due
from blickschutz.review.model import CaseState
from blickschutz.review.rules import MORTAL, THERE
from blickschutz.rights.rules import is_late, is_unmet
from blickschutz.vault.io.files import is_signed

# What rules look at. Events that come by the thousand (views, sign-ins) are none of it.
_EVENTS = (
    Event.SYSTEM_STARTED,
    Event.CAMERA_STOPPED,
    Event.CAMERA_RESUMED,
    Event.CLIP_OPENED,
    Event.UNMASK_GRANTED,
    Event.UNMASK_QUOTA_PASSED,
    Event.HOLD_SET,
    Event.HOLD_RELEASED,
    Event.SHRED_ORDERED,
    Event.SHREDDED,
    Event.RELEASED,
    Event.CASE_RESTRICTED,
    Event.CASE_FREED,
    Event.DUTY_OPENED,
    Event.CASE_DECIDED,
    Event.BACKUP_MADE,
    Event.RESTORE_TRIED,
    Event.RESTORED,
)
_MOST = 5000
_MONTH_S = 30 * 86_400
_PERSONS = "person"
_GRACE_S = 3600.0


def gather(site: SiteFile, path: Path | None, records: Inspected | None, clock: Clock, seen: Grounds | None = None) -> Grounds:
    """Everything the rules look at. `path` is the site file's; `records` is None where the site never ran.

    `seen`: what was gathered a moment ago for other settings. What no setting alters is taken from there: two looks at one moment would
    cost twice as much, and could differ in something that the settings are not about.
    """
    facts = Facts()
    documents: dict[str, Paper] = {}
    if path is not None:
        facts = load_facts(facts_path(path), site.site.language)
        documents = look_at(facts, path.resolve().parent)
    content = facts.content
    found, settings = read_entered(records.office.log) if records else [], settings_hash(site)
    if records and found:
        facts, handed_in = with_entered(facts, found, records.archive.data, settings)
        documents |= handed_in
    now = clock.now() if seen is None else seen.now
    holidays, devices = site.regimes.holidays, site.analysis.on_devices
    return Grounds(
        site=site,
        settings=settings,
        facts=facts,
        today=datetime.fromtimestamp(now, ZoneInfo(site.site.timezone)).date(),
        now=now,
        documents=documents,
        content=content,
        entered=tuple(found),
        log=_log(records) if seen is None else seen.log,
        members=tuple(records.office.access.members.values()) if records else (),
        models=_models() if seen is None else seen.models,
        cells_per_metre=CELLS_PER_METRE,
        rows=seen.rows if seen is not None and seen.site.regimes.holidays == holidays else _rows(records, clock, holidays_of(holidays)),
        machine=seen.machine if seen is not None and seen.site.analysis.on_devices == devices else look(devices=devices),
        most_entries=_MOST,
        folder=path.resolve().parent if path is not None else None,
        cabinet=records.archive.data / FOLDER if records else None,
    )


def _log(records: Inspected | None) -> dict[Event, tuple[Entry, ...]]:
    return {event: tuple(entry for entry, _ in records.office.log.find(event=event, most=_MOST)) for event in _EVENTS} if records else {}


def _models() -> dict[str, str]:
    """Those that are whole. Every head that there is finds persons and nothing else (analysis.model.Head)."""
    registry = ModelRegistry()
    return {card.name: _PERSONS for card in registry.cards() if registry.verify(card) == "ok"}


def _chain_faults(records: Inspected) -> tuple[Fault, ...]:
    """From the watch over the chain where the site runs, else by looking at the whole log."""
    report = records.chain.report
    if report.whole_at:
        return report.faults
    return tuple(verify(records.office.log.export(), is_signed, records.archive.key.public)) if records.office.log.state()[0] else ()


def _rows(records: Inspected | None, clock: Clock, is_holiday: IsHoliday) -> Rows | None:
    if records is None:
        return None
    cases = records.office.cases.store.find(states=sorted(THERE), most=100_000)
    time = records.archive.time
    reading = time.check()
    judged = [(case.id, time.kept(stamped(case))) for case in cases if case.state in MORTAL and not reading.suspended]
    now = reading.now - _GRACE_S
    rights, today = records.office.rights.store, records.orders.today()
    limits, counts = records.archive.limits, records.office.access.factors.counts()
    active = [member for member in records.office.access.members.values() if member.state is AccountState.ACTIVE]
    there, known = records.archive.shelf.clips(), {case.clip for case in cases}
    missing = [case.clip for case in cases if case.clip not in there and not case.host]
    strays = [clip for clip in there if clip not in known and records.office.cases.store.by_clip(clip) is None]
    old, old_seconds = records.renewal.clips(), records.renewal.alerts_or_none()
    undecided = records.alerts.undecided(_MOST)
    tally = records.alerts.tally(clock.now() - _MONTH_S)
    return Rows(
        overdue=tuple(number for number, known in judged if known is not None and is_due(known, limits, now)),
        untriggered=tuple(case.id for case in cases if not case.cause and case.state is not CaseState.QUARANTINED),
        undecided=tuple(case.id for case in records.office.quarantine.overdue()),
        unanswered=tuple(undecided),
        stray=tuple(clip[:8] for clip in sorted((*missing, *strays))),
        false_alarms=tuple(FalseAlarms(one.camera, one.kind.value, one.decided, one.false_alarms) for one in tally),
        without_factor=tuple(one.id for one in active if needs_factor(one) and not counts.get(one.id)),
        redaction_faults=records.redaction_faults(),
        old_seconds=old_seconds,
        old_entries=records.log_end.overdue(),
        old_clips=tuple(case.id for case in (*old.ending, *old.held, *old.restricted, *old.half_held)),
        late_requests=tuple(one.id for one in (*rights.open(), *rights.latest(_MOST)) if is_late(one, today, is_holiday)),
        unmet_duties=tuple(one.id for one in rights.duties(settled=False, most=_MOST) if is_unmet(one, today, is_holiday)),
        with_duty=frozenset(one.clip for settled in (False, True) for one in rights.duties(settled=settled, most=_MOST)),
        anchored_at=records.anchoring.state.at,
        anchor_problem=records.anchoring.state.problem or "",
        chain_faults=tuple(fault.text for fault in _chain_faults(records)),
    )
