"""How long two people wait from the sealed file to the printed report.

    python -m benchmarks.survey_evaluation [--letters 3000] [--open 7000] [--seed 1] [--json]

Answers of a simulated town; opening, cleaning, weighting with replicates, suppressing all tables, printing in two languages.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from datetime import date
from pathlib import Path

import msgspec
import numpy as np

from stimmungsbild.collection.folder import load
from stimmungsbild.collection.model import Answer, Door, Sealed
from stimmungsbild.collection.rules import pad
from stimmungsbild.demo.run import HOLDERS, _write_margins, prepare
from stimmungsbild.demo.town import answers_of, come, register, sample, town
from stimmungsbild.keys.service import seal
from stimmungsbild.publication.office import publish
from stimmungsbild.questionnaire.io import earlier_wave
from stimmungsbild.questionnaire.rules import accept


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--letters", type=int, default=3000)
    parser.add_argument("--open", type=int, default=7000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    chance = np.random.default_rng(given.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        field, q = load(prepare(folder))
        everybody = town(q, chance)
        letters = sample(everybody, given.letters * 3, 0.4, chance)[: given.letters].tolist()
        people = [(Door.REGISTER, one) for one in letters] + [(Door.OPEN, one) for one in come(everybody, given.open, chance).tolist()]
        boxes = []
        for door, one in people:
            answer = Answer(door, "de", "2026-12-01", False, accept(q, answers_of(q, everybody, one)))
            boxes.append(seal(field.public, pad(msgspec.json.encode(answer))))
        sealed = Sealed(field, len(boxes), {Door.REGISTER: given.letters * 3}, tuple(boxes))
        (folder / "answers.sealed").write_bytes(msgspec.json.encode(sealed))
        _write_margins(folder / "margins.csv", register(q, everybody))
        holders = {folder / f"{holder}.json": words for holder, words in HOLDERS.items()}
        start, used = time.perf_counter(), time.process_time()
        key, margins = folder / "evaluation.json", folder / "margins.csv"
        what = publish(q, earlier_wave(), [folder / "answers.sealed"], key, holders, margins, folder / "report", date.today())
        took, used = time.perf_counter() - start, time.process_time() - used
    shares = [row for one in what.items for row in one.rows]
    found = {
        "answers": len(boxes),
        "seconds": round(took, 1),
        "cpu_seconds": round(used, 1),
        "shares_printed_percent": round(100 * sum(row.town is not None for row in shares) / len(shares), 1),
        "squares": len(what.open_places) + len(what.register_places),
        "load": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(found) if given.json else "\n".join(f"{key:24} {value}" for key, value in found.items()))


if __name__ == "__main__":
    main()
