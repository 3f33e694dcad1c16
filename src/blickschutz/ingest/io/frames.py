"""From PyAV's frames to ours: planes in 4:2:0, whatever the camera's pixel format."""

from __future__ import annotations

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


def _plane(plane: av.video.plane.VideoPlane, rows: int, columns: int) -> npt.NDArray[np.uint8]:
    stride = plane.line_size
    data = np.frombuffer(memoryview(plane), np.uint8)
    return data[: rows * stride].reshape(rows, stride)[:, :columns]
