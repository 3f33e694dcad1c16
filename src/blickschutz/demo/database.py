"""A PostgreSQL server for the demonstration over several machines: made anew, prepared as the documentation says, gone at the end.

With an address it is a machine of its own: TLS and SCRAM, as between machines. Without one it is reached by its Unix socket.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from blickschutz.bootstrap.databases import server_of
from blickschutz.bootstrap.opening import TABLES
from blickschutz.config.model import SiteFile
from blickschutz.config.storage import Storage
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import OperatorError
from blickschutz.storage.engine import prepare
from blickschutz.storage.files import write_private
from blickschutz.storage.places import PORT, Server, ServerPlace
from blickschutz.storage.ports import Database
from blickschutz.vault.io.authority import Authority

_NAME, _OWNER, _SERVICE, _ADMINISTRATOR = "blickschutz", "blickschutz_owner", "blickschutz", "postgres"
_PATIENCE_S: Final = 60.0
# The server refuses to run as root.
_NOBODY: Final = 65534
_SETTINGS: Final = """
listen_addresses = '{address}'
unix_socket_directories = '{folder}'
unix_socket_permissions = 0700
wal_recycle = off
min_wal_size = 32MB
max_wal_size = 64MB
shared_buffers = 32MB
"""
_TLS: Final = """
ssl = on
ssl_cert_file = '{folder}/server.crt'
ssl_key_file = '{folder}/server.key'
"""


def programs() -> Path | None:
    """The folder of the newest server that is installed; None without one, or without what speaks to it."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parent.parent.name))
    return found[-1].parent if found and importlib.util.find_spec("psycopg") is not None else None


class DatabaseServer:
    """In `folder`, which is there, empty, and where other users come by. `inside` makes of a command one that runs on the machine of
    `address`. Raises `OperatorError`.
    """

    def __init__(
        self, folder: Path, clock: Clock, address: str = "", inside: Callable[[Sequence[str]], list[str]] = list, port: int = PORT
    ) -> None:
        bin_ = programs()
        if bin_ is None:
            raise OperatorError("PostgreSQL is not installed (apt install postgresql; pip install 'blickschutz[postgresql]')")
        self._bin, self._folder, self._data, self._port = bin_, folder, folder / "data", port
        self._address, self._inside, self._clock = address, inside, clock
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, site: SiteFile) -> SiteFile:
        """The site with its databases there, empty and prepared."""
        passwords = {role: secrets.token_urlsafe(18) for role in (_OWNER, _SERVICE)}
        self._make()
        with (self._folder / "log").open("ab") as log:
            command = self._inside(self._as_nobody(self._bin / "postgres", "-D", self._data, "-p", self._port))
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        self._as_administrator(passwords)
        where = f"{self._address}:{self._port}/{_NAME}" if self._address else f":{self._port}/{_NAME}?host={self._folder}"
        secret, authority = self._folder / "service.password", self._folder / "authority.crt"
        write_private(secret, passwords[_SERVICE].encode())
        made = Storage(
            database=f"postgresql://{_SERVICE}@{where}",
            password_file=str(secret),
            authority=str(authority) if self._address else None,
        )
        site = site.model_copy(update={"storage": made})
        own = server_of(site, Path.cwd())
        assert own is not None
        owner = Server(own.host, own.port, own.name, _OWNER, passwords[_OWNER], own.authority)
        for one in Database:
            prepare(ServerPlace(owner, one), _SERVICE, *TABLES[one])
        return site

    def end(self) -> None:
        """At once: what it holds goes with its folder."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGQUIT)
            self._process.wait(30)
            self._process = None

    def _make(self) -> None:
        if os.geteuid() == 0:
            os.chown(self._folder, _NOBODY, _NOBODY)
        words = ("-U", _ADMINISTRATOR, "-A", "trust", "-k", "-E", "UTF8", "--no-locale", "--no-sync", "--no-instructions")
        done = subprocess.run(
            self._as_nobody(self._bin / "initdb", "-D", self._data, *words), check=False, capture_output=True, text=True, cwd=self._folder
        )
        if done.returncode:
            raise OperatorError(f"the database could not be made: {done.stderr.strip()}")
        settings, doors = _SETTINGS, f"local all {_ADMINISTRATOR} trust\n"
        if self._address:
            self._certify()
            settings += _TLS
            doors += f"hostssl {_NAME} {_OWNER},{_SERVICE} 0.0.0.0/0 scram-sha-256\n"
        else:
            # Whoever reaches the socket is who started the demonstration.
            doors += f"local {_NAME} {_OWNER},{_SERVICE} scram-sha-256\n"
        with (self._data / "postgresql.conf").open("a") as file:
            file.write(settings.format(address=self._address, folder=self._folder))
        (self._data / "pg_hba.conf").write_text(doors)

    def _certify(self) -> None:
        made = Authority(self._folder / "authority", "Demo (PostgreSQL)", (self._address,), self._clock)
        files, _ = made.server()
        for source, name in ((files.certificate, "server.crt"), (files.key, "server.key")):
            write_private(self._folder / name, source.read_bytes())
            if os.geteuid() == 0:
                os.chown(self._folder / name, _NOBODY, _NOBODY)
        write_private(self._folder / "authority.crt", made.pem)

    def _as_administrator(self, passwords: dict[str, str]) -> None:
        """What docs/design/storage.md asks for, once."""
        import psycopg
        from psycopg import sql

        about = {"host": str(self._folder), "port": self._port, "user": _ADMINISTRATOR, "autocommit": True}
        until = time.monotonic() + _PATIENCE_S
        while True:
            try:
                connection = psycopg.connect(dbname="postgres", **about)  # type: ignore[arg-type]
                break
            except psycopg.OperationalError as error:
                gone = self._process is None or self._process.poll() is not None
                if gone or time.monotonic() > until:
                    raise OperatorError(f"the database does not start: {(self._folder / 'log').read_text()[-2000:]}") from error
                time.sleep(0.1)
        with connection:
            for role, password in passwords.items():
                made = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), sql.Literal(password))
                connection.execute(made)
            connection.execute(sql.SQL("GRANT pg_checkpoint, pg_read_all_stats TO {}").format(sql.Identifier(_OWNER)))
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(_NAME), sql.Identifier(_OWNER)))
        with psycopg.connect(dbname=_NAME, **about) as connection:  # type: ignore[arg-type]
            connection.execute(sql.SQL("GRANT EXECUTE ON FUNCTION pg_switch_wal() TO {}").format(sql.Identifier(_OWNER)))

    def _as_nobody(self, program: Path, *words: object) -> list[str]:
        """For whoever is root."""
        command = [str(program), *map(str, words)]
        if os.geteuid() != 0:
            return command
        return [shutil.which("setpriv") or "setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups", *command]
