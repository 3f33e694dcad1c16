"""A form with a file, taken while it comes: never wholly in memory, and only as much of it as is allowed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

_MOST_FIELDS, _MOST_FIELD = 12, 16 * 1024
_HANDED_ON = 256 * 1024


class FormError(Exception):
    """What came is no form with a file, or its fields are too many or too long."""


@dataclass(slots=True)
class Received:
    """The fields of a form, what its file was called, and how many bytes of it came; `too_large` where the rest was thrown away."""

    fields: dict[str, str] = field(default_factory=dict)
    file: str = ""
    size: int = 0
    too_large: bool = False


async def receive(
    content_type: str, body: AsyncIterator[bytes], hand_on: Callable[[bytes], Awaitable[None]], most: int, file_field: str
) -> Received:
    """Read a form of `multipart/form-data`; at most `most` bytes of the file in `file_field` go to `hand_on`, in order, some at a time.

    Raises `FormError`. Of a file that is too large nothing more is handed on, and the rest is read and thrown away.
    """
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise FormError("no boundary")
    form = _Form(file_field, most)
    parser = MultipartParser(boundary, form.callbacks())
    try:
        async for chunk in body:
            parser.write(chunk)
            if len(form.waiting) >= _HANDED_ON:
                await hand_on(form.taken())
        parser.finalize()
    except (FormParserError, UnicodeDecodeError) as error:
        raise FormError(str(error)) from error
    if form.waiting:
        await hand_on(form.taken())
    if not form.is_whole:
        raise FormError("the form ended before its end")
    return form.received


class _Form:
    """What the parser tells, part by part."""

    def __init__(self, file_field: str, most: int) -> None:
        self.received, self.waiting, self.is_whole = Received(), bytearray(), False
        self._file_field, self._most = file_field, most
        self._header, self._value, self._said = bytearray(), bytearray(), dict[bytes, bytes]()
        self._name, self._is_file, self._text = "", False, bytearray()

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_end,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._whole,
        }

    def taken(self) -> bytes:
        """What of the file came since it was asked last."""
        data = bytes(self.waiting)
        self.waiting.clear()
        return data

    def _begin(self) -> None:
        self._said, self._name, self._is_file, self._text = {}, "", False, bytearray()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._said[bytes(self._header).lower()] = bytes(self._value)
        self._header, self._value = bytearray(), bytearray()

    def _headers_end(self) -> None:
        kind, options = parse_options_header(self._said.get(b"content-disposition", b""))
        if kind != b"form-data" or b"name" not in options:
            raise FormError("a part without a name")
        self._name = options[b"name"].decode()
        self._is_file = b"filename" in options
        if self._is_file != (self._name == self._file_field) or (self._is_file and self.received.file):
            raise FormError("another file than the one that was asked for")
        if self._is_file:
            self.received.file = plain_name(options[b"filename"].decode(errors="replace"))

    def _data(self, data: bytes, start: int, end: int) -> None:
        if not self._is_file:
            self._text += data[start:end]
            if len(self._text) > _MOST_FIELD:
                raise FormError("a field is too long")
            return
        self.received.size += end - start
        if self.received.size > self._most:
            self.received.too_large = True
        else:
            self.waiting += data[start:end]

    def _end(self) -> None:
        if not self._is_file:
            if len(self.received.fields) >= _MOST_FIELDS:
                raise FormError("too many fields")
            self.received.fields[self._name] = self._text.decode()

    def _whole(self) -> None:
        self.is_whole = True


def plain_name(name: str) -> str:
    """What a file was called, without folders and without anything that a header or a page could trip over."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    plain = "".join(letter if letter.isprintable() and letter not in '"<>|:*?' else "_" for letter in last).strip(" .")
    return plain[:120] or "dokument"
