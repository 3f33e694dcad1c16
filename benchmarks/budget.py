"""False alarms after the shadow against the budget, on footage split in time: `.venv/bin/python -m benchmarks.budget FOUND.jsonl`.

FOUND.jsonl is what `blickschutz analyse` wrote of ordinary clips (nothing to report in them). The first half of each clip is its
camera's shadow: thresholds are proposed from it, with the camera's common budget over all kinds. The second half is watched with
them. A clip of a minute is short for that: few events give wide bounds, so thresholds are high and the rate is below the budget.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from blickschutz.budget.model import FACTS, CameraBudget
from blickschutz.budget.rules.decide import shares
from blickschutz.budget.rules.tail import BINS, Tail, bin_of
from blickschutz.situations.kinds import Kind
from blickschutz.situations.model import FLOOR
from blickschutz.situations.settings import START_THRESHOLDS

_DAY_S, _HOURS = 86_400.0, 24
LEAST_S = 20.0
_TOLD = frozenset({"day"})


@dataclass(frozen=True, slots=True)
class Split:
    """Seconds that were watched in all, false alarms in them after the shadow, and with start thresholds; by clip after the shadow."""

    seconds: float
    alarms: int
    start_alarms: int
    by_clip: Mapping[str, int]

    def ratio(self, per_hour: float) -> float:
        """Realised rate over the budget."""
        return self.alarms / (per_hour * self.seconds / 3600)


def split(lines: Sequence[str], per_hour: float) -> Split:
    """What the second halves cost with thresholds from the first. `per_hour` is the budget of each camera over all kinds."""
    episodes: dict[str, list[tuple[Kind, float, float]]] = defaultdict(list)
    lengths = {}
    for line in map(json.loads, lines):
        if "analysed_s" in line:
            lengths[line["clip"]] = float(line["analysed_s"])
        elif Kind(line["kind"]) not in FACTS:
            episodes[line["clip"]].append((Kind(line["kind"]), float(line["start_s"]), float(line["peak"])))
    limits = shares(CameraBudget(per_hour * _HOURS, {kind: _TOLD for kind in Kind if kind not in FACTS}))
    seconds, alarms, start_alarms, by_clip = 0.0, 0, 0, {}
    for clip, length in lengths.items():
        if length < LEAST_S:
            continue
        half = length / 2
        seconds += half
        found = 0
        for kind, limit in limits.items():
            mine = [(at, peak) for one, at, peak in episodes[clip] if one is kind]
            counts = np.bincount([bin_of(peak) for at, peak in mine if at < half], minlength=BINS).astype(np.float64)
            threshold = Tail(counts, half / _DAY_S, floor=FLOOR).threshold(limit)
            found += sum(peak >= threshold for at, peak in mine if at >= half)
            start_alarms += sum(peak >= START_THRESHOLDS[kind] for at, peak in mine if at >= half)
        alarms += found
        by_clip[clip] = found
    return Split(seconds, alarms, start_alarms, by_clip)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("found", type=Path)
    parser.add_argument("--per-hour", type=float, nargs="+", default=[60.0, 6.0, 1.0])
    given = parser.parse_args()
    lines = given.found.read_text(encoding="utf-8").splitlines()
    for per_hour in given.per_hour:
        found = split(lines, per_hour)
        worst = ", ".join(f"{clip} {count}" for clip, count in found.by_clip.items() if count) or "none"
        print(
            f"budget {per_hour:g}/h: {found.alarms} false alarms in {found.seconds / 60:.1f} min of second halves "
            f"({found.ratio(per_hour):.2f} x the budget; with start thresholds {found.start_alarms}): {worst}"
        )


if __name__ == "__main__":
    main()
