"""When a clip goes on, and the record of a proof of background."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import Backdrop, Detection, Doubt, Scene, Track
from blickschutz.recording.model import MaskSample, RecordingSettings

Bytes: TypeAlias = npt.NDArray[np.uint8]
TICKS = 90_000


@dataclass(slots=True)
class Orders:
    """The orders of one camera. Overlapping ones make one clip; it ends a while after the last of them.

    Times are monotonic seconds.
    """

    settings: RecordingSettings
    running: dict[int, float | None] = field(default_factory=dict)
    until: float = float("-inf")

    def begin(self, number: int, now: float, for_s: float | None = None) -> None:
        """An order comes; `for_s` makes it end by itself."""
        self.running[number] = None if for_s is None else now + for_s
        self.until = max(self.until, now)

    def end(self, number: int, now: float) -> None:
        """Its situation is over; unknown numbers are none of ours any more."""
        if self.running.pop(number, 0) != 0:
            self.until = max(self.until, now + self.settings.after_s)

    def wanted(self, now: float) -> bool:
        """Whether the clip goes on."""
        for number, ends in list(self.running.items()):
            if ends is not None and now >= ends:
                del self.running[number]
                self.until = max(self.until, ends)
        return bool(self.running) or now < self.until

    def clear(self) -> None:
        self.running.clear()
        self.until = float("-inf")


@dataclass(frozen=True, slots=True)
class Known:
    """What was known of one analysed picture, small enough to be kept for a minute: the proof has one bit a pixel."""

    pts: int
    doubt: str
    rows: int
    columns: int
    packed: bytes
    scene: Scene


def known(pts: int, backdrop: Backdrop, scene: Scene) -> Known:
    """Pack a proof of background."""
    rows, columns = backdrop.proven.shape
    doubt = backdrop.doubt.value if backdrop.doubt is not None else ""
    return Known(pts, doubt, rows, columns, b"" if doubt else np.packbits(backdrop.proven != 0).tobytes(), scene)


def sample(kept: Known) -> MaskSample:
    """The record of what was known of one analysed picture."""
    scene = kept.scene
    x, y = (1 / scene.width, 1 / scene.height) if scene.width and scene.height else (0.0, 0.0)
    found = [(d, False) for d in scene.detections] + [(d, True) for d in scene.lying]
    return MaskSample(
        kept.pts,
        kept.doubt,
        kept.rows,
        kept.columns,
        zlib.compress(kept.packed, 1) if kept.packed else b"",
        tuple((track.number, track.seen_s, _flat(track.box.scaled(x, y))) for track in scene.tracks),
        tuple((d.score, lying, _flat(d.box.scaled(x, y))) for d, lying in found),
    )


def _flat(box: Box) -> tuple[float, float, float, float]:
    return float(box[0]), float(box[1]), float(box[2]), float(box[3])


def proven(kept: MaskSample) -> Bytes:
    """The proof of a record, (rows, columns), 255 where background is proven. Raises `ValueError` where it is damaged."""
    try:
        bits = np.frombuffer(zlib.decompress(kept.bits), np.uint8)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    return np.asarray(np.unpackbits(bits, count=kept.rows * kept.columns).reshape(kept.rows, kept.columns) * 255, np.uint8)


def scene_of(kept: MaskSample, width: int, height: int) -> Scene:
    """The people of a record, in pixels of a picture of that size; its time is that of the stream."""
    at = kept.pts / TICKS
    tracks = tuple(Track(n, Box(*box).scaled(width, height), (0.0, 0.0), 1.0, seen, 0.0, True) for n, seen, box in kept.tracks)
    found = [(Detection(Box(*box).scaled(width, height), score), lying) for score, lying, box in kept.detections]
    detections, lying = (tuple(d for d, lies in found if lies is wanted) for wanted in (False, True))
    return Scene(at, tracks, detections, width=width, height=height, lying=lying)


def backdrop_between(before: MaskSample | None, after: MaskSample | None, at: float, longest_s: float) -> Backdrop | None:
    """Proof for a picture at `at` (stream seconds) between two records: background is what both prove.

    None where one is missing, in doubt, of another size, or where they lie further apart than `longest_s`.
    """
    if before is None or after is None or before.doubt or after.doubt or (after.pts - before.pts) / TICKS > longest_s:
        return None
    if (before.rows, before.columns) != (after.rows, after.columns):
        return None
    try:
        first = proven(before)
        return Backdrop(at, first if after is before else np.asarray(first & proven(after), np.uint8))
    except ValueError:
        return None


def doubt_of(kept: MaskSample | None) -> Doubt:
    """Why nothing is shown at a record."""
    return Doubt(kept.doubt) if kept is not None and kept.doubt else Doubt.NO_ANALYSIS
