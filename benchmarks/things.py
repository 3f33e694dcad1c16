"""Whether somebody who fell and stays on the floor is taken for a thing that was left or removed.

    python -m benchmarks.things [--seconds 24] [--seed 1]

Every clip of a fall in ../shared/data whose person lies there to its end is played on: its last second to and fro with a sensor's
noise, for so many seconds, and the whole goes through the very path of a cell. Footage that is absent is left out.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from benchmarks.tamper import DATA
from benchmarks.tampering import Bytes

from blickschutz.analysis.io.openvino_detector import OpenVinoDetector
from blickschutz.kernel.clock import SystemClock
from blickschutz.pipeline.clips import analyse_file
from blickschutz.pipeline.offline import FileReader
from blickschutz.pipeline.senses import load_senses
from blickschutz.situations.kinds import Kind
from blickschutz.situations.settings import SituationSettings

_ENCODED = {"preset": "veryfast", "crf": "20"}
_TO_THE_END_S, _NOISE = 1.5, 1.5


def falls() -> Iterator[str]:
    """The clips of falls that end within 1.5 s of their label."""
    seen = set()
    with (DATA / "clips.csv").open(newline="") as rows:
        for row in csv.DictReader(rows):
            lies = not row["end_s"] or float(row["end_s"]) >= float(row["seconds"]) - _TO_THE_END_S
            if row["kind"] == Kind.PERSON_DOWN.value and lies and row["clip"] not in seen and (DATA / row["clip"]).exists():
                seen.add(row["clip"])
                yield row["clip"]


def played_on(clip: str, seconds: float, rng: np.random.Generator, target: Path) -> None:
    """Write `clip` and so many seconds more of its last second into `target`."""
    reader = FileReader(DATA / clip, SystemClock())
    last: list[tuple[Bytes, Bytes, Bytes]] = []
    with av.open(target, "w") as container:
        stream = container.add_stream("libx264", rate=round(reader.rate), options=_ENCODED)
        stream.width, stream.height, stream.pix_fmt = reader.width // 4 * 4, reader.height // 4 * 4, "yuv420p"

        def put(planes: tuple[Bytes, Bytes, Bytes]) -> None:
            cut = [plane[: stream.height // step, : stream.width // step] for plane, step in zip(planes, (1, 2, 2), strict=True)]
            whole = np.concatenate([plane.reshape(-1, stream.width) for plane in cut])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(whole), format="yuv420p")))

        for frame in reader:
            planes = (frame.y.copy(), frame.u.copy(), frame.v.copy())
            put(planes)
            last = [*last, planes][-max(2, round(reader.rate)) :]
        there_and_back = [*last, *last[-2:0:-1]]
        for index in range(round(seconds * reader.rate)):
            luma, u, v = there_and_back[index % len(there_and_back)]
            noise = _NOISE * rng.standard_normal(luma.shape, dtype=np.float32)
            put((np.clip(luma + noise, 0, 255).astype(np.uint8), u, v))
        container.mux(stream.encode())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=24.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if not DATA.exists():
        print(f"left out: there is no footage in {DATA}")
        return
    cv2.setNumThreads(1)
    detector, senses, rng = OpenVinoDetector.from_registry("centernet"), load_senses(), np.random.default_rng(options.seed)
    clips, wrong = 0, 0
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "on.mp4"
        for clip in falls():
            played_on(clip, options.seconds, rng, target)
            episodes, _ = analyse_file(target, detector, SystemClock(), SituationSettings(), lambda _: None, senses)
            told = [one for one in episodes if one.alarmed and one.kind in (Kind.OBJECT_LEFT, Kind.OBJECT_REMOVED)]
            clips, wrong = clips + 1, wrong + len(told)
            for one in told:
                print(f"{clip}: {one.kind.value} at {one.at:.1f} s", flush=True)
    print(f"people on the floor taken for things: {wrong} in {clips} clips")


if __name__ == "__main__":
    main()
