"""Is what is shown later as safe as what is shown live: real people, pasted on real places at any speed, and real footage.

python -m benchmarks.later [footage] [pasted]

Through a real sealed clip and the rendering of a review room (`blickschutz mask --as-recorded`), scored by the referee.
Nothing is fitted to these clips: people, places and speeds are put together here.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import av
import cv2
import numpy as np
import numpy.typing as npt

from blickschutz.analysis.io.openvino_detector import OpenVinoDetector
from blickschutz.kernel.clock import SystemClock
from blickschutz.pipeline.offline import mask_file
from blickschutz.pipeline.recorded import mask_as_recorded
from blickschutz.redaction.model import RedactionSettings

Bytes: TypeAlias = npt.NDArray[np.uint8]

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"
DATA, CASES, REFEREE = SHARED / "data", SHARED / "cases/redaction", SHARED / "score/mask_score.py"
SPEEDS, RATES, PROOFS = (3, 5, 8, 12), (25, 10, 5), (5.0, 2.0, 1.0)
PERSON_M = 1.70
SECONDS, START_S, PAUSE_S, NOISE = 20, 8.0, 2.0, 2.0
FOOTAGE = (
    ("pets09-s2l1", "video.avi", "gt.txt", 0),
    ("cdnet-office", "video.mp4", "masks.mkv", 7),
    ("sbi-caviar1", "video.mp4", "masks.mkv", 0),
    ("sbi-hallandmonitor", "video.mp4", "masks.mkv", 0),
    ("tud-stadtmitte", "video.mp4", "gt.txt", 0),
)


@dataclass(frozen=True)
class Cutout:
    """A person cut out of real footage: colours (h, w, 3) and where the body is (h, w; 1)."""

    colours: Bytes
    body: Bytes

    def scaled(self, height: int) -> Cutout:
        size = max(2, round(self.body.shape[1] * height / self.body.shape[0])), height
        colours = cv2.resize(self.colours, size, interpolation=cv2.INTER_AREA)
        return Cutout(np.asarray(colours, np.uint8), np.asarray(cv2.resize(self.body, size, interpolation=cv2.INTER_NEAREST), np.uint8))


@dataclass(frozen=True)
class Setting:
    """Somebody before a place: how tall they are there and where their feet are, in pixels."""

    name: str
    place: Bytes
    people: list[Cutout]
    height: int
    foot: int


def pictures(path: Path, form: str = "bgr24") -> Iterator[Bytes]:
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield np.asarray(frame.to_ndarray(format=form), np.uint8)


def median_of(path: Path, first: int, last: int, step: int) -> Bytes:
    """The place without whoever walks through it."""
    kept = [picture for number, picture in enumerate(pictures(path)) if first <= number < last and number % step == 0]
    return np.asarray(np.median(np.stack(kept), axis=0), np.uint8)


def walker() -> tuple[Bytes, list[Cutout]]:
    """The street of the case `walk1`, and its walker (in black, before dark windows)."""
    path = CASES / "walk1.mp4"
    street, people = median_of(path, 100, 190, 6), []
    boxes = {}
    for line in (CASES / "walk1.txt").read_text().splitlines():
        cells = line.split(",")
        boxes[int(cells[0]) - 1] = tuple(int(cell) for cell in cells[2:6])
    for number, picture in enumerate(pictures(path)):
        x, y, w, h = boxes.get(number, (0, 0, 0, 0))
        if 225 <= number < 285 and number % 2 and x > 4 and x + w < picture.shape[1] - 4:
            part, ground = picture[y : y + h, x : x + w], street[y : y + h, x : x + w]
            body = (cv2.absdiff(part, ground).max(axis=2) > 14).astype(np.uint8)
            people.append(Cutout(part.copy(), np.asarray(cv2.morphologyEx(body, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8)), np.uint8)))
    return street, people


def from_masks(folder: str, first: int, last: int, step: int) -> list[Cutout]:
    """The largest person of single pictures, by the pixel truth (in grey and brown, before grey)."""
    people = []
    both = zip(pictures(DATA / folder / "video.mp4"), pictures(DATA / folder / "masks.mkv", "gray"), strict=False)
    for number, (picture, truth) in enumerate(both):
        if not first <= number < last or number % step:
            continue
        _, labels, stats, _ = cv2.connectedComponentsWithStats((truth == 255).astype(np.uint8))
        if len(stats) < 2:
            continue
        label = 1 + int(np.argmax(stats[1:, 4]))
        x, y, w, h = (int(value) for value in stats[label][:4])
        if min(x, y) >= 3 and x + w <= picture.shape[1] - 3 and y + h <= picture.shape[0] - 3:
            body = (labels[y : y + h, x : x + w] == label).astype(np.uint8)
            people.append(Cutout(picture[y : y + h, x : x + w].copy(), body))
    return people


def settings() -> list[Setting]:
    street, dark = walker()
    brown = from_masks("sbi-caviar1", 60, 500, 25)
    hall = cv2.resize(median_of(DATA / "sbi-hallandmonitor/video.mp4", 0, 300, 12), (704, 480))
    office = cv2.resize(next(pictures(DATA / "cdnet-office/video.mp4")), (720, 480))
    return [
        Setting("street, 230 px", street, dark, 230, 313),
        Setting("hall, 180 px", np.asarray(hall, np.uint8), brown, 180, 420),
        Setting("office, 260 px", np.asarray(office, np.uint8), dark, 260, 440),
        Setting("street, 90 px", street, brown, 90, 300),
    ]


def paste(setting: Setting, metres_per_s: float, rate: int, target: Path) -> Path:
    """Write the clip; returns the file of its truth (MOTChallenge, frame from 1)."""
    random = np.random.default_rng(7)
    height, width = setting.place.shape[0] // 2 * 2, setting.place.shape[1] // 2 * 2
    people = [one.scaled(setting.height) for one in setting.people]
    step = metres_per_s * setting.height / PERSON_M / rate
    truth, x, direction, wait, shown = [], None, 1, START_S, 0
    with av.open(str(target), "w") as container:
        stream: Any = container.add_stream("libx264", rate=rate, options={"preset": "veryfast", "crf": "20", "g": str(2 * rate)})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(SECONDS * rate):
            picture = setting.place[:height, :width].astype(np.float32)
            if x is None and number / rate >= wait:
                x = -float(people[0].body.shape[1]) if direction > 0 else float(width)
            if x is not None:
                x += step * direction
                one, shown = people[shown // max(1, round(rate / 12)) % len(people)], shown + 1
                h, w = one.body.shape
                left, top = round(x), setting.foot - h
                if (direction > 0 and left >= width) or (direction < 0 and left + w <= 0):
                    x, wait, direction = None, number / rate + PAUSE_S, -direction
                else:
                    _put(picture, one, left, top, mirrored=direction < 0)
                    truth.append(f"{number + 1},1,{left},{top},{w},{h},1,1,1")
            grain = random.normal(0, NOISE, picture.shape)
            frame = av.VideoFrame.from_ndarray(np.clip(picture + grain, 0, 255).astype(np.uint8), format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    boxes = target.with_suffix(".txt")
    boxes.write_text("\n".join(truth) + "\n")
    return boxes


def _put(picture: npt.NDArray[np.float32], one: Cutout, left: int, top: int, *, mirrored: bool) -> None:
    colours, body = (one.colours[:, ::-1], one.body[:, ::-1]) if mirrored else (one.colours, one.body)
    height, width = picture.shape[:2]
    x0, x1, y0, y1 = max(0, left), min(width, left + body.shape[1]), max(0, top), min(height, top + body.shape[0])
    if x1 <= x0 or y1 <= y0:
        return
    inside = slice(y0 - top, y1 - top), slice(x0 - left, x1 - left)
    share = cv2.GaussianBlur(body[inside].astype(np.float32), (3, 3), 0)[..., None]
    picture[y0:y1, x0:x1] = picture[y0:y1, x0:x1] * (1 - share) + colours[inside] * share


def score(masks: Path, truth: Path, warmup: int = 0) -> dict[str, float]:
    command = [sys.executable, "-W", "ignore", str(REFEREE), str(masks), str(truth), "--warmup", str(warmup), "--json"]
    figures: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    return figures


def words(figures: dict[str, float]) -> str:
    return " / ".join(f"{figures[key]:.4g}" for key in ("mean", "full", "below90", "leaked", "over"))


def footage(folder: Path, detector: OpenVinoDetector) -> None:
    """Real footage with truth, live beside later."""
    clock, masks = SystemClock(), folder / "masks.mkv"
    for name, video, truth, warmup in FOOTAGE:
        source = DATA / name / video
        if not source.exists():
            print(f"left out: {name} is not here")
            continue
        found = []
        for later in (False, True):
            redact = mask_as_recorded if later else mask_file
            redact(source, folder / "out.mp4", masks, detector, clock, RedactionSettings(), lambda done: None)
            found.append(score(masks, DATA / name / truth, warmup))
        live, again = found
        ratio = again["over"] / live["over"]
        print(f"| `{name}`, mean / full / below90 / leaked / over | {words(again)} | {words(live)} | {ratio:.2f}x |", flush=True)


def pasted(folder: Path, detector: OpenVinoDetector) -> None:
    """The worst of all clips of a setting and a speed, for each number of looks a second."""
    clock, masks = SystemClock(), folder / "masks.mkv"
    for setting in settings():
        for speed in SPEEDS:
            worst = {proofs: [0.0, 0.0] for proofs in PROOFS}
            for rate in RATES:
                clip = folder / "pasted.mp4"
                truth = paste(setting, speed, rate, clip)
                for proofs in PROOFS:
                    mask_as_recorded(clip, folder / "out.mp4", masks, detector, clock, RedactionSettings(), lambda done: None, proofs)
                    figures = score(masks, truth)
                    worst[proofs] = [max(old, figures[key]) for old, key in zip(worst[proofs], ("leaked", "below90"), strict=True)]
            cells = " | ".join(f"{leaked:.3g} / {below:.3g}" for leaked, below in worst.values())
            print(f"| {setting.name}, {speed} m/s | {cells} |", flush=True)


def main() -> None:
    wanted = sys.argv[1:] or ["footage", "pasted"]
    if not CASES.exists() or not REFEREE.exists():
        print("left out: cases and referee are not here")
        return
    detector = OpenVinoDetector.from_registry("centernet")
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory(prefix="blickschutz-bench-") as name:
        if "footage" in wanted:
            print("| footage | later | live | over, later against live |\n|---|---|---|---|")
            footage(Path(name), detector)
        if "pasted" in wanted:
            rates = ", ".join(str(rate) for rate in RATES)
            print(f"\n| pasted ({rates} pictures a second), leaked / below90 | 5 looks a second | 2 | 1 |\n|---|---|---|---|")
            pasted(Path(name), detector)


if __name__ == "__main__":
    main()
