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
from blickschutz.kernel.streams import Packet, Stamp
from blickschutz.recording.rules import TICKS, parameter_sets

_log = structlog.get_logger(__name__)
_FLAGS = "empty_moov+default_base_moof+skip_trailer"
# Of these every picture is a keyframe: a fragment for each would be a seal for each.
_ALL_KEYS = frozenset({"mjpeg"})
_LONGEST_S = 2.0
# Far more than a cell that is behind lets wait; ten seconds of the largest cameras.
_MOST_WAITING = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Fragment:
    """A group of pictures (or two seconds of a longer one). `at` is when its last picture was taken, monotonic."""

    generation: int
    data: bytes
    key: bool
    pts: tuple[int, ...]
    at: float

    @property
    def began(self) -> float:
        """When its first picture was taken, monotonic."""
        return self.at - (max(self.pts) - min(self.pts)) / TICKS if self.pts else self.at


@dataclass(frozen=True, slots=True)
class Head:
    """Head of a stream: what comes before its fragments."""

    generation: int
    data: bytes
    codec: str
    width: int
    height: int


class _Connection:
    """The packets of one connection, see `ingest.ports.PacketSink`. Once there is a newer one it is not listened to."""

    def __init__(self, muxer: PacketMuxer) -> None:
        self._muxer = muxer

    def opened(self) -> None:
        self._muxer.opened(self)

    def take(self, packet: Packet, stamp: Stamp) -> None:
        self._muxer.take(self, packet, stamp)


class PacketMuxer:
    """Takes packets from the newest `connection`; `taken` gives what is complete, in another thread.

    Each stream has a generation, from 1 on. `taken` keeps back what came of the next stream until `finish` has said that
    the one before is over, so that whoever takes works off one after the other, however far behind it is.
    While packets cannot be put into MP4 there are no fragments, and `problem` says why; with each keyframe it is tried again, and
    what follows has a head of its own.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._done: deque[Head | Fragment] = deque()
        self._waiting = 0
        self._newest: _Connection | None = None
        self._finished = 0
        self._container: Any = None
        self._stream: Any = None
        self._sink = ByteSink()
        self._generation = 0
        self._pending: list[int] = []
        self._key = False
        self._last_at, self._last_dts = 0.0, -1
        self._size = ("", 0, 0)
        self._open = self._head_sent = False
        self.problem = ""
        # When the first picture of the stream was taken (monotonic).
        self.opened_at: float | None = None
        self._origin: float | None = None
        self.dropped = 0

    def connection(self) -> _Connection:
        """Where a new connection puts its packets; an older one, which may still hang in a read, is not listened to any more."""
        with self._lock:
            self._newest = _Connection(self)
            return self._newest

    def opened(self, connection: _Connection) -> None:
        with self._lock:
            if connection is not self._newest:
                return
            self._end()
            self._generation += 1
            self._open, self.opened_at, self._origin = True, None, None
            self.problem = ""

    def take(self, connection: _Connection, packet: Packet, stamp: Stamp) -> None:
        with self._lock:
            if connection is not self._newest or not self._open or stamp.pts < 0:
                return
            self.opened_at = stamp.at if self.opened_at is None else self.opened_at
            # The same for each packet of a connection, see `ingest.rules.timeline`.
            self._origin = stamp.at - stamp.pts / TICKS
            if self._container is None and not packet.key:
                return
            try:
                if packet.codec in _ALL_KEYS and self._container is not None and self._size != _size(packet):
                    self._finish_file()
                if self._container is None:
                    self._begin(packet)
                self._mux(packet, stamp)
            except (av.error.FFmpegError, ValueError) as error:
                self._fail(error)
                return
            self.problem = ""
            self._collect()
            if not self._pending:
                self._key = packet.key
            self._pending.append(stamp.pts)
            self._last_at = max(self._last_at, stamp.at)

    def _begin(self, packet: Packet) -> None:
        """A new MP4 from the keyframe `packet` on. What its head must say and the camera did not announce is taken from the picture."""
        self._sink, self._pending, self._head_sent, self._last_dts, self._last_at = ByteSink(), [], False, -1, float("-inf")
        flags = _FLAGS if packet.codec in _ALL_KEYS else f"{_FLAGS}+frag_keyframe"
        options = {"movflags": flags, "flush_packets": "1", "frag_duration": str(int(_LONGEST_S * 1e6))}
        container = av.open(self._sink, "w", format="mp4", options=options)
        if packet.template is None:
            self._stream = container.add_mux_stream(packet.codec, width=packet.width, height=packet.height)
        else:
            self._stream = container.add_stream_from_template(packet.template)
            announced = self._stream.codec_context
            if not announced.extradata and (sets := parameter_sets(packet.data, packet.codec)):
                announced.extradata = sets
            announced.width, announced.height = announced.width or packet.width, announced.height or packet.height
        self._stream.time_base = Fraction(1, TICKS)
        self._size = _size(packet)
        self._container = container

    def _mux(self, packet: Packet, stamp: Stamp) -> None:
        coded = av.Packet(packet.data)
        coded.stream, coded.is_keyframe, coded.time_base = self._stream, packet.key, Fraction(1, TICKS)
        coded.pts, coded.dts = stamp.pts, max(self._last_dts + 1, stamp.dts)
        self._last_dts = coded.dts
        self._container.mux(coded)

    def _collect(self) -> None:
        """What the muxer has given out: the head at first, then a fragment whenever the next one has begun."""
        data = self._sink.take()
        if data and not self._head_sent:
            self._head_sent = True
            codec, width, height = self._size
            self._put(Head(self._generation, data, codec, width, height))
        elif data and self._pending:
            self._put(Fragment(self._generation, data, self._key, tuple(self._pending), self._last_at))
            self._pending = []

    def _put(self, part: Head | Fragment) -> None:
        """Keep a part until it is taken. Where nobody takes, the oldest groups of pictures go, never the head of a stream."""
        self._done.append(part)
        self._waiting += len(part.data)
        if self._waiting <= _MOST_WAITING:
            return
        kept: deque[Head | Fragment] = deque()
        for one in self._done:
            whole = isinstance(one, Head) or (one.key and self._waiting <= _MOST_WAITING)
            if whole or (kept and isinstance(kept[-1], Fragment)):
                kept.append(one)
            else:
                self._waiting -= len(one.data)
                self.dropped += 1
        self._done = kept
        _log.error("packets_dropped", dropped=self.dropped)

    def taken(self) -> list[Head | Fragment]:
        """What became complete of the stream at hand since the last call."""
        with self._lock:
            return self._up_to(self._finished + 1)

    def finish(self, generation: int) -> list[Head | Fragment]:
        """The rest of the stream `generation`, which has ended; from now on `taken` gives the next one."""
        with self._lock:
            self._finished = max(self._finished, generation)
            return self._up_to(self._finished)

    def _up_to(self, generation: int) -> list[Head | Fragment]:
        done: list[Head | Fragment] = []
        while self._done and self._done[0].generation <= generation:
            done.append(self._done.popleft())
            self._waiting -= len(done[-1].data)
        return done

    def place(self, at: float) -> tuple[int, int] | None:
        """(generation, pts) of a moment (monotonic) in the newest stream; None where it lies before, or none is open."""
        with self._lock:
            pts = round((at - self._origin) * TICKS) if self._open and self._origin is not None else -1
            return (self._generation, pts) if pts >= 0 else None

    def ended(self) -> int:
        """The stream has ended: what was not complete yet is given out as it is. Its generation."""
        with self._lock:
            self._end()
            return self._generation

    def _end(self) -> None:
        self._open = False
        if self._container is not None:
            self._finish_file()

    def _finish_file(self) -> None:
        try:
            self._container.close()
        except (av.error.FFmpegError, ValueError) as error:
            self._fail(error)
        self._collect()
        self._container = None

    def _fail(self, error: Exception) -> None:
        told, self.problem = self.problem, str(error) or type(error).__name__
        # What is complete is kept; what lay in the muxer is lost with it.
        self._container, self._pending = None, []
        if told != self.problem:
            _log.error("packets_not_recordable", problem=self.problem)


def _size(packet: Packet) -> tuple[str, int, int]:
    return packet.codec, packet.width, packet.height
