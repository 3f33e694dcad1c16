"""Unredacted playback: the one place in the system that shows people as they were. Reached only while both agreed.

Privacy zones stay filled: what lies in them was never to be seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

import av
import numpy as np

from blickschutz.kernel.frames import RawFrame
from blickschutz.kernel.sink import ByteSink
from blickschutz.pipeline.decode import ClipDecoder
from blickschutz.recording.model import Gop, Opening
from blickschutz.recording.rules import TICKS
from blickschutz.redaction.service import fill_zones

_FLAGS = "empty_moov+default_base_moof+frag_keyframe+skip_trailer"


def clear_video(opening: Opening, gops: Iterable[Gop]) -> Iterator[bytes]:
    """The clip as fragmented MP4, unredacted but for its privacy zones."""
    decoder = ClipDecoder(opening.init)
    sink = ByteSink()
    container: Any = av.open(sink, "w", format="mp4", options={"movflags": _FLAGS})
    stream: Any = None
    for gop in gops:
        for frame in decoder.decode(gop):
            if stream is None:
                stream = container.add_stream("libx264", rate=10, options={"preset": "ultrafast", "tune": "zerolatency", "g": "20"})
                stream.width, stream.height, stream.pix_fmt = frame.width // 2 * 2, frame.height // 2 * 2, "yuv420p"
                stream.codec_context.time_base = stream.time_base = Fraction(1, TICKS)
            container.mux(stream.encode(_picture(fill_zones(frame, opening.privacy_zones), stream.width, stream.height)))
        yield sink.take()
    if stream is not None:
        container.mux(stream.encode(None))
    container.close()
    yield sink.take()


def _picture(frame: RawFrame, width: int, height: int) -> av.VideoFrame:
    picture = av.VideoFrame(width, height, "yuv420p")
    for plane, source in zip(picture.planes, (frame.y, frame.u, frame.v), strict=True):
        target = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        target[: plane.height, : plane.width] = source[: plane.height, : plane.width]
    picture.pts, picture.time_base = frame.pts, Fraction(1, TICKS)
    return picture
