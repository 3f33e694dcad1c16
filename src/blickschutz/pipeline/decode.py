"""From groups of packets to raw pictures, in order; lives in a cell or a review room only."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import av
import av.error

from blickschutz.ingest.io.frames import raw_frame
from blickschutz.kernel.errors import MediaError
from blickschutz.kernel.frames import RawFrame
from blickschutz.recording.model import Gop
from blickschutz.recording.rules import TICKS


class ClipDecoder:
    """Decodes group after group with one decoder. `at` of a picture is its time in the stream, in seconds."""

    def __init__(self, init: bytes) -> None:
        self._init = init
        self._context: Any = None
        self._taken: dict[int, float] = {}
        self._index = 0

    def decode(self, gop: Gop) -> Iterator[RawFrame]:
        """The pictures of a group. Raises `MediaError` where it is no video."""
        self._taken.update(gop.times)
        if not gop.data:
            return
        try:
            with av.open(io.BytesIO(self._init + gop.data), "r") as container:
                stream = container.streams.video[0]
                if self._context is None:
                    self._context = av.CodecContext.create(stream.codec_context.name, "r")
                    self._context.extradata = stream.codec_context.extradata
                    self._context.thread_count = 1
                packets = [packet for packet in container.demux(stream) if packet.size]
                for packet, pts in zip(packets, gop.pts, strict=False):
                    packet.pts = packet.dts = pts
                    yield from self._frames(packet)
        except (av.error.FFmpegError, OSError, IndexError) as error:
            raise MediaError(f"the clip holds no readable video: {error}") from error

    def rest(self) -> Iterator[RawFrame]:
        """What the decoder still holds."""
        if self._context is not None:
            yield from self._frames(None)

    def _frames(self, packet: Any) -> Iterator[RawFrame]:
        for frame in self._context.decode(packet):
            pts = frame.pts if frame.pts is not None else self._index * TICKS // 10
            yield raw_frame(frame, self._index, pts / TICKS, self._taken.get(pts, 0.0), pts)
            self._index += 1
