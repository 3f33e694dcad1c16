"""Numbers in addresses, within what a database holds."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, Path, Query

_MOST = 2**53
Number = Annotated[int, Path(ge=0, le=_MOST)]
Before = Annotated[int, Query(ge=0, le=_MOST)]
# Of a row as a page shows it: whoever confirms says what they saw. Without it nothing is confirmed.
Version = Annotated[int, Form(ge=0, le=_MOST)]
_DIGITS = 15


def numbers(text: str) -> list[int]:
    """The numbers in a field of a form, set apart by spaces; what is no number is none."""
    return [int(word) for word in text.split() if word.isascii() and word.isdigit() and len(word) <= _DIGITS]
