"""Prints tagged PDF with typst, in-process and offline, whatever signs people wrote."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import typst

Standard = Literal["a-2a", "ua-1"]
# Documents that are kept (ISO 19005-2, ISO 14289-1).
KEPT: tuple[Standard, ...] = ("a-2a", "ua-1")
# Control signs, and those that turn the direction (UAX 9).
_CONTROLS = dict.fromkeys(
    [*(one for one in range(32) if chr(one) not in "\n\t"), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
)
_MOST_SIGNS = 100
# As Rust writes a text that is to be read by programmers.
_NO_SIGN = re.compile(r'the text `?"((?:[^"\\]|\\.)+)"`? could not be displayed')
_ESCAPED = re.compile(r"\\u\{([0-9a-f]{1,6})\}")
# The typefaces besides those that come with typst: Arabic letters.
FONTS = Path(str(resources.files("plattform"))) / "fonts"


class UnprintableError(Exception):
    """The printer refuses a document; the text says what it complained of."""


def print_pdf(template: bytes, data: dict[str, Any], standards: Sequence[Standard] = KEPT, root: Path | None = None) -> bytes:
    """A template in typst with its data (`sys.inputs.data`, JSON) as PDF. Pictures that it names lie under `root`.

    Signs that control something instead of showing it are taken out; what no typeface has becomes a question mark.
    Raises `UnprintableError`.
    """
    text = json.dumps(_plain(data), ensure_ascii=False)
    for _ in range(_MOST_SIGNS):
        try:
            return _compiled(template, text, standards, root)
        except typst.TypstError as error:
            without = _without(text, str(error))
            if without == text:
                raise UnprintableError(str(error)) from error
            text = without
    raise UnprintableError(f"it has over {_MOST_SIGNS} signs that no typeface has")


def _plain(value: Any) -> Any:
    """Without signs that control something instead of showing it; one that turns the direction would let a line read backwards."""
    if isinstance(value, str):
        return value.translate(_CONTROLS)
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _compiled(source: bytes, data: str, standards: Sequence[Standard], root: Path | None) -> bytes:
    # The fonts that come with typst and with this package, and no others: the same settings print the same on every machine.
    printed: bytes = typst.compile(  # type: ignore[call-overload] # its stubs want root to be bytes where the source is
        source,
        format="pdf",
        font_paths=[str(FONTS)],
        ignore_system_fonts=True,
        sys_inputs={"data": data},
        pdf_standards=list(standards),
        root=root,
    )
    return printed


def _without(data: str, error: str) -> str:
    """The data without the sign that the printer complains of; the same where it complains of something else.

    PDF/A forbids a text that no typeface shows (ISO 19005-2, 6.2.11.8). People may write anything, and what one wrote must not keep a
    document from being printed: signs that are not seen go, all others become a question mark.
    """
    found = _NO_SIGN.search(error)
    if found is None:
        return data
    text = _ESCAPED.sub(lambda one: chr(int(one[1], 16)), found[1]).replace('\\"', '"').replace("\\\\", "\\")
    return data.translate({ord(one): "" if unicodedata.category(one) in {"Cc", "Cf"} else "?" for one in text if not one.isascii()})
