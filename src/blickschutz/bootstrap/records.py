"""Builds what a site has besides its cameras: databases, keys, shelf, desks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from blickschutz.access.io.accounts import METADATA as ACCOUNT_TABLES
from blickschutz.access.io.accounts import AccountStore
from blickschutz.access.io.factors import METADATA as FACTOR_TABLES
from blickschutz.access.io.factors import FactorStore, TokenStore
from blickschutz.access.io.store import METADATA as PASSWORD_TABLES
from blickschutz.access.io.store import PasswordStore
from blickschutz.access.model import Member
from blickschutz.access.service import Access
from blickschutz.alerts.io.store import SqlAlertStore
from blickschutz.alerts.io.tables import METADATA as ALERT_TABLES
from blickschutz.audit.io.log import METADATA as LOG_TABLES
from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.model import Event
from blickschutz.audit.service import ChainWatch
from blickschutz.config.model import SiteFile
from blickschutz.control.io.orders import METADATA as ORDER_TABLES
from blickschutz.control.io.orders import SqlOrderStore
from blickschutz.control.io.stops import StopFile
from blickschutz.control.service.intake import ClipIntake
from blickschutz.control.service.keeper import CellKeeper
from blickschutz.control.service.keeping import RecordKeeping
from blickschutz.control.service.office import Archive, BackOffice, Inspected
from blickschutz.control.service.orders import RecordingOrders
from blickschutz.control.service.renewal import Renewal
from blickschutz.control.service.requests import CaseRecordings
from blickschutz.control.service.shredding import Shredder, limits_of
from blickschutz.control.service.stops import StopControl
from blickschutz.control.service.worker import Worker
from blickschutz.kernel.clock import Clock
from blickschutz.retention.io.clock import RetentionClock
from blickschutz.retention.io.shelf import ClipShelf
from blickschutz.retention.model import ClockJump
from blickschutz.review.io.store import METADATA as CASE_TABLES
from blickschutz.review.io.store import SqlCaseStore
from blickschutz.review.service import CaseDesk
from blickschutz.rights.io.store import METADATA as RIGHTS_TABLES
from blickschutz.rights.io.store import SqlRightsStore
from blickschutz.rights.service import RightsDesk
from blickschutz.storage.engine import open_engine
from blickschutz.vault.io.files import InstallationKey, KeyFolder, is_signed
from blickschutz.wall.model import TileState

_TABLES = (LOG_TABLES, ACCOUNT_TABLES, FACTOR_TABLES, PASSWORD_TABLES, CASE_TABLES, RIGHTS_TABLES, ORDER_TABLES)


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
    stops: StopControl
    alerts: SqlAlertStore
    inspected: Inspected
    keeping: RecordKeeping


def make_records(site: SiteFile, data: Path, clock: Clock, cells: Mapping[str, CellKeeper]) -> Records:
    """The records of a site in the folder `data`. Nothing runs yet; `cells` is empty for whoever only looks."""
    worker = Worker("records")
    engine = open_engine(data / "control.db", *_TABLES)
    alerts = SqlAlertStore(open_engine(data / "alerts.db", ALERT_TABLES))
    archive = _archive(site, data, clock)
    key, shelf = archive.key, archive.shelf
    log = AuditLog(engine, clock, key.sign, key.public)
    archive.time.on_jump = lambda jump: worker.do(lambda: _log_jump(log, jump))
    chain, access = ChainWatch(log, clock, is_signed), _access(site, engine, log, clock, data)
    cases = CaseDesk(SqlCaseStore(engine, log), clock, site.retention.hard_limit_days)
    placed = SqlOrderStore(engine, log, clock)
    orders = RecordingOrders(site, cells, placed, log, archive.keys, key, shelf, lambda: access.members, clock, worker.do)
    rights = RightsDesk(SqlRightsStore(engine, log), CaseRecordings(cases.store, cases), clock, orders.today)
    office = BackOffice(access, log, cases, rights)
    intake = ClipIntake(cases, orders, shelf, key, log, worker.do)
    shredder = Shredder(archive, cases, log, alerts.drop_clip)
    cases.doomed.listen(lambda case: worker.do(shredder.work))
    renewal = Renewal(data, cases.store, cases, shelf, log, clock)
    stops = StopControl(cells, StopFile(data / "stops.json"), log, clock, worker.do)

    def redaction_faults() -> int:
        return sum(cell.state is TileState.REDACTION_FAULT for cell in cells.values())

    def close() -> None:
        engine.dispose()
        alerts.close()

    inspected = Inspected(office, archive, alerts, chain, orders, intake, renewal, redaction_faults)
    keeping = RecordKeeping(site, worker, inspected, shredder, stops, close)
    return Records(worker, office, archive, chain, orders, intake, renewal, shredder, stops, alerts, inspected, keeping)


def _archive(site: SiteFile, data: Path, clock: Clock) -> Archive:
    exports = data / "exports"
    return Archive(
        data=data,
        shelf=ClipShelf(data / "clips", (exports,)),
        exports=exports,
        keys=KeyFolder(data / "keys" / "reviewers"),
        key=InstallationKey(data / "keys" / "installation.key"),
        time=RetentionClock(data / "retention.clock", clock),
        limits=limits_of(site),
    )


def _access(site: SiteFile, engine: Engine, log: AuditLog, clock: Clock, data: Path) -> Access:
    accounts = AccountStore(engine, log, clock)
    accounts.take_over([Member(p.id, p.name, frozenset(p.roles), p.trained_until) for p in site.people])
    factors = FactorStore(engine, log, clock, data / "keys" / "factors.key")
    return Access(accounts, PasswordStore(engine, log, clock), factors, TokenStore(engine, log, clock), log, clock)


def _log_jump(log: AuditLog, jump: ClockJump) -> None:
    log.write(Event.CLOCK_CHANGED, "system", facts={"seconds": round(jump.seconds, 1)})
