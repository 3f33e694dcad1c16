"""Cameras that give pictures by HTTP(S): one JPEG after the other in one answer (MJPEG), or one still picture for each question."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import av
import av.error

from blickschutz.ingest.io.decoders import Decoders
from blickschutz.ingest.io.decoding import is_usable
from blickschutz.ingest.io.frames import raw_frame
from blickschutz.ingest.io.web import Answer, WebCamera
from blickschutz.ingest.model import Cause, SourceSettings
from blickschutz.ingest.ports import PacketSink
from blickschutz.ingest.rules.address import PICTURES, CameraAddress, read_address
from blickschutz.ingest.rules.multipart import MOST_PART, Parts, boundary_of
from blickschutz.ingest.rules.timeline import Timeline
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import CameraRefusedError, CameraStalledError, DeviceError, StreamEndedError
from blickschutz.kernel.frames import RawFrame
from blickschutz.kernel.streams import Packet

_ACCEPT = "multipart/x-mixed-replace, image/jpeg;q=0.9"
_JPEG = frozenset({"image/jpeg", "image/jpg", "image/pjpeg"})
# Twice the largest cameras; a few bytes of JPEG can ask for four thousand million.
_MOST_PIXELS = 64_000_000
_MOST_BROKEN = 250


class PictureSource:
    """Raises, when it is made and in `frames`, as `VideoSource` says; the first picture has come when it is made.

    A picture that is not whole is none: JPEG that breaks off decodes to grey, which no camera saw.
    """

    def __init__(self, settings: SourceSettings, clock: Clock, sink: PacketSink | None = None, decoders: Decoders | None = None) -> None:
        """`decoders` counts what is not whole."""
        self._settings, self._clock, self._sink, self._decoders = settings, clock, sink, decoders
        address = read_address(settings.address)
        if address is None or address.scheme not in PICTURES:
            raise CameraRefusedError(Cause.ADDRESS, "the address is none of a camera")
        self._shown, self._camera = address.shown, WebCamera(address, settings)
        self._closed = threading.Event()
        self._decoder = decoder()
        self._broken = self._others = 0
        self._answer: Answer | None = None
        self._pictures = self._all_pictures(address)
        try:
            self._first = next(self._pictures)
        except StopIteration:
            self.close()
            raise CameraRefusedError(Cause.UNREADABLE, f"{self._shown}: {self._said()}") from None
        except DeviceError:
            self.close()
            raise
        self.width, self.height = self._first[1].width, self._first[1].height

    def frames(self) -> Iterator[RawFrame]:
        """Pictures by the time at which they came: what a camera writes beside them is its own clock, see `rules.timeline`."""
        timeline = Timeline()
        if self._sink is not None:
            self._sink.opened()
        pictures = self._from_first()
        for index, (data, frame, arrived) in enumerate(pictures):
            if self._closed.is_set():
                return
            stamp = timeline.place(None, arrived)
            if self._sink is not None:
                self._sink.take(Packet(data, True, "mjpeg", frame.width, frame.height), stamp)
            taken = self._clock.now() - max(0.0, self._clock.monotonic() - arrived)
            yield raw_frame(frame, index, stamp.at, taken, stamp.pts)
        raise StreamEndedError("the camera ended its answer")

    def close(self) -> None:
        self._closed.set()
        if self._answer is not None:
            self._answer.close()

    def _from_first(self) -> Iterator[tuple[bytes, av.VideoFrame, float]]:
        yield self._first
        yield from self._pictures

    def _all_pictures(self, address: CameraAddress) -> Iterator[tuple[bytes, av.VideoFrame, float]]:
        """(JPEG, picture, when it came), as the camera gives them: what the first answer is says how."""
        asked = self._clock.monotonic()
        answer = self._asked()
        try:
            boundary = boundary_of(answer.kind)
        except ValueError as error:
            raise CameraRefusedError(Cause.ANSWER, f"{self._shown}: {error}") from error
        if boundary is not None:
            yield from self._moving(answer, Parts(boundary))
        elif answer.kind.partition(";")[0].strip().lower() in _JPEG:
            yield from self._still(answer, asked)
        else:
            # Where a page comes in place of a picture, the path is that of a page.
            cause = Cause.ADDRESS if answer.kind.lower().startswith("text/") or not answer.kind else Cause.CODEC
            raise CameraRefusedError(cause, f"{self._shown}: it answers with {_shown_kind(answer.kind)}")

    def _asked(self) -> Answer:
        self._answer = answer = self._camera.ask(_ACCEPT)
        if self._closed.is_set():
            answer.close()
        return answer

    def _moving(self, answer: Answer, parts: Parts) -> Iterator[tuple[bytes, av.VideoFrame, float]]:
        seen = False
        try:
            for data in answer.pieces():
                for part in parts.feed(data):
                    picture = self._decoded(part.body, part.kind)
                    if picture is not None:
                        # Time is given for pictures alone: whoever sends anything else has stalled.
                        answer.extend()
                        seen = True
                        yield part.body, picture, self._clock.monotonic()
                if parts.ended:
                    return
        except ValueError as error:
            raise CameraRefusedError(Cause.UNREADABLE, f"{self._shown}: {error}") from error
        except CameraStalledError as error:
            if not seen and (self._broken or self._others):
                raise CameraRefusedError(Cause.UNREADABLE if self._broken else Cause.CODEC, f"{self._shown}: {self._said()}") from error
            raise

    def _still(self, answer: Answer, asked: float) -> Iterator[tuple[bytes, av.VideoFrame, float]]:
        newest = asked
        while not self._closed.is_set():
            try:
                data = answer.whole(MOST_PART)
                picture = self._decoded(data, answer.kind.partition(";")[0].strip().lower())
                if picture is not None:
                    newest = self._clock.monotonic()
                    yield data, picture, newest
                elif newest == asked:
                    raise CameraRefusedError(Cause.UNREADABLE, f"{self._shown}: {self._said()}")
            finally:
                answer.close()
            while True:
                if self._closed.wait(max(0.0, asked + self._settings.every_s - self._clock.monotonic())):
                    return
                asked = self._clock.monotonic()
                try:
                    answer = self._asked()
                    break
                except DeviceError as error:
                    # One that is missing is none lost; who refuses is not asked on and on.
                    if asked - newest > self._settings.stall_s or getattr(error, "cause", "") == Cause.PASSWORD:
                        raise

    def _decoded(self, data: bytes, kind: str) -> av.VideoFrame | None:
        """The picture, None where it is none. Raises `StreamEndedError` where none comes any more."""
        if kind and kind not in _JPEG:
            self._others += 1
            return None
        try:
            frames = self._decoder.decode(av.Packet(data)) if data else []
        except (av.error.FFmpegError, ValueError):
            frames = []
        frame = next((one for one in frames if is_usable(one)), None)
        self._broken = 0 if frame is not None else self._broken + 1
        if frame is None and self._decoders is not None:
            self._decoders.withheld += 1
        if self._broken > _MOST_BROKEN:
            raise StreamEndedError("the camera sends nothing that can be decoded")
        return frame

    def _said(self) -> str:
        return "no picture that can be decoded" if self._broken else "parts, and no picture among them"


def decoder() -> Any:
    """Of JPEG, in this thread alone; what is damaged or larger than any camera's picture it refuses."""
    context = av.CodecContext.create("mjpeg", "r")
    context.thread_count = 1
    context.options = {"err_detect": "explode", "max_pixels": str(_MOST_PIXELS)}
    return context


def _shown_kind(kind: str) -> str:
    return "".join(one for one in kind if one.isprintable())[:60] or "no type"
