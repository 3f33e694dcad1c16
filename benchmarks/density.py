"""Mosaic cells for each metre of a person, at every share of them that is seen: `.venv/bin/python -m benchmarks.density`.

True boxes of PETS09-S2L1 and TUD-Stadtmitte, a box's height taken for 1.75 m, cut to what would be seen of them
from each side, with the margin that a mask has. Each clip at its own size and as if filmed with 1080 lines.
What is absent is left out, by name.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from blickschutz.kernel.geometry import Box
from blickschutz.redaction.rules.mask import MaskSettings
from blickschutz.redaction.rules.mosaic import CELLS_PER_METRE, PERSON_M, cells_in, least_cell

DATA = Path(__file__).resolve().parent.parent.parent / "shared/data"
# Name and size of each clip.
CLIPS = (("pets09-s2l1", 768, 576), ("tud-stadtmitte", 640, 480))
LINES = 1080
SHARES = tuple(n / 10 for n in range(1, 11))
_MARGIN = MaskSettings()


@dataclass(slots=True)
class Worst:
    """Greatest number of cells a metre: with the formula of before, and now without and with calibration."""

    before: float = 0.0
    plain: float = 0.0
    calibrated: float = 0.0


def density() -> Worst | None:
    """Over all clips that are there; None where none is."""
    worst, found = Worst(), False
    for name, width, height in CLIPS:
        boxes = _boxes(DATA / name / "gt.txt")
        if not boxes:
            print(f"left out: {name} (no {DATA / name / 'gt.txt'})", flush=True)
            continue
        found = True
        for scale in (1.0, LINES / height):
            _measure(worst, [box.scaled(scale, scale) for box in boxes], round(width * scale), round(height * scale))
    return worst if found else None


def _boxes(path: Path) -> list[Box]:
    if not path.exists():
        return []
    rows = [[float(value) for value in line.split(",")[2:6]] for line in path.read_text(encoding="ascii").splitlines()]
    return [Box(left, top, left + width, top + height) for left, top, width, height in rows]


def _measure(worst: Worst, boxes: list[Box], width: int, height: int) -> None:
    densest = max(box.height for box in boxes) / PERSON_M
    plain, calibrated = least_cell(height, None), least_cell(height, densest)
    for box in boxes:
        for part in _parts(box):
            region = part.grown(_MARGIN.margin_share, _MARGIN.margin_px)
            left, top, right, bottom = region.clipped(width, height)
            if right <= left or bottom <= top:
                continue
            sides, metre = (right - left, bottom - top), box.height / PERSON_M
            worst.before = max(worst.before, _cells(_counted_before(region, width, height), sides, metre))
            worst.plain = max(worst.plain, _cells(cells_in(region, width, height, plain), sides, metre))
            worst.calibrated = max(worst.calibrated, _cells(cells_in(region, width, height, calibrated), sides, metre))


def _parts(box: Box) -> Iterator[Box]:
    """What is seen of somebody of whom a share is hidden, from each side."""
    for share in SHARES:
        across, down = share * box.width, share * box.height
        yield Box(box.left, box.top, box.right, box.top + down)
        yield Box(box.left, box.bottom - down, box.right, box.bottom)
        yield Box(box.left, box.top, box.left + across, box.bottom)
        yield Box(box.right - across, box.top, box.right, box.bottom)


def _cells(count: tuple[int, int], sides: tuple[int, int], metre: float) -> float:
    """Cells in `metre` pixels, by the narrowest cell; a side of one cell has no pattern to count."""
    return max(metre / (side // cells) if cells > 1 else 0.0 for cells, side in zip(count, sides, strict=True))


def _counted_before(box: Box, width: int, height: int) -> tuple[int, int]:
    """The formula of before, for comparison only: the cell from what is seen, shoulders of half a metre at the edge."""
    cell = max(8.0, max(box.width, box.height) / (CELLS_PER_METRE * PERSON_M))
    if box.left <= 0 or box.top <= 0 or box.right >= width or box.bottom >= height:
        cell = max(cell, min(box.width, width) / (0.5 * CELLS_PER_METRE))
    left, top, right, bottom = box.clipped(width, height)
    return max(1, math.floor((right - left) / cell)), max(1, math.floor((bottom - top) / cell))


def main() -> None:
    worst = density()
    if worst is not None:
        figures = f"{worst.plain:.2f} not calibrated, {worst.calibrated:.2f} calibrated ({worst.before:.1f} before)"
        print(f"| mosaic cells a metre of person, greatest at any visible share | {figures} | ≤ 12.5 | ≤ 12.5 |", flush=True)


if __name__ == "__main__":
    main()
