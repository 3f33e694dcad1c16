"""The packets of a stream as fragments of MP4, one for each group of pictures, without encoding anything."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import av.error
import structlog

from blickschutz.kernel.sink import ByteSink
from blickschutz.recording.rules import TICKS

_log = structlog.get_logger(__name__)
_FLAGS = "empty_moov+default_base_moof+frag_keyframe+skip_trailer"
_LONGEST_S = 2.0
_MOST_WAITING = 64


@dataclass(frozen=True, slots=True)
class Fragment:
    """A group of pictures (or two seconds of a longer one). `at` is when its last packet came, monotonic."""

    generation: int
    data: bytes
    key: bool
    pts: tuple[int, ...]
    at: float


@dataclass(frozen=True, slots=True)
class Head:
    """Head of a stream: what comes before its fragments."""

    generation: int
    data: bytes
    codec: str
    width: int
    height: int


class PacketMuxer:
    """See `ingest.ports.PacketSink`. `taken` gives what is complete; it is called in another thread.

    A stream whose packets cannot be put into MP4 gives no fragments, and `problem` says why.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._done: deque[Head | Fragment] = deque(maxlen=_MOST_WAITING)
        self._container: Any = None
        self._stream: Any = None
        self._sink = ByteSink()
        self._generation = 0
        self._pending: list[int] = []
        self._key = False
        self._last_at, self._last_dts = 0.0, -1
        self._size = ("", 0, 0)
        self._begun = self._head_sent = False
        self.problem = ""

    def opened(self, stream: Any) -> None:
        self.ended()
        with self._lock:
            self._generation += 1
            self._sink, self._pending, self._begun, self._head_sent, self._last_dts = ByteSink(), [], False, False, -1
            self.problem = ""
            try:
                options = {"movflags": _FLAGS, "flush_packets": "1", "frag_duration": str(int(_LONGEST_S * 1e6))}
                self._container = av.open(self._sink, "w", format="mp4", options=options)
                self._stream = self._container.add_stream_from_template(stream)
                self._stream.time_base = Fraction(1, TICKS)
                self._size = str(stream.codec_context.name), int(stream.width), int(stream.height)
            except (av.error.FFmpegError, ValueError) as error:
                self._fail(error)

    def take(self, packet: Any, pts: int, at: float) -> None:
        with self._lock:
            if self._container is None or pts < 0 or not (self._begun or packet.is_keyframe):
                return
            self._begun = True
            try:
                self._mux(packet, pts)
            except (av.error.FFmpegError, ValueError) as error:
                self._fail(error)
                return
            self._collect()
            if not self._pending:
                self._key = bool(packet.is_keyframe)
            self._pending.append(pts)
            self._last_at = at

    def _mux(self, packet: Any, pts: int) -> None:
        dts = pts if packet.dts is None or packet.pts is None else pts - round((packet.pts - packet.dts) * packet.time_base * TICKS)
        packet.stream = self._stream
        packet.time_base = Fraction(1, TICKS)
        packet.pts, packet.dts = pts, max(self._last_dts + 1, dts)
        packet.duration = 0
        self._last_dts = packet.dts
        self._container.mux(packet)

    def _collect(self) -> None:
        """What the muxer has given out: the head at first, then a fragment whenever the next one has begun."""
        data = self._sink.take()
        if data and not self._head_sent:
            self._head_sent = True
            codec, width, height = self._size
            self._done.append(Head(self._generation, data, codec, width, height))
        elif data and self._pending:
            self._done.append(Fragment(self._generation, data, self._key, tuple(self._pending), self._last_at))
            self._pending = []

    def taken(self) -> list[Head | Fragment]:
        """What became complete since the last call."""
        with self._lock:
            done = list(self._done)
            self._done.clear()
            return done

    def ended(self) -> None:
        """The stream has ended: what was not complete yet is given out as it is."""
        with self._lock:
            if self._container is None:
                return
            try:
                self._container.close()
            except (av.error.FFmpegError, ValueError) as error:
                self._fail(error)
            self._collect()
            self._container = None

    def _fail(self, error: Exception) -> None:
        self.problem = str(error) or type(error).__name__
        self._container = None
        _log.error("packets_not_recordable", problem=self.problem)
