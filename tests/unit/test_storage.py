"""Databases: what holds of every commit, what a bad file or a busy neighbour becomes, how an older one is upgraded."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import MetaData, create_engine, event, insert, select
from sqlalchemy.exc import IntegrityError

from blickschutz.access.io.store import passwords
from blickschutz.alerts.io.tables import METADATA as ALERT_TABLES
from blickschutz.alerts.io.tables import moments
from blickschutz.audit.io.log import METADATA as LOG_TABLES
from blickschutz.bootstrap.opening import CONTROL_TABLES
from blickschutz.kernel.errors import (
    FaultError,
    OperatorError,
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreUnreachableError,
)
from blickschutz.storage import upgrade
from blickschutz.storage.engine import check, copy, forget, open_engine, writing
from blickschutz.storage.ports import Database, FaultKind
from tests import forms

TABLES = {Database.CONTROL: CONTROL_TABLES, Database.ALERTS: (ALERT_TABLES,)}
ROW = {"person": "kvd-1", "hash": "h", "changed": 1.0}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "control.db"


@pytest.fixture
def engine(path):
    engine = open_engine(path, *CONTROL_TABLES)
    yield engine
    engine.dispose()


def other_process(path):
    """How many passwords another process reads, which then lets go of the database."""
    program = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); print(c.execute('SELECT count(*) FROM passwords').fetchone()[0]); c.close()"
    )
    return int(subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, timeout=30, check=True).stdout)


def test_who_comes_and_goes_takes_no_journal_along(engine, path):
    """Opened once more in this process, then by another: what is written after that must not go into a file that is gone."""
    put(engine)
    again = open_engine(path, *CONTROL_TABLES)
    assert other_process(path) == 1
    again.dispose()
    assert other_process(path) == 1
    put(engine, person="kvd-2")
    assert other_process(path) == 2


def raw(path):
    return closing(sqlite3.connect(path, isolation_level=None))


def put(engine, **values):
    with writing(engine) as connection:
        connection.execute(insert(passwords), {**ROW, **values})


def people(engine):
    with engine.connect() as connection:
        return sorted(connection.execute(select(passwords.c.person)).scalars())


class TestPromises:
    """What holds of every connection, asked of the connections that the stores get."""

    @pytest.mark.parametrize(("name", "value"), [("synchronous", 2), ("secure_delete", 1), ("journal_mode", "wal"), ("foreign_keys", 1)])
    def test_every_connection_keeps_them(self, engine, name, value):
        with engine.connect() as reader, writing(engine) as writer:
            for connection in (reader, writer):
                assert connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() == value

    def test_no_byte_of_a_deleted_row_is_left_in_any_file(self, engine, path):
        secret = "leave-no-byte-of-this" * 5
        put(engine, hash=secret)
        forget(engine)
        assert secret.encode() in path.read_bytes()
        with writing(engine) as connection:
            connection.execute(passwords.delete())
        forget(engine)
        left = [one.name for one in path.parent.iterdir() if secret.encode() in one.read_bytes()]
        assert left == []

    def test_what_somebody_still_reads_is_told_and_not_forgotten(self, engine):
        put(engine)
        with engine.connect() as reader:
            reader.execute(select(passwords)).all()
            with writing(engine) as connection:
                connection.execute(passwords.delete())
            with pytest.raises(StoreBusyError, match="journal"):
                forget(engine)
        forget(engine)

    def test_only_the_owner_reads_files_and_folder(self, engine, path):
        put(engine)
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert {one.name: f"{one.stat().st_mode & 0o777:o}" for one in path.parent.iterdir()} == {
            "control.db": "600",
            "control.db-wal": "600",
            "control.db-shm": "600",
        }

    def test_files_that_an_older_version_made_for_everybody_are_closed(self, engine, path):
        engine.dispose()
        path.chmod(0o644)
        open_engine(path, *CONTROL_TABLES).dispose()
        assert path.stat().st_mode & 0o777 == 0o600


class TestBusy:
    def test_a_writer_is_told_soon_and_a_reader_does_not_wait(self, engine, path):
        put(engine)
        with raw(path) as other:
            other.execute("BEGIN IMMEDIATE")
            begun = time.monotonic()
            assert people(engine) == ["kvd-1"]
            assert time.monotonic() - begun < 0.9
            with pytest.raises(StoreBusyError, match="try again"):
                put(engine, person="kvd-2")
            assert 1.0 < time.monotonic() - begun < 5.0
            other.execute("ROLLBACK")
        put(engine, person="kvd-2")
        assert people(engine) == ["kvd-1", "kvd-2"]

    def test_nobody_writes_between_what_a_writer_reads_and_what_it_writes(self, engine, path):
        put(engine)
        with raw(path) as other:
            other.execute("PRAGMA busy_timeout=0")
            with writing(engine) as connection:
                assert connection.execute(select(passwords.c.person)).scalars().all() == ["kvd-1"]
                with pytest.raises(sqlite3.OperationalError, match="locked"):
                    other.execute("BEGIN IMMEDIATE")
            other.execute("BEGIN IMMEDIATE")

    def test_readers_do_not_wait_however_many_writers_do(self, engine, path):
        put(engine)
        told = []

        def write(number):
            begun = time.monotonic()
            try:
                put(engine, person=f"kvd-{number}")
            except StoreBusyError:
                told.append(time.monotonic() - begun)

        threads = [threading.Thread(target=write, args=(number,)) for number in range(10, 40)]
        with raw(path) as other:
            other.execute("BEGIN IMMEDIATE")
            for thread in threads:
                thread.start()
            begun = time.monotonic()
            for _ in range(20):
                assert people(engine) == ["kvd-1"]
            assert time.monotonic() - begun < 10, "one wait for each would be thirty seconds"
            for thread in threads:
                thread.join()
            other.execute("ROLLBACK")
        assert len(told) == len(threads)
        assert max(told) < 5.0

    def test_many_who_write_at_once_all_get_their_turn(self, engine):
        threads = [threading.Thread(target=put, args=(engine,), kwargs={"person": f"p-{number}"}) for number in range(60)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(people(engine)) == len(threads)


class TestFaults:
    def test_a_whole_database_has_none(self, engine):
        put(engine)
        assert check(engine, *CONTROL_TABLES) == check(engine, *CONTROL_TABLES, deep=True) == []

    def test_a_damaged_page_is_found_and_named(self, engine, path):
        for number in range(400):
            put(engine, person=f"p-{number}", hash="x" * 128)
        forget(engine)
        engine.dispose()
        data = bytearray(path.read_bytes())
        middle = data.rindex(b"x" * 128)
        start = middle - middle % 4096
        data[start : start + 4096] = b"\xff" * 4096
        path.write_bytes(data)
        again = open_engine(path, *CONTROL_TABLES)
        faults = check(again, *CONTROL_TABLES)
        assert {fault.kind for fault in faults} == {FaultKind.DAMAGED}
        assert {fault.file for fault in faults} == {"control.db"}
        with pytest.raises(StoreDamagedError, match="restore it from a backup"), again.connect() as connection:
            connection.execute(select(passwords)).all()
        again.dispose()

    def test_an_index_that_lacks_a_row_is_found_by_the_deep_check(self, engine, path):
        put(engine)
        with raw(path) as other:
            root = other.execute("SELECT rootpage FROM sqlite_master WHERE name = 'sqlite_autoindex_passwords_1'").fetchone()[0]
            other.execute("PRAGMA writable_schema=ON")
            other.execute("UPDATE sqlite_master SET rootpage = ? WHERE name = 'sqlite_autoindex_tokens_1'", (root,))
        engine.dispose()
        again = open_engine(path, *CONTROL_TABLES)
        assert FaultKind.DAMAGED in {fault.kind for fault in check(again, deep=True)}
        again.dispose()

    def test_a_row_that_refers_to_nothing_is_found(self, tmp_path):
        engine = open_engine(tmp_path / "alerts.db", ALERT_TABLES)
        with raw(tmp_path / "alerts.db") as other:
            other.execute("INSERT INTO alert_moments VALUES (7, x'00')")
        assert [fault.kind for fault in check(engine, ALERT_TABLES)] == [FaultKind.REFERENCES]
        engine.dispose()

    def test_a_log_that_lost_its_guard_is_found_and_guarded_again_at_the_next_start(self, engine, path):
        with raw(path) as other:
            other.execute("DROP TRIGGER log_no_delete")
        assert [(fault.kind, fault.text) for fault in check(engine, *CONTROL_TABLES)] == [
            (FaultKind.UNGUARDED, "rows of log could be changed or removed")
        ]
        engine.dispose()
        again = open_engine(path, *CONTROL_TABLES)
        assert check(again, *CONTROL_TABLES) == []
        again.dispose()

    def test_the_check_of_a_file_that_is_no_database_raises_nothing(self, engine, path):
        engine.dispose()
        for end in ("-wal", "-shm"):
            path.with_name(path.name + end).unlink(missing_ok=True)
        path.write_bytes(b"no database at all " * 500)
        assert [fault.kind for fault in check(engine)] == [FaultKind.DAMAGED]
        with pytest.raises(StoreDamagedError, match="no database"):
            open_engine(path, *CONTROL_TABLES)

    def test_what_was_opened_while_the_disk_took_nothing_is_opened_anew_once_it_does(self, engine, path):
        """SQLite opens for reading what it cannot open for writing, and keeps it so."""
        takes = [False]

        @event.listens_for(engine, "do_connect")
        def _open(dialect, record, args, params):
            return None if takes[0] else sqlite3.connect(f"file:{path}?mode=ro", uri=True, check_same_thread=False)

        with engine.connect():  # was open before; the next two are opened now
            with engine.connect(), engine.connect():
                pass
            with pytest.raises(StoreUnreachableError), writing(engine) as connection:
                connection.execute(insert(passwords).values(ROW))
            takes[0] = True
            with writing(engine) as connection:
                connection.execute(insert(passwords).values(ROW))

    def test_a_folder_that_cannot_be_made_is_told_with_its_name(self, tmp_path):
        (tmp_path / "data").write_text("a file, and no folder")
        with pytest.raises(StoreUnreachableError, match=r"control\.db: the file cannot be opened"):
            open_engine(tmp_path / "data" / "control.db", *CONTROL_TABLES)

    def test_a_broken_rule_of_a_table_stays_what_it_is(self, engine):
        put(engine)
        with pytest.raises(IntegrityError):
            put(engine)


class TestMigrations:
    @pytest.mark.parametrize("database", list(Database))
    def test_tables_and_migrations_agree(self, tmp_path, database):
        """Who adds a column or an index adds a step to `storage/migrations/`, or an older folder would not have it."""
        engine = open_engine(tmp_path / "x.db", *TABLES[database])
        wanted = MetaData()
        for part in TABLES[database]:
            for table in part.tables.values():
                table.to_metadata(wanted)
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
            assert compare_metadata(context, wanted) == []
        engine.dispose()

    @pytest.mark.parametrize("database", list(Database))
    def test_there_is_one_line_of_steps(self, database):
        known = upgrade.revisions(database)
        assert known[0] == "0001"
        assert list(known) == sorted(known)

    @pytest.mark.parametrize("database", list(Database))
    def test_what_is_newer_is_refused_with_the_way_back_and_left_as_it_is(self, tmp_path, database):
        path = tmp_path / f"{database}.db"
        open_engine(path, *TABLES[database]).dispose()
        with raw(path) as other:
            other.execute("UPDATE alembic_version SET version_num = '9999'")
        before = path.read_bytes()
        with pytest.raises(OperatorError, match=r"newer version of Blickschutz.*9999.*Install that version"):
            open_engine(path, *TABLES[database])
        assert path.read_bytes() == before

    def test_a_database_of_nobody_knows_what_is_refused(self, path):
        path.parent.mkdir()
        with raw(path) as other:
            other.execute("CREATE TABLE cases (id INTEGER PRIMARY KEY, clip TEXT, colour TEXT)")
        with pytest.raises(OperatorError, match="its table cases is not as any of them made it"):
            open_engine(path, *CONTROL_TABLES)

    def test_what_was_made_without_a_mark_on_the_way_to_a_release_is_taken_over(self, path):
        """Some tables of a later step, none altered: as somebody has it who ran a state in between."""
        open_engine(path, *CONTROL_TABLES).dispose()
        with raw(path) as other:
            other.execute("DROP TABLE alembic_version")
            for table in ("cases", "requests", "duties"):
                other.execute(f"ALTER TABLE {table} DROP COLUMN version")
            other.execute("INSERT INTO recording_orders VALUES (7, 'nord', 'given', 0.0, '{}')")
        engine = open_engine(path, *CONTROL_TABLES)
        with engine.connect() as connection:
            assert upgrade.row_counts(connection)["recording_orders"] == 1
        assert check(engine, *CONTROL_TABLES, deep=True) == []
        engine.dispose()

    def test_tables_of_two_databases_are_not_opened_together(self, tmp_path):
        with pytest.raises(FaultError, match=r"alerts.*control"):
            open_engine(tmp_path / "x.db", LOG_TABLES, ALERT_TABLES)


@pytest.fixture
def old(tmp_path):
    """A database of a release before there were marks, with rows."""
    path = tmp_path / "alerts.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        upgrade._run(connection, Database.ALERTS, upgrade.revisions(Database.ALERTS)[0])
        row = "'a', 'k', '', 'analysis', 'raised', 1, 1, 1, '{}', 'null', '', 0, 0"
        names = "camera, kind, zone, origin, state, taken, raised, confidence, figures, box, note, has_clip, record_ordered"
        for number in range(1, 30):
            connection.exec_driver_sql(f"INSERT INTO alerts (id, {names}) VALUES ({number}, {row})")
            connection.execute(insert(moments), {"alert": number, "data": b"REDACTED SECONDS" * 50})
    engine.dispose()
    with raw(path) as other:
        other.execute("DROP TABLE alembic_version")
        other.execute("DROP TABLE alert_clips")
        other.execute("DELETE FROM alert_moments WHERE alert > 3")
    return path


def copies(path):
    return sorted(one.name for one in path.parent.iterdir() if ".before-" in one.name)


class TestUpgrade:
    def test_an_older_one_is_upgraded_and_nothing_of_the_copy_is_left(self, old):
        engine = open_engine(old, ALERT_TABLES)
        with engine.connect() as connection:
            assert upgrade.mark_of(connection) == upgrade.revisions(Database.ALERTS)[-1]
            counts = upgrade.row_counts(connection)
        engine.dispose()
        assert (counts["alerts"], counts["alert_moments"], counts["alert_clips"]) == (29, 3, 0)
        assert copies(old) == []

    def test_the_copy_is_there_before_anything_is_altered(self, old, monkeypatch):
        seen = []
        run = upgrade._run

        def look(connection, database, target="head"):
            if target == "head":
                (copied,) = copies(old)
                with raw(old.with_name(copied)) as other:
                    seen.append(other.execute("SELECT count(*) FROM alerts").fetchone()[0])
                assert old.with_name(copied).stat().st_mode & 0o777 == 0o600
            run(connection, database, target)

        monkeypatch.setattr(upgrade, "_run", look)
        open_engine(old, ALERT_TABLES).dispose()
        assert seen == [29]

    def test_a_step_that_fails_leaves_the_database_as_it_was(self, old, monkeypatch):
        run = upgrade._run

        def fail(connection, database, target="head"):
            run(connection, database, target)
            if target == "head":
                raise RuntimeError("in the middle")

        monkeypatch.setattr(upgrade, "_run", fail)
        with pytest.raises(RuntimeError):
            open_engine(old, ALERT_TABLES)
        with raw(old) as other:
            names = {name for (name,) in other.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert not names & {"alembic_version", "alert_clips"}
        monkeypatch.undo()
        engine = open_engine(old, ALERT_TABLES)
        assert check(engine, ALERT_TABLES, deep=True) == []
        engine.dispose()
        assert copies(old) == []

    def test_a_step_that_would_lose_rows_is_undone(self, old, monkeypatch):
        run = upgrade._run

        def lose(connection, database, target="head"):
            run(connection, database, target)
            if target == "head":
                connection.execute(moments.delete().where(moments.c.alert == 2))

        monkeypatch.setattr(upgrade, "_run", lose)
        with pytest.raises(FaultError, match=r"would lose rows.*alert_moments"):
            open_engine(old, ALERT_TABLES)
        with raw(old) as other:
            assert other.execute("SELECT count(*) FROM alert_moments").fetchone()[0] == 3

    def test_a_copy_that_a_crash_left_ends_once_the_database_is_proven(self, old):
        open_engine(old, ALERT_TABLES).dispose()
        left = old.with_name("alerts.db.before-0001")
        left.write_bytes(b"rows of before")
        open_engine(old, ALERT_TABLES).dispose()
        assert not left.exists()

    def test_a_copy_stays_and_is_named_where_the_upgraded_database_is_damaged(self, old):
        engine = open_engine(old, ALERT_TABLES)
        forget(engine)
        engine.dispose()
        left = old.with_name("alerts.db.before-0001")
        left.write_bytes(b"rows of before")
        data = bytearray(old.read_bytes())
        middle = data.index(b"REDACTED SECONDS")
        start = middle - middle % 4096
        data[start : start + 4096] = b"\xff" * 4096
        old.write_bytes(data)
        with pytest.raises(StoreDamagedError, match=r"alerts\.db\.before-0001 in its place"):
            open_engine(old, ALERT_TABLES)
        assert left.read_bytes() == b"rows of before"

    def test_one_who_writes_meanwhile_hinders_the_upgrade_and_nothing_else(self, old):
        with raw(old) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreBusyError):
                open_engine(old, ALERT_TABLES)
            other.execute("ROLLBACK")
        assert copies(old) == []
        open_engine(old, ALERT_TABLES).dispose()


class TestCopy:
    def test_it_is_whole_while_others_write_and_only_its_owner_reads_it(self, engine, path, tmp_path):
        put(engine)
        target = tmp_path / "copy.db"
        with writing(engine) as connection:
            connection.execute(insert(passwords), {**ROW, "person": "later"})
            counts = copy(engine, target)
        assert counts["passwords"] == 1
        assert target.stat().st_mode & 0o777 == 0o600
        opened = open_engine(target, *CONTROL_TABLES)
        assert people(opened) == ["kvd-1"]
        assert check(opened, *CONTROL_TABLES, deep=True) == []
        opened.dispose()

    def test_no_file_is_written_over(self, engine, tmp_path):
        target = tmp_path / "copy.db"
        target.write_text("somebody's")
        with pytest.raises(FileExistsError):
            copy(engine, target)
        assert target.read_text() == "somebody's"

    def test_a_damaged_database_gives_no_copy(self, engine, path, tmp_path):
        for number in range(400):
            put(engine, person=f"p-{number}", hash="x" * 128)
        forget(engine)
        engine.dispose()
        data = bytearray(path.read_bytes())
        middle = data.rindex(b"x" * 128)
        data[middle - middle % 4096 : middle - middle % 4096 + 4096] = b"\xff" * 4096
        path.write_bytes(data)
        with pytest.raises(StoreError, match="damaged"):
            copy(engine, tmp_path / "copy.db")
        assert list(tmp_path.glob("copy*")) == []
        engine.dispose()


@pytest.mark.parametrize("database", list(Database))
def test_the_form_that_tests_keep_is_the_one_that_the_steps_make(database, tmp_path, monkeypatch):
    def made(name):
        engine = open_engine(tmp_path / name, *TABLES[database])
        with engine.connect() as connection:
            form = sorted(tuple(row) for row in connection.exec_driver_sql("SELECT type, name, tbl_name, sql FROM sqlite_master"))
            rows = {name: sorted(connection.exec_driver_sql(f'SELECT * FROM "{name}"')) for kind, name, _, _ in form if kind == "table"}
        engine.dispose()
        return form, rows

    kept = [made("first.db"), made("second.db")]
    monkeypatch.setattr(upgrade, "_run", forms.real)
    assert kept == [made("real.db")] * 2
    assert len(kept[0][0]) > 3
