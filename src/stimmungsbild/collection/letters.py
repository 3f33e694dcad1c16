"""Prints codes as letters: one page for each code, with the address as a picture code. Codes are in this file and nowhere else."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from importlib import resources

import segno

from plattform.press import Standard, print_pdf
from stimmungsbild.collection.model import Door, Field
from stimmungsbild.collection.rules import draw_code, hashed, printed
from stimmungsbild.collection.store import Store
from stimmungsbild.questionnaire.model import LANGUAGES, Questionnaire

# No PDF/A: it wants a date in each file, and nothing is to be archived here.
_STANDARDS: tuple[Standard, ...] = ("ua-1",)
_LINE = "de"


def make_codes(field: Field, store: Store, door: Door, many: int, below: Callable[[int], int]) -> tuple[str, ...]:
    """New codes of a door, in the order in which they were drawn, which is chance; the field keeps their hashes."""
    codes = tuple(draw_code(below) for _ in range(many))
    store.add_codes(door, (hashed(field.pepper, "code", one) for one in codes))
    return codes


def print_letters(q: Questionnaire, codes: Sequence[str], address: str) -> bytes:
    """All letters as one tagged PDF. No letter has a name or a number: whoever puts them into envelopes cannot tell them apart."""
    picture = io.BytesIO()
    segno.make(address, error="m", micro=False).save(picture, kind="svg", border=4, xmldecl=False)
    words = q.words[_LINE].interface
    data = {
        "title": words["title"],
        "said": [words[one] for one in ("lead", "who", "voluntary", "privacy")],
        "code": words["code"],
        "address": address,
        "picture": picture.getvalue().decode(),
        "languages": [name for language, name in LANGUAGES.items() if language != "ar"],
        "codes": [printed(one) for one in codes],
    }
    source = (resources.files("stimmungsbild.collection") / "templates/letter.typ").read_bytes()
    return print_pdf(source, data, _STANDARDS)
