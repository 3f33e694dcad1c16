"""A floor plan that somebody hands in: what it is, and why it is not taken. Pure. Nothing of it is shown before it was drawn anew."""

from __future__ import annotations

import re
import struct
from enum import StrEnum
from xml.parsers import expat

MOST_SVG, MOST_PICTURE = 2 * 1024 * 1024, 8 * 1024 * 1024
MOST_PIXELS, MOST_SHAPE = 40_000_000, 4.0
LEAST_METRES, MOST_METRES = 2.0, 5000.0
MOST_ELEMENTS, MOST_DEPTH = 50_000, 100
_RUNS = frozenset({"script", "foreignobject", "iframe", "object", "embed", "handler", "listener"})
_LINKS = frozenset({"href", "src", "base"})
_INSIDE = re.compile(r"\s*(#[^\s]*)?\s*|data:image/(png|jpeg);base64,[A-Za-z0-9+/=\s]*")
_OUTSIDE = re.compile(r"url\(\s*['\"]?\s*(?!#)|@import|expression\(|\\", re.IGNORECASE)
_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


class Form(StrEnum):
    """What a plan can be."""

    SVG = "svg"
    PNG = "png"
    JPEG = "jpg"


class NotTaken(StrEnum):
    """Why a plan is not taken."""

    UNKNOWN = "plan-unknown"
    LARGE = "plan-large"
    RUNS = "plan-runs"
    OUTSIDE = "plan-outside"
    ENTITIES = "plan-entities"
    UNREADABLE = "plan-unreadable"
    SHAPE = "plan-shape"
    METRES = "plan-metres"
    NORTH = "plan-north"
    GONE = "plan-gone"
    SAME = "plan-same"
    LEFT = "plan-left"


def form_of(data: bytes) -> Form | NotTaken:
    """What `data` is and that it may be drawn; else why not."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _picture(Form.PNG, data, _png_size(data))
    if data.startswith(b"\xff\xd8\xff"):
        return _picture(Form.JPEG, data, _jpeg_size(data))
    if b"<svg" not in data:
        return NotTaken.UNKNOWN
    return NotTaken.LARGE if len(data) > MOST_SVG else _svg_problem(data) or Form.SVG


def _picture(form: Form, data: bytes, size: tuple[int, int]) -> Form | NotTaken:
    width, height = size
    if not width or not height:
        return NotTaken.UNREADABLE
    if len(data) > MOST_PICTURE or width * height > MOST_PIXELS:
        return NotTaken.LARGE
    return form if 1 / MOST_SHAPE <= width / height <= MOST_SHAPE else NotTaken.SHAPE


def _png_size(data: bytes) -> tuple[int, int]:
    return struct.unpack(">II", data[16:24]) if data[12:16] == b"IHDR" and len(data) >= 24 else (0, 0)


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Width and height from the first frame header (ITU-T T.81, B.2.2); (0, 0) where there is none."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker in _JPEG_SIZES:
            return int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
        at += 2 + length
    return 0, 0


def _svg_problem(data: bytes) -> NotTaken | None:
    """Why an SVG is not drawn: something in it runs, loads or unfolds. A drawing needs none of it."""
    found = _Look()
    try:
        found.parse(data)
    except expat.ExpatError:
        return found.problem or NotTaken.UNREADABLE
    return found.problem


class _Look:
    """Reads an SVG once from front to back. The first thing that is wrong ends it."""

    def __init__(self) -> None:
        self.problem: NotTaken | None = None
        self._elements = self._depth = 0
        self._style: list[str] = []
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartDoctypeDeclHandler = lambda *_: self._end(NotTaken.ENTITIES)
        self._parser.EntityDeclHandler = lambda *_: self._end(NotTaken.ENTITIES)
        self._parser.ProcessingInstructionHandler = lambda *_: self._end(NotTaken.OUTSIDE)
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._stop
        self._parser.CharacterDataHandler = self._text

    def parse(self, data: bytes) -> None:
        """Raises `ExpatError` where it is no XML, or where something was found."""
        self._parser.Parse(data, True)

    def _end(self, problem: NotTaken) -> None:
        self.problem = self.problem or problem
        raise expat.ExpatError

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements, self._depth = self._elements + 1, self._depth + 1
        if self._elements > MOST_ELEMENTS or self._depth > MOST_DEPTH:
            self._end(NotTaken.LARGE)
        local = name.rpartition(" ")[2].lower()
        if local in _RUNS:
            self._end(NotTaken.RUNS)
        self._style.append(local)
        for key, value in attributes.items():
            self._attribute(key.rpartition(" ")[2].lower(), value)

    def _attribute(self, key: str, value: str) -> None:
        if key.startswith("on") or "javascript:" in re.sub(r"\s", "", value).lower():
            self._end(NotTaken.RUNS)
        if (key in _LINKS and not _INSIDE.fullmatch(value)) or (key not in _LINKS and _OUTSIDE.search(value)):
            self._end(NotTaken.OUTSIDE)

    def _stop(self, _: str) -> None:
        self._depth -= 1
        self._style.pop()

    def _text(self, text: str) -> None:
        if "style" in self._style and _OUTSIDE.search(text):
            self._end(NotTaken.OUTSIDE)
