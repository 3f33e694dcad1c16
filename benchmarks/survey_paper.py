"""How many marks are read right from skewed, stained scans of filled forms, and how many people are asked about.

    python -m benchmarks.survey_paper [--pages 500] [--language de] [--seed 1] [--json]

A box that is asked about is not read; one that is read as what it is not, unasked, is wrong. The truth is what was drawn.
"""

from __future__ import annotations

import argparse
import json
import time

import cv2
from benchmarks.survey_scans import scans

from stimmungsbild.paper.forms import doubtful
from stimmungsbild.paper.model import Ink
from stimmungsbild.paper.printing import lay_out
from stimmungsbild.paper.reading import UnreadableError, read_page
from stimmungsbild.questionnaire.io import built_in


def measured(language: str, pages: int, seed: int) -> dict[str, float]:
    """Read so many pages; every box of a choice counts, crossed or not."""
    q = built_in()
    layout = lay_out(q, language)
    counted = {"pages": 0, "marks": 0, "boxes": 0, "right_marks": 0, "wrong": 0, "asked": 0, "unreadable_pages": 0}
    seconds = 0.0
    for scan in scans(q, layout, pages, seed):
        counted["pages"] += 1
        boxes = {(one.item, one.choice) for one in layout.boxes if one.page == scan.page and one.choice}
        counted["boxes"] += len(boxes)
        counted["marks"] += len(scan.crossed)
        start = time.perf_counter()
        try:
            found = read_page(scan.picture, layout)
        except UnreadableError:
            counted["unreadable_pages"] += 1
            counted["asked"] += len(boxes)
            continue
        finally:
            seconds += time.perf_counter() - start
        asked = {one.item for one in doubtful(q, scan.form, found.ink)}
        for item, choice in boxes:
            true, ink = (item, choice) in scan.crossed, found.ink[item][choice]
            if item in asked:
                counted["asked"] += 1
            elif (ink is Ink.MARKED) != true:
                counted["wrong"] += 1
            elif true:
                counted["right_marks"] += 1
    right = 100 * counted["right_marks"] / counted["marks"]
    return {**counted, "right_percent": round(right, 2), "seconds_a_page": round(seconds / pages, 3)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--pages", type=int, default=500)
    parser.add_argument("--language", default="de")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    found = measured(given.language, given.pages, given.seed)
    print(json.dumps(found) if given.json else "\n".join(f"{name:16} {value}" for name, value in found.items()))


if __name__ == "__main__":
    main()
