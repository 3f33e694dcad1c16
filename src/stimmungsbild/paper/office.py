"""The desk where paper arrives: prints forms, reads a folder of scans, seals what was read. Nothing here talks to the server."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import cv2
import msgspec
import numpy as np

from stimmungsbild.collection.folder import write_private
from stimmungsbild.collection.model import Answer, Door, Field, Sealed
from stimmungsbild.collection.rules import pad
from stimmungsbild.errors import PaperError
from stimmungsbild.keys.service import seal
from stimmungsbild.paper.forms import Settled, answers, doubtful, gather, write_doubts
from stimmungsbild.paper.model import SIDE, Doubt, Layout, Page
from stimmungsbild.paper.printing import fingerprint, lay_out, print_forms
from stimmungsbild.paper.reading import PER_MM, Gray, UnreadableError, read_page, straighten
from stimmungsbild.questionnaire.model import Questionnaire

LAYOUT, FORMS, READ = "layout.json", "forms.pdf", "read.json"
ENTRIES = ("doubts-1.csv", "doubts-2.csv")
PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
_MARGIN = 6.0


class Read(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All scans of a folder: pages that were read, what is doubtful, and scans that are unreadable with the reason."""

    pages: tuple[Page, ...]
    doubts: tuple[Doubt, ...]
    unreadable: dict[str, str]


def make(q: Questionnaire, language: str, first: int, many: int, out: Path) -> Layout:
    """Print forms with the numbers from `first` on, and keep where their boxes stand."""
    layout = lay_out(q, language)
    out.mkdir(parents=True, exist_ok=True)
    write_private(out / FORMS, print_forms(q, layout, range(first, first + many)))
    write_private(out / LAYOUT, msgspec.json.encode(layout))
    return layout


def read_layout(path: Path) -> Layout:
    """Where the boxes of printed forms stand."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Layout)
    except (OSError, msgspec.MsgspecError) as error:
        raise PaperError(f"{path.name} is no layout of printed forms: {error}") from error


def read_folder(q: Questionnaire, layout: Layout, scans: Path, out: Path) -> Read:
    """Read every picture of a folder; doubts with a picture of each for the two people. Nothing is dropped: what fails is named."""
    if layout.questionnaire != fingerprint(q):
        raise PaperError("these forms ask another questionnaire")
    out.mkdir(parents=True, exist_ok=True)
    pages: list[Page] = []
    unreadable: dict[str, str] = {}
    straight: dict[tuple[int, int], Path] = {}
    for path in sorted(one for one in scans.iterdir() if one.suffix.lower() in PICTURES):
        scan = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_GRAYSCALE) if path.stat().st_size else None
        try:
            if scan is None:
                raise UnreadableError("it is no picture")
            page = read_page(np.asarray(scan, dtype=np.uint8), layout)
        except UnreadableError as error:
            unreadable[path.name] = str(error)
            continue
        pages.append(page)
        straight[page.form, page.page] = path
    forms, lost = gather(layout, pages)
    doubts = (*lost, *(one for form, ticked in sorted(forms.items()) for one in doubtful(q, form, ticked)))
    for one in doubts:
        _cut(layout, one, straight, out)
    for number, name in enumerate(ENTRIES):
        # The second person gets them from the end, so that both do not tire at the same places.
        write_doubts(out / name, doubts if number == 0 else tuple(reversed(doubts)))
    found = Read(tuple(pages), doubts, unreadable)
    write_private(out / READ, msgspec.json.encode(found))
    return found


def _cut(layout: Layout, doubt: Doubt, straight: dict[tuple[int, int], Path], out: Path) -> None:
    """A picture of the item that is doubtful, as it lies straight."""
    boxes = [one for one in layout.boxes if one.item == doubt.item]
    if not boxes or (doubt.form, boxes[0].page) not in straight:
        return
    scan = cv2.imdecode(np.fromfile(straight[doubt.form, boxes[0].page], np.uint8), cv2.IMREAD_GRAYSCALE)
    _, page = straighten(np.asarray(scan, dtype=np.uint8))
    top, bottom = min(one.y for one in boxes) - 2 * _MARGIN, max(one.y for one in boxes) + SIDE + _MARGIN
    piece: Gray = page[max(0, round(top * PER_MM)) : round((bottom + (30 if not boxes[0].choice else 0)) * PER_MM)]
    _, data = cv2.imencode(".png", piece)
    write_private(out / f"{doubt.form}-{doubt.item}.png", data.tobytes())


def take(q: Questionnaire, field: Field, layout: Layout, read: Read, settled: Settled, door: Door, today: date) -> Sealed:
    """Every form as a sealed answer, in an order that is none; its number stays here. Raises `PaperError`, and then seals nothing."""
    forms, _ = gather(layout, read.pages)
    day = today.isoformat()
    whole = [
        Answer(door, layout.language, day, False, dict(answers(q, form, ticked, read.doubts, settled))) for form, ticked in forms.items()
    ]
    # A sealed box begins with a random key, so this order is none.
    boxes = sorted(seal(field.public, pad(msgspec.json.encode(one))) for one in whole)
    return Sealed(field, len(boxes), {door: len(boxes)}, tuple(boxes))
