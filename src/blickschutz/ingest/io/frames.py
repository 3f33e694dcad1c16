"""From PyAV's frames to ours: planes in 4:2:0, whatever the camera's pixel format."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np

from blickschutz.ingest.io.planes import planes_of
from blickschutz.kernel.frames import RawFrame


def raw_frame(frame: av.VideoFrame, index: int, at: float, taken: float, pts: int = -1) -> RawFrame:
    """`frame` as a `RawFrame` of the same size. The planes are views where the format allows it."""
    return RawFrame(*planes_of(frame), index, at, taken, pts)


def upright(frame: av.VideoFrame, aspect: Fraction) -> av.VideoFrame:
    """`frame` with square pixels and as it is to be shown: what `aspect` (width of a pixel by its height) and the file's matrix say."""
    wide = round(frame.width * aspect / 2) * 2 if aspect > 0 and aspect != 1 else frame.width
    quarters = round(frame.rotation / 90) % 4
    if (wide, quarters) == (frame.width, 0):
        return frame
    # Rows and columns are turned as a whole, so a side of an odd number of pixels gives one up.
    square = frame.reformat(width=wide // 2 * 2, height=frame.height // 2 * 2, format="yuv420p")
    y, u, v = (np.ascontiguousarray(np.rot90(plane, quarters)) for plane in planes_of(square))
    turned = av.VideoFrame.from_ndarray(np.concatenate([y.ravel(), u.ravel(), v.ravel()]).reshape(-1, y.shape[1]), format="yuv420p")
    turned.pts, turned.time_base = frame.pts, frame.time_base
    return turned
