"""A real server over TLS with SCRAM: who is let in, why somebody is not, and what happens when its disk is full."""

from __future__ import annotations

import dataclasses
import os
import shutil
import socket
import subprocess
import time

import pytest

from blickschutz.audit.io.log import METADATA, AuditLog
from blickschutz.audit.model import Event
from blickschutz.audit.rules import verify
from blickschutz.kernel.errors import StoreError, StoreFullError, StoreUnreachableError
from blickschutz.storage.engine import open_engine
from blickschutz.storage.places import Server, ServerPlace
from blickschutz.storage.ports import Database
from blickschutz.vault.io.files import InstallationKey, is_signed
from tests.fakes.clock import ManualClock
from tests.peers.authority import ThrowAway
from tests.postgres import SERVICE, Cluster, found

pytestmark = pytest.mark.skipif(not found(), reason="no PostgreSQL server is installed (Debian: postgresql)")
PASSWORD = "kein Geheimnis, nur ein Test"
# A page is answered or refused within so long; a machine under load gets some more here.
SOON_S = 2.0 + 8.0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Secure(Cluster):
    """Listens on loopback, with TLS and SCRAM alone; `wear` gives it another certificate."""

    def __init__(self, authority):
        super().__init__()
        self.authority, self.port, self.name = authority, free_port(), self.fresh()
        self.sql("SET password_encryption = 'scram-sha-256'", f"ALTER ROLE {SERVICE} PASSWORD '{PASSWORD}'")
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(f"listen_addresses = '127.0.0.1'\nport = {self.port}\nssl = on\nssl_cert_file = 's.crt'\nssl_key_file = 's.key'\n")
        # The tests' own way in stays: the socket's name has the port in it.
        (self.data / "pg_hba.conf").write_text("local all postgres trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n")
        self.stop()
        self.wear(authority.server("good"), running=False)
        self.start()

    def start(self):
        os.environ["PGPORT"] = str(self.__dict__.get("port", 5432))
        try:
            super().start()
        finally:
            del os.environ["PGPORT"]

    def sql(self, *statements, **more):
        os.environ["PGPORT"] = str(self.__dict__.get("port", 5432)) if "authority" in self.__dict__ and self.tls else "5432"
        try:
            return super().sql(*statements, **more)
        finally:
            del os.environ["PGPORT"]

    @property
    def tls(self):
        return (self.data / "s.crt").exists()

    def wear(self, files, *, running=True):
        for path, name in zip(files, ("s.crt", "s.key"), strict=True):
            shutil.copy(path, self.data / name)
            os.chmod(self.data / name, 0o600)
            if self._who:
                os.chown(self.data / name, self._who["user"], self._who["group"])
        if running:
            self.stop()
            self.start()

    def server(self, **more):
        told = Server("127.0.0.1", self.port, self.name, SERVICE, PASSWORD, self.authority.file)
        return dataclasses.replace(told, **more)


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    made = Secure(ThrowAway(tmp_path_factory.mktemp("authority")))
    yield made
    made.end()


def reason(server):
    began = time.monotonic()
    with pytest.raises(StoreUnreachableError) as caught:
        open_engine(ServerPlace(server, Database.CONTROL), METADATA)
    assert time.monotonic() - began < SOON_S
    assert PASSWORD not in str(caught.value)
    return str(caught.value)


@pytest.mark.long
class TestDoors:
    def test_who_has_the_authority_and_the_password_is_let_in_over_tls(self, secure):
        engine = open_engine(ServerPlace(secure.server(), Database.CONTROL), METADATA)
        with engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").scalar_one() is True
        engine.dispose()

    def test_a_wrong_password(self, secure):
        assert "password is another one" in reason(secure.server(password="ein anderes"))

    def test_no_password(self, secure):
        assert "names none" in reason(secure.server(password=""))

    def test_another_authority(self, secure, tmp_path):
        assert "of another authority" in reason(secure.server(authority=ThrowAway(tmp_path).file))

    def test_no_file_of_an_authority(self, secure, tmp_path):
        assert "storage.authority" in reason(secure.server(authority=tmp_path / "missing.crt"))

    def test_another_name(self, secure):
        secure.wear(secure.authority.server("other", host="db.example"))
        try:
            assert "for another name" in reason(secure.server())
        finally:
            secure.wear(secure.authority.server("good"))

    def test_a_certificate_that_is_over(self, secure):
        secure.wear(secure.authority.server("old", days=-1))
        try:
            assert "is over" in reason(secure.server())
        finally:
            secure.wear(secure.authority.server("good"))

    def test_nobody_listens(self, secure):
        assert "nobody listens there" in reason(secure.server(port=free_port()))

    def test_a_server_without_tls_is_told_nothing(self, secure):
        (secure.data / "pg_hba.conf").write_text("local all postgres trust\nhost all all 127.0.0.1/32 password\n")
        secure.stop()
        secure.start()
        try:
            assert "another form than SCRAM" in reason(secure.server())
        finally:
            (secure.data / "pg_hba.conf").write_text("local all postgres trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n")
            secure.stop()
            secure.start()


class Small(Cluster):
    """Its tables lie on a disk of 96 MB; so does its journal."""

    def _do(self, name, *words):
        if name == "initdb":
            self.data.mkdir()
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", str(self.data)], check=True)
            if self._who:
                os.chown(self.data, self._who["user"], self._who["group"])
            os.chmod(self.data, 0o700)
        super()._do(name, *words)

    def end(self):
        self.stop()
        subprocess.run(["umount", str(self.data)], check=True)
        shutil.rmtree(self.folder)


@pytest.mark.long
@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small disk")
def test_a_server_whose_disk_is_full_says_so_and_goes_on_when_there_is_room(tmp_path):
    cluster = Small()
    try:
        name = cluster.fresh()
        key = InstallationKey(tmp_path / "key")
        engine = open_engine(cluster.place(name), METADATA)
        log = AuditLog(engine, ManualClock(), key.sign, key.public)
        written = [log.write(Event.CASE_SEEN, "kvd-1", "before")]
        filler = cluster.data / "filler"
        free = shutil.disk_usage(cluster.data).free
        # Until tables have no room to grow; what the journal has already is there.
        filler.write_bytes(bytes(free - 32 * 1024))
        refused = []
        for _ in range(2000):
            began = time.monotonic()
            try:
                written.append(log.write(Event.CASE_SEEN, "kvd-1", "x" * 4000))
            except StoreError as error:
                refused.append(error)
                assert time.monotonic() - began < SOON_S
                if len(refused) == 5:
                    break
        assert refused, "the disk was never full"
        assert all(isinstance(error, (StoreFullError, StoreUnreachableError)) for error in refused), refused
        assert any("disk of the server is full" in str(error) or "not ready" in str(error) for error in refused)
        filler.unlink()
        if cluster._process.poll() is not None:
            cluster.start()  # a server whose journal finds no room stops itself
        until = time.monotonic() + 60
        while True:
            try:
                written.append(log.write(Event.CASE_SEEN, "kvd-1", "after"))
                break
            except StoreError:
                assert time.monotonic() < until
                time.sleep(0.2)
        there = log.find(most=10_000)
        assert len(there) >= len(written)
        assert list(verify(log.export(), is_signed, key.public)) == []
        engine.dispose()
    finally:
        cluster.end()
