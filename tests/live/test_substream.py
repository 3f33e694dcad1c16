"""A confined cell with two streams of real RTSP servers: the small one is looked at, the large one recorded. docs/design/substream.md."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from pathlib import Path

import pytest

from blickschutz.analysis.rules.sameview import show_the_same
from blickschutz.bootstrap.cellhost import own_camera
from blickschutz.config.hosts import JoinedCamera
from blickschutz.control.service.supervisor import Supervisor
from blickschutz.guard.service import Guard
from blickschutz.hosts.rules.settings import housed, travelling
from blickschutz.ingest.io.trial import try_camera
from blickschutz.ingest.model import BackoffSettings, Cause, SourceKind, SourceSettings, Step
from blickschutz.kernel.clock import SystemClock
from blickschutz.pipeline.messages import CellSettings
from blickschutz.pipeline.record import MOST_SKEW_S
from blickschutz.pipeline.render import Renderer
from blickschutz.recording.io.clipfile import ClipReader, read_head
from blickschutz.recording.model import ClipEvent, ClipMode, CloseReason, Order, RecordingSettings, Sealing
from blickschutz.vault.service import join_shares, open_share
from blickschutz.wall.model import TileState
from blickschutz.zones.hardening import lacking
from blickschutz.zones.model import Wall
from tests.fakes.register import Book, keyed
from tests.live.test_cells import confined, parts_of, until
from tests.peers.rtsp import rtsp_server

pytestmark = [pytest.mark.peers]
LARGE, SMALL = ("h264", "--size", "640x480", "--pattern", "smpte"), ("h264", "--size", "320x240", "--pattern", "smpte")


def settings(large: str, small: str, clips, root: str) -> CellSettings:
    first, second = (SourceSettings(SourceKind.RTSP, one, stall_s=2.0, connect_s=4.0) for one in (small, large))
    recording = RecordingSettings(before_s=2.0, after_s=1.0, reserve_mb=1, root=root)
    backoff = BackoffSettings(first=0.2, most=0.5, jitter=0.1)
    return CellSettings(camera="a", source=first, recorded=second, clips=str(clips), recording=recording, backoff=backoff)


def by_a_host(told: CellSettings) -> CellSettings:
    """The same as a host beside the camera makes them of what reaches it and of its own file."""
    known = JoinedCamera(id="a", address=told.recorded.address, substream=told.source.address)
    return housed(travelling(told), own_camera(known, Path.cwd()), told.clips)


def opened(path, people) -> ClipReader:
    """The clip, as both people together open it."""
    head = read_head(path)
    assert head.version == 3, "a program that knows nothing of the skew does not open it"
    key = join_shares(head.envelope, *(open_share(head.envelope, one.id, one.private) for one in people))
    return ClipReader(path, key, "ab")


@pytest.mark.parametrize(
    "made", [settings, pytest.param(lambda *told: by_a_host(settings(*told)), marks=pytest.mark.long)], ids=["here", "by-a-host"]
)
def test_the_small_stream_is_seen_the_large_one_recorded_and_neither_takes_the_other_along(tmp_path, made):
    people = [keyed(f"kvd-{number}") for number in range(2)]
    book = Book(people)
    clips = tmp_path / "clips"
    clips.mkdir(mode=0o700)
    sealing = Sealing("ab", str(clips), tuple(one.reviewer for one in people), tuple(book.lines), book.root)
    heard = []

    async def scenario(large, small, keeper):
        keeper.clips.listen(lambda told: heard.append(told.news))

        async def recorded(number, while_it_runs=None):
            before = len(heard)
            keeper.record(Order(number=number, mode=ClipMode.SEALED, cause="manual", sealing=sealing, for_s=4.0))
            await until(lambda: any(news.event is ClipEvent.OPENED for news in heard[before:]))
            if while_it_runs is not None:
                await while_it_runs()
            await until(lambda: any(news.event is ClipEvent.CLOSED for news in heard[before:]), 60)
            return next(news for news in heard[before:] if news.event is ClipEvent.CLOSED)

        await until(lambda: keeper.state is TileState.LIVE, 60)
        assert confined(keeper.process.pid) == {("1", "0" if Wall.CALLS in lacking() else "2")}
        assert (keeper.health.width, keeper.health.height) == (320, 240)
        await parts_of(keeper, 5)
        await until(lambda: keeper.health.unrecordable == "")
        whole = await recorded(1)
        assert whole.closing is CloseReason.OVER

        # The small stream stands still: the tile is lost, the clip goes on.
        small.process.send_signal(signal.SIGSTOP)
        await until(lambda: keeper.state is TileState.LOST, 60)
        kept = await recorded(2)
        assert kept.closing is CloseReason.OVER
        small.process.send_signal(signal.SIGCONT)
        await until(lambda: keeper.state is TileState.LIVE, 60)

        # The large one ends: the tile lives and says that nothing is recorded.
        large.end()
        await until(lambda: "the large stream is lost" in keeper.unrecordable, 60)
        await asyncio.sleep(2.5)
        assert keeper.state is TileState.LIVE
        return whole, kept

    async def run(large, small):
        supervisor = Supervisor({"a": made(large.address, small.address, clips, book.root)}, SystemClock())
        supervisor.start(Guard(SystemClock()))
        try:
            return await scenario(large, small, supervisor.keepers["a"])
        finally:
            await supervisor.end()

    with rtsp_server(*LARGE) as large, rtsp_server(*SMALL) as small:
        whole, kept = asyncio.run(run(large, small))

    with contextlib.closing(opened(clips / f"{whole.clip}.clip", people)) as reader:
        assert (reader.opening.width, reader.opening.height, reader.opening.skew_s) == (640, 480, MOST_SKEW_S)
        clear = [one for one in Renderer(reader.opening).frames(reader) if one.doubt is None]
    assert len(clear) > 15
    assert clear[0].width == 640
    # The bars are proven and seen; the snow in a corner of the pattern never is.
    assert all((one.mask == 0).mean() > 0.4 and one.mask[400:470, 560:620].all() for one in clear)
    # Nobody looked any more: there is the recording, and of it nothing to be seen redacted but what was looked at before.
    with contextlib.closing(opened(clips / f"{kept.clip}.clip", people)) as reader:
        assert sum(len(gop.pts) for gop in reader) > 25
    with contextlib.closing(opened(clips / f"{kept.clip}.clip", people)) as reader:
        assert all(one.doubt is not None and one.mask.all() for one in list(Renderer(reader.opening).frames(reader))[-15:])


@pytest.mark.later
def test_a_trial_says_whether_both_streams_show_the_same():
    def tried(large, small):
        one, other = (SourceSettings(SourceKind.RTSP, each, connect_s=6.0) for each in (large, small))
        return {told.step: told for told in try_camera(one, None, 1.0, SystemClock(), other, show_the_same)}

    with rtsp_server(*LARGE, "--small", "320x240") as server:
        steps = tried(server.address, f"rtsp://127.0.0.1:{server.port}/small")
        assert steps[Step.SMALL].text.startswith("h264 320x240, ")
        assert steps[Step.SAME_VIEW].cause is None
        missing = tried(server.address, f"rtsp://127.0.0.1:{server.port}/none")
        assert missing[Step.SMALL].cause is Cause.ADDRESS
        assert Step.SAME_VIEW not in missing
        with rtsp_server("h264", "--size", "320x240", "--pattern", "checkers-8") as other:
            assert tried(server.address, other.address)[Step.SAME_VIEW].cause is Cause.VIEW
