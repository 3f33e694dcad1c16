"""What a camera with a small stream costs: two real cells, watched, one after the other, at the same camera.

    python -m benchmarks.substream [--seconds N] [--large 3840x2160] [--small 640x360] [--rate N] [--rounds N]

One cell has the large stream alone; the other looks at the small one and records the large one. Both are asked in turn, so that
whatever else the machine does meets both. Printed: CPU seconds for each second of both, and the second as a share of the first
(must be at most 0.35). The camera is GStreamer's server, which plays a file that was encoded before.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
from pathlib import Path

import cv2
import numpy as np
from tests.peers.rtsp import rtsp_server
from tests.videos import write_pictures

from blickschutz.control.service.keeper import CellKeeper
from blickschutz.control.service.supervisor import Supervisor
from blickschutz.demo.drawn_scene import DrawnScene
from blickschutz.guard.service import Guard
from blickschutz.ingest.model import SourceKind, SourceSettings
from blickschutz.kernel.clock import SystemClock
from blickschutz.pipeline.messages import CellSettings
from blickschutz.wall.model import TileState

_SETTLE_S, _PATIENCE_S, _LOOK_S = 8.0, 90.0, 0.1
_MUST = 0.35


def write_streams(folder: Path, large: tuple[int, int], small: tuple[int, int], rate: int, count: int) -> None:
    """The same drawn scene in both sizes, as H.264 (Annex B)."""
    scene = DrawnScene(1280, 720, 5, walkers=4, empty=2 * rate)
    drawn = [scene.picture(index) for index in range(count)]
    for name, (width, height) in (("large", large), ("small", small)):
        planes = [
            np.concatenate(
                [
                    cv2.resize(plane, (width // part, height // part), interpolation=cv2.INTER_LINEAR).ravel()
                    for plane, part in ((one.y, 1), (one.u, 2), (one.v, 2))
                ]
            )
            for one in drawn
        ]
        write_pictures(folder / f"{name}.h264", [one.reshape(height * 3 // 2, width) for one in planes], rate=rate)


async def cost(settings: CellSettings, seconds: float) -> float:
    """CPU seconds that a watched cell takes for each second, once its picture is there."""
    supervisor = Supervisor({settings.camera: settings}, SystemClock())
    supervisor.start(Guard(SystemClock()))
    keeper = supervisor.keepers[settings.camera]
    watching = asyncio.create_task(_watch(keeper))
    try:
        for _ in range(round(_PATIENCE_S / _LOOK_S)):
            if keeper.state is TileState.LIVE:
                break
            await asyncio.sleep(_LOOK_S)
        await asyncio.sleep(_SETTLE_S)
        begun = keeper.health
        await asyncio.sleep(seconds)
        ended = keeper.health
        assert begun is not None
        assert ended is not None
        print(f"  {ended.width}x{ended.height}: {(ended.frames - begun.frames) / seconds:.1f} pictures a second, {ended.dropped} dropped")
        return (ended.cpu_s - begun.cpu_s) / seconds
    finally:
        watching.cancel()
        await supervisor.end()


async def _watch(keeper: CellKeeper) -> None:
    viewer = keeper.stream.join()
    try:
        while True:
            await viewer.next()
    finally:
        keeper.stream.leave(viewer)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--large", default="3840x2160")
    parser.add_argument("--small", default="640x360")
    parser.add_argument("--rate", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    large, small = ((int(width), int(height)) for width, height in (one.split("x") for one in (options.large, options.small)))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_streams(folder, large, small, options.rate, 6 * options.rate)
        files = ("--file", str(folder / "large.h264"), "--small-file", str(folder / "small.h264"), "--rate", str(options.rate))
        with rtsp_server("h264", *files) as server:
            both = [SourceSettings(SourceKind.RTSP, one) for one in (server.address, server.address.replace("stream", "small"))]
            ratios = []
            for _ in range(options.rounds):
                alone = asyncio.run(cost(CellSettings(camera="large-alone", source=both[0]), options.seconds))
                two = asyncio.run(cost(CellSettings(camera="two-streams", source=both[1], recorded=both[0]), options.seconds))
                ratios.append(two / alone)
                print(f"large alone {alone:.3f}, two streams {two:.3f} CPU seconds a second: {ratios[-1]:.2f}x")
    print(f"median {statistics.median(ratios):.2f}x (must be at most {_MUST:g}x)")


if __name__ == "__main__":
    main()
