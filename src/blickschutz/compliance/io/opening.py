"""Whether a document could be opened and has something in it: looked at without a viewer, within bounds, and never unpacked wholly."""

from __future__ import annotations

import io
import re
import zipfile
import zlib

_MOST_PART, _MOST_PARTS = 4 << 20, 64
# PDF (ISO 32000-1, 7.5): pages are objects of their own, or lie in object streams, packed; what is encrypted says so in its trailer.
_OBJECTS = re.compile(rb"/Type\s*/ObjStm\b")
_STREAM = re.compile(rb"stream\r?\n")
_PAGE = re.compile(rb"/Type\s*/Page(?![A-Za-z])")
_CONTENTS = re.compile(rb"/Contents\b")
_TRAILER = 1024
_FAR = 2048
_MAIN = ("content.xml", "word/document.xml")
_TAGS = re.compile(rb"<[^>]*>")
_MEDIA = ("Pictures/", "word/media/")
# What the reader of archives raises for damaged, locked and strange ones.
_BROKEN = (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError, ValueError)


def is_pdf(data: bytes) -> bool:
    """A PDF to its end that no password locks, with at least one page that has contents."""
    if not data.startswith(b"%PDF-") or b"%%EOF" not in data[-_TRAILER:] or b"/Encrypt" in data:
        return False
    parts = [data, *_objects(data)]
    return any(_PAGE.search(part) for part in parts) and any(_CONTENTS.search(part) for part in parts)


def _objects(data: bytes) -> list[bytes]:
    """What is packed in object streams, the first of each and of them."""
    found: list[bytes] = []
    for one in _OBJECTS.finditer(data):
        begin = _STREAM.search(data, one.end(), one.end() + _FAR)
        if begin is None or len(found) >= _MOST_PARTS:
            continue
        try:
            found.append(zlib.decompressobj().decompress(data[begin.end() :], _MOST_PART))
        except zlib.error:
            continue
    return found


def is_office(data: bytes) -> bool:
    """An ODT or DOCX that no password locks, with a word or a picture in it."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            main = next((name for name in _MAIN if name in names), None)
            if main is None or b"encryption-data" in _part(archive, "META-INF/manifest.xml", names):
                return False
            has_word = re.search(rb"\w\w", _TAGS.sub(b" ", _part(archive, main, names))) is not None
            return has_word or any(name.startswith(_MEDIA) for name in names)
    except _BROKEN:
        return False


def _part(archive: zipfile.ZipFile, name: str, names: list[str]) -> bytes:
    if name not in names:
        return b""
    with archive.open(name) as part:
        return part.read(_MOST_PART)
