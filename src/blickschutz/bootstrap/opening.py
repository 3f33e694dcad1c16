"""Opens what an installation keeps, whatever of it is missing, and finds out what that is. Nothing that is lost is made anew here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from blickschutz.access.io.accounts import METADATA as ACCOUNT_TABLES
from blickschutz.access.io.factors import METADATA as FACTOR_TABLES
from blickschutz.access.io.factors import FactorStore
from blickschutz.access.io.preferences import METADATA as PREFERENCE_TABLES
from blickschutz.access.io.store import METADATA as PASSWORD_TABLES
from blickschutz.alerts.io.store import SqlAlertStore
from blickschutz.alerts.io.tables import METADATA as ALERT_TABLES
from blickschutz.audit.io.log import METADATA as LOG_TABLES
from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.model import Entry, Event
from blickschutz.backup.model import RESTORED
from blickschutz.budget.io.store import METADATA as BUDGET_TABLES
from blickschutz.control.io.databases import Opened, open_database
from blickschutz.control.io.orders import METADATA as ORDER_TABLES
from blickschutz.control.io.register import METADATA as REGISTER_TABLES
from blickschutz.control.io.witness import WitnessFile
from blickschutz.control.model import FileState, Loss, LossKind, Present, Witness
from blickschutz.control.rules import lost
from blickschutz.kernel.clock import Clock
from blickschutz.retention.io.shelf import ClipShelf
from blickschutz.review.io.store import METADATA as CASE_TABLES
from blickschutz.review.io.store import count_cases
from blickschutz.rights.io.store import METADATA as RIGHTS_TABLES
from blickschutz.settings.io.store import METADATA as SETTINGS_TABLES
from blickschutz.storage.places import Server, place_in
from blickschutz.storage.ports import Database
from blickschutz.vault.io.files import InstallationKey

CONTROL_TABLES = (
    LOG_TABLES,
    ACCOUNT_TABLES,
    FACTOR_TABLES,
    PASSWORD_TABLES,
    CASE_TABLES,
    RIGHTS_TABLES,
    ORDER_TABLES,
    BUDGET_TABLES,
    REGISTER_TABLES,
    PREFERENCE_TABLES,
    SETTINGS_TABLES,
)
TABLES = {Database.CONTROL: CONTROL_TABLES, Database.ALERTS: (ALERT_TABLES,)}


@dataclass(frozen=True, slots=True)
class Installation:
    """What lies in the folder of an installation, opened. `losses` is what of it is missing.

    `known`: whether there is a witness, or was one that the log tells of.
    """

    engine: Engine
    alerts: SqlAlertStore
    key: InstallationKey
    log: AuditLog
    factors: FactorStore
    file: WitnessFile
    witness: Witness | None
    losses: tuple[Loss, ...]
    known: bool


def open_installation(
    data: Path, shelf: ClipShelf, exports: Path, clock: Clock, *, repair: bool, server: Server | None = None
) -> Installation:
    """See `control.io.databases.open_database` for `repair`, and for what is raised. Without `server` the databases are files in `data`."""
    key = InstallationKey(data / "keys" / "installation.key", create=False)
    file = WitnessFile(data / "witness.json", key)
    witness = file.read()
    control = open_database(place_in(data, server, Database.CONTROL), CONTROL_TABLES, repair=repair)
    alerts_file = open_database(place_in(data, server, Database.ALERTS), (ALERT_TABLES,), repair=repair)
    alerts = SqlAlertStore(alerts_file.engine)
    log = AuditLog(control.engine, clock, key.try_sign, b"")
    lived = bool(shelf.clips()) or any(exports.glob("*.tar.age"))
    fresh = witness is None and not file.damaged and log.state()[0] == 0 and not lived
    _know_key(key, witness, log, fresh=fresh)
    factors = _factors(control.engine, log, clock, data / "keys" / "factors.key", witness)
    present = _present(control, alerts_file, alerts, key, log, factors, witness, lived=lived, restored=(data / RESTORED).exists())
    losses = lost(present, witness, damaged=file.damaged)
    if control.state is FileState.DAMAGED and repair:
        # At once: the rescued database is sound, and only its log knows from now on that it is not whole.
        for loss in losses:
            log.write(Event.LOSS_FOUND, "system", facts={"kind": loss.kind.value, **loss.facts})
    return Installation(control.engine, alerts, key, log, factors, file, witness, losses, witness is not None or present.told)


def _know_key(key: InstallationKey, witness: Witness | None, log: AuditLog, *, fresh: bool) -> None:
    """Whose key it is: by the witness, else by what the log says of keys that were replaced. Only a fresh installation gets one."""
    replaced = [entry for entry, _ in log.find(event=Event.KEY_REPLACED, most=1000)]
    if fresh and not key.whole and not key.damaged:
        key.renew()
    elif witness is not None:
        former = {bytes.fromhex(one) for one in witness.former} | _keys(replaced, "before")
        key.continue_as(bytes.fromhex(witness.public_key), witness.installation, former)
    elif replaced:
        (newest,) = _keys(replaced[:1], "now")
        key.continue_as(newest, str(replaced[-1].facts["installation"]), _keys(replaced, "before"))
    log.public = key.public


def _keys(replaced: Sequence[Entry], name: str) -> set[bytes]:
    return {bytes.fromhex(str(entry.facts[name])) for entry in replaced} - {b""}


def _factors(engine: Engine, log: AuditLog, clock: Clock, path: Path, witness: Witness | None) -> FactorStore:
    """Its key is made only where nothing was ever sealed under one."""
    store = FactorStore(engine, log, clock, path, create=False)
    had = bool(store.counts()) or (witness is not None and witness.factors != "")
    return store if store.whole or store.damaged or had else FactorStore(engine, log, clock, path)


def _present(
    control: Opened,
    alerts_file: Opened,
    alerts: SqlAlertStore,
    key: InstallationKey,
    log: AuditLog,
    factors: FactorStore,
    witness: Witness | None,
    *,
    lived: bool,
    restored: bool,
) -> Present:
    number, _, point = log.state()
    rescued = _rescued(log)
    started = log.find(event=Event.SYSTEM_STARTED, most=1)
    return Present(
        control=FileState.DAMAGED if rescued is not None and control.state is FileState.WHOLE else control.state,
        alerts_file=alerts_file.state,
        key=_state(key.whole or bool(key.other), key.damaged),
        factors_file=_state(factors.whole, factors.damaged),
        number=number,
        hash_then=log.hash_of(witness.number) if witness is not None else "",
        cases=count_cases(control.engine),
        alerts=alerts.newest(),
        lived=lived,
        told=bool(started and started[0][0].facts.get("witness")),
        signed=point is not None,
        public_key=(key.other or key.public).hex() if key.whole or key.other else "",
        factors=factors.fingerprint,
        factor_rows=bool(factors.counts()),
        restored=restored,
        aside={"control.db": control.aside or rescued or "", "alerts.db": alerts_file.aside},
    )


def _rescued(log: AuditLog) -> str | None:
    """The name of the damaged file from which this database was rescued, as long as nobody accepted what is missing; None without."""
    for entry, _ in log.find(event=Event.LOSS_FOUND, most=100):
        if entry.facts.get("kind") == LossKind.DATABASE_DAMAGED.value:
            accepted = log.find(event=Event.LOSS_ACCEPTED, most=1)
            return str(entry.facts.get("aside", "")) if not accepted or accepted[0][0].number < entry.number else None
    return None


def _state(whole: bool, damaged: bool) -> FileState:
    return FileState.WHOLE if whole else FileState.DAMAGED if damaged else FileState.MISSING
