"""Two control rooms on one database server, hosts beside the cameras, a broker: what becomes of the hosts' cells when one takes over."""

from __future__ import annotations

import os
import secrets
import signal
import time

import httpx
import pytest

from blickschutz.access.model import Permission
from blickschutz.access.service.sessions import hashed
from blickschutz.bootstrap.databases import server_of
from blickschutz.bootstrap.hosts import HostOffice
from blickschutz.bootstrap.records import make_records
from blickschutz.config.loader import load_site
from blickschutz.kernel.clock import SystemClock
from tests.live.system import one_camera, until
from tests.live.test_server_database import served
from tests.live.test_standby import SOON_S, Room, told
from tests.peers.cluster import CountingCamera, Host, complete, keep, let_in
from tests.peers.nats import RunningBroker, free_port

__all__ = ["served"]
pytestmark = pytest.mark.peers
CAMERAS = ("vorplatz-nord", "brunnen")


@pytest.fixture
def cameras():
    found = {name: CountingCamera(number) for number, name in enumerate(CAMERAS)}
    yield found
    for camera in found.values():
        camera.end()


@pytest.fixture
def site(tmp_path, cameras):
    """Both cameras lie with hosts."""
    path = one_camera(tmp_path, cameras[CAMERAS[0]].address, free_port())
    other = f'[[cameras]]\nid = "{CAMERAS[1]}"\nname = "Brunnen"\nside = "forecourt"\naddress = "{cameras[CAMERAS[1]].address}"\n'
    hosts = f'[hosts]\nbroker = "tls://127.0.0.1:{free_port()}"\n'
    # Too large for one host to have both.
    hosted = "".join(f'[[hosts.cameras]]\nid = "{name}"\ncores = 3\n' for name in CAMERAS)
    path.write_text(path.read_text(encoding="utf-8") + other + hosts + hosted, encoding="utf-8")
    return path


class Installation:
    """What both control rooms have in common, and what of it is seen from beside them."""

    def __init__(self, one, cameras):
        self.site, self.cameras = load_site(one.site), cameras
        server = server_of(self.site, one.site.parent)
        self.records = make_records(self.site, one.data, SystemClock(), {}, server=server)
        self._token = f"bls_{secrets.token_urlsafe(32)}"
        access = self.records.office.access
        access.accounts.activate("leitstelle-1")
        access.tokens.add("leitstelle-1", "tests", hashed(self._token), frozenset({Permission.WALL}), time.time() + 86_400)
        self.office = HostOffice(self.site, one.data, self.records.archive.key.installation, SystemClock())
        self.hosts = {name: self._enrol(one, name) for name in ("north", "south")}
        port = int(self.site.hosts.broker.rpartition(":")[2])
        self.broker = RunningBroker(one.data / "hosts/broker/nats.conf", port)

    def _enrol(self, one, name):
        out = one.data.parent / name
        let_in(self.office, self.records, name, out)
        complete(out, self.cameras)
        return Host(out, name)

    def live(self, room):
        """Whether that control room shows a picture of each camera, which its cell has redacted."""
        # A session ends with its control room; a token is a row.
        with httpx.Client(headers={"Authorization": f"Bearer {self._token}"}, timeout=60) as http:
            answers = [http.get(f"http://127.0.0.1:{room.port}/api/v1/cameras/{name}/picture.jpg") for name in self.cameras]
        return all(one.status_code == 200 and one.content.startswith(b"\xff\xd8") for one in answers)

    def alerts(self, run):
        """Numbers of the situations of that run that somebody was told of, in the order in which the alerts were raised."""
        return [one.situation for one in sorted(self.records.alerts.find(most=10_000), key=lambda one: one.id) if one.run == run]

    def away(self):
        """End a host in order; whoever films goes on. Returns the host, and the camera that it had."""
        host = self.hosts["south"]
        host.stop()
        (dark,) = (name for name, camera in self.cameras.items() if not camera.now)
        return host, dark

    def end(self):
        for host in self.hosts.values():
            host.stop()
        self.broker.stop()
        self.records.keeping.close()


def in_the_gap(installation, run):
    """Nobody leads: the host that films goes on; the other one ends, and comes back with thirty situations that nobody was told of."""
    host, camera = installation.away()
    keep(host, camera, run, range(1, 31))
    host.start()
    return next(name for name in installation.cameras if name != camera)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_cells_of_hosts_go_on_under_whoever_takes_over_and_what_they_told_meanwhile_comes_once(served, cluster, tmp_path, cameras):
    site, _ = served
    assert told("database", "prepare", "--site", site, "--owner", "blickschutz_owner").returncode == 0
    one, other = Room(site, "eins"), Room(site, "zwei")
    installation = None
    try:
        one.run()
        until(one.leads, SOON_S)
        installation = Installation(one, cameras)
        installation.broker.start()
        for host in installation.hosts.values():
            host.start()
        until(lambda: [camera.now for camera in cameras.values()] == [1, 1], SOON_S)
        until(lambda: installation.live(one), SOON_S)
        (other.data / "keys").mkdir(mode=0o700, parents=True)
        (other.data / "keys/installation.key").write_bytes((one.data / "keys/installation.key").read_bytes())
        (other.data / "keys/installation.key").chmod(0o600)
        other.run("--standby")
        until(other.waits, SOON_S)
        until(lambda: (other.data / "hosts/room.key").exists(), SOON_S)

        # The leader stands still, and goes on when another one leads.
        one.process.send_signal(signal.SIGSTOP)
        run = os.urandom(8).hex()
        filmed = in_the_gap(installation, run)
        whose = until(lambda: cameras[filmed].whose, SOON_S)
        until(other.leads, SOON_S)
        until(lambda: installation.live(other), SOON_S)
        until(lambda: len(installation.alerts(run)) >= 30, SOON_S)
        one.process.send_signal(signal.SIGCONT)
        assert one.process.wait(SOON_S) == 1
        assert "another control room leads" in one.said()
        assert installation.live(other)
        assert installation.alerts(run) == list(range(1, 31)), "each once, and in order"
        until(lambda: cameras[filmed].whose == whose, SOON_S)  # the same cell films, whoever leads
        given = {name: until(lambda camera=camera: camera.whose, SOON_S) for name, camera in cameras.items()}

        # The one that leads now is killed.
        one.run("--standby")
        until(one.waits, SOON_S)
        until(lambda: {name: camera.whose for name, camera in cameras.items()} == given, SOON_S)  # who waits gives nothing to anybody
        other.process.kill()
        again = os.urandom(8).hex()
        filmed = in_the_gap(installation, again)
        whose = until(lambda: cameras[filmed].whose, SOON_S)
        until(one.leads, SOON_S)
        until(lambda: installation.live(one), SOON_S)
        until(lambda: len(installation.alerts(again)) >= 30, SOON_S)
        assert installation.alerts(again) == list(range(1, 31))
        assert installation.alerts(run) == list(range(1, 31)), "nor does anything come again"
        until(lambda: cameras[filmed].whose == whose, SOON_S)
        assert [camera.most for camera in cameras.values()] == [1, 1], "no camera was ever filmed by two"
    finally:
        for room in (one, other):
            room.end()
        if installation is not None:
            installation.end()
