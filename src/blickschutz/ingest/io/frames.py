"""From PyAV's frames to ours: planes in 4:2:0, whatever the camera's pixel format."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import numpy.typing as npt

from blickschutz.kernel.frames import RawFrame, chroma_shape

_PLANAR = {"yuv420p", "yuvj420p"}


def raw_frame(frame: av.VideoFrame, index: int, at: float, taken: float, pts: int = -1) -> RawFrame:
    """`frame` as a `RawFrame` of the same size. The planes are views where the format allows it."""
    if frame.format.name not in _PLANAR:
        frame = frame.reformat(format="yuv420p")
    rows, columns = chroma_shape(frame.width, frame.height)
    y = _plane(frame.planes[0], frame.height, frame.width)
    u, v = (_plane(plane, rows, columns) for plane in frame.planes[1:3])
    return RawFrame(y, u, v, index, at, taken, pts)


def upright(frame: av.VideoFrame, aspect: Fraction) -> av.VideoFrame:
    """`frame` with square pixels and as it is to be shown: what `aspect` (width of a pixel by its height) and the file's matrix say."""
    wide = round(frame.width * aspect / 2) * 2 if aspect > 0 and aspect != 1 else frame.width
    quarters = round(frame.rotation / 90) % 4
    if (wide, quarters) == (frame.width, 0):
        return frame
    # Rows and columns are turned as a whole, so a side of an odd number of pixels gives one up.
    square = frame.reformat(width=wide // 2 * 2, height=frame.height // 2 * 2, format="yuv420p")
    y = _plane(square.planes[0], square.height, square.width)
    u, v = (_plane(plane, square.height // 2, square.width // 2) for plane in square.planes[1:3])
    y, u, v = (np.ascontiguousarray(np.rot90(plane, quarters)) for plane in (y, u, v))
    turned = av.VideoFrame.from_ndarray(np.concatenate([y.ravel(), u.ravel(), v.ravel()]).reshape(-1, y.shape[1]), format="yuv420p")
    turned.pts, turned.time_base = frame.pts, frame.time_base
    return turned


def _plane(plane: av.video.plane.VideoPlane, rows: int, columns: int) -> npt.NDArray[np.uint8]:
    stride = plane.line_size
    data = np.frombuffer(memoryview(plane), np.uint8)
    return data[: rows * stride].reshape(rows, stride)[:, :columns]
