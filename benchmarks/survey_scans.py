"""Filled forms as a scanner shows them: crosses of many hands, turned, bent, stained, shaded, noisy; with what was really crossed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources

import cv2
import numpy as np
import typst
from numpy.typing import NDArray

from plattform.press import FONTS
from stimmungsbild.paper.model import SIDE, Box, Layout
from stimmungsbild.paper.printing import _code, _data, code
from stimmungsbild.questionnaire.model import Kind, Questionnaire

DPI = 200
_PER_MM = DPI / 25.4
_COARSE, _TILE = 8, 512
Gray = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan and the truth: `crossed` has (item, choice) of every box that was crossed and not taken back."""

    picture: Gray
    form: int
    page: int
    crossed: frozenset[tuple[str, str]]


def printed(q: Questionnaire, layout: Layout, form: int) -> list[Gray]:
    """All pages of an empty form, as the printer's raster at 200 dpi."""
    codes = [_code(code(layout, form, page)) for page in range(layout.pages)]
    data = json.dumps(_data(q, layout.language, layout.pages, codes, 1), ensure_ascii=False)
    source = (resources.files("stimmungsbild.paper") / "templates/form.typ").read_bytes()
    pages = typst.compile(source, format="png", ppi=DPI, font_paths=[str(FONTS)], ignore_system_fonts=True, sys_inputs={"data": data})
    pages = pages if isinstance(pages, list) else [pages]
    return [np.asarray(cv2.imdecode(np.frombuffer(one, np.uint8), cv2.IMREAD_GRAYSCALE), dtype=np.uint8) for one in pages]


def choose(q: Questionnaire, layout: Layout, page: int, chance: np.random.Generator) -> frozenset[tuple[str, str]]:
    """What somebody crosses on a page: one of each item, or several; one in twelve is left out."""
    kinds = {item.name: item.kind for item in q.items()}
    found = set()
    for item in dict.fromkeys(box.item for box in layout.boxes if box.page == page and box.choice):
        choices = [box.choice for box in layout.boxes if box.item == item]
        if chance.random() < 1 / 12:
            continue
        if kinds[item] is Kind.MANY:
            found |= {(item, one) for one in choices if chance.random() < 0.3}
        else:
            found.add((item, str(chance.choice(choices))))
    return frozenset(found)


def filled(page: Gray, boxes: list[Box], crossed: frozenset[tuple[str, str]], chance: np.random.Generator) -> Gray:
    """Crosses, ticks and strokes by hand, of one pen for a page."""
    paper = page.copy()
    ink, thick = int(chance.integers(25, 120)), int(chance.integers(2, 5))
    hand = chance.choice(["cross", "tick", "cross", "cross"])
    for box in boxes:
        if (box.item, box.choice) not in crossed:
            continue
        x, y, side = box.x * _PER_MM, box.y * _PER_MM, SIDE * _PER_MM

        def point(a: float, b: float, x: float = x, y: float = y, side: float = side) -> tuple[int, int]:
            wobble = chance.normal(0, 0.07, 2)
            return round(x + (a + wobble[0]) * side), round(y + (b + wobble[1]) * side)

        out = float(chance.uniform(-0.12, 0.15))
        lines = [(point(-out + 0.1, -out + 0.1), point(0.9 + out, 0.9 + out)), (point(0.9 + out, 0.1 - out), point(0.1 - out, 0.9 + out))]
        if hand == "tick":
            low = point(0.4, 0.85)
            lines = [(point(0.1, 0.5), low), (low, point(0.95 + out, 0.05 - out))]
        for start, end in lines:
            cv2.line(paper, start, end, ink, thick, cv2.LINE_AA)
    return paper


def scanned(paper: Gray, chance: np.random.Generator, most_turned: float = 4.0) -> Gray:
    """What a scanner makes of it: stains and a fold, turned or upside down, a little bent, shaded, blurred, noisy, as JPEG."""
    tall, wide = paper.shape
    page = paper.astype(np.float32)
    coarse = np.ones((tall // _COARSE, wide // _COARSE), np.float32)
    for _ in range(int(chance.integers(0, 4))):
        stain = np.zeros_like(coarse)
        where = (int(chance.integers(coarse.shape[1])), int(chance.integers(coarse.shape[0])))
        cv2.circle(stain, where, int(chance.integers(10, 40)), 1.0, -1 if chance.random() < 0.6 else int(chance.integers(2, 5)))
        coarse *= 1 - cv2.GaussianBlur(stain, (0, 0), float(chance.uniform(0.8, 2.5))) * float(chance.uniform(0.08, 0.30))
    page *= cv2.resize(coarse, (wide, tall), interpolation=cv2.INTER_LINEAR)
    if chance.random() < 0.4:
        at = int(chance.integers(tall // 4, 3 * tall // 4))
        page[at : at + 2] *= 0.8
    for _ in range(int(chance.integers(0, 60))):
        spot = (int(chance.integers(wide)), int(chance.integers(tall)))
        cv2.circle(page, spot, int(chance.integers(1, 3)), float(chance.integers(60, 160)), -1)
    angle = float(chance.uniform(-most_turned, most_turned)) + (180 if chance.random() < 0.1 else 0)
    turn = cv2.getRotationMatrix2D((wide / 2, tall / 2), angle, float(chance.uniform(0.955, 0.99)))
    turn[:, 2] += chance.uniform(-6, 6, 2)
    back = cv2.invertAffineTransform(turn).astype(np.float32)
    phase, bend = chance.uniform(0, 6, 2), float(chance.uniform(0, 3))
    rows, columns = np.arange(tall, dtype=np.float32)[:, None], np.arange(wide, dtype=np.float32)[None, :]
    from_x = back[0, 0] * columns + back[0, 1] * rows + back[0, 2] + bend * np.sin(rows / tall * 3 + phase[0]).astype(np.float32)
    from_y = back[1, 0] * columns + back[1, 1] * rows + back[1, 2] + bend * np.sin(columns / wide * 3 + phase[1]).astype(np.float32)
    page = cv2.remap(page, from_x, from_y, cv2.INTER_LINEAR, borderValue=250)
    shade = 1 - float(chance.uniform(0, 0.2)) * (columns / wide if chance.random() < 0.5 else rows / tall)
    page = cv2.GaussianBlur(page * shade, (0, 0), float(chance.uniform(0.3, 1.1)))
    grain = chance.normal(0, float(chance.uniform(1, 7)), (_TILE, _TILE)).astype(np.float32)
    page += np.tile(grain, (tall // _TILE + 1, wide // _TILE + 1))[:tall, :wide]
    _, data = cv2.imencode(".jpg", page.clip(0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, int(chance.integers(55, 92))])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), dtype=np.uint8)


def scans(q: Questionnaire, layout: Layout, many: int, seed: int) -> Iterator[Scan]:
    """So many pages of forms that were filled by chance."""
    chance = np.random.default_rng(seed)
    for number in range(many):
        form, at = number // layout.pages + 1, number % layout.pages
        if at == 0:
            pages = printed(q, layout, form)
        crossed = choose(q, layout, at, chance)
        boxes = [box for box in layout.boxes if box.page == at]
        yield Scan(scanned(filled(pages[at], boxes, crossed, chance), chance), form, at, crossed)
