"""The facts file of a site, and what the documents are that it names."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from blickschutz.compliance.facts import Facts
from blickschutz.compliance.io.opening import is_office, is_pdf
from blickschutz.compliance.model import Form, Paper
from blickschutz.config.loader import operator_language, parse_file
from blickschutz.config.texts import say
from blickschutz.kernel.errors import SettingsError

_SCALES = (1.0, 0.5, 0.25, 2.0)
_MOST_SIDE = 6000
SHOWN = 1600
# Whoever scans at 600 dots an inch fills A3 with 70 million. A small file can claim many more, all of which would be unpacked.
_MOST_PIXELS = 120_000_000
# The rules look every few seconds; the same bytes are the same document.
_KNOWN: dict[tuple[str, bool], Paper] = {}
_MOST_KNOWN = 4000
# Of JPEG: what begins a part, and the parts that say height and width (ITU-T T.81, table B.1).
_MARKER = 0xFF
_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def facts_path(site: Path) -> Path:
    """Where the facts of a site file lie: `anlage.toml` has `anlage.facts.toml` beside it."""
    return site.with_suffix(".facts.toml")


def load_facts(path: Path, language: str | None = None) -> Facts:
    """The recorded facts; none where the file is not there. Raises `SettingsError` with one line per problem."""
    spoken = language or operator_language()
    if not path.exists():
        return Facts()
    try:
        # Editors of Windows put a mark before the first line.
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "UTF-8"
        raise SettingsError(f"{path}: {say('no_file', spoken, reason=reason)}") from error
    return parse_file(Facts, text, str(path), spoken)


def look_at(facts: Facts, folder: Path) -> dict[str, Paper]:
    """What each document is that a fact names; left out where it is not there or lies outside `folder`."""
    photographs = {sign.photo for sign in facts.signs}
    found = {}
    for name in facts.documents:
        path = (folder / name).resolve()
        if path.is_relative_to(folder.resolve()) and path.is_file():
            found[name] = paper_of(path.read_bytes(), is_photograph=name in photographs)
    return found


def paper_of(data: bytes, *, is_photograph: bool = False) -> Paper:
    """What a document's bytes are; a photograph of a sign is searched for its picture code too, once: that takes a second."""
    sha256 = hashlib.sha256(data).hexdigest()
    known = _KNOWN.get((sha256, is_photograph))
    if known is None:
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.clear()
        known = _KNOWN[sha256, is_photograph] = _looked_at(data, sha256, is_photograph=is_photograph)
    return known


def shown(data: bytes) -> bytes | None:
    """A picture drawn anew as JPEG of at most `SHOWN` pixels, without anything that lay beside it in its file; None where it is none."""
    if _form(data) is not Form.PICTURE or _pixels(data) > _MOST_PIXELS:
        return None
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        return None
    scale = min(1.0, SHOWN / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1.0 else image
    return cv2.imencode(".jpg", small)[1].tobytes()


def _looked_at(data: bytes, sha256: str, *, is_photograph: bool) -> Paper:
    form, side, code = _form(data), 0, ""
    if form is Form.PICTURE and _pixels(data) > _MOST_PIXELS:
        form = Form.UNREADABLE
    if form is Form.PICTURE:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
        # One colour all over shows nothing, whatever it is said to be.
        if image is None or image.min() == image.max():
            form = Form.UNREADABLE
        else:
            side = min(image.shape[:2])
            code = _code(image) if is_photograph else ""
    return Paper(sha256, form, len(data), side, code)


def _form(data: bytes) -> Form:
    """By what the bytes are, whatever the file is called."""
    if data.startswith(b"%PDF-"):
        return Form.PDF if is_pdf(data) else Form.UNREADABLE
    if data.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n")):
        return Form.PICTURE
    if data.startswith(b"PK\x03\x04"):
        return Form.OFFICE if is_office(data) else Form.UNREADABLE
    return Form.UNREADABLE


def _pixels(data: bytes) -> int:
    """How many pixels a PNG or JPEG says that it has, without unpacking it; 0 where it does not say."""
    if data.startswith(b"\x89PNG"):
        return int.from_bytes(data[16:20]) * int.from_bytes(data[20:24])
    place = 2
    while place + 9 < len(data) and data[place] == _MARKER:
        kind, length = data[place + 1], int.from_bytes(data[place + 2 : place + 4])
        if kind in _SIZES:
            return int.from_bytes(data[place + 5 : place + 7]) * int.from_bytes(data[place + 7 : place + 9])
        place += 2 + length if kind != _MARKER else 1
    return 0


def _code(image: NDArray[Any]) -> str:
    """What a picture code in it says; looked for in several sizes, because a photograph shows it small or from aside."""
    detector = cv2.QRCodeDetector()
    for scale in _SCALES:
        resized = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
        if max(resized.shape[:2]) > _MOST_SIDE:
            continue
        try:
            text, _, _ = detector.detectAndDecode(resized)
        except cv2.error:
            continue
        if text:
            return str(text)
    return ""
