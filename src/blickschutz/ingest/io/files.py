"""Video files with PyAV, as cameras that play them or read once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
import av.error

from blickschutz.ingest.io.decoders import Decoders
from blickschutz.ingest.io.decoding import decoder_of, is_usable, packet_of, reason_of, video_stream
from blickschutz.ingest.io.frames import raw_frame, upright
from blickschutz.ingest.model import SourceSettings
from blickschutz.ingest.ports import PacketSink
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import MediaError
from blickschutz.kernel.frames import RawFrame
from blickschutz.kernel.streams import TICKS, Stamp

_LATE_S = 1.0


class _FileTimeline:
    """The stream's own times in ticks since it was opened; a file that starts over goes on where it ended."""

    def __init__(self) -> None:
        self._start: int | None = None
        self._end = 0

    def ticks(self, pts: int | None, time_base: Any) -> int:
        """`pts` (in units of `time_base`) in ticks; -1 where there is none."""
        if pts is None:
            return -1
        # In whole numbers, rounded to the nearest: fractions of Python's take longer than the rest of the session.
        scale = 2 * time_base.denominator
        value: int = (2 * pts * time_base.numerator * TICKS + time_base.denominator) // scale
        if self._start is None:
            self._start = value - self._end
        ticks = value - self._start
        self._end = max(self._end, ticks)
        return ticks

    def starts_over(self, frame_s: float) -> None:
        self._start, self._end = None, self._end + round(frame_s * TICKS)


class FileSource:
    """A video file. In real time it plays at its own speed and loops; otherwise it is read once."""

    def __init__(self, settings: SourceSettings, clock: Clock, sink: PacketSink | None = None, decoders: Decoders | None = None) -> None:
        self._settings, self._clock, self._sink, self._decoders = settings, clock, sink, decoders
        self._timeline = _FileTimeline()
        self._closed = threading.Event()
        self._container = self._open()
        stream = video_stream(self._container, settings.address)
        self.rate = float(stream.average_rate or stream.guessed_rate or 25)
        self.frame_count = int(stream.frames or 0)
        self._aspect = stream.sample_aspect_ratio or Fraction(1)
        self.width, self.height = int(stream.width), int(stream.height)
        if settings.upright:
            self.width, self.height = self._upright_size()

    def frames(self) -> Iterator[RawFrame]:
        start, index, loops = self._clock.monotonic(), 0, 0
        if self._sink is not None:
            self._sink.opened()
        wall = self._clock.now()
        offset = 0.0
        while True:
            count, last = 0, 0.0
            for time_s, frame in self._decode(self._settings.start_s if loops == 0 else 0.0):
                last = time_s
                due = start + offset + time_s
                if self._settings.realtime:
                    due = self._wait_until(due)
                    start = due - offset - time_s
                if self._closed.is_set():
                    return
                taken = wall + (due - start) if not self._settings.realtime else self._clock.now()
                shown = upright(frame, self._aspect) if self._settings.upright else frame
                yield raw_frame(shown, index, due, taken, self._timeline.ticks(frame.pts, frame.time_base))
                index, count = index + 1, count + 1
            if not count:
                raise MediaError(f"{self._settings.address} holds no picture")
            if not self._settings.realtime:
                return
            offset, loops = offset + last + 1 / self.rate, loops + 1
            self._timeline.starts_over(1 / self.rate)
            self._container.close()
            self._container = self._open()

    def _upright_size(self) -> tuple[int, int]:
        """(width, height) of the first picture as it is to be shown: a file's matrix comes with its pictures. The file is opened anew."""
        try:
            first = next(iter(self._container.decode(video=0)), None)
        except (av.error.FFmpegError, OSError):
            first = None  # reading it says why
        size = self.width, self.height
        if first is not None:
            shown = upright(first, self._aspect)
            size = shown.width, shown.height
        self._container.close()
        self._container = self._open()
        return size

    def close(self) -> None:
        self._closed.set()

    def _wait_until(self, due: float) -> float:
        """Wait for the frame's time; where this process is far behind, go on from now instead of racing."""
        now = self._clock.monotonic()
        if now < due:
            self._clock.sleep(due - now)
            return due
        return now if now - due > _LATE_S else due

    def _decode(self, start_s: float) -> Iterator[tuple[float, av.VideoFrame]]:
        """(seconds since the first wanted frame, frame); unreadable packets are skipped."""
        stream = video_stream(self._container, self._settings.address)
        decoder = decoder_of(stream, self._clock, self._decoders)
        number, first = 0, None
        try:
            for packet in self._container.demux(stream):
                base = packet.time_base
                wanted = packet.pts is not None and packet.pts * base.numerator >= start_s * base.denominator
                pts = self._timeline.ticks(packet.pts, packet.time_base) if wanted else -1
                dts = pts if packet.dts is None or packet.pts is None else pts - round((packet.pts - packet.dts) * base * TICKS)
                try:
                    decoded: list[Any] = decoder.decode(packet)
                    if self._sink is not None and packet.size and wanted:
                        self._sink.take(packet_of(packet, stream), Stamp(pts, dts, self._clock.monotonic()))
                except av.error.InvalidDataError:
                    continue
                for frame in decoded:
                    time_s = frame.time if frame.time is not None else number / self.rate
                    number += 1
                    if not is_usable(frame) or time_s < start_s:
                        continue
                    first = time_s if first is None else first
                    yield time_s - first, frame
        except (av.error.FFmpegError, OSError) as error:
            if number == 0:
                raise MediaError(f"{self._settings.address} cannot be read: {reason_of(error)}") from error
        finally:
            decoder.close()

    def _open(self) -> Any:
        try:
            return av.open(self._settings.address, metadata_errors="replace")
        except (av.error.FFmpegError, OSError) as error:
            raise MediaError(f"{self._settings.address} cannot be opened: {reason_of(error)}") from error
