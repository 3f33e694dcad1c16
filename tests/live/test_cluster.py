"""Two machines beside the cameras, a broker, a control room: what happens when one of them goes. docs/design/cell-contract.md."""

from __future__ import annotations

import contextlib
import os
import shutil
import time

import psutil
import pytest
from websockets.sync.client import connect

from blickschutz.hosts.io.journal import FileJournal
from blickschutz.kernel.clock import aging
from blickschutz.wall.model import TileState
from tests.live.system import RunningSystem, admit, client, until
from tests.peers.cluster import PASSWORD, USER, Cluster, CountingCamera, begun, keep

pytestmark = pytest.mark.peers
# For a machine on which everything else runs, too; what it takes on a quiet one stands in the benchmarks.
PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    cameras = (CountingCamera(0), CountingCamera(1))
    with begun(Cluster(tmp_path_factory.mktemp("cluster"), cameras)) as made:
        yield made
    for camera in cameras:
        camera.end()


@pytest.fixture(scope="module")
def running(cluster, traffic):
    system = RunningSystem(cluster.site, cluster.base)
    yield system.system
    system.end()


@pytest.fixture
def keepers(cluster, running):
    """All is well before each test: both hosts are there, each camera is live."""
    for host in cluster.hosts.values():
        host.start()
    found = running.supervisor.keepers
    until(lambda: present(running) == set(cluster.hosts), PATIENCE_S)
    live(found)
    yield found
    assert [camera.most for camera in cluster.cameras] == [1, 1], "no camera was ever filmed by two"


def live(keepers, on=None):
    """Wait until all are live (on this host)."""
    until(lambda: all(one.state is TileState.LIVE and on in {None, one.host} for one in keepers.values()), PATIENCE_S)


def present(running):
    """The hosts that renew their lease."""
    return set(running.control.hosts.giver.alive(aging()))


def both_on(cluster, keepers, name):
    """Have that host film all of them: the other one ends in order, and comes back."""
    other = next(host for host in cluster.hosts.values() if host.name != name)
    other.stop()
    live(keepers, name)
    return other


def test_tiles_of_cameras_on_two_hosts_are_live_at_the_control_room(running, keepers):
    camera, keeper = next(iter(keepers.items()))
    with client(running) as http:
        picture = http.get(f"{running.address}cameras/{camera}/picture.jpg")
        assert picture.status_code == 200
        assert picture.content.startswith(b"\xff\xd8")
        assert "live" in http.get(f"{running.address}wall").text
    origin = running.address.removesuffix("/")
    address = f"{running.address.replace('http', 'ws')}cameras/{camera}/live"
    with connect(address, origin=origin, additional_headers={"Cookie": f"session={admit(running)}"}) as line:
        parts = []
        while len(parts) < 5:
            said = line.recv(timeout=30)
            if isinstance(said, bytes):
                parts.append(said)
    assert sum(map(len, parts)) > 1000, "video comes once somebody watches"
    assert keeper.process is None, "no cell of it runs here"


@pytest.mark.later
def test_a_camera_of_a_host_that_is_killed_is_filmed_by_the_other_one(cluster, running, keepers):
    keeper = next(iter(keepers.values()))
    victim, began = keeper.host, time.monotonic()
    other = next(name for name in cluster.hosts if name != victim)
    cluster.hosts[victim].kill()
    live(keepers, other)
    print(f"live elsewhere after {time.monotonic() - began:.1f} s")
    cluster.hosts[victim].start()
    until(lambda: victim in present(running), PATIENCE_S)
    time.sleep(2.0)
    live(keepers, other)
    assert all(camera.now == 1 for camera in cluster.cameras), "who comes back takes nothing away from anybody"


@pytest.mark.long
def test_a_host_that_ends_in_order_hands_its_cameras_over(cluster, keepers):
    name = next(iter(keepers.values())).host
    other = next(one for one in cluster.hosts if one != name)
    both_on(cluster, keepers, other)
    assert "Traceback" not in cluster.hosts[name].log()


@pytest.mark.long
def test_a_host_that_can_start_no_cell_any_more_ends_and_hands_its_cameras_over(cluster, running, keepers):
    """Both processes from which cells are forked are killed at once; within its walls the agent starts no third."""
    name = next(iter(keepers.values())).host
    host = cluster.hosts[name]
    launchers = [one for one in psutil.Process(host.pid).children(recursive=True) if "blickschutz.bootstrap.launcher" in one.cmdline()]
    forked = [one for one in launchers if one.ppid() != host.pid]
    for one in (*launchers, *forked):
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()
    assert host.wait(PATIENCE_S) == 1
    assert "to be started anew" in host.log()
    live(keepers, next(one for one in cluster.hosts if one != name))
    host.start()
    until(lambda: name in present(running), PATIENCE_S)


def alerts_of(running, run):
    return [alert for alert in running.records.alerts.find(most=10_000) if alert.run == run]


@pytest.mark.long
def test_what_a_host_has_to_tell_comes_once_whatever_becomes_of_the_broker(cluster, running, keepers):
    """Thirty situations lie in the journal of a host that comes back; the broker is killed, and emptied, while they are told."""
    camera, name = next(iter(keepers.items()))[0], sorted(cluster.hosts)[0]
    away = both_on(cluster, keepers, next(one for one in cluster.hosts if one != name))
    run, heard = os.urandom(8).hex(), []
    keepers[camera].situations.listen(heard.append)
    keep(away, camera, run, range(1, 31))
    away.start()
    until(lambda: name in present(running), PATIENCE_S)
    until(lambda: heard, PATIENCE_S)
    cluster.broker.empty()
    time.sleep(0.5)
    cluster.broker.start()
    until(lambda: len(alerts_of(running, run)) >= 30, PATIENCE_S)
    cluster.broker.kill()
    cluster.broker.start()
    live(keepers)
    found = [alert.situation for alert in alerts_of(running, run)]
    assert sorted(found) == list(range(1, 31)), "each is an alert, once"
    assert [one.situation.number for one in heard if one.run == run] == list(range(1, 31)), "each was told once, and in order"
    left = away.folder / "data/journals" / f"{camera}.journal"
    until(lambda: not FileJournal(shutil.copy(left, left.with_suffix(".copy"))).waiting(), PATIENCE_S)


@pytest.mark.long
def test_a_broker_that_is_away_is_told_in_words_and_ends_nothing_for_good(cluster, running, keepers):
    cluster.broker.kill()
    until(lambda: {one.cause for one in keepers.values()} == {"broker-away"}, PATIENCE_S)
    until(lambda: not any(camera.now for camera in cluster.cameras), PATIENCE_S)
    with client(running) as http:
        assert "Rechnern bei den Kameras ist unterbrochen" in http.get(f"{running.address}health").text
    cluster.broker.start()
    live(keepers)


def test_no_raw_picture_key_or_secret_is_in_what_the_broker_hears_and_keeps(cluster, running, keepers, traffic):
    camera = next(iter(keepers))
    with client(running) as http:
        assert http.get(f"{running.address}cameras/{camera}/picture.jpg").status_code == 200
    stored = b"".join(path.read_bytes() for path in cluster.broker.store.rglob("*") if path.is_file())
    heard = b"".join(traffic)
    assert camera.encode() in stored, "it is searched in what was stored"
    assert b"\xff\xd8\xff" in heard, "and in what was said: a redacted picture was asked for"
    keys = [path.read_bytes().splitlines()[1] for path in cluster.base.rglob("*.key") if path.read_bytes().startswith(b"-----")]
    assert len(keys) >= 5
    doors = [path.read_bytes() for path in cluster.base.rglob("door.key")]
    raw = [picture[len(picture) // 2 :][:48] for one in cluster.cameras for picture in one.pictures]
    for needle in (PASSWORD.encode(), USER.encode(), *keys, *doors, *(one.path.encode() for one in cluster.cameras), *raw):
        assert needle not in stored, needle
        assert needle not in heard, needle


@pytest.mark.long
def test_who_was_shut_out_or_belongs_elsewhere_is_refused(cluster, running, keepers):
    """One whose enrolment was revoked, one of another installation's authority: the broker lets neither in, and nothing is placed there."""
    name = sorted(cluster.hosts)[0]
    host, other = cluster.hosts[name], next(one for one in sorted(cluster.hosts) if one != name)
    cluster.revoke(name)
    live(keepers, other)
    assert [camera.most for camera in cluster.cameras] == [1, 1], "though the broker does not know of it yet"
    cluster.broker.reload()
    until(lambda: "no_broker" in host.log() or "broker_problem" in host.log(), PATIENCE_S)
    host.stop()
    host.start()
    until(lambda: "no_broker" in host.log(), PATIENCE_S)
    until(lambda: name not in present(running), PATIENCE_S)
    host.stop()
    cluster.hosts[name] = again = cluster.enrol(name)
    cluster.broker.reload()
    again.start()
    until(lambda: name in present(running), PATIENCE_S)
