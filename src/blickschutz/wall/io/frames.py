"""From a redacted frame to PyAV's frame, ready for an encoder that wants even sides."""

from __future__ import annotations

from typing import TypeAlias

import av
import numpy as np
import numpy.typing as npt

from blickschutz.kernel.frames import RedactedFrame

Bytes: TypeAlias = npt.NDArray[np.uint8]

# PyAV takes the height of a piece of memory in whole fours.
_ROWS = 4


def even(side: int) -> int:
    """`side` rounded up to an even number."""
    return side + side % 2


def encoder_frame(frame: RedactedFrame, width: int, height: int) -> av.VideoFrame:
    """`frame` as yuv420p of that (even) size: a missing last row or column is repeated.

    A frame of a wholly other size is scaled.
    """
    if (even(frame.width), even(frame.height)) != (width, height):
        own = encoder_frame(frame, even(frame.width), even(frame.height))
        return own.reformat(width=width, height=height)
    piece = frame.in_one_piece()
    if piece is not None and not height % _ROWS:
        return av.VideoFrame.from_numpy_buffer(piece, format="yuv420p")
    result = av.VideoFrame(width, height, "yuv420p")
    for plane, source in zip(result.planes, (frame.y, frame.u, frame.v), strict=True):
        _write(plane, source)
    return result


def gray_frame(mask: Bytes, width: int, height: int) -> av.VideoFrame:
    """A mask as a gray frame; where it has another size than the video, by nearest neighbour."""
    if mask.shape != (height, width):
        rows = np.arange(height) * mask.shape[0] // height
        columns = np.arange(width) * mask.shape[1] // width
        mask = mask[rows][:, columns]
    result = av.VideoFrame(width, height, "gray")
    _write(result.planes[0], mask)
    return result


def _write(plane: av.video.plane.VideoPlane, source: Bytes) -> None:
    target = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    rows, columns = plane.height, plane.width
    target[: source.shape[0], : source.shape[1]] = source
    if columns > source.shape[1]:
        target[: source.shape[0], source.shape[1] : columns] = source[:, -1:]
    if rows > source.shape[0]:
        target[source.shape[0] : rows] = target[source.shape[0] - 1]
