"""A PostgreSQL server of the tests' own: started on a Unix socket in a temporary folder, with the roles as they are documented."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from itertools import count
from pathlib import Path

import psycopg
import pytest

from blickschutz.bootstrap.opening import TABLES
from blickschutz.storage.engine import prepare
from blickschutz.storage.places import Server, ServerPlace
from blickschutz.storage.ports import Database

OWNER, SERVICE, SUPERUSER = "blickschutz_owner", "blickschutz", "postgres"
_FOUND = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
_NOBODY = 65534
# What the documentation asks for, and a journal that fits into memory. Nobody vacuums beside a test: whoever does counts as a reader,
# and holds the database that others are copied from.
_SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{folder}'
wal_recycle = off
min_wal_size = 32MB
max_wal_size = 64MB
shared_buffers = 16MB
max_connections = 50
autovacuum = off
"""


class Cluster:
    """`fresh` gives a prepared database; `stop`, `start`, `pause` and `resume` do that to the server."""

    def __init__(self) -> None:
        self.bin = _FOUND[-1]
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self.data, self._numbers = self.folder / "data", count(1)
        self._process: subprocess.Popen[bytes] | None = None
        # The server refuses to run as root.
        self._who = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        if self._who:
            os.chown(self.folder, _NOBODY, _NOBODY)
        self._do(
            "initdb", "-D", self.data, "-U", SUPERUSER, "-A", "trust", "-k", "-E", "UTF8", "--no-locale", "--no-sync", "--no-instructions"
        )
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(_SETTINGS.format(folder=self.folder))
        self.start()
        try:
            self._prepare()
        except BaseException:
            self.end()
            raise

    def _prepare(self) -> None:
        """As the documentation says it."""
        self.sql(
            f"CREATE ROLE {OWNER} LOGIN",
            f"CREATE ROLE {SERVICE} LOGIN",
            f"GRANT pg_checkpoint, pg_read_all_stats TO {OWNER}",
            f"CREATE DATABASE prepared OWNER {OWNER}",
        )
        self.sql(f"GRANT EXECUTE ON FUNCTION pg_switch_wal() TO {OWNER}", database="prepared")
        for database in Database:
            prepare(self.place("prepared", database, OWNER), SERVICE, *TABLES[database])

    def _do(self, name: str, *words: object) -> None:
        done = subprocess.run([self.bin / name, *map(str, words)], capture_output=True, cwd=self.folder, check=False, **self._who)
        assert done.returncode == 0, done.stderr.decode()

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen([self.bin / "postgres", "-D", self.data], stderr=log, cwd=self.folder, **self._who)
        until = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(host=str(self.folder), user=SUPERUSER, dbname="postgres").close()
            except psycopg.OperationalError:
                assert time.monotonic() < until, (self.folder / "log").read_text()
                assert self._process.poll() is None, (self.folder / "log").read_text()
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """At once, like a machine that is switched off; what was committed is read from the journal at the next start."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(30)
            self._process = None

    def end(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def pause(self) -> None:
        """The server hangs: everything that it runs stands still, and connections are neither answered nor ended."""
        for process in self._processes():
            os.kill(process, signal.SIGSTOP)

    def resume(self) -> None:
        for process in self._processes():
            os.kill(process, signal.SIGCONT)

    def _processes(self) -> list[int]:
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return [self._process.pid, *map(int, children)]

    def sql(self, *statements: str, database: str = "postgres", user: str = SUPERUSER) -> list[tuple[object, ...]]:
        """What the last of the statements gives; each is a transaction of its own."""
        with psycopg.connect(host=str(self.folder), user=user, dbname=database, autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def place(self, name: str, database: Database = Database.CONTROL, user: str = SERVICE) -> ServerPlace:
        return ServerPlace(Server(str(self.folder), 5432, name, user), database)

    def fresh(self) -> str:
        """The name of a new database, prepared as documented and empty."""
        name = f"d{next(self._numbers)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE prepared OWNER {OWNER} STRATEGY file_copy")
        return name


def found() -> bool:
    return bool(_FOUND)


def cluster_of_tests():
    """For a fixture."""
    if not _FOUND:
        pytest.skip("no PostgreSQL server is installed (Debian: postgresql)")
    made = Cluster()
    yield made
    made.end()
