"""Open cameras (RTSP over TCP) and files with PyAV."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import av
import av.error

from blickschutz.guard.service import Guard
from blickschutz.ingest.io.frames import raw_frame, upright
from blickschutz.ingest.io.gate import Gate
from blickschutz.ingest.model import Cause, SourceKind, SourceSettings
from blickschutz.ingest.ports import PacketSink
from blickschutz.ingest.rules.address import CameraAddress, read_address
from blickschutz.ingest.rules.timeline import Timeline
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import CameraRefusedError, CameraStalledError, CameraUnreachableError, MediaError, StreamEndedError
from blickschutz.kernel.frames import RawFrame
from blickschutz.kernel.streams import TICKS, Stamp

_LATE_S = 1.0
_MOST_BROKEN = 250
_MOST_MOVES = 2
# A camera whose keyframes are further apart shows nothing of use either.
_FIRST_PICTURE_S = 15.0
_LEAST_STEP_S = 1 / TICKS
_TICK = Fraction(1, TICKS)


def open_source(
    settings: SourceSettings,
    clock: Clock,
    sink: PacketSink | None = None,
    guard: Guard | None = None,
    listener: socket.socket | None = None,
) -> RtspSource | FileSource:
    """Open the source that `settings` name; `sink` gets its packets, `listener` is that of `io.gate`.

    Raises `CameraUnreachableError` or `MediaError`.
    """
    if settings.kind is SourceKind.RTSP:
        return RtspSource(settings, clock, sink, guard, listener)
    return FileSource(settings, clock, sink)


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


class RtspSource:
    """A camera by RTSP over TCP, H.264 or H.265. No UDP, no redirect to another host, no audio; see `io.gate`."""

    def __init__(
        self,
        settings: SourceSettings,
        clock: Clock,
        sink: PacketSink | None = None,
        guard: Guard | None = None,
        listener: socket.socket | None = None,
    ) -> None:
        self._settings, self._clock, self._sink, self._guard = settings, clock, sink, guard or Guard(clock)
        address = read_address(settings.address)
        if address is None:
            raise CameraRefusedError(Cause.ADDRESS, "the address is none of a camera")
        self._shown = address.shown
        for _ in range(1 + _MOST_MOVES):
            self._gate = Gate(address, settings, self._guard, listener)
            try:
                self._container = _opened(self._gate.url, settings)
                break
            except (av.error.FFmpegError, OSError, ValueError) as error:
                self._gate.close()
                moved = _moved(address, self._gate.moved_to)
                if moved is None:
                    raise self._refused(error) from error
                address = moved
        else:
            raise CameraRefusedError(Cause.REDIRECTED, f"{self._shown}: it redirects in a circle")
        stream = next(iter(self._container.streams.video), None)
        announced = stream.codec_context if stream is not None else None
        # What the camera announces; 0 where it announces nothing.
        self.width, self.height = (int(announced.width or 0), int(announced.height or 0)) if announced is not None else (0, 0)

    def _refused(self, error: Exception) -> CameraUnreachableError:
        """Why there is no stream, as the camera's own answer says it."""
        if self._gate.refused is not None:
            cause, said = self._gate.refused
            return CameraRefusedError(cause, f"{self._shown}: {said}")
        if not (self._gate.answered or self._gate.left):
            return CameraRefusedError(Cause.SILENT, f"{self._shown}: no answer within {self._settings.connect_s:g} s")
        if isinstance(error, (av.error.InvalidDataError, av.error.PatchWelcomeError, ValueError)):
            return CameraRefusedError(Cause.UNREADABLE, f"{self._shown}: {_reason(error)}")
        return CameraUnreachableError(f"{self._shown}: {_reason(error)}")

    def frames(self) -> Iterator[RawFrame]:
        """Frames stamped with the time at which they were taken, see `rules.timeline`.

        Broken packets are skipped; when nothing but broken packets comes, the stream has ended.
        """
        stream = _video_stream(self._container, self._shown)
        decoder = _decoder(stream)
        index = broken = 0
        timeline, newest, opened = Timeline(), float("-inf"), self._clock.monotonic()
        if self._sink is not None:
            self._sink.opened(stream)
        try:
            for packet in self._container.demux(stream):
                arrived, now = self._clock.monotonic(), self._clock.now()
                stamp = _stamped(packet, timeline, arrived)
                if newest == float("-inf") and arrived - opened > _FIRST_PICTURE_S:
                    raise CameraRefusedError(Cause.UNREADABLE, f"{self._shown}: no picture within {_FIRST_PICTURE_S:g} s")
                try:
                    decoded = decoder.decode(packet)
                    if self._sink is not None and packet.size:
                        self._sink.take(packet, stamp)
                except av.error.InvalidDataError:
                    broken += 1
                    if broken > _MOST_BROKEN:
                        raise StreamEndedError("the camera sends nothing that can be decoded") from None
                    continue
                for frame in decoded:
                    if _usable(frame):
                        broken = 0
                        pts = stamp.pts if frame.pts is None else frame.pts
                        # Pictures come out of the decoder in their order; a stamp that says otherwise is an accident.
                        newest = max(newest + _LEAST_STEP_S, timeline.at(pts))
                        yield raw_frame(frame, index, newest, now - max(0.0, arrived - newest), pts)
                    index += 1
        except (TimeoutError, av.error.ExitError) as error:
            raise CameraStalledError(f"no packet for {self._settings.stall_s:g} s") from error
        except (av.error.FFmpegError, OSError) as error:
            raise StreamEndedError(_reason(error)) from error

    def close(self) -> None:
        self._container.close()
        self._gate.close()


class FileSource:
    """A video file. In real time it plays at its own speed and loops; otherwise it is read once."""

    def __init__(self, settings: SourceSettings, clock: Clock, sink: PacketSink | None = None) -> None:
        self._settings, self._clock, self._sink = settings, clock, sink
        self._timeline = _FileTimeline()
        self._closed = threading.Event()
        self._container = self._open()
        stream = _video_stream(self._container, settings.address)
        self.rate = float(stream.average_rate or stream.guessed_rate or 25)
        self.frame_count = int(stream.frames or 0)
        self._aspect = stream.sample_aspect_ratio or Fraction(1)
        self.width, self.height = int(stream.width), int(stream.height)
        if settings.upright:
            self.width, self.height = self._upright_size()

    def frames(self) -> Iterator[RawFrame]:
        start, index, loops = self._clock.monotonic(), 0, 0
        if self._sink is not None:
            self._sink.opened(_video_stream(self._container, self._settings.address))
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
        stream = _video_stream(self._container, self._settings.address)
        _decoder(stream)
        number, first = 0, None
        try:
            for packet in self._container.demux(stream):
                base = packet.time_base
                wanted = packet.pts is not None and packet.pts * base.numerator >= start_s * base.denominator
                pts = self._timeline.ticks(packet.pts, packet.time_base) if wanted else -1
                dts = pts if packet.dts is None or packet.pts is None else pts - round((packet.pts - packet.dts) * base * TICKS)
                try:
                    decoded = packet.decode()
                    if self._sink is not None and packet.size and wanted:
                        self._sink.take(packet, Stamp(pts, dts, self._clock.monotonic()))
                except av.error.InvalidDataError:
                    continue
                for frame in decoded:
                    time_s = frame.time if frame.time is not None else number / self.rate
                    number += 1
                    if not _usable(frame) or time_s < start_s:
                        continue
                    first = time_s if first is None else first
                    yield time_s - first, frame
        except (av.error.FFmpegError, OSError) as error:
            if number == 0:
                raise MediaError(f"{self._settings.address} cannot be read: {_reason(error)}") from error

    def _open(self) -> Any:
        try:
            return av.open(self._settings.address, metadata_errors="replace")
        except (av.error.FFmpegError, OSError) as error:
            raise MediaError(f"{self._settings.address} cannot be opened: {_reason(error)}") from error


def _opened(url: str, settings: SourceSettings) -> Any:
    options = {
        "rtsp_transport": "tcp",
        "allowed_media_types": "video",
        "max_delay": "0",
        "analyzeduration": "1000000",
    }
    # Names that a camera gives itself are in any code; nobody needs them.
    return av.open(url, options=options, timeout=(settings.connect_s, settings.stall_s), metadata_errors="replace")


def _moved(address: CameraAddress, location: str | None) -> CameraAddress | None:
    """Where the camera went, as long as that is the same host and no less secure."""
    new = read_address(location or "")
    if new is None or new.host != address.host or (address.scheme == "rtsps" and new.scheme != "rtsps"):
        return None
    return replace(new, user=address.user, password=address.password)


def _video_stream(container: Any, address: str) -> Any:
    if not container.streams.video:
        raise MediaError(f"{address} has no video")
    return container.streams.video[0]


def _decoder(stream: Any) -> Any:
    """What decodes the stream, in this thread alone. Raises `CameraRefusedError`."""
    if stream.codec_context is None:
        raise CameraRefusedError(Cause.CODEC, "there is no decoder for what the camera sends")
    stream.codec_context.thread_count = 1
    return stream.codec_context


def _stamped(packet: Any, timeline: Timeline, arrived: float) -> Stamp:
    """Where the packet lies on the timeline; from now on it says so itself, and with it the pictures that come of it."""
    pts, dts, base = packet.pts, packet.dts, packet.time_base
    ahead = float((pts - dts) * base) if pts is not None and dts is not None else 0.0
    stamp = timeline.place(None if pts is None else float(pts * base), arrived, ahead)
    packet.pts, packet.dts, packet.time_base = stamp.pts, stamp.dts, _TICK
    return stamp


def _usable(frame: av.VideoFrame) -> bool:
    """A frame that the decoder itself calls damaged is not used: what it shows is not what was there."""
    return not frame.is_corrupt and frame.width > 0 and frame.height > 0


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
