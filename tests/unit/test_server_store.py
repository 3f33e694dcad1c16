"""What PostgreSQL alone has: two roles, a server that may be away, several processes, and files that are not ours."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from blickschutz.audit.io.log import METADATA, AuditLog
from blickschutz.audit.model import Event
from blickschutz.audit.rules import verify
from blickschutz.kernel.errors import OperatorError, StoreBusyError, StoreError, StoreUnreachableError
from blickschutz.storage.engine import check, forget, open_engine, writing
from blickschutz.storage.places import Server, ServerPlace, read_server
from blickschutz.storage.ports import Database
from blickschutz.vault.io.files import InstallationKey, is_signed
from tests.conftest import ROOT
from tests.fakes.clock import ManualClock

LOG_TABLES = ("log", "log_erased", "log_checkpoints")
# Seconds within which a page is answered or refused; a machine under load gets some more here.
SOON_S = 2.0 + 3.0


class Site:
    def __init__(self, cluster, folder):
        self.cluster, self.name = cluster, cluster.fresh()
        self.key = InstallationKey(folder / "installation.key")
        self.place = cluster.place(self.name)
        self.engine = open_engine(self.place, METADATA)
        self.log = AuditLog(self.engine, ManualClock(), self.key.sign, self.key.public)

    def write(self, subject="x", engine=None):
        log = self.log if engine is None else AuditLog(engine, ManualClock(), self.key.sign, self.key.public)
        return log.write(Event.CASE_SEEN, "kvd-1", subject)

    def faults(self):
        """What a verifier finds, but for that what is erased here was young."""
        return [one for one in verify(self.log.export(), is_signed, self.key.public) if "younger" not in one.text]

    def sql(self, *statements, user):
        return self.cluster.sql(*statements, database=self.name, user=user)


@pytest.fixture
def site(cluster, tmp_path):
    site = Site(cluster, tmp_path)
    yield site
    site.engine.dispose()


class TestAddress:
    def test_a_host_and_a_socket(self):
        assert read_server("postgresql://blickschutz@db.example:5433/site") == Server("db.example", 5433, "site", "blickschutz")
        assert read_server("postgresql://blickschutz@/site?host=/run/postgresql") == Server("/run/postgresql", 5432, "site", "blickschutz")

    @pytest.mark.parametrize(
        "address",
        [
            "postgresql://blickschutz:secret@db/site",
            "postgresql://blickschutz@db/site?sslmode=disable",
            "postgresql://blickschutz@db/site?host=/run",
            "postgresql://blickschutz@/site?host=run",
            "postgresql://blickschutz@/site",
            "postgresql://db/site",
            "postgresql://blickschutz@db/",
            "postgresql://blickschutz@db:0/site",
            "postgresql://blickschutz@db:99999/site",
            "postgresql://blickschutz@d b/site",
            "postgres://blickschutz@db/site",
            "postgresql://[::1/site",
            "sqlite:///x",
            "",
        ],
    )
    def test_nothing_else(self, address):
        assert read_server(address) is None

    def test_a_password_is_in_no_text(self):
        assert "geheim" not in repr(ServerPlace(Server("db", 1, "n", "u", "geheim"), Database.CONTROL))


class TestGuard:
    @pytest.mark.parametrize("table", LOG_TABLES)
    @pytest.mark.parametrize("statement", ["DELETE FROM control.{}", "TRUNCATE control.{}", "UPDATE control.{} SET hash = ''"])
    def test_neither_service_nor_owner_changes_the_log(self, site, table, statement):
        site.write()
        site.write()
        site.log.erase([1], 24)
        for user in ("blickschutz", "blickschutz_owner"):
            with pytest.raises(Exception, match=r"permission denied|append only|read-only"):
                site.sql("SET default_transaction_read_only = off", statement.format(table), user=user)
        with pytest.raises(IntegrityError), writing(site.engine) as connection:
            connection.execute(text(statement.format(table)))
        assert site.faults() == []

    def test_only_what_is_erased_is_let_go(self, site):
        for _ in range(3):
            site.write()
        with pytest.raises(IntegrityError, match="append only"), writing(site.engine) as connection:
            connection.execute(text("SELECT log_let_go(ARRAY[2])"))
        site.log.erase([2], 24)
        assert [entry.number for entry, _ in site.log.find()] == [4, 3, 1]
        assert site.faults() == []

    @pytest.mark.parametrize(
        "weakened",
        [
            "DROP TRIGGER log_no_update ON log",
            "ALTER TABLE log DISABLE TRIGGER log_no_delete",
            "ALTER TABLE log_erased ENABLE REPLICA TRIGGER log_erased_no_insert",
            "CREATE OR REPLACE FUNCTION log_no_delete() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
            "GRANT UPDATE ON log_checkpoints TO blickschutz",
            "GRANT ALL ON log TO PUBLIC",
        ],
    )
    def test_a_guard_that_is_weaker_is_named_and_no_start_goes_on_without_it(self, site, weakened):
        assert check(site.engine, METADATA, deep=True) == []
        site.sql("SET search_path = control", weakened, user="blickschutz_owner")
        (fault,) = check(site.engine, METADATA)
        assert fault.file == "control (PostgreSQL)"
        assert "could be changed or removed" in fault.text
        with pytest.raises(OperatorError, match="blickschutz database prepare"):
            open_engine(site.place, METADATA)

    def test_the_owner_and_whoever_can_become_it_are_no_service(self, site):
        for user in ("blickschutz_owner", "postgres"):
            with pytest.raises(OperatorError, match="may do too much"):
                open_engine(site.cluster.place(site.name, user=user), METADATA)
        site.cluster.sql("CREATE ROLE sly LOGIN NOINHERIT IN ROLE blickschutz_owner, blickschutz")
        site.sql("GRANT USAGE ON SCHEMA control TO sly", "GRANT SELECT ON ALL TABLES IN SCHEMA control TO sly", user="postgres")
        with pytest.raises(OperatorError, match="may do too much"):
            open_engine(site.cluster.place(site.name, user="sly"), METADATA)

    def test_nobody_writes_who_has_not_the_right_to_write(self, site):
        with pytest.raises(Exception, match="read-only"), site.engine.connect() as connection:
            connection.execute(text("INSERT INTO log_erased VALUES (1, '', 2)"))


class TestVersions:
    def test_an_empty_database_and_an_older_one_wait_for_their_owner(self, site):
        site.cluster.sql(f"CREATE DATABASE {site.name}_empty OWNER blickschutz_owner")
        with pytest.raises((OperatorError, StoreUnreachableError), match="blickschutz database prepare"):
            open_engine(site.cluster.place(f"{site.name}_empty"), METADATA)
        site.sql("UPDATE control.alembic_version SET version_num = '0003'", user="blickschutz_owner")
        with pytest.raises(OperatorError, match="older version"):
            open_engine(site.place, METADATA)

    def test_a_newer_one_is_refused(self, site):
        site.sql("UPDATE control.alembic_version SET version_num = '9999'", user="blickschutz_owner")
        with pytest.raises(OperatorError, match="newer version"):
            open_engine(site.place, METADATA)


WRITER = """
import sys
from pathlib import Path
from blickschutz.audit.io.log import METADATA, AuditLog
from blickschutz.audit.model import Event
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import StoreBusyError
from blickschutz.storage.engine import open_engine
from blickschutz.storage.places import Server, ServerPlace
from blickschutz.storage.ports import Database
from blickschutz.vault.io.files import InstallationKey

folder, name, who, key = sys.argv[1:]
engine = open_engine(ServerPlace(Server(folder, 5432, name, "blickschutz"), Database.CONTROL), METADATA)
signing = InstallationKey(Path(key))
log = AuditLog(engine, SystemClock(), signing.sign, signing.public)
print("ready", flush=True)
sys.stdin.readline()
left = 300
while left:
    try:
        log.write(Event.CASE_SEEN, who, str(left))
        left -= 1
    except StoreBusyError:
        pass
"""


class TestTogether:
    def test_two_processes_write_one_chain(self, site, tmp_path):
        words = [str(site.cluster.folder), site.name]
        key = str(tmp_path / "installation.key")
        started = [
            subprocess.Popen([sys.executable, "-c", WRITER, *words, who, key], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
            for who in ("one", "two")
        ]
        for process in started:
            assert process.stdout.readline() == b"ready\n"
        for process in started:
            process.stdin.write(b"go\n")
            process.stdin.flush()
        for process in started:
            process.communicate(timeout=120)
            assert process.returncode == 0
        entries = [entry for entry, _ in site.log.find(most=1000)][::-1]
        assert [entry.number for entry in entries] == list(range(1, 601))
        changes = sum(a.by != b.by for a, b in pairwise(entries))
        assert changes > 10, "they wrote one after the other"
        assert site.faults() == []

    def test_whoever_waits_too_long_for_the_right_to_write_is_told(self, site):
        other = open_engine(site.place, METADATA)
        with writing(other):
            began = time.monotonic()
            with pytest.raises(StoreBusyError, match="somebody else is writing"):
                site.write()
            assert 1.0 < time.monotonic() - began < SOON_S
            # Readers wait for nobody.
            assert site.log.state()[0] == 0
        assert site.write().number == 1
        other.dispose()

    def test_a_text_with_nul_is_kept_without_it(self, site):
        site.write("nord\0süd")
        with site.engine.connect() as connection:
            assert connection.execute(text("SELECT subject FROM log")).scalar_one() == "nord\ufffdsüd"
        assert [entry.subject for entry, _ in site.log.find(subject="nord\0süd")] == ["nord\0süd"]
        assert site.faults() == []

    def test_a_reader_sees_one_moment(self, site):
        site.write()
        with site.engine.connect() as connection:
            before = connection.execute(text("SELECT count(*) FROM log")).scalar_one()
            site.write()
            assert connection.execute(text("SELECT count(*) FROM log")).scalar_one() == before


class TestAway:
    def test_a_server_that_is_restarted_refuses_meanwhile_and_nobody_gets_a_dead_connection(self, site):
        site.write()
        assert site.log.state()[0] == 1
        site.cluster.stop()
        try:
            for _ in range(2):
                began = time.monotonic()
                with pytest.raises(StoreUnreachableError, match="nothing was changed"):
                    site.write()
                with pytest.raises(StoreUnreachableError):
                    site.log.state()
                assert time.monotonic() - began < SOON_S
            (fault,) = check(site.engine, METADATA)
            assert fault.kind.value == "unreachable"
        finally:
            site.cluster.start()
        # What was committed is there: the server was killed.
        assert site.log.state()[0] == 1
        assert site.write().number == 2

    def test_a_server_that_hangs_is_not_waited_for(self, site):
        site.write()
        site.cluster.pause()
        try:
            for ask in (site.write, site.log.state, lambda: open_engine(site.place, METADATA)):
                began = time.monotonic()
                with pytest.raises(StoreError, match=r"does not answer|timeout expired"):
                    ask()
                assert time.monotonic() - began < SOON_S
        finally:
            site.cluster.resume()
        number = site.log.state()[0]
        assert site.write().number == number + 1

    def test_a_session_that_is_ended_in_a_transaction_changes_nothing(self, site):
        site.write()
        ours = f"datname = '{site.name}' AND state LIKE 'idle in%'"

        def write_two():
            with writing(site.engine) as connection:
                site.log.append(connection, Event.CASE_SEEN, "kvd-1", "lost")
                site.cluster.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours}")
                site.log.append(connection, Event.CASE_SEEN, "kvd-1", "lost, too")

        with pytest.raises(StoreUnreachableError):
            write_two()
        assert site.write("kept").number == 2

    def test_where_nobody_is_or_the_role_is_unknown(self, site, tmp_path):
        with pytest.raises(StoreUnreachableError):
            open_engine(ServerPlace(Server(str(tmp_path), 5432, site.name, "blickschutz"), Database.CONTROL), METADATA)
        for place in (site.cluster.place(site.name, user="nobody_known"), site.cluster.place("nowhere")):
            with pytest.raises(StoreUnreachableError, match=r"there is no connection .* does not exist"):
                open_engine(place, METADATA)

    def test_a_server_that_forgets_what_it_confirmed_is_refused(self, site):
        site.cluster.sql("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
        try:
            _until(lambda: site.cluster.sql("SHOW fsync") == [("off",)])
            with pytest.raises(OperatorError, match="fsync"):
                open_engine(site.place, METADATA)
        finally:
            site.cluster.sql("ALTER SYSTEM RESET fsync", "SELECT pg_reload_conf()")
            _until(lambda: site.cluster.sql("SHOW fsync") == [("on",)])


class TestForgotten:
    """What is kept beyond that (archives, standbys, backups of the server) is not in reach of the program; docs/design/storage.md."""

    WORD = "Tannhäuserweg4711"

    def files(self, site):
        word = self.WORD.encode()
        return {str(path.relative_to(site.cluster.data).parts[0]) for path in site.cluster.data.rglob("*") if _holds(path, word)}

    def test_no_file_of_the_server_holds_what_was_erased(self, site):
        site.write(self.WORD)
        site.cluster.sql("CHECKPOINT")
        assert self.files(site) == {"base", "pg_wal"}
        site.log.erase([1], 24)
        site.cluster.sql("CHECKPOINT")
        assert "base" in self.files(site), "deleting alone overwrites nothing"
        forget(site.engine)
        assert self.files(site) == set()
        assert site.faults() == []

    def test_it_waits_for_whoever_still_reads(self, site):
        site.write(self.WORD)
        reading = threading.Event()
        with site.engine.connect() as connection:
            connection.execute(text("SELECT count(*) FROM log")).scalar_one()
            reading.set()
            site.log.erase([1], 24)
            with pytest.raises(StoreBusyError, match="while somebody reads"):
                forget(site.engine)
        forget(site.engine)


def _holds(path: Path, word: bytes) -> bool:
    try:
        return path.is_file() and word in path.read_bytes()
    except FileNotFoundError:
        return False  # the server has just removed it


def _until(is_so):
    end = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)
