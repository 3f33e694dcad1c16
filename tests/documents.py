"""Documents as an office hands them in: real ones, made by the printer of the product."""

from __future__ import annotations

from functools import cache

import typst


@cache
def pdf(text: str) -> bytes:
    """A PDF of one page that says so; another text is another document."""
    made = typst.compile(f"#set text(size: 14pt)\n{text} #lorem(60)".encode(), format="pdf", ignore_system_fonts=True)
    assert isinstance(made, bytes)
    return made
