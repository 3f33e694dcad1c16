"""Write drawn scenes and broken files as videos."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from blickschutz.demo.drawn_scene import DrawnScene


def write_scene(path: Path, scene: DrawnScene, count: int, codec: str = "libx264", rate: int = 10) -> None:
    """The first `count` pictures of `scene` as a video."""
    write_pictures(path, [scene.picture(index).i420() for index in range(count)], codec, rate)


def write_pictures(path: Path, pictures: list[np.ndarray], codec: str = "libx264", rate: int = 10) -> None:
    """Pictures in I420 (3/2 height, width) as a video."""
    with av.open(str(path), "w") as container:
        options = {"preset": "ultrafast", "crf": "14"} if codec.startswith("libx26") else {}
        stream = container.add_stream(codec, rate=rate, options=options)
        stream.height, stream.width = pictures[0].shape[0] * 2 // 3, pictures[0].shape[1]
        stream.pix_fmt = "yuv420p"
        if path.suffix == ".h264":
            # What plays a raw stream takes the second slice of its first picture for a picture of its own.
            stream.codec_context.options = {**stream.codec_context.options, "x264-params": "sliced-threads=0"}
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def still(width: int, height: int, index: int = 0) -> bytes:
    """A picture of the drawn scene as JPEG, as a camera sends it."""
    context = av.CodecContext.create("mjpeg", "w")
    context.width, context.height, context.pix_fmt, context.time_base = width, height, "yuvj420p", Fraction(1, 10)
    picture = av.VideoFrame.from_ndarray(DrawnScene(width, height, 1).picture(index).i420(), format="yuv420p")
    return bytes(context.encode(picture.reformat(format="yuvj420p"))[0])


def read_planes(path: Path) -> list[np.ndarray]:
    """All frames of a file as I420."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="yuv420p") for frame in container.decode(video=0)]


def read_gray(path: Path) -> list[np.ndarray]:
    """All frames of a mask file."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
