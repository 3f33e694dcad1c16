"""Open cameras and files with PyAV."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import av
import av.error

from blickschutz.guard.service import Guard
from blickschutz.ingest.io.decoders import Decoders
from blickschutz.ingest.io.decoding import decoder_of, is_usable, packet_of, reason_of, video_stream
from blickschutz.ingest.io.files import FileSource
from blickschutz.ingest.io.frames import raw_frame
from blickschutz.ingest.io.gate import Gate
from blickschutz.ingest.io.pictures import PictureSource
from blickschutz.ingest.model import Cause, SourceKind, SourceSettings
from blickschutz.ingest.ports import PacketSink
from blickschutz.ingest.rules.address import RTSP, CameraAddress, public_address, read_address
from blickschutz.ingest.rules.timeline import Timeline
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import (
    CameraRefusedError,
    CameraStalledError,
    CameraUnreachableError,
    DeviceError,
    StreamEndedError,
)
from blickschutz.kernel.frames import RawFrame
from blickschutz.kernel.streams import TICKS, Stamp

_MOST_BROKEN = 250
_MOST_OVERTAKING = 16
_MOST_MOVES = 2
_CAMERA_CODECS = frozenset({"h264", "hevc", "mjpeg"})
# A camera whose keyframes are further apart shows nothing of use either.
_FIRST_PICTURE_S = 15.0
_LEAST_STEP_S = 1 / TICKS
# What is missing stays missing until a keyframe; a camera that is asked anew begins with one.
_WITHOUT_BEGINNING_S = 15.0
_TICK = Fraction(1, TICKS)


def open_source(
    settings: SourceSettings,
    clock: Clock,
    sink: PacketSink | None = None,
    guard: Guard | None = None,
    listener: socket.socket | None = None,
    decoders: Decoders | None = None,
) -> RtspSource | PictureSource | FileSource:
    """Open the source that `settings` name; `sink` gets its packets, `listener` is that of `io.gate`. Without `decoders` software decodes.

    Raises `CameraUnreachableError` or `MediaError`.
    """
    if settings.kind is SourceKind.RTSP:
        return RtspSource(settings, clock, sink, guard, listener, decoders)
    if settings.kind is SourceKind.PICTURES:
        if decoders is not None:
            decoders.never("single pictures (JPEG) are decoded in software")
        return PictureSource(settings, clock, sink, decoders)
    return FileSource(settings, clock, sink, decoders)


class RtspSource:
    """A camera by RTSP, H.264 or H.265. No redirect to another host, no audio; see `io.gate`."""

    def __init__(
        self,
        settings: SourceSettings,
        clock: Clock,
        sink: PacketSink | None = None,
        guard: Guard | None = None,
        listener: socket.socket | None = None,
        decoders: Decoders | None = None,
    ) -> None:
        self._settings, self._clock, self._sink, self._guard = settings, clock, sink, guard or Guard(clock)
        self._decoders = decoders
        address = read_address(settings.address)
        if address is None or address.scheme not in RTSP:
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
                if moved.port != address.port:
                    # The cell may connect to no other; whoever says so names the address that has to be entered.
                    said = f"{self._shown}: it redirects to {public_address(moved.shown)}"
                    raise CameraRefusedError(Cause.REDIRECTED, said) from error
                address = moved
        else:
            raise CameraRefusedError(Cause.REDIRECTED, f"{self._shown}: it redirects in a circle")
        stream = next(iter(self._container.streams.video), None)
        announced = stream.codec_context if stream is not None else None
        # What the camera announces; 0 where it announces nothing.
        self.width, self.height = (int(announced.width or 0), int(announced.height or 0)) if announced is not None else (0, 0)

    def _refused(self, error: Exception) -> DeviceError:
        """Why there is no stream, as the camera's own answer says it."""
        if self._gate.refused is not None:
            cause, said = self._gate.refused
            return CameraRefusedError(cause, f"{self._shown}: {said}")
        if not (self._gate.answered or self._gate.left):
            return CameraRefusedError(Cause.SILENT, f"{self._shown}: no answer within {self._settings.connect_s:g} s")
        if isinstance(error, (TimeoutError, av.error.ExitError)):
            if self._gate.silent():
                return CameraRefusedError(Cause.TRANSPORT, f"{self._shown}: {self._gate.silent()}")
            return CameraStalledError(f"{self._shown}: no packet for {self._settings.stall_s:g} s")
        if isinstance(error, (av.error.InvalidDataError, av.error.PatchWelcomeError, ValueError)):
            return CameraRefusedError(Cause.UNREADABLE, f"{self._shown}: {reason_of(error)}")
        return CameraUnreachableError(f"{self._shown}: {reason_of(error)}")

    def frames(self) -> Iterator[RawFrame]:
        """Frames stamped with the time at which they were taken, see `rules.timeline`.

        Broken packets are skipped; when nothing but broken packets comes, the stream has ended.
        """
        stream = video_stream(self._container, self._shown)
        decoder = decoder_of(stream, self._clock, self._decoders, self._gate.gaps)
        index = broken = 0
        timeline, newest, opened = Timeline(), float("-inf"), self._clock.monotonic()
        if self._sink is not None:
            self._sink.opened()
        with self._ending(lambda: self._require_known(decoder.name, newest)), contextlib.closing(decoder):
            for packet in self._container.demux(stream):
                arrived, now = self._clock.monotonic(), self._clock.now()
                stamp = _stamped(packet, timeline, arrived)
                if newest == float("-inf") and arrived - opened > _FIRST_PICTURE_S:
                    self._require_known(decoder.name, newest)
                    raise CameraRefusedError(Cause.UNREADABLE, f"{self._shown}: no picture within {_FIRST_PICTURE_S:g} s")
                try:
                    decoded = decoder.decode(packet)
                    if self._sink is not None and packet.size:
                        self._sink.take(packet_of(packet, stream), stamp)
                except av.error.InvalidDataError:
                    broken += 1
                    if broken > _MOST_BROKEN:
                        raise StreamEndedError("the camera sends nothing that can be decoded") from None
                    continue
                if decoder.doubtful_s > _WITHOUT_BEGINNING_S:
                    raise StreamEndedError(f"parts of the stream are missing, and no keyframe came for {_WITHOUT_BEGINNING_S:g} s")
                for frame in decoded:
                    if is_usable(frame):
                        broken = 0
                        pts = stamp.pts if frame.pts is None else frame.pts
                        # Pictures come out of the decoder in their order; a stamp that says otherwise is an accident.
                        newest = max(newest + _LEAST_STEP_S, timeline.at(pts))
                        yield raw_frame(frame, index, newest, now - max(0.0, arrived - newest), pts)
                    index += 1

    def packets(self) -> Iterator[Stamp]:
        """Hand the packets to the sink as they come, from the first keyframe on, and decode none; gives the stamp of each.

        Raises `CameraRefusedError` where no keyframe comes.
        """
        stream = video_stream(self._container, self._shown)
        timeline, opened, known = Timeline(), self._clock.monotonic(), False
        if self._sink is not None:
            self._sink.opened()
        with self._ending(lambda: None):
            for packet in self._container.demux(stream):
                arrived = self._clock.monotonic()
                if not packet.size:
                    continue
                stamp = _stamped(packet, timeline, arrived)
                known = known or bool(packet.is_keyframe)
                if not known and arrived - opened > _FIRST_PICTURE_S:
                    raise CameraRefusedError(Cause.UNREADABLE, f"{self._shown}: no keyframe within {_FIRST_PICTURE_S:g} s")
                if not known:
                    continue
                if self._sink is not None:
                    self._sink.take(packet_of(packet, stream), stamp)
                yield stamp

    @contextlib.contextmanager
    def _ending(self, require: Callable[[], None]) -> Iterator[None]:
        """What ends the reading, as an error of ours; `require` may say another before."""
        try:
            yield
        except (TimeoutError, av.error.ExitError) as error:
            require()
            if self._gate.silent():
                raise CameraRefusedError(Cause.TRANSPORT, f"{self._shown}: {self._gate.silent()}") from error
            raise CameraStalledError(f"no packet for {self._settings.stall_s:g} s") from error
        except (av.error.FFmpegError, OSError) as error:
            require()
            raise StreamEndedError(reason_of(error)) from error

    def _require_known(self, codec: str, newest: float) -> None:
        """Where no picture came of a codec that cameras do not send, that is why. Raises `CameraRefusedError`."""
        if newest == float("-inf") and codec not in _CAMERA_CODECS:
            raise CameraRefusedError(Cause.CODEC, f"{self._shown}: no picture came of {codec}")

    def close(self) -> None:
        self._container.close()
        self._gate.close()


class PacketSource:
    """A camera by RTSP of which only the packets are wanted: nothing is decoded. Raises as `RtspSource`."""

    def __init__(self, settings: SourceSettings, clock: Clock, sink: PacketSink, guard: Guard, listener: socket.socket | None) -> None:
        self._source = RtspSource(settings, clock, sink, guard, listener)

    def frames(self) -> Iterator[Stamp]:
        """The stamps of the packets, see `ingest.ports.VideoSource`."""
        return self._source.packets()

    def close(self) -> None:
        self._source.close()


def _opened(url: str, settings: SourceSettings) -> Any:
    options = {
        "rtsp_transport": "tcp",
        "allowed_media_types": "video",
        "max_delay": "0",
        # Datagrams overtake each other; so many are waited for, in a fifth of a second or less of any camera.
        "reorder_queue_size": str(_MOST_OVERTAKING if settings.transport.datagrams else 0),
        "analyzeduration": "1000000",
    }
    # Names that a camera gives itself are in any code; nobody needs them.
    return av.open(url, options=options, timeout=(settings.connect_s, settings.stall_s), metadata_errors="replace")


def _moved(address: CameraAddress, location: str | None) -> CameraAddress | None:
    """Where the camera went, as long as that is the same host and no less secure."""
    new = read_address(location or "")
    if new is None or new.scheme not in RTSP or new.host != address.host or (address.secure and not new.secure):
        return None
    return replace(new, user=address.user, password=address.password)


def _stamped(packet: Any, timeline: Timeline, arrived: float) -> Stamp:
    """Where the packet lies on the timeline; from now on it says so itself, and with it the pictures that come of it."""
    pts, dts, base = packet.pts, packet.dts, packet.time_base
    ahead = float((pts - dts) * base) if pts is not None and dts is not None else 0.0
    stamp = timeline.place(None if pts is None else float(pts * base), arrived, ahead)
    packet.pts, packet.dts, packet.time_base = stamp.pts, stamp.dts, _TICK
    return stamp
