"""A device that decodes a camera's stream, and goes: at a real RTSP server, and in real, confined cells."""

from __future__ import annotations

import contextlib
import itertools
from pathlib import Path

import pytest

from blickschutz.guard.service import Guard
from blickschutz.ingest.io.decoders import Decoders
from blickschutz.ingest.io.sources import open_source
from blickschutz.ingest.model import SourceKind, SourceSettings
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.devices import Decoding
from blickschutz.wall.model import TileState
from tests.fakes import dying_cell
from tests.live.test_cells import cell, run, until
from tests.peers.rtsp import rtsp_server
from tests.unit.test_decoding import Twisted, fails

pytestmark = [pytest.mark.peers]


class Sink:
    """Where the packets of the stream lie."""

    def __init__(self):
        self.places = []

    def opened(self):
        self.places.clear()

    def take(self, packet, stamp):
        del packet
        self.places.append(stamp.pts)


@contextlib.contextmanager
def opened(server, decoders, sink=None):
    settings = SourceSettings(SourceKind.RTSP, server.address, stall_s=4.0, connect_s=4.0)
    source = open_source(settings, SystemClock(), sink, decoders=decoders)
    try:
        yield source
    finally:
        source.close()


@pytest.mark.parametrize("codec", [pytest.param("h264", marks=pytest.mark.long), "h265"])
def test_a_device_that_fails_in_the_middle_of_a_stream_costs_no_picture(codec):
    device = Twisted(50, fails, codec={"h264": "h264", "h265": "hevc"}[codec])
    decoders = Decoders(Decoding.NVDEC, Guard(SystemClock()), SystemClock(), lambda which, mine: device)
    used, sink, pictures = set(), Sink(), []
    with rtsp_server(codec, "--gop", "10") as server, opened(server, decoders, sink) as source:
        for frame in itertools.islice(source.frames(), 80):
            pictures.append(frame.pts)
            used.add(decoders.in_use.used)
        gaps = source._gate.gaps
    assert device.count == 50, "it was used until it failed"
    assert used == {"software", "nvdec"}
    assert (decoders.in_use.used, decoders.in_use.why) == ("software", "nvdec failed: the device is gone")
    assert pictures == sink.places[: len(pictures)]
    assert (gaps.count, len(gaps._next)) == (0, 1), "nothing is missing, and that was looked at"


def test_packets_that_get_lost_are_softwares():
    device = Twisted()
    decoders = Decoders(Decoding.NVDEC, Guard(SystemClock()), SystemClock(), lambda which, mine: device)
    told = []
    with rtsp_server("h264", "--gop", "10") as server, opened(server, decoders) as source:
        for _ in itertools.islice(source.frames(), 300):
            told.append((decoders.in_use.used, decoders.in_use.why.partition(" ")[0], decoders.in_use.trouble))
            if decoders.in_use.used == "nvdec" and told[-2][0] == "software":
                if source._gate.gaps.count:
                    break
                # As the gate counts it; what a server sends over TCP does not get lost here.
                source._gate.gaps.count += 1
    changes = [now for before, now in itertools.pairwise(told) if now != before]
    assert ("software", "parts", False) in changes, "parts of the stream are missing"
    assert changes[-1][0] == "nvdec", "and back, when keyframes have come"


def test_a_confined_cell_without_a_device_decodes_in_software_and_says_why(walk_clip):
    if Path("/dev/nvidiactl").exists():
        pytest.skip("this machine has a graphics card")

    async def scenario(supervisor):
        keeper = supervisor.keepers["a"]
        await until(lambda: keeper.state is TileState.LIVE and keeper.health.decoder is not None and not keeper.health.decoder.tried)
        decoder = keeper.health.decoder
        assert (decoder.wanted, decoder.used, decoder.trouble) == ("nvdec", "software", True)
        assert decoder.why.startswith("nvdec does not open: ")
        assert keeper.restarts == 0

    run([cell("a", walk_clip, decoding=Decoding.NVDEC)], scenario)


@pytest.mark.parametrize("launch", [dying_cell.launch_dying, pytest.param(dying_cell.launch_holding, marks=pytest.mark.long)])
def test_a_driver_that_takes_the_cell_with_it_does_so_once(walk_clip, launch):
    async def scenario(supervisor):
        keeper = supervisor.keepers["a"]
        # One that holds still before it has said anything is waited for as one that starts.
        await until(lambda: keeper.restarts == 1 and keeper.state is TileState.LIVE and keeper.health.decoder is not None, 120)
        decoder = keeper.health.decoder
        assert (decoder.wanted, decoder.used, decoder.trouble) == ("nvdec", "software", True)
        assert decoder.why.startswith("nvdec was in use or being tried when the last life of the cell ended (")
        frames = keeper.health.frames
        await until(lambda: keeper.health is not None and keeper.health.frames > frames + 20)
        assert keeper.restarts == 1

    run([cell("a", walk_clip, decoding=Decoding.NVDEC)], scenario, launch)
