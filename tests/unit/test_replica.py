"""A server with a physical standby, set up as documented: what was acknowledged is there when the first machine dies."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import psycopg
import pytest

from blickschutz.audit.io.log import METADATA, AuditLog
from blickschutz.audit.model import Event
from blickschutz.audit.rules import verify
from blickschutz.kernel.errors import StoreError
from blickschutz.storage.engine import check, open_engine, replication
from blickschutz.storage.lead import lead_of
from blickschutz.storage.places import Server, ServerPlace
from blickschutz.storage.ports import Database
from blickschutz.vault.io.files import InstallationKey, is_signed
from tests.fakes.clock import ManualClock
from tests.postgres import SERVICE, Cluster, found

pytestmark = [pytest.mark.long, pytest.mark.skipif(not found(), reason="no PostgreSQL server is installed (Debian: postgresql)")]
PATIENCE_S = 120


class Second:
    """The standby of a cluster: `pg_basebackup -R -C -S zwei`, started, and asked for at every commit."""

    def __init__(self, first: Cluster) -> None:
        self.first = first
        self.folder = first.folder.with_name(first.folder.name + "-zwei")
        self.data = self.folder / "data"
        self.folder.mkdir()
        if first._who:
            os.chown(self.folder, first._who["user"], first._who["group"])
        first.sql("CREATE ROLE blickschutz_copy LOGIN REPLICATION")
        to = f"host={first.folder} user=blickschutz_copy application_name=zwei"
        first._do("pg_basebackup", "-D", self.data, "-d", to, "-R", "-C", "-S", "zwei", "-X", "stream", "-c", "fast", "--no-sync")
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(f"unix_socket_directories = '{self.folder}'\n")
        with (self.folder / "log").open("ab") as log:
            line = [first.bin / "postgres", "-D", self.data]
            self.process = subprocess.Popen(line, stderr=log, cwd=self.folder, **first._who)
        first.sql("ALTER SYSTEM SET synchronous_standby_names = 'FIRST 1 (zwei)'", "SELECT pg_reload_conf()")
        self.until(lambda: first.sql("SELECT sync_state FROM pg_stat_replication") == [("sync",)])

    def until(self, holds):
        end = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < end, (self.folder / "log").read_text()
            time.sleep(0.05)

    def sql(self, statement, database="postgres"):
        with psycopg.connect(host=str(self.folder), user="postgres", dbname=database, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def promote(self):
        self.sql(f"SELECT pg_promote(true, {PATIENCE_S})")

    def end(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(30)
        shutil.rmtree(self.folder)


@pytest.fixture
def pair():
    first = Cluster()
    second = None
    try:
        second = Second(first)
        yield first, second
    finally:
        if second is not None:
            second.end()
        first.end()


def killed(cluster):
    """Every process of it at once, as when the machine is switched off."""
    for process in cluster._processes():
        os.kill(process, signal.SIGKILL)
    cluster._process.wait(30)
    cluster._process = None


def test_the_first_machine_dies_under_load_and_nothing_that_was_acknowledged_is_missing(pair, tmp_path):
    first, second = pair
    name, key = first.fresh(), InstallationKey(tmp_path / "key")
    lead = lead_of(first.place(name).server)
    term = lead.take(lead.look(), "eins")
    engine = open_engine(ServerPlace(_under(first.place(name).server, term), Database.CONTROL), METADATA)
    log, acknowledged, refused = AuditLog(engine, ManualClock(), key.sign, key.public), [], threading.Event()

    def decide(number):
        count = 0
        try:
            while True:
                count += 1
                log.write(Event.CASE_SEEN, "kvd-1", f"{number}-{count}")
                acknowledged.append(f"{number}-{count}")
        except StoreError:
            refused.set()

    threads = [threading.Thread(target=decide, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    second.until(lambda: len(acknowledged) > 30)
    killed(first)
    for thread in threads:
        thread.join(PATIENCE_S)
    assert refused.is_set()
    engine.dispose()
    lead.close()
    second.promote()

    # A control room takes the lead there, under a later term, and goes on with the same chain.
    server = Server(str(second.folder), 5432, name, SERVICE)
    lead = lead_of(server)
    later = lead.take(lead.look(), "zwei")
    assert later == term + 1
    engine = open_engine(ServerPlace(_under(server, later), Database.CONTROL), METADATA)
    try:
        log = AuditLog(engine, ManualClock(), key.sign, key.public)
        log.write(Event.CASE_SEEN, "kvd-1", "afterwards")
        there = [entry.subject for entry, _ in log.find(most=100_000)]
        assert set(acknowledged) <= set(there)
        assert list(verify(log.export(), is_signed, key.public)) == []
        assert check(engine, METADATA, deep=True) == []
    finally:
        engine.dispose()
        lead.close()


def test_a_commit_waits_for_the_second_machine_and_is_not_acknowledged_without_it(pair, tmp_path):
    first, second = pair
    name, key = first.fresh(), InstallationKey(tmp_path / "key")
    engine = open_engine(first.place(name), METADATA)
    log = AuditLog(engine, ManualClock(), key.sign, key.public)
    log.write(Event.CASE_SEEN, "kvd-1", "both are there")
    for process in _of(second.process):
        os.kill(process, signal.SIGSTOP)
    began = time.monotonic()
    with pytest.raises(StoreError) as caught:
        log.write(Event.CASE_SEEN, "kvd-1", "one is there")
    assert time.monotonic() - began < PATIENCE_S
    assert "it is not known whether it was written" in str(caught.value)
    for process in _of(second.process):
        os.kill(process, signal.SIGCONT)
    engine.dispose()


def test_it_is_seen_that_the_second_machine_follows_lags_is_not_waited_for_or_is_gone(pair):
    first, second = pair
    name = first.fresh()
    engine = open_engine(first.place(name), METADATA)

    def look():
        return replication(engine)

    def write():
        first.sql("SELECT pg_logical_emit_message(false, 'x', repeat('y', 1000))", "SELECT pg_current_wal_flush_lsn()")

    def only():
        (one,) = look().replicas
        return one

    second.until(lambda: only().replayed == look().position)
    assert (look().awaits, only().name, only().there, only().awaited, look().problem) == (True, "zwei", True, True, "")

    # It has the journal on its disk, and shows nothing of it.
    second.sql("SELECT pg_wal_replay_pause()")
    second.until(lambda: second.sql("SELECT pg_get_wal_replay_pause_state()") == [("paused",)])
    write()
    second.until(lambda: only().stored == look().position > only().replayed)
    second.sql("SELECT pg_wal_replay_resume()")
    second.until(lambda: only().replayed == look().position)

    first.sql("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
    second.until(lambda: not look().awaits and not only().awaited)
    assert only().there

    # Who is connected is nobody's to see who has not the right; and what `prepare` made before this version had no function.
    first.sql("REVOKE pg_read_all_stats FROM blickschutz_owner")
    assert (look().replicas, "GRANT pg_read_all_stats" in look().problem) == ((), True)
    first.sql("GRANT pg_read_all_stats TO blickschutz_owner")
    first.sql("ALTER FUNCTION leadership.copies() RENAME TO before", database=name)
    assert (look().replicas, "blickschutz database prepare" in look().problem) == ((), True)
    first.sql("ALTER FUNCTION leadership.before() RENAME TO copies", database=name)
    with pytest.raises(psycopg.errors.InsufficientPrivilege), psycopg.connect(host=str(first.folder), user=SERVICE, dbname=name) as own:
        own.execute("SELECT pg_read_file('postgresql.conf')")

    # Its slot keeps for it what it has not, and says that it is missed.
    second.process.send_signal(signal.SIGQUIT)
    second.process.wait(30)
    second.until(lambda: not only().there)
    write()
    assert only().kept < look().position
    first.sql("SELECT pg_drop_replication_slot('zwei')")
    assert look().replicas == ()
    first.sql("ALTER SYSTEM SET synchronous_standby_names = 'FIRST 1 (zwei)'", "SELECT pg_reload_conf()")
    second.until(lambda: look().awaits)
    assert (only().name, only().there, only().kept) == ("zwei", False, None)
    engine.dispose()


def _under(server, term):
    from dataclasses import replace

    return replace(server, term=term)


def _of(process):
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [process.pid, *map(int, children)]
