"""A host that is started anew while the broker is away: what it may film, and what it must not. docs/design/cell-contract.md."""

from __future__ import annotations

import os
import time

import pytest

from blickschutz.config.hosts import HostedCamera
from blickschutz.wall.model import TileState
from tests.live.system import RunningSystem, until
from tests.peers.cluster import Cluster, CountingCamera, begun, keep

pytestmark = [pytest.mark.peers, pytest.mark.long]
PATIENCE_S = 120.0


class Pinned(Cluster):
    """Of three cameras `north` alone may film the first two; the third any host may."""

    def _site(self):
        site = super()._site()
        pinned = (HostedCamera(id=camera.id, only="north" if number < 2 else "") for number, camera in enumerate(site.cameras))
        return site.model_copy(update={"hosts": site.hosts.model_copy(update={"cameras": tuple(pinned)})})


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    cameras = tuple(CountingCamera(number) for number in range(3))
    with begun(Pinned(tmp_path_factory.mktemp("pinned"), cameras, hosts=("north",))) as made:
        made.hosts["north"].start()
        yield made
    for camera in cameras:
        camera.end()


@pytest.fixture(scope="module")
def keepers(cluster):
    system = RunningSystem(cluster.site, cluster.base)
    found = list(system.system.supervisor.keepers.values())
    until(lambda: all(one.state is TileState.LIVE for one in found), PATIENCE_S)
    yield found
    system.end()


def now(cluster):
    return [camera.now for camera in cluster.cameras]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("ending", ["the machine", "the agent alone", "in order"])
def test_it_goes_on_with_what_it_alone_may_film_and_with_nothing_else(cluster, keepers, ending):
    host, run, heard = cluster.hosts["north"], os.urandom(8).hex(), []
    keepers[0].situations.listen(heard.append)
    keepers[1].stop(True)
    until(lambda: now(cluster) == [1, 0, 1], PATIENCE_S)
    # What it was told last is on its disk once the camera that is stopped is let go of.
    cluster.broker.kill()
    until(lambda: now(cluster) == [1, 0, 0], PATIENCE_S)
    {"the machine": host.die, "the agent alone": host.kill, "in order": host.stop}[ending]()
    keep(host, cluster.site.cameras[0].id, run, range(1, 11))
    host.start()
    until(lambda: "goes_on_unreached" in host.log(), PATIENCE_S)
    until(lambda: now(cluster)[0] == 1, PATIENCE_S)
    time.sleep(8.0)  # two leases: what has one with an end would be over, and what nobody gave would be taken
    assert now(cluster) == [1, 0, 0], "one that was stopped stays so, and one that others may film waits"
    assert sum("broker" in line for line in host.log().split("goes_on_unreached")[-1].splitlines()) <= 6, host.log()
    whose = until(lambda: cluster.cameras[0].whose, PATIENCE_S)
    cluster.broker.start()
    until(lambda: [one.state for one in keepers][::2] == [TileState.LIVE, TileState.LIVE], PATIENCE_S)
    # The cell goes on when it is reached; on a busy machine it may have connected anew.
    until(lambda: cluster.cameras[0].whose == whose, PATIENCE_S)
    until(lambda: len({one.situation.number for one in heard if one.run == run}) == 10, PATIENCE_S)
    assert [one.situation.number for one in heard if one.run == run] == list(range(1, 11))
    keepers[1].stop(False)
    until(lambda: all(one.state is TileState.LIVE for one in keepers), PATIENCE_S)
    assert [camera.most for camera in cluster.cameras] == [1, 1, 1], "no camera was ever filmed by two"
    (cluster.hosts["north"].folder / "log").write_text("")


@pytest.mark.timeout(600)
def test_its_log_says_that_it_is_cut_off_and_does_not_fill(cluster, keepers):
    """Lease and orders are tried again within a second, as they should be; each wording is one line, and none shows the way through a
    program.
    """
    host = cluster.hosts["north"]
    host.start()
    until(lambda: all(one.state is TileState.LIVE for one in keepers), PATIENCE_S)
    (host.folder / "log").write_text("")
    cluster.broker.kill()
    until(lambda: "work=lease" in host.log() and "work=orders" in host.log(), PATIENCE_S)
    time.sleep(10.0)  # a dozen tries of each
    told = host.log().splitlines()
    cluster.broker.start()
    until(lambda: all(one.state is TileState.LIVE for one in keepers), PATIENCE_S)
    assert "Traceback" not in host.log()
    for kind in ("work=lease", "work=orders", "broker_problem"):
        lines = [line for line in told if kind in line and "work_trouble" not in line]
        assert 1 <= len(lines) <= 4, told
    assert len(told) < 30
