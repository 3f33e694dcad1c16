"""Planes of PyAV's pictures in 4:2:0, whatever the pixel format."""

from __future__ import annotations

import av
import numpy as np

from blickschutz.ingest.rules.beside import Bytes, Planes

_PLANAR = {"yuv420p", "yuvj420p"}


def planes_of(frame: av.VideoFrame) -> Planes:
    """Y (h, w), U and V (rounded-up halves). Views where the format allows it."""
    rows, columns = (frame.height + 1) // 2, (frame.width + 1) // 2
    if frame.format.name == "nv12":
        # What graphics cards give. Taken apart here: a conversion would press the levels of a full-range picture together.
        both = plane(frame.planes[1], rows, 2 * columns)
        u, v = (np.ascontiguousarray(both[:, first::2]) for first in (0, 1))
        return plane(frame.planes[0], frame.height, frame.width), u, v
    if frame.format.name not in _PLANAR:
        frame = frame.reformat(format="yuv420p")
    u, v = (plane(one, rows, columns) for one in frame.planes[1:3])
    return plane(frame.planes[0], frame.height, frame.width), u, v


def plane(data: av.video.plane.VideoPlane, rows: int, columns: int) -> Bytes:
    """The plane without what its rows are padded with."""
    stride = data.line_size
    return np.frombuffer(memoryview(data), np.uint8)[: rows * stride].reshape(rows, stride)[:, :columns]
