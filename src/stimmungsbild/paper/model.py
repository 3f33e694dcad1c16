"""Where on printed pages which box stands, and what was read there. Lengths in millimetres from the upper left corner of a page."""

from __future__ import annotations

from enum import StrEnum

import msgspec

# Of A4 paper, of a box, of a corner mark and its distance from both edges.
WIDE, TALL, SIDE, MARK, EDGE = 210.0, 297.0, 4.0, 10.0, 8.0
# Height of the room for a text, and the margin at both sides.
ROOM, INSET = 30.0, 24.0
# What a picture code begins with: a form of ours, and of this layout.
PREFIX = "SB1"


class Box(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The box of one choice; its upper left corner. A text has one with an empty `choice`: its whole room."""

    page: int
    item: str
    choice: str
    x: float
    y: float


class Layout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A printed form: which questionnaire in which language, how many pages, its boxes."""

    questionnaire: str
    language: str
    pages: int
    boxes: tuple[Box, ...]


class Ink(StrEnum):
    """What stands in a box. `DOUBT`: too little or too much to be sure; a person looks."""

    EMPTY = "empty"
    MARKED = "marked"
    DOUBT = "doubt"


class Page(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One scan that was read: form and page as printed on it, and the ink of each box by (item, choice)."""

    form: int
    page: int
    ink: dict[str, dict[str, Ink]]


class Doubt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What two people are asked of a form: an item, and of which choices the ink is not clear."""

    form: int
    item: str
    why: str
