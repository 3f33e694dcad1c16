"""Prints the questionnaire with marks, and says where its boxes stand."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Sequence
from importlib import resources
from typing import Any

import cv2
import segno
import typst

from plattform.press import FONTS, print_pdf
from stimmungsbild.errors import DefinitionError
from stimmungsbild.paper.model import EDGE, INSET, MARK, PREFIX, ROOM, SIDE, TALL, WIDE, Box, Layout
from stimmungsbild.questionnaire.model import Item, Kind, Questionnaire
from stimmungsbild.questionnaire.rules import choice_label, digest, label, stem, wording

# Four marks a page; the library's smallest squares, of which none is another one turned.
DICTIONARY = cv2.aruco.DICT_4X4_100
_MOST_PAGES = 25
_CELLS = 6


def _corner(number: int) -> str:
    """A corner mark as SVG: 4 x 4 cells in a black frame (Garrido-Jurado et al., Pattern Recognition 47, 2014)."""
    picture = cv2.aruco.generateImageMarker(cv2.aruco.getPredefinedDictionary(DICTIONARY), number, _CELLS)
    cells = "".join(
        f'<rect x="{x}" y="{y}" width="1.01" height="1.01"/>' for y in range(_CELLS) for x in range(_CELLS) if picture[y, x] == 0
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_CELLS} {_CELLS}">{cells}</svg>'


def _code(text: str) -> str:
    picture = io.BytesIO()
    segno.make(text, error="m", micro=False).save(picture, kind="svg", border=2, xmldecl=False)
    return picture.getvalue().decode()


def fingerprint(q: Questionnaire) -> str:
    """Which questionnaire a printed form asks, short enough for its picture code: 12 hex digits."""
    return hashlib.sha256("\n".join(f"{item.name} {digest(wording(q, item))}" for item in q.items()).encode()).hexdigest()[:12]


def _source() -> bytes:
    return (resources.files("stimmungsbild.paper") / "templates/form.typ").read_bytes()


def _item(q: Questionnaire, item: Item, language: str) -> dict[str, Any]:
    words = q.words[language].interface
    hint = words["several"] if item.kind is Kind.MANY else words["text_hint"] if item.kind is Kind.TEXT else ""
    choices = [[one, choice_label(q, item.list, one, language)] for one in q.lists.get(item.list, ())]
    return {"name": item.name, "label": label(q, item, language), "hint": hint, "choices": choices}


def _data(q: Questionnaire, language: str, pages: int, codes: Sequence[str], forms: int) -> dict[str, Any]:
    words = q.words[language].interface
    parts = [
        {
            "title": q.words[language].pages[page.name],
            "stem": stem(q, page, language),
            # Squares are shown on a screen; on paper the named places are the way.
            "items": [_item(q, item, language) for item in page.items if item.kind is not Kind.SQUARES],
        }
        for page in q.pages
    ]
    about = {
        "edge": EDGE,
        "mark": MARK,
        "wide": WIDE,
        "tall": TALL,
        "side": SIDE,
        "room": ROOM,
        "inset": INSET,
        "pages": pages,
        "forms": forms,
    }
    lead = [words[one] for one in ("lead", "who", "paper")]
    corners = [_corner(number) for number in range(4 * pages)]
    return {"language": language, "title": words["title"], "lead": lead, "parts": parts, "corners": corners, "codes": codes, **about}


def lay_out(q: Questionnaire, language: str) -> Layout:
    """Where the boxes of a form stand. Raises `DefinitionError` where it has too many pages."""
    data = json.dumps(_data(q, language, _MOST_PAGES, (), 1), ensure_ascii=False)
    found = typst.query(  # type: ignore[misc] # its stubs want paths of fonts to be bytes where the source is
        _source(), "<mark>", field="value", font_paths=[str(FONTS)], ignore_system_fonts=True, sys_inputs={"data": data}
    )
    boxes = tuple(Box(one["page"] - 1, one["item"], one["choice"], round(one["x"], 2), round(one["y"], 2)) for one in json.loads(found))
    pages = max(one.page for one in boxes) + 1
    if pages > _MOST_PAGES:
        raise DefinitionError(f"on paper the questionnaire has {pages} pages; at most {_MOST_PAGES} have corner marks of their own")
    return Layout(fingerprint(q), language, pages, boxes)


def code(layout: Layout, form: int, page: int) -> str:
    """What the picture code of a page says."""
    return f"{PREFIX}:{layout.questionnaire}:{layout.language}:{form}:{page}"


def print_forms(q: Questionnaire, layout: Layout, numbers: Sequence[int], render: Callable[..., bytes] = print_pdf) -> bytes:
    """Forms with these numbers, one after the other, as PDF. A number says which pages belong together, and nothing of anybody."""
    codes = [_code(code(layout, number, page)) for number in numbers for page in range(layout.pages)]
    return render(_source(), _data(q, layout.language, layout.pages, codes, len(numbers)), ())
