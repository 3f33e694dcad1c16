"""CSV as an office saves it: comma, semicolon or tab, UTF-8 with or without its mark; what is something else is said by line."""

from __future__ import annotations

import csv
import io
import unicodedata

TEXTS = {
    "encoding": ("die Datei ist nicht in UTF-8; speichern Sie sie als „CSV UTF-8“", "the file is not in UTF-8; save it as CSV UTF-8"),
    "twice-encoded": (
        "die Umlaute sind doppelt kodiert; speichern Sie die Datei neu als „CSV UTF-8“",
        "umlauts were encoded twice; save the file anew as CSV UTF-8",
    ),
    "no-table": (
        "das ist keine Tabelle, die sich lesen lässt; eine Arbeitsmappe speichern Sie als „CSV UTF-8“",
        "this is no table that can be read; save a workbook as CSV UTF-8",
    ),
    "hidden": (
        "ein Feld enthält ein Zeichen, das man nicht sieht und das andere verdeckt oder umdreht; schreiben Sie das Feld neu",
        "a cell holds a sign that is not seen and hides or turns others; write the cell anew",
    ),
}
# Signs that turn the direction of what stands beside them (Unicode UAX 9): a reader would sign something else than what stands there.
_TURNING = frozenset(chr(one) for one in (*range(0x202A, 0x202F), *range(0x2066, 0x206A)))


class NoTableError(Exception):
    """What is no table; `key` of `TEXTS`."""

    def __init__(self, line: int, key: str) -> None:
        super().__init__(key)
        self.line, self.key = line, key


def cells_of(data: bytes) -> tuple[list[list[str]], str]:
    """The cells of each record without blanks around them, and what stands between two. Raises `NoTableError`."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NoTableError(1 + data[: error.start].count(b"\n"), "encoding") from error
    if "\0" in text:
        raise NoTableError(1, "no-table")
    first = text.splitlines()[0] if text else ""
    delimiter = next((one for one in ";\t" if one in first), ",")
    try:
        # A quote that nobody closed would swallow the rows after it.
        found = [[cell.strip() for cell in cells] for cells in csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)]
    except csv.Error as error:
        raise NoTableError(1, "no-table") from error
    for number, cells in enumerate(found, 1):
        for cell in cells:
            if any(one in _TURNING or (unicodedata.category(one) == "Cc" and one not in "\r\n\t") for one in cell):
                raise NoTableError(number, "hidden")
            if _is_twice_encoded(cell):
                raise NoTableError(number, "twice-encoded")
    return found, delimiter


def _is_twice_encoded(text: str) -> bool:
    """Whether UTF-8 was read as Windows-1252 and written as UTF-8 again."""
    try:
        return text.encode("cp1252").decode("utf-8") != text
    except UnicodeError:
        return False
