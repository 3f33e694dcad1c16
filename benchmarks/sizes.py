"""The same scene at four sizes: density by documents and by a cell, and how fast people walk, against labelled footage.

    python -m benchmarks.sizes [--seconds N] [--folder PETS]

PETS09-S2L1 is cut to the form of each size (4:3 and 16:9 around the same place), encoded at 640x480, 1280x720, 1920x1080 and 3840x2160,
and goes through detector and tracker as in a cell. One distance on the ground is the calibration of all. Printed for each size: density as
documents and as the cell have it against what the cut makes of it, and the speed of everybody over 1.5 s against their labelled boxes:
the median of the ratios, and the middle half of them (the median must be within 5 % of 1).
"""

from __future__ import annotations

import argparse
import math
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import av
import cv2
import numpy as np

from blickschutz.analysis.io.openvino_detector import OpenVinoDetector
from blickschutz.bootstrap.cells import cell_settings, situation_settings
from blickschutz.compliance.plan import density
from blickschutz.config.cameras import Calibration, Scale
from blickschutz.config.loader import load_site
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.density import px_per_metre
from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import Scene
from blickschutz.pipeline.clips import scenes_in
from blickschutz.situations.rules.history import History

ROOT = Path(__file__).resolve().parent.parent
PETS = ROOT.parent / "shared/data/pets09-s2l1"
SIZES = ((640, 480), (1280, 720), (1920, 1080), (3840, 2160))
# In the film's own pixels: a distance on the ground, and how many metres it is to be.
GROUND, METRES = ((184.0, 480.0), (584.0, 480.0)), 10.0
_OVER_S, _LEAST, _MUST = 1.5, 0.3, 0.05


def cut_of(size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, width, height in the film, of that form, around the same place."""
    width = 768 if size[0] * 3 != size[1] * 4 else 576
    return (768 - width) // 2, 144, width, 432


def write(film: Path, target: Path, size: tuple[int, int], seconds: float) -> float:
    """The cut at that size; pictures a second."""
    left, top, width, height = cut_of(size)
    with av.open(str(film)) as source, av.open(str(target), "w") as sink:
        rate = source.streams.video[0].average_rate
        stream = sink.add_stream("libx264", rate=rate, options={"preset": "ultrafast", "qp": "14"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for index, frame in enumerate(source.decode(video=0)):
            if index >= seconds * rate:
                break
            part = frame.to_ndarray(format="bgr24")[top : top + height, left : left + width]
            sink.mux(stream.encode(av.VideoFrame.from_ndarray(cv2.resize(part, size, interpolation=cv2.INTER_CUBIC), "bgr24")))
        sink.mux(stream.encode(None))
        return float(rate)


def labels(path: Path) -> dict[int, dict[int, Box]]:
    """Boxes by picture (from 0) and person."""
    found: dict[int, dict[int, Box]] = defaultdict(dict)
    for line in path.read_text(encoding="ascii").splitlines():
        frame, person, left, top, width, height = (float(value) for value in line.split(",")[:6])
        found[int(frame) - 1][int(person)] = Box(left, top, left + width, top + height)
    return found


def ratios(
    history: History, scenes: Iterable[tuple[float, Scene]], known: dict[int, dict[int, Box]], rate: float, size: tuple[int, int]
) -> list[float]:
    """Of everybody who walks, as seen and as labelled, at each look."""
    left, top, width, height = cut_of(size)
    metre = math.dist(*GROUND) / METRES
    found = []
    for at, scene in scenes:
        history.add(scene)
        frame = round(at * rate)
        before = known.get(frame - round(_OVER_S * rate), {})
        for track in scene.tracks:
            seen = track.box.scaled(width / size[0], height / size[1])
            here = Box(seen.left + left, seen.top + top, seen.right + left, seen.bottom + top)
            near = [(math.dist(here.centre, box.centre), person) for person, box in known.get(frame, {}).items()]
            if not near or min(near)[0] > 12 or min(near)[1] not in before or track.number not in history.trails:
                continue
            speed = history.speed(history.trails[track.number], _OVER_S)
            person = min(near)[1]
            true = math.dist(known[frame][person].centre, before[person].centre) / metre / (round(_OVER_S * rate) / rate)
            if speed and true >= _LEAST:
                found.append(speed / true)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--folder", type=Path, default=PETS)
    options = parser.parse_args()
    site = load_site(ROOT / "examples/rathaus-kaiserslautern.toml")
    known, detector = labels(options.folder / "gt.txt"), OpenVinoDetector.from_registry("centernet")
    with tempfile.TemporaryDirectory() as name:
        for size in SIZES:
            left, top, width, height = cut_of(size)
            start, end = (((x - left) / width, (y - top) / height) for x, y in GROUND)
            calibration = Calibration(scale=Scale(start=start, end=end, metres=METRES))
            camera = site.cameras[0].model_copy(update={"calibration": calibration, "picture": size})
            true = math.dist(*GROUND) / METRES * size[0] / width
            said = density(camera) or 0.0
            told = px_per_metre(cell_settings(site, camera, Path()).redaction.px_per_metre, *size) or 0.0
            film = Path(name) / "film.mp4"
            rate = write(options.folder / "video.avi", film, size, options.seconds)
            scenes = scenes_in(film, detector, SystemClock(), lambda _: None, None)
            found = ratios(History(situation_settings(camera)), scenes, known, rate, size)
            low, median, high = np.percentile(found, [25, 50, 75])
            print(
                f"{size[0]}x{size[1]}: density {said / true - 1:+.2%} (documents), {told / true - 1:+.2%} (cell); "
                f"speed, {len(found)} times: {median - 1:+.1%} (middle half {low - 1:+.1%} to {high - 1:+.1%}); must be within {_MUST:.0%}",
                flush=True,
            )


if __name__ == "__main__":
    main()
