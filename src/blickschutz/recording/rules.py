"""When a clip goes on, and the record of what was known of people and place."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import LEVELS, Background, Detection, Doubt, Levels, Others, Scene, Track
from blickschutz.kernel.streams import TICKS as TICKS
from blickschutz.recording.model import BackgroundSample, MaskSample, RecordingSettings

Bytes: TypeAlias = npt.NDArray[np.uint8]
# No background is larger, and none agrees with more.
_MOST_SIDE, _MOST_TOLERANCE = 1024, 32


# Units that describe the stream, by codec: SPS and PPS (ITU-T H.264, 7.4.1), VPS, SPS and PPS (ITU-T H.265, 7.4.2).
_SETS = {"h264": ((7, 8), lambda unit: unit[0] & 31), "hevc": ((32, 33, 34), lambda unit: unit[0] >> 1 & 63)}


def parameter_sets(packet: bytes, codec: str) -> bytes:
    """What a keyframe (Annex B) says of the stream as a whole, in the same form; empty where it says nothing."""
    kinds, kind_of = _SETS.get(codec, ((), lambda unit: -1))
    units = [unit.rstrip(b"\0") for unit in re.split(rb"\x00\x00\x01", packet)[1:] if unit]
    return b"".join(b"\0\0\0\1" + unit for unit in units if unit and kind_of(unit) in kinds)


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
    """What was known of one analysed picture. `background` is that of the place from then on, where it is to be kept."""

    pts: int
    doubt: str
    scene: Scene
    background: Background | None = None


def known(pts: int, doubt: Doubt | None, scene: Scene, background: Background) -> Known:
    """What is to be kept of an analysed picture. A background in doubt proves nothing and is not kept."""
    return Known(pts, doubt.value if doubt is not None else "", scene, background if background.doubt is None else None)


def sample(kept: Known) -> MaskSample:
    """The record of what was known of one analysed picture."""
    scene = kept.scene
    x, y = (1 / scene.width, 1 / scene.height) if scene.width and scene.height else (0.0, 0.0)
    found = [(d, False) for d in scene.detections if not d.moved_on] + [(d, True) for d in scene.lying]
    return MaskSample(
        kept.pts,
        kept.doubt,
        tracks=tuple((track.number, track.seen_s, _flat(track.box.scaled(x, y))) for track in scene.tracks),
        detections=tuple((d.score, lying, _flat(d.box.scaled(x, y))) for d, lying in found),
        looked_s=scene.looked_s,
        velocities=tuple((track.velocity[0] * x, track.velocity[1] * y) for track in scene.tracks),
        standing_out=(*(track.stands_out for track in scene.tracks), *(d.stands_out for d, _ in found)),
    )


def _flat(box: Box) -> tuple[float, float, float, float]:
    return float(box[0]), float(box[1]), float(box[2]), float(box[3])


def proven(kept: MaskSample) -> Bytes:
    """The proof in a record of format 1, (rows, columns), 255 where background is proven. Raises `ValueError` where it is damaged."""
    try:
        bits = np.frombuffer(_unpacked(kept.bits, (kept.rows * kept.columns + 7) // 8), np.uint8)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    return np.asarray(np.unpackbits(bits, count=kept.rows * kept.columns).reshape(kept.rows, kept.columns) * 255, np.uint8)


def scene_of(kept: MaskSample, width: int, height: int) -> Scene:
    """The people of a record, in pixels of a picture of that size; its time is that of the stream."""
    at, count = kept.pts / TICKS, len(kept.tracks)
    speeds = kept.velocities or ((0.0, 0.0),) * count
    standing_out = kept.standing_out or (False,) * (count + len(kept.detections))
    tracks = tuple(
        Track(number, Box(*box).scaled(width, height), (dx * width, dy * height), 1.0, seen, 0.0, True, out)
        for (number, seen, box), (dx, dy), out in zip(kept.tracks, speeds, standing_out[:count], strict=True)
    )
    found = [
        (Detection(Box(*box).scaled(width, height), score, out), lying)
        for (score, lying, box), out in zip(kept.detections, standing_out[count:], strict=True)
    ]
    detections, lying = (tuple(d for d, lies in found if lies is wanted) for wanted in (False, True))
    return Scene(at, tracks, detections, width=width, height=height, lying=lying, looked_s=kept.looked_s)


class BackgroundWriter:
    """Turns the backgrounds of one clip into records, each as its difference from the one before."""

    def __init__(self) -> None:
        self._newest: Background | None = None
        self._picture: Bytes = np.zeros((0, 0, 3), np.uint8)

    def write(self, pts: int, background: Background) -> BackgroundSample | None:
        """The record of `background`, in force from the picture at `pts` on; None where the clip has it already."""
        if background is self._newest:
            return None
        self._newest, (rows, columns) = background, background.known.shape
        if self._picture.shape != background.picture.shape:
            self._picture = np.zeros_like(background.picture)
        # A step of one is noise that the running mean follows; left out, a record takes a tenth of the time and room.
        near = cv2.compare(cv2.absdiff(background.picture, self._picture), 1, cv2.CMP_LE) if self._picture.any() else None
        picture = background.picture if near is None else np.where(near != 0, self._picture, background.picture)
        steps = picture - self._picture
        self._picture = picture
        levels = (*background.levels.luma, *background.levels.chroma) if background.levels is not None else ()
        packed = _bits(background.known), zlib.compress(steps.tobytes(), 1)
        falls = _bits(background.falls) if background.falls is not None else b""
        return BackgroundSample(
            pts, rows, columns, background.tolerance, *packed, levels, background.shaky, falls, *_packed(background.others)
        )


class BackgroundReader:
    """Turns the records of one clip into backgrounds again, in their order."""

    def __init__(self) -> None:
        self._picture: Bytes = np.zeros((0, 0, 3), np.uint8)
        self._damaged = False

    def read(self, kept: BackgroundSample) -> Background:
        """Raises `ValueError` where the record is damaged; no later one of the clip is whole then."""
        shape = kept.rows, kept.columns, 3
        try:
            if not (0 < kept.rows <= _MOST_SIDE and 0 < kept.columns <= _MOST_SIDE):
                raise ValueError("beyond what there is")
            if max(*kept.tolerance, *kept.levels) > _MOST_TOLERANCE:
                raise ValueError("agrees with everything")
            if len(kept.levels) not in {0, 2 * LEVELS}:
                raise ValueError("another number of levels")
            steps = np.frombuffer(_unpacked(kept.steps, kept.rows * kept.columns * 3), np.uint8).reshape(shape)
            mask = _mask(kept.known, kept.rows, kept.columns)
            falls = _mask(kept.falls, kept.rows, kept.columns) if kept.falls else None
            others = _others(kept) if kept.others_known else None
        except (ValueError, zlib.error):
            self._damaged = True
        if self._damaged:
            raise ValueError(f"the background of the picture at {kept.pts} is damaged")
        before = self._picture if self._picture.shape == shape else np.zeros(shape, np.uint8)
        self._picture = np.asarray(before + steps, np.uint8)
        levels = Levels(kept.levels[:LEVELS], kept.levels[LEVELS:]) if kept.levels else None
        return Background(kept.pts / TICKS, self._picture, mask, kept.tolerance, None, levels, kept.shaky, falls, others)


def _bits(mask: Bytes) -> bytes:
    """(rows, columns) as one bit a pixel, packed."""
    return zlib.compress(np.packbits(mask != 0).tobytes(), 1)


def _mask(packed: bytes, rows: int, columns: int) -> Bytes:
    """What `_bits` packed, 255 where it was not 0. Raises `ValueError` or `zlib.error` where it is damaged."""
    bits = np.frombuffer(_unpacked(packed, (rows * columns + 7) // 8), np.uint8)
    return np.asarray(np.unpackbits(bits, count=rows * columns).reshape(rows, columns) * 255, np.uint8)


def _packed(others: Others | None) -> tuple[bytes, bytes]:
    if others is None:
        return b"", b""
    return _bits(others.known), zlib.compress(others.picture[others.known != 0].tobytes(), 1)


def _others(kept: BackgroundSample) -> Others:
    """The other states of a record. Raises `ValueError` or `zlib.error` where they are damaged."""
    known = _mask(kept.others_known, kept.rows, kept.columns)
    picture = np.zeros((kept.rows, kept.columns, 3), np.uint8)
    picture[known != 0] = np.frombuffer(_unpacked(kept.others, 3 * int(np.count_nonzero(known))), np.uint8).reshape(-1, 3)
    return Others(picture, known)


def _unpacked(data: bytes, size: int) -> bytes:
    """Exactly `size` bytes. Raises `ValueError`."""
    machine = zlib.decompressobj()
    result = machine.decompress(data, size)
    if len(result) != size or machine.decompress(machine.unconsumed_tail, 1):
        raise ValueError("another length")
    return result


def doubt_of(kept: MaskSample | None) -> Doubt:
    """Why nothing is shown at a record."""
    if kept is None or not kept.doubt:
        return Doubt.NO_ANALYSIS
    return Doubt(kept.doubt) if kept.doubt in Doubt.__members__.values() else Doubt.FAULT
