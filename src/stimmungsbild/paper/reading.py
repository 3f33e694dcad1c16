"""Reads scans at 200 dpi and about: lays a page straight by its corner marks, and looks into each box."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from stimmungsbild.paper.model import EDGE, INSET, MARK, PREFIX, ROOM, SIDE, TALL, WIDE, Box, Ink, Layout, Page
from stimmungsbild.paper.printing import DICTIONARY

Gray = NDArray[np.uint8]
# Pixels of a millimetre once a page lies straight: about 200 dpi.
PER_MM = 8
# A pixel darker than this part of the paper around it is ink.
_INK = 0.72
# Parts of a box's inside that are ink: up to the first it is empty, from the second it is marked, from the third it may be taken back.
EMPTY, MARKED, FULL = 0.03, 0.08, 0.85
# How far a box may lie from where it should, in pixels: paper is not flat.
_MOST_OFF = 6
_INSET = 6
_PAPER = 61
_FEWEST_MARKS = 3
# Pixels of ink in the room of a text that are more than specks: 6 mm of a thin line.
_FEWEST_INKED = 120


class UnreadableError(Exception):
    """A scan that is none of ours, or not whole; the text says what is missing."""


def _corners(page: int) -> dict[int, NDArray[np.float32]]:
    """The four corners of each mark of a page where it lies straight, in pixels."""
    near, far_x, far_y = EDGE, WIDE - EDGE - MARK, TALL - EDGE - MARK
    found = {}
    for number, (x, y) in enumerate(((near, near), (far_x, near), (far_x, far_y), (near, far_y))):
        square = np.array([(x, y), (x + MARK, y), (x + MARK, y + MARK), (x, y + MARK)], dtype=np.float32)
        found[4 * page + number] = square * PER_MM
    return found


def straighten(scan: Gray) -> tuple[int, Gray]:
    """The page's number and its picture, straight and upright, whichever way it was scanned. Raises `UnreadableError`."""
    detector = cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(DICTIONARY))
    squares, numbers, _ = detector.detectMarkers(scan)
    seen = {} if numbers is None else {int(number): square.reshape(4, 2) for number, square in zip(numbers.ravel(), squares, strict=True)}
    pages = [number // 4 for number in seen]
    page = max(set(pages), key=pages.count) if pages else 0
    wanted = _corners(page)
    both = [number for number in seen if number in wanted]
    if len(both) < _FEWEST_MARKS:
        raise UnreadableError(f"{len(both)} of 4 corner marks are seen; scan the whole page at 200 dpi")
    here, there = np.concatenate([seen[one] for one in both]), np.concatenate([wanted[one] for one in both])
    turned, _ = cv2.findHomography(here, there, cv2.RANSAC, 4.0)
    if turned is None:
        raise UnreadableError("the corner marks do not make a page")
    size = (round(WIDE * PER_MM), round(TALL * PER_MM))
    return page, np.asarray(cv2.warpPerspective(scan, turned, size, borderValue=255), dtype=np.uint8)


def inked(page: Gray) -> NDArray[np.uint8]:
    """1 where there is ink. Stains and shadows change slowly, and are divided out."""
    small = cv2.resize(page, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    paper = cv2.medianBlur(cv2.dilate(small, np.ones((5, 5), np.uint8)), _PAPER // 4 | 1)
    ground = cv2.resize(paper, (page.shape[1], page.shape[0]), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    return np.asarray(page < ground * _INK, dtype=np.uint8)


def fills(ink: NDArray[np.uint8], boxes: Iterable[Box]) -> list[float]:
    """Which part of each box's inside is ink. Each box is looked for where its frame is, near where it should be."""
    sums = cv2.integral(ink).astype(np.int64)
    side, found = round(SIDE * PER_MM), []
    offsets = np.arange(-_MOST_OFF, _MOST_OFF + 1)
    dy, dx = (one.ravel() for one in np.meshgrid(offsets, offsets, indexing="ij"))

    def area(x: NDArray[np.int64], y: NDArray[np.int64], wide: int) -> NDArray[np.int64]:
        x0, y0 = x.clip(0, ink.shape[1]), y.clip(0, ink.shape[0])
        x1, y1 = (x + wide).clip(0, ink.shape[1]), (y + wide).clip(0, ink.shape[0])
        return np.asarray(sums[y1, x1] - sums[y0, x1] - sums[y1, x0] + sums[y0, x0])

    for box in boxes:
        x, y = round(box.x * PER_MM) + dx, round(box.y * PER_MM) + dy
        frame = area(x - 2, y - 2, side + 4) - area(x + 3, y + 3, side - 6)
        best = int(np.argmax(frame * 1000 - np.abs(dx) - np.abs(dy)))
        inside = side - 2 * _INSET
        found.append(float(area(x + _INSET, y + _INSET, inside)[best]) / inside**2)
    return found


def ink_of(part: float) -> Ink:
    """What a box holds, from the part of it that is ink."""
    if part <= EMPTY:
        return Ink.EMPTY
    return Ink.MARKED if MARKED <= part < FULL else Ink.DOUBT


def _written(ink: NDArray[np.uint8], box: Box) -> Ink:
    """Whether somebody wrote into the room of a text; what they wrote, people type."""
    inset = 2.0
    x0, x1 = (round(one * PER_MM) for one in (box.x + inset, WIDE - INSET - inset))
    y0, y1 = (round(one * PER_MM) for one in (box.y + inset, box.y + ROOM - inset))
    return Ink.DOUBT if int(ink[y0:y1, x0:x1].sum()) > _FEWEST_INKED else Ink.EMPTY


def read_code(page: Gray) -> tuple[str, str, int, int]:
    """Questionnaire, language, form and page from the picture code of a straight page. Raises `UnreadableError`."""
    top = page[: round(30 * PER_MM), round(88 * PER_MM) : round(122 * PER_MM)]
    for scale in (2.0, 1.0, 3.0):
        large = cv2.resize(top, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        text, _, _ = cv2.QRCodeDetector().detectAndDecode(large)
        parts = text.split(":")
        if len(parts) == 5 and parts[0] == PREFIX and parts[3].isdecimal() and parts[4].isdecimal():
            return parts[1], parts[2], int(parts[3]), int(parts[4])
    raise UnreadableError("the picture code at the top is not readable; type the form's number")


def read_page(scan: Gray, layout: Layout, form: int | None = None) -> Page:
    """One scan. `form`: its number where a person typed it. Raises `UnreadableError`."""
    number, page = straighten(scan)
    if form is None:
        asked, language, form, said = read_code(page)
        if (asked, language) != (layout.questionnaire, layout.language):
            raise UnreadableError("it is a form of another questionnaire, or in another language")
        if said != number:
            raise UnreadableError("corner marks and picture code name different pages")
    boxes = [one for one in layout.boxes if one.page == number]
    found: dict[str, dict[str, Ink]] = {}
    ink, choices = inked(page), [one for one in boxes if one.choice]
    for box, part in zip(choices, fills(ink, choices), strict=True):
        found.setdefault(box.item, {})[box.choice] = ink_of(part)
    for box in boxes:
        if not box.choice:
            found[box.item] = {"": _written(ink, box)}
    return Page(form, number, found)
