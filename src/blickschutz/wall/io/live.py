"""Encode redacted frames as H.264 in fragmented MP4, one fragment per picture (ISO/IEC 14496-12, MSE byte stream)."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import av

from blickschutz.kernel.frames import RedactedFrame
from blickschutz.kernel.sink import ByteSink
from blickschutz.wall.io.frames import encoder_frame, even
from blickschutz.wall.model import EncoderSettings, StreamFragment, StreamInit

_TICKS = 90_000
_FLAGS = "empty_moov+default_base_moof+frag_every_frame+skip_trailer"


class LiveEncoder:
    """Encoder for one size of picture. A new size or an interrupted stream needs a new one (a new generation).

    The muxer gives out a fragment when the next picture comes, because only then its duration is known.
    """

    def __init__(self, generation: int, width: int, height: int, rate: float, settings: EncoderSettings) -> None:
        self.generation, self.size = generation, (width, height)
        self._sink = ByteSink()
        self._container: Any = av.open(self._sink, "w", format="mp4", options={"movflags": _FLAGS, "flush_packets": "1"})
        self._key_every = max(1, round(rate * settings.key_every_s))
        parameters = f"keyint={self._key_every * 4}:scenecut=0:threads=1:sliced-threads=0:rc-lookahead=0{_assembly()}"
        options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "profile": "baseline",
            "crf": str(settings.crf),
            "x264-params": parameters,
        }
        self._stream: Any = self._container.add_stream("libx264", rate=max(1, round(rate)), options=options)
        self._stream.width, self._stream.height, self._stream.pix_fmt = even(width), even(height), "yuv420p"
        self._stream.codec_context.time_base = self._stream.time_base = Fraction(1, _TICKS)
        self._stream.codec_context.thread_count = 1
        self._start: float | None = None
        self._last_pts = -1
        self._count = 0
        self._pending: deque[tuple[bool, float, float]] = deque()
        self._init_sent = False

    def encode(self, frame: RedactedFrame) -> Sequence[StreamInit | StreamFragment]:
        """Encode one picture; return the parts that are complete now."""
        if self._start is None:
            self._start = frame.at
        picture = encoder_frame(frame, even(self.size[0]), even(self.size[1]))
        pts = max(self._last_pts + 1, round((frame.at - self._start) * _TICKS))
        picture.pts, picture.time_base, self._last_pts = pts, Fraction(1, _TICKS), pts
        key = self._count % self._key_every == 0
        picture.pict_type = av.video.frame.PictureType.I if key else av.video.frame.PictureType.NONE
        self._count += 1
        parts: list[StreamInit | StreamFragment] = []
        for packet in self._stream.encode(picture):
            self._container.mux(packet)
            parts.extend(self._taken())
            self._pending.append((bool(packet.is_keyframe), frame.at, frame.taken))
        return parts

    def _taken(self) -> Sequence[StreamInit | StreamFragment]:
        data = self._sink.take()
        if not data:
            return []
        if not self._init_sent:
            self._init_sent = True
            return [StreamInit(self.generation, codec_of(bytes(self._stream.codec_context.extradata)), data)]
        key, at, taken = self._pending.popleft()
        return [StreamFragment(self.generation, key, at, taken, data)]

    def finish(self) -> bytes:
        """The last fragment, which waits for a picture that will not come. Nothing can be encoded afterwards."""
        for packet in self._stream.encode(None):
            self._container.mux(packet)
        self._container.close()
        return self._sink.take()

    def close(self) -> None:
        """Let go of the encoder; what was not given out yet is lost."""
        self._stream.codec_context.flush_buffers()
        self._sink.take()


@lru_cache(maxsize=1)
def _assembly() -> str:
    """x264's widest instructions cost more than they save on small pictures: 1.7 ms with AVX-512, 1.4 ms with AVX2 (768x576)."""
    try:
        processor = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    flags = next((line.split() for line in processor.splitlines() if line.startswith("flags")), [])
    return ":asm=avx2" if {"avx512f", "avx2"} <= set(flags) else ""


def codec_of(extradata: bytes) -> str:
    """The codec's name for `MediaSource.isTypeSupported` (RFC 6381) from H.264 parameter sets in Annex B form."""
    start = extradata.find(b"\x00\x00\x01\x67")
    profile = extradata[start + 4 : start + 7] if start >= 0 else b"\x42\xc0\x1e"
    return f"avc1.{profile.hex().upper()}"
