"""Footage with ground-truth tracks, through the very path of a cell, in several ways of redaction at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import av
import cv2
import numpy as np
import numpy.typing as npt

from blickschutz.analysis.model import AnalysisSettings
from blickschutz.analysis.ports import Detector
from blickschutz.analysis.service import Analyser
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.frames import RawFrame, RedactedFrame
from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import Backdrop, Scene
from blickschutz.pipeline.offline import FileReader
from blickschutz.pipeline.path import RedactionPath
from blickschutz.pipeline.showing import Showing
from blickschutz.redaction.model import Colour, RedactionSettings, Style
from blickschutz.redaction.rules.mosaic import PERSON_M

Crop: TypeAlias = npt.NDArray[np.float32]
Picture: TypeAlias = RawFrame | RedactedFrame
# Frame, and the person's number in the ground truth.
Key: TypeAlias = tuple[int, int]

DATA = Path(__file__).resolve().parent.parent.parent.parent / "shared/data"
RAW = "unredacted"
# Twice the 12x4 cells of the attack by colours, for patterns.
ROWS, COLUMNS = 24, 8
_LEAST_PX = 8
_LEAST_BODY_PX = 150
_SAME_PERSON = 0.3


@dataclass(frozen=True)
class Footage:
    """A clip of the shared footage; `every` is how many pictures lie between two that are attacked."""

    name: str
    video: str
    truth: str
    every: int


CLIPS = (
    Footage("pets09-s2l1", "video.avi", "gt.txt", 2),
    Footage("tud-stadtmitte", "video.mp4", "gt.txt", 5),
    Footage("sbi-caviar1", "video.mp4", "masks.mkv", 5),
    Footage("sbi-hallandmonitor", "video.mp4", "masks.mkv", 5),
)


@dataclass
class Taken:
    """What an attacker gets of one clip: crops of everybody, (3, 24, 8) each, by way of redaction."""

    clip: str
    rate: float
    crops: dict[str, dict[Key, Crop]] = field(default_factory=dict)


def ways(density: float) -> dict[str, RedactionSettings]:
    """Every setting; mosaics also calibrated, with `density` pixels per metre, which leaves the most."""
    return {
        "neutral": RedactionSettings(),
        "silhouette": RedactionSettings(Style.SILHOUETTE),
        "muted": RedactionSettings(colour=Colour.MUTED),
        "muted, calibrated": RedactionSettings(colour=Colour.MUTED, px_per_metre=density),
        "full": RedactionSettings(colour=Colour.FULL),
        "full, calibrated": RedactionSettings(colour=Colour.FULL, px_per_metre=density),
    }


class _AllWays(Showing):
    """Shows each picture in every way, and keeps all of them beside the raw one until they are taken."""

    def __init__(self, settings: dict[str, RedactionSettings]) -> None:
        super().__init__()
        self._ways = {name: Showing(one) for name, one in settings.items()}
        self._shown: list[tuple[RawFrame, dict[str, RedactedFrame]]] = []

    def taken(self) -> list[tuple[RawFrame, dict[str, RedactedFrame]]]:
        shown, self._shown = self._shown, []
        return shown

    def show(
        self,
        frame: RawFrame,
        backdrop: Backdrop | None,
        scenes: Sequence[Scene],
        spared: int | None = None,
        after: Backdrop | None = None,
    ) -> RedactedFrame:
        shown = {name: way.show(frame, backdrop, scenes, spared, after) for name, way in self._ways.items()}
        self._shown.append((frame, shown))
        return next(iter(shown.values()))


def take(
    clip: Footage,
    detector: Detector,
    seen: Callable[[dict[str, Picture], list[Box]], None] = lambda shown, boxes: None,
    most: int | None = None,
    only: Sequence[str] = (),
) -> Taken | None:
    """Crops of everybody in the clip (in its first `most` pictures), None where it is absent. `seen` gets the pictures, too."""
    folder = DATA / clip.name
    if not (folder / clip.video).exists() or not (folder / clip.truth).exists():
        return None
    people = boxes_of(folder / clip.truth)
    reader = FileReader(folder / clip.video, SystemClock())
    chosen = {
        name: one
        for name, one in ways(max(box.height for found in people.values() for box in found.values()) / PERSON_M).items()
        if not only or name in only
    }
    taken = Taken(clip.name, reader.rate, {name: {} for name in (RAW, *chosen)})

    def attack(frame: RawFrame, shown: dict[str, RedactedFrame]) -> None:
        # A picture that is wholly blank has nothing to attack, and would make every figure look better.
        if frame.index % clip.every or any(picture.doubt is not None for picture in shown.values()):
            return
        pictures: dict[str, Picture] = {RAW: frame, **shown}
        found = {number: box for number, box in people.get(frame.index, {}).items() if _is_large(box, frame)}
        for name, picture in pictures.items():
            for number, box in found.items():
                taken.crops[name][frame.index, number] = crop(picture, box)
        seen(pictures, list(found.values()))

    settings = AnalysisSettings()
    showing = _AllWays(chosen)
    path = RedactionPath(Analyser(detector, settings), showing, settings.rate)
    for frame in islice(reader, most):
        path.push(frame, wanted=True)
        for shown in showing.taken():
            attack(*shown)
    path.flush()
    for shown in showing.taken():
        attack(*shown)
    return taken


def _is_large(box: Box, frame: RawFrame) -> bool:
    left, top, right, bottom = box.clipped(frame.width, frame.height)
    return right - left >= _LEAST_PX and bottom - top >= 2 * _LEAST_PX


def crop(picture: Picture, box: Box) -> Crop:
    """Y, U and V under `box`, averaged to 24 rows and 8 columns."""
    left, top, right, bottom = box.clipped(picture.width, picture.height)
    planes = []
    for plane, n in ((picture.y, 1), (picture.u, 2), (picture.v, 2)):
        part = plane[top // n : -(-bottom // n), left // n : -(-right // n)].astype(np.float32)
        planes.append(cv2.resize(part, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA))
    # Averaging leaves crumbs of the size of the box even where all is flat; no picture has them.
    return np.round(np.stack(planes), 1).astype(np.float32)


def boxes_of(truth: Path) -> dict[int, dict[int, Box]]:
    """Frame (from 0) to persons' numbers and boxes: MOTChallenge rows, or pixel masks whose regions are followed."""
    return _followed(_regions(truth)) if truth.suffix == ".mkv" else _rows(truth)


def _rows(truth: Path) -> dict[int, dict[int, Box]]:
    found: dict[int, dict[int, Box]] = {}
    for line in truth.read_text(encoding="ascii").splitlines():
        frame, number, left, top, width, height = (float(cell) for cell in line.split(",")[:6])
        found.setdefault(int(frame) - 1, {})[int(number)] = Box(left, top, left + width, top + height)
    return found


def _regions(truth: Path) -> Iterator[list[Box]]:
    with av.open(str(truth)) as container:
        for frame in container.decode(video=0):
            body = (frame.to_ndarray(format="gray") == 255).astype(np.uint8)
            _, _, stats, _ = cv2.connectedComponentsWithStats(body, connectivity=8)
            yield [Box(x, y, x + w, y + h) for x, y, w, h, area in stats[1:].tolist() if area >= _LEAST_BODY_PX]


def _followed(pictures: Iterator[list[Box]]) -> dict[int, dict[int, Box]]:
    """A region is the person whose box it overlaps most in the picture before; where nobody's, somebody new."""
    found: dict[int, dict[int, Box]] = {}
    before: dict[int, Box] = {}
    people = 0
    for frame, boxes in enumerate(pictures):
        now: dict[int, Box] = {}
        for box in boxes:
            number = max(before, key=lambda known: _overlap(before[known], box), default=None)
            if number is None or number in now or _overlap(before[number], box) < _SAME_PERSON:
                number, people = people, people + 1
            now[number] = box
        found[frame] = before = now
    return found


def _overlap(one: Box, other: Box) -> float:
    shared = one.shared(other)
    return shared / (one.area + other.area - shared)
