"""Footage for the demo: real CCTV, cut into eleven views by day and by night; where it is not to be had, a drawn scene.

The clip is `vtest.avi` of the Debian package `opencv-doc` (PETS 2009, a road with people). It is fetched
with apt, never committed. Each view is a part of the picture, some mirrored, each with its own start.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import av
import cv2
import numpy as np
import numpy.typing as npt

from blickschutz.analysis.io.registry import default_folder
from blickschutz.bootstrap.drawn_scene import DrawnScene
from blickschutz.kernel.errors import MediaError

Bytes: TypeAlias = npt.NDArray[np.uint8]
Say = Callable[[str], None]
Progress = Callable[[int], object]

PACKAGE = "opencv-doc"
MEMBER = "./usr/share/doc/opencv-doc/examples/data/vtest.avi"
WIDTH, HEIGHT, RATE = 640, 360, 10
_DONE = "footage.json"


@dataclass(frozen=True, slots=True)
class View:
    """A part of the clip: left, top, width, height in shares of its picture; mirrored or not; first frame."""

    left: float
    top: float
    width: float
    height: float
    mirrored: bool
    first_frame: int


VIEWS = (
    View(0.00, 0.12, 1.00, 0.75, False, 0),
    View(0.00, 0.12, 1.00, 0.75, True, 130),
    View(0.35, 0.10, 0.65, 0.49, False, 260),
    View(0.10, 0.10, 0.70, 0.53, True, 390),
    View(0.30, 0.25, 0.70, 0.53, False, 520),
    View(0.00, 0.05, 0.80, 0.60, False, 650),
    View(0.20, 0.15, 0.80, 0.60, True, 60),
    View(0.15, 0.05, 0.75, 0.56, False, 190),
    View(0.25, 0.25, 0.75, 0.56, True, 320),
    View(0.40, 0.12, 0.60, 0.45, True, 450),
    View(0.05, 0.20, 0.85, 0.64, False, 580),
)


def folder() -> Path:
    """Where the footage lies: beside the models."""
    return default_folder().parent / "footage"


def is_ready() -> bool:
    return (folder() / _DONE).exists()


def is_real() -> bool:
    """Whether the footage is the real clip; False where the scene was drawn."""
    return bool(json.loads((folder() / _DONE).read_text(encoding="utf-8"))["real"])


def prepare(say: Say, progress: Callable[[int], Progress]) -> None:
    """Make all views, by day and by night. `progress(total)` gives the function that is told of each frame."""
    target = folder()
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    frames, real = _clip(say)
    say(f"cutting {len(VIEWS)} views, by day and by night")
    step = progress(2 * len(VIEWS) * len(frames))
    for number, view in enumerate(VIEWS, 1):
        for night in (False, True):
            _write(target / f"view-{number:02d}-{'night' if night else 'day'}.mp4", frames, view, night, step)
    (target / _DONE).write_text(json.dumps({"real": real, "frames": len(frames)}), encoding="utf-8")


def _clip(say: Say) -> tuple[list[Bytes], bool]:
    """All pictures of the clip as BGR, and whether they are real."""
    with tempfile.TemporaryDirectory(prefix="blickschutz-footage-") as name:
        try:
            say(f"fetching the Debian package {PACKAGE} with apt")
            path = _fetch(Path(name))
            with av.open(str(path)) as container:
                return [np.asarray(f.to_ndarray(format="bgr24"), np.uint8) for f in container.decode(video=0)], True
        except (MediaError, OSError, av.error.FFmpegError) as error:
            say(f"the real clip is not to be had ({error}); drawing a forecourt with walking figures instead")
    scene = DrawnScene(768, 576, seed=1)
    return [cv2.cvtColor(scene.picture(i).i420(), cv2.COLOR_YUV2BGR_I420) for i in range(300)], False


def _fetch(target: Path) -> Path:
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise MediaError("this machine has no apt")
    for command in (["apt-get", "download", PACKAGE], ["apt-get", "-qq", "update"], ["apt-get", "download", PACKAGE]):
        result = subprocess.run(command, cwd=target, capture_output=True, text=True, timeout=300, check=False)
        if list(target.glob("*.deb")):
            break
    packages = list(target.glob("*.deb"))
    if not packages:
        raise MediaError(f"apt could not fetch {PACKAGE}: {result.stderr.strip()[-200:]}")
    unpack = subprocess.run(f"dpkg-deb --fsys-tarfile {packages[0].name} | tar -x {MEMBER}", cwd=target, shell=True, capture_output=True, text=True, check=False)  # noqa: S602 - both names are ours or apt's
    clip = target / MEMBER
    if unpack.returncode or not clip.exists():
        raise MediaError(f"{PACKAGE} does not hold {MEMBER}")
    return clip


def _write(path: Path, frames: list[Bytes], view: View, night: bool, step: Progress) -> None:
    noise = np.random.default_rng(len(path.name) + view.first_frame)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=RATE, options={"preset": "superfast", "crf": "23"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for index, picture in enumerate(_view(frames, view)):
            shown = _at_night(picture, noise) if night else picture
            frame = av.VideoFrame.from_ndarray(shown, format="bgr24")
            frame.pts = index
            container.mux(stream.encode(frame))
            step(1)
        container.mux(stream.encode(None))


def _view(frames: list[Bytes], view: View) -> Iterator[Bytes]:
    for index in range(len(frames)):
        picture = frames[(index + view.first_frame) % len(frames)]
        height, width = picture.shape[:2]
        left, top = int(view.left * width), int(view.top * height)
        part = picture[top : top + int(view.height * height), left : left + int(view.width * width)]
        part = cv2.resize(part, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        yield np.asarray(cv2.flip(part, 1) if view.mirrored else part, np.uint8)


def _at_night(picture: Bytes, noise: np.random.Generator) -> Bytes:
    """Darkened, with little colour and the noise of a sensor at high gain."""
    gray = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)[..., None]
    dark = (0.2 * picture + 0.8 * gray) * 0.35 + 8
    grain = noise.normal(0, 3.5, (HEIGHT // 2, WIDTH // 2, 1)).astype(np.float32)
    return np.asarray(np.clip(dark + cv2.resize(grain, (WIDTH, HEIGHT))[..., None], 0, 255), np.uint8)
