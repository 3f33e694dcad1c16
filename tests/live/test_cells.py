"""Real cells under the real supervisor: start, watch, kill, misbehave, end."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import socket
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from blickschutz.analysis.io.registry import ModelRegistry
from blickschutz.control.service import keeper as module
from blickschutz.control.service.launching import launch_cell
from blickschutz.control.service.supervisor import Supervisor
from blickschutz.guard.service import Guard
from blickschutz.ingest.model import BackoffSettings, NoticeSettings, NotifySettings, SessionState, SourceKind, SourceSettings, Transport
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import DeviceError, FaultError
from blickschutz.pipeline.cell import Cell
from blickschutz.pipeline.messages import CellSettings
from blickschutz.situations.kinds import Kind
from blickschutz.wall.model import StreamFragment, StreamInit, TileState
from blickschutz.zones.hardening import lacking
from blickschutz.zones.model import Wall
from tests.fakes import broken_cell
from tests.fakes.detectors import BlindDetector
from tests.fakes.onvif_camera import OnvifPeer, notice
from tests.fakes.rtsp_camera import certificate
from tests.fakes.web_camera import WebCamera, moving, part
from tests.peers.rtsp import rtsp_server
from tests.videos import still


def cell(name: str, clip: Path | str, **options) -> CellSettings:
    source = SourceSettings(SourceKind.FILE, str(clip))
    return CellSettings(camera=name, source=source, backoff=BackoffSettings(first=0.2, most=0.4), **options)


def run(cells, scenario, launch=launch_cell):
    """Run `scenario(supervisor)` over real cells; afterwards no process is left."""

    async def whole():
        supervisor = Supervisor({c.camera: c for c in cells}, SystemClock(), launch)
        supervisor.start(Guard(SystemClock()))
        try:
            await scenario(supervisor)
            processes = [keeper.process for keeper in supervisor.keepers.values() if keeper.process]
        finally:
            await supervisor.end()
        assert all(not process.is_alive() for process in processes)

    asyncio.run(whole())


async def until(holds, within_s=45.0):
    async with asyncio.timeout(within_s):
        while not holds():
            await asyncio.sleep(0.05)


async def parts_of(keeper, count):
    viewer = keeper.stream.join()
    try:
        async with asyncio.timeout(20):
            return [await viewer.next() for _ in range(count)]
    finally:
        keeper.stream.leave(viewer)


def confined(pid: int) -> set[tuple[str, str]]:
    """No new rights, and the filter of calls, as the kernel says of each thread of a process."""
    told = [(task / "status").read_text().splitlines() for task in Path(f"/proc/{pid}/task").iterdir()]
    states = [dict(line.split(":\t", 1) for line in lines) for lines in told]
    assert len(states) > 3
    return {(state["NoNewPrivs"], state["Seccomp"]) for state in states}


def test_a_cell_lives_is_watched_and_ends(walk_clip):
    async def scenario(supervisor):
        keeper = supervisor.keepers["a"]
        await until(lambda: keeper.state is TileState.LIVE)
        assert confined(keeper.process.pid) == {("1", "0" if Wall.CALLS in lacking() else "2")}
        assert keeper.health.encoded == 0
        parts = await parts_of(keeper, 12)
        assert isinstance(parts[0], StreamInit)
        assert all(isinstance(part, StreamFragment) for part in parts[1:])
        assert parts[1].key
        picture = cv2.imdecode(np.frombuffer(await keeper.snapshot(), np.uint8), cv2.IMREAD_COLOR)
        assert picture.shape == (240, 320, 3)
        await asyncio.sleep(1.5)
        encoded = keeper.health.encoded
        await asyncio.sleep(2.2)
        assert keeper.health.encoded == encoded, "somebody still encodes although nobody watches"

    run([cell("a", walk_clip)], scenario)


@pytest.mark.parametrize("failing", [False, True])
def test_the_detector_is_ready_before_the_first_picture_is_read(walk_clip, failing):
    """A place must be seen empty to be known: what a detector needs to begin must not cost the first seconds."""

    class Detector(BlindDetector):
        asked = ()

        def fitting(self, width, height, regions):
            self.asked = (*self.asked, (width, height))
            if failing:
                raise FaultError("no memory")
            return []

    ours, theirs = socket.socketpair()
    with ours, theirs:
        detector = Detector()
        one = Cell(ours, SystemClock(), detector)
        one._prepare(cell("a", walk_clip))
        source = one._open()
        assert detector.asked == ((source.width, source.height),)
        assert next(iter(source.frames())).index == 0
        source.close()
        # Once pictures come the detector belongs to the thread that analyses them.
        one._size = (source.width, source.height)
        one._open().close()
        assert len(detector.asked) == 1


def test_a_confined_cell_reads_pictures_by_http_and_hears_what_the_camera_finds():
    pictures = [still(160, 96, n) for n in range(20)]

    def reply(request):
        yield moving()
        for n in range(600):
            yield part(pictures[n % 20])
            yield 0.1

    async def scenario(supervisor):
        keeper = supervisor.keepers["a"]
        await until(lambda: keeper.health is not None and keeper.health.frames > 5)
        assert (keeper.health.session, keeper.health.width, keeper.health.problem) == (SessionState.LIVE, 160, "")
        found = []
        keeper.found.listen(found.append)
        onvif.tell(notice("RuleEngine/TamperDetector/Tamper", (("IsTamper", "true"),)))
        await until(lambda: found)
        first = found[0]
        assert (first.camera, first.found.kind, first.found.active) == ("a", Kind.CAMERA_TAMPERED, True)
        assert first.at is not None
        assert abs(SystemClock().monotonic() - first.at) < 60
        with socket.create_connection(("127.0.0.1", port), 3) as line:
            line.sendall(b"word line_crossed on Tor\n")
        await until(lambda: len(found) == 2)
        assert found[1].found.kind is Kind.LINE_CROSSED
        keeper.stop(True)
        await until(lambda: len(found) == 4)
        assert not any(one.found.active for one in found[2:]), "a camera that is stopped finds nothing any more"

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    camera, onvif = WebCamera(reply), OnvifPeer(user="blick", password="s/e")
    try:
        source = SourceSettings(SourceKind.PICTURES, f"http://127.0.0.1:{camera.port}/video")
        notify = NotifySettings("127.0.0.1", port, "127.0.0.1", "word")
        settings = {
            "source": source,
            "notify": notify,
            "notices": NoticeSettings(onvif.address),
            "backoff": BackoffSettings(first=0.2, most=0.4),
        }
        run([CellSettings(camera="a", **settings)], scenario)
    finally:
        camera.end()
        onvif.end()


@pytest.mark.peers
def test_a_confined_cell_reads_its_camera_over_tls_and_finds_it_again(tmp_path):
    pem, _ = certificate()
    authority = tmp_path / "camera.pem"
    authority.write_bytes(pem)

    async def scenario(supervisor):
        keeper = supervisor.keepers["a"]
        await until(lambda: keeper.state is TileState.LIVE)
        keeper.stop(True)
        await until(lambda: keeper.state is TileState.STOPPED)
        keeper.stop(False)
        await until(lambda: keeper.state is TileState.LIVE)
        assert keeper.restarts == 0

    with rtsp_server("h264", "--tls", str(authority), "--account", "viewer:s/e#c?r@t") as server:
        address = f"rtsps://viewer:s/e#c?r@t@127.0.0.1:{server.port}/stream"
        source = SourceSettings(SourceKind.RTSP, address, connect_s=6.0, authority=str(authority))
        run([CellSettings(camera="a", source=source, backoff=BackoffSettings(first=0.2, most=0.4))], scenario)


@pytest.mark.peers
def test_a_confined_cell_takes_datagrams_of_its_camera():
    async def scenario(supervisor):
        keeper = supervisor.keepers["a"]
        await until(lambda: keeper.health is not None and keeper.health.frames > 5)
        assert (keeper.health.session, keeper.health.problem) == (SessionState.LIVE, "")

    with rtsp_server("h264", "--way", "udp") as server:
        source = SourceSettings(SourceKind.RTSP, server.address, connect_s=6.0, transport=Transport.UDP)
        run([CellSettings(camera="a", source=source, backoff=BackoffSettings(first=0.2, most=0.4))], scenario)


def test_a_killed_cell_comes_back_and_takes_no_other_with_it(walk_clip):
    async def scenario(supervisor):
        victim, other = supervisor.keepers["a"], supervisor.keepers["b"]
        await until(lambda: victim.state is TileState.LIVE and other.state is TileState.LIVE)
        pid = other.process.pid
        os.kill(victim.process.pid, signal.SIGKILL)
        await until(lambda: victim.state is TileState.LOST, 30)
        await until(lambda: victim.state is TileState.LIVE)
        assert victim.restarts == 1
        assert victim.cause == ""
        assert other.process.pid == pid
        assert other.restarts == 0

    run([cell("a", walk_clip), cell("b", walk_clip)], scenario)


def test_a_cell_without_heartbeat_is_replaced(walk_clip, monkeypatch):
    monkeypatch.setattr(module, "HEARTBEAT_S", 2.5)

    async def scenario(supervisor):
        keeper = supervisor.keepers["a"]
        await until(lambda: keeper.health is not None)
        first = keeper.process.pid
        os.kill(first, signal.SIGSTOP)
        await until(lambda: keeper.restarts == 1 and keeper.health is not None, 40)
        assert keeper.process.pid != first

    run([cell("a", walk_clip)], scenario)


def misbehave(connection):
    """A cell that speaks nonsense."""
    connection.sendall(struct.pack(">I", 20) + b"not a message at all")
    connection.recv(1_000_000)
    while connection.recv(65536):
        pass


def test_a_cell_that_misbehaves_is_killed_and_restarted(walk_clip):
    launched = []

    def launch(connection, name):
        launched.append(name)
        if len(launched) > 1:
            return launch_cell(connection, name)
        process = multiprocessing.get_context("spawn").Process(target=misbehave, args=(connection,), daemon=True)
        process.start()
        return process

    async def scenario(supervisor):
        keeper = supervisor.keepers["a"]
        await until(lambda: keeper.problem != "", 30)
        assert "not in the schema" in keeper.problem
        await until(lambda: keeper.state is TileState.LIVE)

    run([cell("a", walk_clip)], scenario, launch)


def test_a_missing_source_is_said_and_tried_again(tmp_path, walk_clip):
    clip = tmp_path / "later.mp4"

    async def scenario(supervisor):
        keeper = supervisor.keepers["a"]
        await until(lambda: keeper.health is not None and keeper.health.problem != "")
        assert keeper.state is TileState.LOST
        assert "later.mp4" in keeper.problem
        assert keeper.cause == "unreadable"
        with pytest.raises(DeviceError, match="no picture"):
            await keeper.snapshot()
        clip.write_bytes(walk_clip.read_bytes())
        await until(lambda: keeper.state is TileState.LIVE)

    run([cell("a", clip)], scenario)


@pytest.mark.parametrize("fault", ["missing", "altered"])
def test_without_its_model_a_cell_shows_only_blank_pictures(walk_clip, tmp_path, fault):
    own = ModelRegistry(tmp_path)
    if fault == "altered":
        card, data = ModelRegistry().load("centernet")
        own.add(card, data)
        flipped = bytearray(data)
        flipped[len(data) // 2] ^= 1
        (tmp_path / card.file).write_bytes(flipped)

    async def scenario(supervisor):
        keeper = supervisor.keepers["a"]
        await until(lambda: keeper.state is TileState.REDACTION_FAULT)
        assert keeper.cause == "no-detector"
        assert ("altered" if fault == "altered" else "not registered") in keeper.problem
        for _ in range(3):
            picture = cv2.imdecode(np.frombuffer(await keeper.snapshot(), np.uint8), cv2.IMREAD_GRAYSCALE)
            assert picture.std() < 0.5

    run([cell("a", walk_clip, models=str(tmp_path))], scenario)


def test_the_stop_control_stops_and_resumes(walk_clip):
    async def scenario(supervisor):
        keeper = supervisor.keepers["a"]
        await until(lambda: keeper.state is TileState.LIVE)
        viewer = keeper.stream.join()
        keeper.stop(True)
        assert keeper.state is TileState.STOPPED
        await until(lambda: keeper.health.stopped)
        await asyncio.sleep(1.2)
        frames = keeper.health.frames
        await asyncio.sleep(2.2)
        assert keeper.health.frames == frames
        with pytest.raises(DeviceError):
            await keeper.snapshot()
        keeper.stop(False)
        await until(lambda: keeper.state is TileState.LIVE)
        keeper.stream.leave(viewer)

    run([cell("a", walk_clip)], scenario)


def test_a_stopped_camera_stays_stopped_when_its_cell_is_replaced(walk_clip):
    async def scenario(supervisor):
        keeper = supervisor.keepers["a"]
        await until(lambda: keeper.state is TileState.LIVE)
        keeper.stop(True)
        os.kill(keeper.process.pid, signal.SIGKILL)
        await until(lambda: keeper.restarts == 1 and keeper.health is not None)
        await asyncio.sleep(1.5)
        assert keeper.state is TileState.STOPPED
        assert keeper.health.frames == 0

    run([cell("a", walk_clip)], scenario)


def test_a_cell_ends_when_the_control_room_is_gone(walk_clip):
    """No orphan goes on filming: the socket's end is the cell's end."""

    async def scenario(supervisor):
        keeper = supervisor.keepers["a"]
        await until(lambda: keeper.state is TileState.LIVE)
        process = keeper.process
        keeper._writer.transport.abort()
        await until(lambda: not process.is_alive(), 30)

    run([cell("a", walk_clip)], scenario)


def test_a_rule_that_fails_leaves_the_cell_and_its_redaction_as_they_are(walk_clip):
    async def scenario(supervisor):
        keeper = supervisor.keepers["a"]
        told = []
        keeper.on_situation = lambda camera, run, situation: told.append(situation.kind)
        await until(lambda: keeper.state is TileState.LIVE and keeper.health.broken_rules)
        assert keeper.health.broken_rules == {"fast_movement": "ZeroDivisionError: a rule went wrong"}
        assert (keeper.health.faults, keeper.restarts) == (0, 0)
        parts = await parts_of(keeper, 12)
        assert sum(isinstance(part, StreamFragment) for part in parts) >= 10
        assert keeper.state is TileState.LIVE

    run([cell("a", walk_clip)], scenario, broken_cell.launch)
