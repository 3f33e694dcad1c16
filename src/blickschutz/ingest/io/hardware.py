"""A decoder on a graphics card, in a thread of its own: a driver that never comes back holds nobody."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import av
import av.error
from av.codec.hwaccel import HWAccel, hwdevices_available

from blickschutz.guard.service import Guard
from blickschutz.guard.work import attempt
from blickschutz.kernel.devices import Decoding

# What FFmpeg calls the device, and how its decoder for a codec is called, behind the codec's own name.
_NAMES: Mapping[Decoding, tuple[str, str]] = {
    Decoding.NVDEC: ("cuda", ""),
    Decoding.QSV: ("qsv", "_qsv"),
    Decoding.VAAPI: ("vaapi", ""),
}
# A driver that is loaded for the first time takes seconds; a picture takes milliseconds.
OPENING_S, PATIENCE_S = 30.0, 2.0


class PictureDecoder(Protocol):
    """What PyAV's `CodecContext` is, as far as it is used."""

    def decode(self, packet: Any) -> list[av.VideoFrame]: ...

    def flush_buffers(self) -> None: ...


class Opener(Protocol):
    """Opens a decoder on a device for the stream that `software` decodes. Raises whatever the library raises."""

    def __call__(self, device: Decoding, software: Any) -> PictureDecoder: ...


@dataclass(slots=True)
class Given:
    """What a device gave for a packet: pictures, or why not. `cpu_s` is what its thread spent. `gone`: more than the packet is to blame."""

    frames: list[av.VideoFrame]
    error: BaseException | None = None
    cpu_s: float = 0.0
    gone: bool = False


def open_decoder(device: Decoding, software: Any) -> PictureDecoder:
    """For the stream that `software` decodes. Without a way back of FFmpeg's own: it would be taken, and nobody told.

    Raises `NotImplementedError` where this build of FFmpeg has no such thing, and what FFmpeg raises.
    """
    name, behind = _NAMES[device]
    known = hwdevices_available()
    if name not in known:
        raise NotImplementedError(f"FFmpeg was built without it (with {', '.join(known) or 'none'})")
    context: Any = av.CodecContext.create(software.codec.name + behind, "r", hwaccel=HWAccel(name, allow_software_fallback=False))
    if not context.is_hwaccel:
        raise NotImplementedError(f"FFmpeg was built without it for {software.codec.name}")
    if software.extradata:
        context.extradata = software.extradata
    context.thread_count = 1
    opened: PictureDecoder = context
    return opened


class Apart:
    """Ask with `send`, look for the answer with `take`. Only its own thread touches the device, and lets go of it."""

    def __init__(self, device: Decoding, open_it: Callable[[], PictureDecoder], guard: Guard) -> None:
        self.device, self._open = device, open_it
        self._asked: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._given: queue.SimpleQueue[Given] = queue.SimpleQueue()
        self._over = threading.Event()
        self._began = time.monotonic()
        guard.once_thread("hardware-decoder", self._run, stop=self.close)

    def opened(self) -> Given | None:
        """None while it is being opened; from then on, once, what came of it."""
        try:
            return self._given.get_nowait()
        except queue.Empty:
            if time.monotonic() - self._began > OPENING_S:
                return Given([], TimeoutError(f"it did not open within {OPENING_S:g} s"), gone=True)
            return None

    def send(self, packet: Any, *, anew: bool) -> None:
        """A packet to decode; `anew`: what came before it is forgotten."""
        self._asked.put((packet, anew))

    def take(self) -> Given:
        """The answer to what was sent last."""
        try:
            return self._given.get(timeout=PATIENCE_S)
        except queue.Empty:
            return Given([], TimeoutError(f"no answer within {PATIENCE_S:g} s"), gone=True)

    def close(self) -> None:
        """Its thread ends when its work has come back; one that hangs goes with the process."""
        self._over.set()
        self._asked.put(None)

    def _run(self) -> None:
        made: list[PictureDecoder] = []
        error = attempt(lambda: made.append(self._open()))
        self._given.put(Given([], error, gone=error is not None))
        if error is not None:
            return
        while (asked := self._asked.get()) is not None and not self._over.is_set():
            self._given.put(_decoded(made[0], *asked))


def _decoded(decoder: PictureDecoder, packet: Any, anew: bool) -> Given:
    frames: list[av.VideoFrame] = []

    def decode() -> None:
        if anew:
            decoder.flush_buffers()
        frames.extend(decoder.decode(packet))

    began = time.thread_time()
    error = attempt(decode)
    return Given(frames, error, time.thread_time() - began, gone=error is not None and not isinstance(error, av.error.InvalidDataError))


def said(error: BaseException) -> str:
    """An error of a library in a few words."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text.strip().splitlines()[0][:160]
