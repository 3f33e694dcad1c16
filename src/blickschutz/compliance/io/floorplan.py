"""Draws a floor plan anew as a picture of our own: what was handed in is never shown, only what came out (typst, without a network)."""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path

import typst

from blickschutz.compliance.floorplan import MOST_SHAPE, Form, NotTaken

WIDTH = 1800
_SOURCE = '#set page(width: {width}pt, height: auto, margin: 0pt)\n#image("/plan.{form}", width: {width}pt, format: "{form}")\n'


def drawn(data: bytes, form: Form, memory: Path | None = None) -> bytes | NotTaken:
    """A plan as PNG of `WIDTH` pixels, without anything that lay beside the picture in its file; why not.

    The drawer reads one folder that holds this plan alone, so that nothing else of the machine can come into the picture.
    """
    with tempfile.TemporaryDirectory(prefix="blickschutz-plan-", dir=memory) as folder:
        (Path(folder) / f"plan.{form.value}").write_bytes(data)
        source = _SOURCE.format(width=WIDTH, form=form.value).encode()
        try:
            made = typst.compile(  # type: ignore[call-overload] # its stubs want root to be bytes where the source is
                source, format="png", ppi=72.0, root=folder, ignore_system_fonts=True
            )
        except typst.TypstError:
            return NotTaken.UNREADABLE
    picture = made if isinstance(made, bytes) else b"" if made is None else bytes(made[0])
    width, height = struct.unpack(">II", picture[16:24])
    return picture if 1 / MOST_SHAPE <= width / height <= MOST_SHAPE else NotTaken.SHAPE
