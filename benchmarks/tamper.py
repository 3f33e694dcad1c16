"""Whether tampering is found when it is drawn over real footage, how soon, and what is told by mistake.

    python -m benchmarks.tamper [--whole N] [--seed S] [--clips WORD ...]

Every kind is drawn over every ordinary clip of at least eight seconds in ../shared/data (`clips.csv`), at a random moment and with random
strength and speed; the view alone is watched, at five pictures a second. `--whole N` draws each kind over N clips as well, encodes
them and puts them through the very path of a cell: what else is told meanwhile. Footage that is absent is left out.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import av
import cv2
import numpy as np
from benchmarks.tampering import ONSET_S, SLOW, Drawn, Tampering

from blickschutz.analysis.io.openvino_detector import OpenVinoDetector
from blickschutz.analysis.rules.view import ViewWatch
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.frames import RawFrame
from blickschutz.kernel.planes import shrunk
from blickschutz.kernel.scene import Scene
from blickschutz.pipeline.clips import analyse_file
from blickschutz.pipeline.offline import FileReader
from blickschutz.pipeline.senses import Senses, load_senses
from blickschutz.situations.io.forests import load_learned
from blickschutz.situations.kinds import Kind
from blickschutz.situations.service import SituationWatch
from blickschutz.situations.settings import SituationSettings

DATA = Path(__file__).resolve().parent.parent.parent / "shared/data"
_LEAST_S, _MOST_BEFORE_S, _AFTER_S = 8.0, 30.0, 6.0
_KNOWN_S = 3.5
_LOOK_S = 0.2
_ENCODED = {"preset": "veryfast", "crf": "20"}


@dataclass(frozen=True, slots=True)
class Found:
    """What became of one drawn tampering: seconds until it was told, or None; when nothing was drawn yet, what was told."""

    clip: str
    delay_s: float | None
    cause: str
    others: tuple[str, ...] = ()


def clips(words: Sequence[str]) -> Iterator[tuple[str, float]]:
    """Names and lengths of the ordinary clips that are here, and of the calm beginning of some others."""
    with (DATA / "clips.csv").open(newline="") as rows:
        for row in csv.DictReader(rows):
            calm = float(row["start_s"]) if row["kind"] in ("camera_tampered", "object_left") else float(row["seconds"])
            wanted = not words or any(word in row["clip"] for word in words)
            if (not row["kind"] or row["kind"] in ("camera_tampered", "object_left")) and wanted and (DATA / row["clip"]).exists():
                yield row["clip"], calm


def looks(clip: str, seconds: float) -> Iterator[tuple[float, RawFrame]]:
    """The frames of `clip` that the analysis would look at, up to `seconds`."""
    due, start = 0.0, None
    for frame in FileReader(DATA / clip, SystemClock()):
        start = frame.at if start is None else start
        at = frame.at - start
        if at > seconds:
            return
        if at + _LOOK_S / 4 >= due:
            due = max(due + _LOOK_S, at + _LOOK_S / 2)
            yield at, frame


def viewed(pictures: Iterator[tuple[float, np.ndarray]], width: int, height: int) -> Iterator[tuple[float, str]]:
    """(time, cause) of each tampering that is told, from the luma of pictures alone."""
    view, watch = ViewWatch(), SituationWatch(learned=load_learned())
    columns = min(192, width)
    rows = max(1, round(height * columns / width))
    for at, luma in pictures:
        scene = Scene(at, taken=at, width=width, height=height, view=view.look(shrunk(luma, columns, rows), luma, at))
        for situation in watch.take(scene):
            if situation.kind is Kind.CAMERA_TAMPERED and situation.ended_at is None and scene.view is not None:
                yield at, str(scene.view.cause)


def planned(kind: str, clip: str, seconds: float, seed: int) -> tuple[Drawn, float, np.random.Generator]:
    """What is drawn over `clip` and from when on; the same for the same seed."""
    rng = np.random.default_rng([seed, zlib.crc32(f"{kind} {clip}".encode())])
    drawn = Drawn.by_chance(kind, rng)
    last = max(_KNOWN_S, min(_MOST_BEFORE_S, seconds - (drawn.onset_s if kind in SLOW else 0.0) - _AFTER_S))
    return drawn, rng.uniform(_KNOWN_S, last), rng


def fits(kind: str, clip: str, seconds: float, seed: int) -> bool:
    """Whether the clip is long enough for what is drawn over it."""
    return planned(kind, clip, seconds, seed)[0].onset_s + _KNOWN_S + _AFTER_S <= seconds or kind not in SLOW


def drawn_over(kind: str, clip: str, seconds: float, seed: int) -> Found:
    """Draw `kind` over `clip`; the view alone is watched."""
    drawn, at, rng = planned(kind, clip, seconds, seed)
    until = at + drawn.onset_s + _AFTER_S
    tampering: Tampering | None = None
    size = (0, 0)

    def pictures() -> Iterator[tuple[float, np.ndarray]]:
        nonlocal tampering
        for second, frame in looks(clip, min(until, seconds)):
            tampering = tampering or Tampering(drawn, frame.width, frame.height, at, rng)
            yield second, tampering.drawn_over((frame.y, frame.u, frame.v), second)[0]

    reader = FileReader(DATA / clip, SystemClock())
    size = reader.width, reader.height
    told = list(viewed(pictures(), *size))
    hit = next((item for item in told if item[0] >= at), None)
    early = tuple("camera_tampered" for when, _ in told if when < at)
    return Found(clip, hit[0] - at if hit else None, hit[1] if hit else "", early)


def through_a_cell(kind: str, clip: str, seconds: float, seed: int, detector: OpenVinoDetector, senses: Senses, folder: Path) -> Found:
    """Draw `kind` over `clip`, encode it, and analyse the file; the others are what is told from the onset on."""
    drawn, at, rng = planned(kind, clip, seconds, seed)
    target, reader = folder / "drawn.mp4", FileReader(DATA / clip, SystemClock())
    tampering, start = Tampering(drawn, reader.width, reader.height, at, rng), None
    with av.open(target, "w") as container:
        stream = container.add_stream("libx264", rate=round(reader.rate), options=_ENCODED)
        stream.width, stream.height, stream.pix_fmt = reader.width // 4 * 4, reader.height // 4 * 4, "yuv420p"
        for frame in reader:
            start = frame.at if start is None else start
            if frame.at - start > at + drawn.onset_s + _AFTER_S:
                break
            planes = tampering.drawn_over((frame.y, frame.u, frame.v), frame.at - start)
            cut = [plane[: stream.height // step, : stream.width // step] for plane, step in zip(planes, (1, 2, 2), strict=True)]
            whole = np.concatenate([plane.reshape(-1, stream.width) for plane in cut])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(whole), format="yuv420p")))
        container.mux(stream.encode())
    episodes, _ = analyse_file(target, detector, SystemClock(), SituationSettings(), lambda _: None, senses)
    alarms = [one for one in episodes if one.alarmed and one.kind is not Kind.PERSON_IN_ZONE]
    hit = next((one for one in alarms if one.kind is Kind.CAMERA_TAMPERED and one.at >= at), None)
    others = tuple(one.kind.value for one in alarms if one.kind is not Kind.CAMERA_TAMPERED and one.at >= at)
    cause = next((key for key in hit.figures if key in ("covered", "defocused", "dark", "blinded", "moved", "frozen")), "") if hit else ""
    return Found(clip, hit.at - at if hit else None, cause, others)


def row(kind: str, found: Sequence[Found]) -> None:
    """One line of the table: recall, delays, causes, and what was told by mistake."""
    delays = sorted(one.delay_s for one in found if one.delay_s is not None)
    causes = sorted({one.cause for one in found if one.cause})
    late = f"{median(delays):.1f} / {delays[min(len(delays) - 1, int(0.95 * len(delays)))]:.1f} / {delays[-1]:.1f}" if delays else "-"
    missed = ", ".join(Path(one.clip).stem for one in found if one.delay_s is None)
    others = ", ".join(sorted(f"{other} ({Path(one.clip).stem})" for one in found for other in one.others))
    print(f"| {kind} | {len(delays)} of {len(found)} | {late} | {', '.join(causes)} | {missed} | {others} |", flush=True)


def ordinary(words: Sequence[str]) -> None:
    """Tampering that is told where there is none."""
    hours, wrong = 0.0, []
    for clip, seconds in clips(words):
        reader = FileReader(DATA / clip, SystemClock())
        told = list(viewed(((at, frame.y) for at, frame in looks(clip, seconds)), reader.width, reader.height))
        hours += seconds / 3600
        wrong += [f"{clip} at {at:.1f} s: {cause}" for at, cause in told]
    print(f"told by mistake: {len(wrong)} in {hours:.2f} camera-hours", *wrong, sep="\n  ")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--whole", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--clips", nargs="*", default=())
    parser.add_argument("--kinds", nargs="*", default=tuple(ONSET_S), choices=tuple(ONSET_S))
    options = parser.parse_args()
    if not DATA.exists():
        print(f"left out: there is no footage in {DATA}")
        return
    cv2.setNumThreads(1)
    found = [(clip, seconds) for clip, seconds in clips(options.clips) if seconds >= _LEAST_S]
    print("| drawn | found | delay s: median / p95 / most | called | missed | told by mistake |\n|---|---|---|---|---|---|")
    for kind in options.kinds if not options.whole else ():
        row(kind, [drawn_over(kind, *clip, options.seed) for clip in found if fits(kind, *clip, options.seed)])
    if not options.whole:
        ordinary(options.clips)
        return
    detector, senses = OpenVinoDetector.from_registry("centernet"), load_senses()
    rng = np.random.default_rng(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        for kind in options.kinds:
            long = [clip for clip in found if fits(kind, *clip, options.seed)]
            chosen = [long[k] for k in rng.permutation(len(long))[: options.whole]]
            row(f"{kind}, through a cell", [through_a_cell(kind, *clip, options.seed, detector, senses, Path(folder)) for clip in chosen])


if __name__ == "__main__":
    main()
