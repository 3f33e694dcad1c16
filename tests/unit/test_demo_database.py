"""The demonstration's own database server: prepared as documented, reached by its socket and over TLS, gone at the end."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

from blickschutz.audit.io.log import METADATA, AuditLog
from blickschutz.audit.model import Event
from blickschutz.bootstrap.databases import server_of
from blickschutz.demo import database
from blickschutz.demo.cluster import cluster_site
from blickschutz.demo.database import DatabaseServer
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import OperatorError, StoreUnreachableError
from blickschutz.storage.engine import open_engine, replication
from blickschutz.storage.places import ServerPlace
from blickschutz.storage.ports import Database
from blickschutz.vault.io.files import InstallationKey
from tests.peers.nats import free_port


@pytest.mark.long
@pytest.mark.skipif(database.programs() is None, reason="no PostgreSQL server is installed (Debian: postgresql)")
@pytest.mark.parametrize("address", ["", "127.0.0.1"], ids=["socket", "tls"])
def test_it_takes_the_log_of_a_site(address, tmp_path):
    # Not below `tmp_path`, where nobody else comes by: the server is another user than root.
    folder = tempfile.mkdtemp(prefix="demo-")
    server = DatabaseServer(Path(folder), SystemClock(), address, port=free_port())
    try:
        site = server.start(cluster_site(8711))
        own = server_of(site, tmp_path)
        assert own.local == (not address)
        key = InstallationKey(tmp_path / "key")
        engine = open_engine(ServerPlace(own, Database.CONTROL), METADATA)
        AuditLog(engine, SystemClock(), key.sign, key.public).write(Event.CASE_SEEN, "kvd-1", "x")
        assert replication(engine).problem == ""
        engine.dispose()
    finally:
        server.end()
        shutil.rmtree(folder)
    with pytest.raises(StoreUnreachableError):
        open_engine(ServerPlace(own, Database.CONTROL), METADATA)


def test_where_none_is_installed_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "programs", lambda: None)
    with pytest.raises(OperatorError, match="apt install postgresql"):
        DatabaseServer(tmp_path / "daten", SystemClock())
