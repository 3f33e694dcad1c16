"""Builds what a site has besides its cameras: databases, keys, shelf, desks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from blickschutz.access.io.accounts import AccountStore
from blickschutz.access.io.factors import TokenStore
from blickschutz.access.io.preferences import PreferenceStore
from blickschutz.access.io.store import PasswordStore
from blickschutz.access.model import Member
from blickschutz.access.service import Access
from blickschutz.alerts.io.store import SqlAlertStore
from blickschutz.alerts.io.tables import METADATA as ALERT_TABLES
from blickschutz.anchor.io.bond import BondFile
from blickschutz.anchor.io.channel import WitnessLine
from blickschutz.anchor.service import Anchoring
from blickschutz.audit.service import ChainWatch
from blickschutz.backup.io.restore import confirm_restored
from blickschutz.bootstrap.opening import CONTROL_TABLES, Installation, open_installation
from blickschutz.budget.io.curves import load_curves
from blickschutz.budget.io.store import SqlBudgetStore
from blickschutz.config.lives import limits_of, log_life
from blickschutz.config.model import SiteFile
from blickschutz.control.io.ends import EndFile
from blickschutz.control.io.orders import SqlOrderStore
from blickschutz.control.io.owed import OwedFile
from blickschutz.control.io.probe import DatabaseProbe
from blickschutz.control.io.register import SqlRegister
from blickschutz.control.io.stops import StopFile
from blickschutz.control.io.time import CaseClips, TimeJournal
from blickschutz.control.ports import Probe
from blickschutz.control.service.enrolment import Enrolment
from blickschutz.control.service.intake import ClipIntake
from blickschutz.control.service.keeper import CellKeeper
from blickschutz.control.service.keeping import RecordKeeping
from blickschutz.control.service.logend import LogEnd
from blickschutz.control.service.office import Archive, BackOffice, Inspected
from blickschutz.control.service.orders import RecordingOrders
from blickschutz.control.service.quarantine import QuarantineWatch
from blickschutz.control.service.recovery import ClipRecovery
from blickschutz.control.service.renewal import Renewal
from blickschutz.control.service.replicas import ReplicaWatch
from blickschutz.control.service.requests import CaseRecordings
from blickschutz.control.service.safety import Counts, Lost, SafeMode
from blickschutz.control.service.shredding import Shredder
from blickschutz.control.service.soundness import SoundnessWatch
from blickschutz.control.service.stops import StopControl
from blickschutz.control.service.time import CaseTimes, ClockDesk
from blickschutz.control.service.worker import Worker
from blickschutz.kernel.clock import Clock, SystemClock
from blickschutz.retention.io.shelf import ClipShelf
from blickschutz.retention.io.sources import ClockSources, MachineSources
from blickschutz.retention.io.timefile import TimeFile
from blickschutz.retention.ports import Sources
from blickschutz.retention.service import RetentionTime
from blickschutz.review.io.beside import NotesBeside
from blickschutz.review.io.store import METADATA as CASE_TABLES
from blickschutz.review.io.store import SqlCaseStore, count_cases
from blickschutz.review.rules import THERE
from blickschutz.review.service import CaseDesk, QuarantineDesk
from blickschutz.rights.io.store import SqlRightsStore
from blickschutz.rights.service import RightsDesk
from blickschutz.settings.io.store import SqlProposals
from blickschutz.storage.engine import check, replication
from blickschutz.storage.places import Server, place_in
from blickschutz.storage.ports import Database
from blickschutz.storage.reserve import Reserve
from blickschutz.vault.io.files import KeyFolder, is_signed
from blickschutz.wall.model import TileState

_DEVICES = b"blickschutz-known-devices-1"
_MOST_CASES = 100_000


@dataclass(frozen=True, slots=True)
class Records:
    """What was built. Whoever only looks closes it with `keeping.close`."""

    worker: Worker
    office: BackOffice
    archive: Archive
    chain: ChainWatch
    orders: RecordingOrders
    intake: ClipIntake
    renewal: Renewal
    shredder: Shredder
    quarantine: QuarantineWatch
    recovery: ClipRecovery
    stops: StopControl
    alerts: SqlAlertStore
    databases: Sequence[Probe]
    inspected: Inspected
    keeping: RecordKeeping
    clock: ClockDesk
    soundness: SoundnessWatch
    budget: SqlBudgetStore
    settings: SqlProposals
    copies: ReplicaWatch


def make_records(
    site: SiteFile,
    data: Path,
    clock: Clock,
    cells: Mapping[str, CellKeeper],
    *,
    repair: bool = False,
    sources: Sources | None = None,
    server: Server | None = None,
) -> Records:
    """The records of a site in the folder `data`. Nothing runs yet; `cells` is empty for whoever only looks.

    Whoever starts the system repairs: a damaged database is set aside, and what can be read of it is taken over.
    `sources` are the clocks by which deadlines are judged, without them those of this machine. `server` has the databases, without
    it they are files in `data`.
    """
    worker = Worker("records")
    exports, shelf = data / "exports", ClipShelf(data / "clips", (data / "exports", data / "fetched"))
    reserve = Reserve(data / "reserve")
    # A disk that is full to the last byte lets no database be opened.
    found = reserve.through(lambda: open_installation(data, shelf, exports, clock, repair=repair, server=server))
    engine, alerts, log, key = found.engine, found.alerts, found.log, found.key
    notes = NotesBeside(shelf.folder, key)
    store = SqlCaseStore(engine, log, notes)
    file = TimeFile(data / "retention.clock", key.sign, key.signed, keep=repair)
    journal, limits = TimeJournal(engine, log, store), limits_of(site)
    time = RetentionTime(sources or _sources(clock), file, CaseClips(store), journal, limits)
    chain, access = ChainWatch(log, clock, is_signed), _access(site, found, clock)
    keys, zone = KeyFolder(data / "keys" / "reviewers"), ZoneInfo(site.site.timezone)
    enrolment = Enrolment(
        SqlRegister(engine, log, key.sign, key.signed),
        keys,
        log,
        lambda: access.members,
        lambda: datetime.fromtimestamp(clock.now(), zone).date(),
        clock,
        lambda: key.installation,
        site.review.root,
    )
    archive = Archive(
        data=data,
        shelf=shelf,
        notes=notes,
        exports=exports,
        keys=keys,
        enrolment=enrolment,
        key=key,
        ends=EndFile(data / "ends.jsonl", key),
        time=time,
        limits=limits,
    )
    access.lost.listen(lambda person: worker.do(enrolment.sweep))

    voices = access.voices
    desk, times = ClockDesk(time, log, journal.adopted, worker.do, voices), CaseTimes(time)

    def counts() -> Counts:
        return Counts(count_cases(engine), len(access.members), alerts.newest())

    lost = Lost(found.losses, found.witness, found.known)
    safety = SafeMode(lost, found.file, key, found.factors, log, clock, counts, lambda: confirm_restored(data), voices)
    cases = CaseDesk(store, clock, site.retention.hard_limit_days, times, voices, ZoneInfo(site.site.timezone))
    quarantine = QuarantineDesk(store, clock, time.dated, cases.doomed, times, voices)
    probes = [DatabaseProbe("control", engine, CASE_TABLES, clock), DatabaseProbe("alerts", alerts.engine, ALERT_TABLES, clock)]
    placed = SqlOrderStore(engine, log, clock)
    orders = RecordingOrders(site, cells, placed, log, enrolment, key, shelf, clock, worker.do, safety, OwedFile(data / "orders-owed.json"))
    rights = RightsDesk(SqlRightsStore(engine, log), CaseRecordings(cases.store, cases), clock, orders.today, voices)
    office = BackOffice(access, log, cases, quarantine, rights)
    intake = ClipIntake(cases, orders, shelf, log, worker.do)
    shredder = Shredder(archive, office, clock, alerts.drop_clip, safety, reserve)
    cases.doomed.listen(lambda case: worker.do(shredder.work))
    renewal = Renewal(data, place_in(data, server, Database.ALERTS), cases.store, cases, shelf, log, clock, safety)
    stops = StopControl(cells, StopFile(data / "stops.json"), log, clock, worker.do)

    def damage() -> list[str]:
        looked = (*check(engine, *CONTROL_TABLES, deep=True), *check(alerts.engine, ALERT_TABLES, deep=True))
        return [f"{fault.file}: {fault.text}" for fault in looked]

    def redaction_faults() -> int:
        return sum(cell.state is TileState.REDACTION_FAULT for cell in cells.values())

    def close() -> None:
        engine.dispose()
        alerts.close()

    def told_of() -> set[str]:
        return {case.clip for case in store.find(states=sorted(THERE), most=_MOST_CASES)}

    budget, curves = SqlBudgetStore(engine, log), load_curves()
    settings = SqlProposals(engine, log, clock)
    inspected = Inspected(
        office,
        archive,
        alerts,
        chain,
        orders,
        intake,
        renewal,
        redaction_faults,
        safety,
        shredder.stuck,
        budget,
        curves,
        _anchoring(site, data, found, clock),
        LogEnd(log, log_life(site), time, clock, told_of, lambda: safety.on, reserve, (store.forget, placed.drop, settings.drop)),
    )
    recovery = ClipRecovery(cases, quarantine, archive.notes, shelf, log, key.is_own, time.dated)
    keeping = RecordKeeping(site, worker, inspected, recovery, shredder, stops, reserve, close)
    safety.ended.listen(lambda kinds: worker.do(keeping.resume))
    watch = QuarantineWatch(quarantine, log, clock)
    return Records(
        worker,
        office,
        archive,
        chain,
        orders,
        intake,
        renewal,
        shredder,
        watch,
        recovery,
        stops,
        alerts,
        probes,
        inspected,
        keeping,
        desk,
        SoundnessWatch(damage, clock),
        budget,
        settings,
        ReplicaWatch(lambda: replication(engine), clock),
    )


def _access(site: SiteFile, found: Installation, clock: Clock) -> Access:
    engine, log = found.engine, found.log
    accounts = AccountStore(engine, log, clock)
    accounts.take_over([Member(p.id, p.name, frozenset(p.roles), p.trained_until) for p in site.people])
    passwords, tokens = PasswordStore(engine, log, clock), TokenStore(engine, log, clock)
    # A signature that is made for nothing else; while the key is missing, devices are known until the end of the process.
    return Access(accounts, passwords, found.factors, tokens, PreferenceStore(engine), log, clock, found.key.try_sign(_DEVICES) or b"")


def _anchoring(site: SiteFile, data: Path, found: Installation, clock: Clock) -> Anchoring:
    line = WitnessLine(Path(site.audit.witness)) if site.audit.witness else None
    bond = BondFile(data / "anchor.json")
    return Anchoring(line, bond, found.log, found.key, clock, is_signed, site.audit.witness_key or "")


def _sources(clock: Clock) -> Sources:
    """All clocks of this machine; a clock that was handed in stands for all of them."""
    return MachineSources() if isinstance(clock, SystemClock) else ClockSources(clock)
