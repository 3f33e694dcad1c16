"""Make `situations/curves.json` from scored episodes: `python -m scripts.curves FOUND.jsonl --clips CLIPS.csv --evidence NAME`.

FOUND.jsonl is what `blickschutz analyse` wrote, of clips whose scenes the rules did not learn from (folds by scene, written one after
the other). CLIPS.csv has the columns clip, scene, kind, start_s, end_s; without times the whole clip is labelled. A label is found by
an episode of its kind that starts between 1 s before it and its end (10 s after its start, if later); its score is the highest peak.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blickschutz.budget.io.curves import curves_from
from blickschutz.situations.kinds import Kind

TARGET = Path(__file__).resolve().parent.parent / "src/blickschutz/situations/curves.json"
_BEFORE_S, _LEAST_S = 1.0, 10.0
_POINTS = 40


@dataclass(frozen=True, slots=True)
class Label:
    """An incident of the reference footage; times in seconds of its clip."""

    clip: str
    scene: str
    kind: Kind
    start: float = 0.0
    end: float = 1e9


def labels_of(rows: Iterable[Mapping[str, str]]) -> list[Label]:
    """The incidents among the rows of clips; a clip without a kind is ordinary."""
    return [
        Label(row["clip"], row["scene"], Kind(row["kind"]), float(row["start_s"] or 0), float(row["end_s"] or 1e9))
        for row in rows
        if row["kind"] in set(Kind)
    ]


def curves(lines: Iterable[str], labels: Iterable[Label], evidence: str) -> dict[str, Any]:
    """Recall by score for each kind that has labels in an analysed clip."""
    episodes: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    analysed = set()
    for line in map(json.loads, lines):
        if "analysed_s" in line:
            analysed.add(line["clip"])
        else:
            episodes[line["clip"], line["kind"]].append((line["start_s"], line["peak"]))
    peaks: dict[Kind, list[float]] = defaultdict(list)
    scenes: dict[Kind, set[str]] = defaultdict(set)
    for label in labels:
        if label.clip not in analysed:
            continue
        last = max(label.end, label.start + _LEAST_S)
        fits = [peak for at, peak in episodes[label.clip, label.kind.value] if label.start - _BEFORE_S <= at <= last]
        peaks[label.kind].append(max(fits, default=0.0))
        scenes[label.kind].add(label.scene)
    kinds = {kind.value: _points(found, len(scenes[kind])) for kind, found in sorted(peaks.items())}
    return {"format": 1, "evidence": evidence, "kinds": kinds}


def _points(peaks: list[float], scenes: int) -> list[list[float]]:
    """(score, share of labels whose peak reaches it, scenes), at most `_POINTS` of them. Scores are rounded down: none is promised more."""
    scores = sorted({int(peak * 1e4) / 1e4 for peak in peaks if peak > 0})
    step = max(1, -(-len(scores) // _POINTS))
    chosen = sorted({*scores[::step], *scores[-1:]})
    return [[score, round(sum(peak >= score for peak in peaks) / len(peaks), 4), scenes] for score in chosen] or [[1.0, 0.0, scenes]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("found", type=Path)
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--evidence", required=True, help="name of this version of the rules")
    parser.add_argument("--out", type=Path, default=TARGET)
    given = parser.parse_args()
    with given.clips.open(encoding="utf-8", newline="") as rows:
        made = curves(given.found.read_text(encoding="utf-8").splitlines(), labels_of(csv.DictReader(rows)), given.evidence)
    data = json.dumps(made).encode()
    curves_from(data)
    given.out.write_bytes(data + b"\n")
    for kind, points in made["kinds"].items():
        print(f"{kind}: {len(points)} points, recall {points[0][1]:.2f} at {points[0][0]}, {points[0][2]} scenes")


if __name__ == "__main__":
    main()
