"""Pictures one after the other in one answer: `multipart/x-mixed-replace`, as cameras send it (RFC 2046, 5.1, and what they make of it)."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Lines before a part, what stands before the first one, and a picture: far more than any camera sends.
MOST_HEAD, MOST_PREAMBLE, MOST_PART = 8 * 1024, 64 * 1024, 16 * 1024 * 1024
_KINDS = re.compile(r"multipart/(?:x-mixed-replace|mixed)\s*(?:;|$)", re.IGNORECASE)
_BOUNDARY = re.compile(r';\s*boundary\s*=\s*(?:"([^"]{1,200})"|([^\s;"]{1,200}))', re.IGNORECASE)
_BLANK = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True, slots=True)
class Part:
    """`kind` is the type that it says to be, in lower case; empty where it says none."""

    kind: str
    body: bytes


def boundary_of(kind: str) -> str | None:
    """What parts the pictures, from the answer's `Content-Type`; None where it is no answer in parts. Raises `ValueError`."""
    if not _KINDS.match(kind.strip()):
        return None
    found = _BOUNDARY.search(kind)
    # Many cameras put the two dashes of each line into the name already.
    name = (found[1] or found[2]).strip().lstrip("-") if found else ""
    if not name:
        raise ValueError("parts without a boundary")
    return name


class Parts:
    """Takes bytes as they come, gives whole parts. `feed` raises `ValueError` where what came are no parts."""

    def __init__(self, boundary: str) -> None:
        self._mark = b"--" + boundary.encode("latin-1", "replace")
        self._data = bytearray()
        self._head: tuple[str, int | None] | None = None
        self._at_mark = False
        self._skipped = self._searched = 0
        self._strict = False
        self.ended = False

    def feed(self, data: bytes) -> list[Part]:
        self._data += data
        parts: list[Part] = []
        while not self.ended:
            if not self._at_mark:
                if not self._to_mark():
                    break
            elif self._head is None:
                if not self._to_body():
                    break
            else:
                part = self._part(*self._head)
                if part is None:
                    break
                parts.append(part)
        return parts

    def _to_mark(self) -> bool:
        """Away with what stands before the next boundary."""
        found = self._data.find(self._mark)
        gone = found if found >= 0 else max(0, len(self._data) - len(self._mark))
        if self._strict and self._data[:gone].strip(b"\r\n-"):
            raise ValueError("a part of another length than it says")
        self._skipped += gone
        if self._skipped > MOST_PREAMBLE:
            raise ValueError("no boundary where one should be")
        del self._data[:gone]
        self._at_mark = found >= 0
        return self._at_mark

    def _to_body(self) -> bool:
        """Read the lines from the boundary to the empty one."""
        start = len(self._mark)
        if self._data[start : start + 2] == b"--":
            self.ended = True
            return False
        found = _BLANK.search(self._data, start)
        if (found.start() if found else len(self._data)) - start > MOST_HEAD:
            raise ValueError("a part whose head has no end")
        if found is None:
            return False
        lines = bytes(self._data[start : found.start()]).decode("latin-1").splitlines()
        fields = {key.strip().lower(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
        length = fields.get("content-length")
        if length is not None and (not re.fullmatch(r"[0-9]{1,9}", length) or int(length) > MOST_PART):
            raise ValueError("a part of that length")
        self._head = fields.get("content-type", "").partition(";")[0].strip().lower(), None if length is None else int(length)
        del self._data[: found.end()]
        self._searched = 0
        return True

    def _part(self, kind: str, length: int | None) -> Part | None:
        if length is None:
            return self._until_mark(kind)
        # It is given before the next boundary comes: that may be a picture later.
        self._strict = len(self._data) >= length
        return self._taken(kind, length, length) if self._strict else None

    def _until_mark(self, kind: str) -> Part | None:
        found = self._data.find(b"\n" + self._mark, self._searched)
        if found < 0:
            if len(self._data) > MOST_PART:
                raise ValueError("a part without an end")
            self._searched = max(0, len(self._data) - len(self._mark))
            return None
        self._strict = True
        return self._taken(kind, found - 1 if found and self._data[found - 1] == 0x0D else found, found + 1)

    def _taken(self, kind: str, length: int, until: int) -> Part:
        part = Part(kind, bytes(self._data[:length]))
        del self._data[:until]
        self._head, self._at_mark, self._skipped = None, False, 0
        return part
