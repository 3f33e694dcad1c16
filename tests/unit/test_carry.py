"""Rows from files to a server and back: a site that moves to a server, and the backup of one that is there."""

from __future__ import annotations

import dataclasses
import random
import threading

import pytest

from blickschutz.audit.io.log import METADATA, AuditLog
from blickschutz.audit.model import Event
from blickschutz.audit.rules import verify
from blickschutz.backup.io.bring import restore
from blickschutz.backup.io.container import look
from blickschutz.backup.io.make import make_backup, size_of
from blickschutz.backup.io.restore import unseal
from blickschutz.bootstrap.opening import TABLES
from blickschutz.kernel.errors import OperatorError
from blickschutz.storage.engine import check, fill, open_engine, take_out
from blickschutz.storage.places import ServerPlace
from blickschutz.storage.ports import Database
from blickschutz.storage.snapshot import faults, rows
from blickschutz.vault.io.files import InstallationKey, is_signed
from tests.fakes.clock import ManualClock
from tests.faults.house import PICTURE, WORDS, DataHouse, dump
from tests.postgres import OWNER, SERVICE

TWO = {person: WORDS[person] for person in ("kvd-1", "kvd-2")}


@pytest.fixture
def moved(cluster, tmp_path):
    """A house whose rows were in files, and are on a server now; what the files had in them."""
    house = DataHouse(tmp_path / "old/data", ManualClock())
    house.fill()
    house.close()
    sources = {one: house.folder / f"{one.value}.db" for one in Database}
    before = {one: dump(source) for one, source in sources.items()}
    name = cluster.fresh()
    count = fill(cluster.place(name, user=OWNER).server, SERVICE, sources, TABLES)
    return house, cluster.place(name).server, before, count


def test_every_row_comes_and_a_backup_brings_every_row_but_pictures_back(moved, tmp_path):
    house, server, before, count = moved
    assert count > 20
    for one in Database:
        engine = open_engine(ServerPlace(server, one), *TABLES[one])
        assert check(engine, *TABLES[one], deep=True) == [], "guards and references are as after `database prepare`"
        engine.dispose()
        (house.folder / f"{one.value}.db").unlink()
    plan = dataclasses.replace(house.plan, server=server)
    assert size_of(plan) > 1_000_000
    made = make_backup(plan, tmp_path / "a.backup", house.clock)
    outer = look(made.path, is_signed, "en")
    manifest, found = restore(outer, unseal(outer, TWO, "en"), tmp_path / "new", None, is_signed, ManualClock(5000), "en")
    assert (manifest.log_number > 0, found.cases > 0) == (True, True)
    for one in Database:
        after = dump(tmp_path / "new" / f"{one.value}.db")
        assert faults(tmp_path / "new" / f"{one.value}.db") == []
        for table, known in before[one].items():
            if table.startswith("log"):
                assert set(map(repr, known)) <= set(map(repr, after[table])), "and that it was restored"
            elif table != "sqlite_sequence":
                assert after[table] == known, table
    assert PICTURE not in (tmp_path / "new" / "alerts.db").read_bytes()


def test_numbers_that_were_given_out_stay_given_out(moved, tmp_path):
    house, server, _, _ = moved
    given = dict(rows(house.folder / "control.db", "SELECT name, seq FROM sqlite_sequence"))
    assert given
    engine = open_engine(ServerPlace(server, Database.CONTROL), METADATA)
    with engine.connect() as connection:
        for table, last in given.items():
            query = f"SELECT pg_sequence_last_value(pg_get_serial_sequence('control.{table}', 'id')::regclass)"
            assert connection.exec_driver_sql(query).scalar_one() == last, table
    engine.dispose()
    targets = {one: tmp_path / f"{one.value}.db" for one in Database}
    take_out(server, targets, lambda one: lambda table, types: False)
    assert dict(rows(targets[Database.CONTROL], "SELECT name, seq FROM sqlite_sequence")) == given


def test_only_an_empty_database_is_filled(moved):
    house, server, _, _ = moved
    sources = {one: house.folder / f"{one.value}.db" for one in Database}
    with pytest.raises(OperatorError, match="only an empty database is filled"):
        fill(dataclasses.replace(server, user=OWNER), SERVICE, sources, TABLES)


def test_what_is_taken_out_is_one_moment_of_both_while_others_write(moved, tmp_path):
    """Each entry of the log is written before its count in the other database: no copy knows a count without its entry."""
    house, server, _, _ = moved
    key = InstallationKey(house.folder / "keys/installation.key")
    engines = [open_engine(ServerPlace(server, one), *TABLES[one]) for one in Database]
    log, ended, written = AuditLog(engines[0], ManualClock(), key.sign, key.public), threading.Event(), []

    def write():
        while not ended.is_set():
            written.append(log.write(Event.CASE_SEEN, "kvd-1", "while it was copied"))

    thread = threading.Thread(target=write)
    thread.start()
    chance = random.Random(1)
    try:
        for number in range(3):
            while len(written) < 3 * (number + 1):
                thread.join(chance.random() * 0.05)
            targets = {one: tmp_path / f"{number}-{one.value}.db" for one in Database}
            take_out(server, targets, lambda one: lambda table, types: False)
            copied = open_engine(targets[Database.CONTROL], METADATA)
            assert list(verify(AuditLog(copied, ManualClock(), key.sign, key.public).export(), is_signed, key.public)) == []
            copied.dispose()
    finally:
        ended.set()
        thread.join(30)
        for engine in engines:
            engine.dispose()
