"""Raw and redacted pictures as two types, so that no sink can be handed the wrong one.

A `RawFrame` lives in a camera cell (later also in a review room) and nowhere else: it cannot be pickled
or copied into a message. A `RedactedFrame` can be built by the room `redaction` alone: its constructor
asks for a seal that is handed out once per process, to whoever asks first; `redaction` asks when it is
imported, and fails to import if somebody else was faster.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, NoReturn, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from blickschutz.kernel.errors import FaultError
from blickschutz.kernel.planes import shrunk
from blickschutz.kernel.scene import Doubt

Bytes: TypeAlias = npt.NDArray[np.uint8]


def chroma_shape(width: int, height: int) -> tuple[int, int]:
    """(rows, columns) of the U and V planes in 4:2:0 for a picture of that size; odd sizes round up."""
    return (height + 1) // 2, (width + 1) // 2


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RawFrame:
    """One picture as the camera sent it: planes Y (h, w), U and V (rounded-up halves), all uint8, BT.601.

    `at` is the capture time on the monotonic clock, `taken` on the wall clock (POSIX), both in seconds.
    `pts` is the presentation time in the stream since it was opened, in ticks of 1/90000 s; -1 where it has none.
    `scale` is how many of its pixels one of the source's has become, where it was resized.
    """

    y: Bytes
    u: Bytes
    v: Bytes
    index: int
    at: float
    taken: float
    pts: int = -1
    scale: float = 1.0

    def __post_init__(self) -> None:
        expected = chroma_shape(self.width, self.height)
        if self.u.shape != expected or self.v.shape != expected or not self.y.size:
            raise FaultError(f"planes do not fit: Y {self.y.shape}, U {self.u.shape}, V {self.v.shape}")

    @property
    def width(self) -> int:
        return int(self.y.shape[1])

    @property
    def height(self) -> int:
        return int(self.y.shape[0])

    def resized(self, width: int, height: int) -> RawFrame:
        """This picture at another size, for people to look at."""
        if (width, height) == (self.width, self.height):
            return self
        rows, columns = chroma_shape(width, height)
        # Where it shrinks by less than half, averaging areas takes six times as long as between neighbours, and nobody sees it.
        y = shrunk(self.y, width, height, cv2.INTER_LINEAR)
        u, v = (shrunk(plane, columns, rows, cv2.INTER_LINEAR) for plane in (self.u, self.v))
        # The larger of the two where they differ by a rounded side: with it no cell of a mosaic comes out too fine.
        scale = self.scale * max(width / self.width, height / self.height)
        return RawFrame(y, u, v, self.index, self.at, self.taken, self.pts, scale)

    def at_most(self, width: int) -> RawFrame:
        """This picture, where it is wider than `width` shrunk to that width and an even height."""
        return self.resized(width, max(2, round(self.height * width / self.width / 2) * 2)) if width < self.width else self

    def __reduce__(self) -> NoReturn:
        raise FaultError("a raw picture does not leave its process")


class RedactionSeal:
    """The right to build redacted frames. There is one; `take_redaction_seal` hands it out once."""

    _taken: ClassVar[bool] = False
    __slots__ = ()


def take_redaction_seal() -> RedactionSeal:
    """Hand out the seal, once. Raises `FaultError` on every further call."""
    if RedactionSeal._taken:
        raise FaultError("the redaction seal was taken already")
    RedactionSeal._taken = True
    return RedactionSeal()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RedactedFrame:
    """One picture that may be shown: every pixel under `mask` was replaced. All arrays are read-only.

    `mask` is (h, w), 255 = redacted. With a `doubt` the whole picture is redacted. `index`, `at` and
    `taken` are those of the source.
    """

    y: Bytes
    u: Bytes
    v: Bytes
    mask: Bytes
    index: int
    at: float
    taken: float
    doubt: Doubt | None
    seal: RedactionSeal = field(kw_only=True)

    def __post_init__(self) -> None:
        if type(self.seal) is not RedactionSeal:
            raise FaultError("only the redaction builds redacted frames")
        for plane in (self.y, self.u, self.v, self.mask):
            plane.setflags(write=False)

    @property
    def width(self) -> int:
        return int(self.y.shape[1])

    @property
    def height(self) -> int:
        return int(self.y.shape[0])

    def in_one_piece(self) -> Bytes | None:
        """Y, U and V one behind the other as (height * 3 / 2, width), where they lie so and the sides are even; no copy."""
        piece = self.y.base
        if piece is None or self.width % 2 or self.height % 2 or piece.ndim != 1:
            return None
        size, quarter = self.y.size, self.u.size
        start = piece.ctypes.data
        wanted = start, start + size, start + size + quarter
        if piece.size != size + 2 * quarter or tuple(plane.ctypes.data for plane in (self.y, self.u, self.v)) != wanted:
            return None
        whole = np.asarray(piece.reshape(-1, self.width), np.uint8)
        whole.setflags(write=False)
        return whole

    def __reduce__(self) -> NoReturn:
        raise FaultError("a picture leaves its process as encoded video, never as an object")
