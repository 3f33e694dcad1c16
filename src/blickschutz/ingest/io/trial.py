"""A camera tried step by step, as its cell would use it, for whoever sets it up. No picture is kept or shown here."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from blickschutz.guard.service import Guard
from blickschutz.ingest.io.onvif import OnvifCamera
from blickschutz.ingest.io.sources import open_source
from blickschutz.ingest.model import Cause, Codec, Measured, NoticeSettings, SourceSettings, Step
from blickschutz.ingest.rules.address import without_secrets
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import BlickschutzError, CameraRefusedError, CameraUnreachableError, DeviceError
from blickschutz.kernel.frames import RawFrame
from blickschutz.kernel.streams import Packet, Stamp

SameView: TypeAlias = Callable[[RawFrame, RawFrame], bool]
NOTHING = Measured()
# What a refusal says of the steps before it: whoever wants another password was reached.
_UNREACHED = frozenset({Cause.REFUSED, Cause.SILENT, Cause.CERTIFICATE})


@dataclass(frozen=True, slots=True)
class Told:
    """How a step went: `cause` where it failed, `text` what was found, in words for whoever sits at the server; `measured` the same for
    whoever is told nothing that a camera said in words of its own.
    """

    step: Step
    text: str
    cause: Cause | None = None
    measured: Measured = NOTHING


class Looks(Protocol):
    """Whoever looks at the pictures of a trial, in its thread."""

    def opened(self, width: int, height: int) -> None:
        """The stream is open; 0 where the camera does not announce the size."""
        ...

    def take(self, frame: RawFrame) -> None: ...


@dataclass(slots=True)
class _Last:
    """The newest picture of a stream; it is compared, and never kept beyond the trial."""

    frame: RawFrame | None = None

    def opened(self, width: int, height: int) -> None:
        del width, height

    def take(self, frame: RawFrame) -> None:
        self.frame = frame


@dataclass(slots=True)
class _Sizes:
    """Counts packets as they came (`ingest.ports.PacketSink`)."""

    codec: str = ""
    sent: int = 0
    keys: list[float] = field(default_factory=list)

    def opened(self) -> None:
        return

    def take(self, packet: Packet, stamp: Stamp) -> None:
        self.codec, self.sent = packet.codec, self.sent + len(packet.data)
        if packet.key:
            self.keys.append(stamp.at)

    @property
    def known(self) -> Codec:
        return Codec(self.codec) if self.codec in set(Codec) else Codec.OTHER


@dataclass(slots=True)
class _Seen:
    """Pictures as they came: how many, and the moments of the first and the last."""

    count: int = 0
    first: float = 0.0
    last: float = 0.0

    def take(self, frame: RawFrame) -> None:
        self.first, self.last, self.count = self.first or frame.at, frame.at, self.count + 1


def try_camera(
    settings: SourceSettings,
    onvif: NoticeSettings | None,
    seconds: float,
    clock: Clock,
    small: SourceSettings | None = None,
    same_view: SameView | None = None,
) -> Iterator[Told]:
    """Each step as it is done; nothing follows the first of the stream that fails. ONVIF is asked in any case.

    `small` is the second stream of a camera that has two; `same_view` says of a picture of each whether they show the same.
    """
    last = _Last()
    yield from try_stream(settings, seconds, clock, last)
    if small is not None:
        yield from _small(small, seconds, clock, last, same_view)
    if onvif is not None:
        yield from _onvif(onvif, clock)


def _small(settings: SourceSettings, seconds: float, clock: Clock, large: _Last, same_view: SameView | None) -> Iterator[Told]:
    """The second stream in one step, or the one that fails; then whether both show the same."""
    last = _Last()
    steps = list(try_stream(settings, seconds, clock, last))
    failed = next((one for one in steps if one.cause is not None), None)
    if failed is not None:
        yield Told(Step.SMALL, failed.text, failed.cause)
        return
    said = {one.step: one.text for one in steps}
    yield Told(Step.SMALL, f"{said[Step.STREAM]}, {said[Step.RATE]}")
    if same_view is not None and large.frame is not None and last.frame is not None:
        same = same_view(last.frame, large.frame)
        text = "both streams show the same" if same else "the streams show different parts, or too little to tell: playback stays blank"
        yield Told(Step.SAME_VIEW, text, None if same else Cause.VIEW)


def try_stream(
    settings: SourceSettings, seconds: float, clock: Clock, looks: Looks, listener: socket.socket | None = None
) -> Iterator[Told]:
    """One stream for so many seconds from its first picture on, each step as soon as it is known. `listener` is that of `io.gate`.

    What `looks` raises ends it.
    """
    sizes, guard, seen = _Sizes(), Guard(clock), _Seen()
    told: set[Step] = set()
    try:
        source = open_source(settings, clock, sizes, guard, listener)
        try:
            yield Told(Step.REACH, "answers")
            yield Told(Step.SIGN_IN, "taken")
            told |= {Step.REACH, Step.SIGN_IN}
            looks.opened(source.width, source.height)
            until = float("inf")
            for frame in source.frames():
                if not seen.count:
                    until = clock.monotonic() + seconds
                    found = Measured(codec=sizes.known, width=frame.width, height=frame.height)
                    yield Told(Step.STREAM, f"{sizes.codec} {frame.width}x{frame.height}", measured=found)
                seen.take(frame)
                looks.take(frame)
                if clock.monotonic() > until:
                    break
        finally:
            source.close()
    except BlickschutzError as error:
        yield from (one for one in _failed(error) if one.step not in told or one.cause is not None)
        if not seen.count:
            return
    finally:
        guard.end(1.0)
    yield from _figures(sizes, seen, seconds)


def _figures(sizes: _Sizes, seen: _Seen, seconds: float) -> Iterator[Told]:
    span, count = seen.last - seen.first, seen.count
    gaps = [after - before for before, after in zip(sizes.keys, sizes.keys[1:], strict=False)]
    # A stream that has begun may have none for long after two at once.
    mean, most = (sum(gaps) / len(gaps), max(*gaps, seen.last - sizes.keys[-1])) if gaps else (0.0, 0.0)
    said = f"one in {mean:.2f} s, {most:.2f} s at most" if gaps else f"{len(sizes.keys)} in {seconds:g} s"
    yield Told(Step.KEYFRAMES, said, measured=Measured(keys=len(sizes.keys), key_s=max(0.0, mean), key_most_s=max(0.0, most)))
    if span > 0:
        rate, kbit = (count - 1) / span, sizes.sent * 8 / span / 1000
        yield Told(Step.RATE, f"{rate:.1f} pictures, {kbit:.0f} kbit a second", measured=Measured(rate=rate, kbit=kbit))
    else:
        yield Told(Step.RATE, f"{count} pictures")


def cause_of(error: BlickschutzError) -> Cause:
    """Why a trial failed, as the pages have words for it."""
    if isinstance(error, CameraRefusedError):
        return Cause(error.cause)
    return Cause.REFUSED if isinstance(error, CameraUnreachableError) else Cause.STALLED


def _failed(error: BlickschutzError) -> Iterator[Told]:
    """The step that failed, and those that must have gone well before."""
    cause = cause_of(error)
    step = Step.REACH if cause in _UNREACHED else Step.SIGN_IN if cause is Cause.PASSWORD else Step.STREAM
    if step is not Step.REACH:
        yield Told(Step.REACH, "answers")
    yield Told(step, str(error), cause)


def _onvif(onvif: NoticeSettings, clock: Clock) -> Iterator[Told]:
    try:
        device = OnvifCamera(onvif.address, clock, onvif.authority, onvif.fingerprint)
        yield Told(Step.CLOCK, f"{device.difference_s():+.1f} s against this machine")
        about = device.device()
        yield Told(Step.DEVICE, f"{about.maker} {about.model}, {about.firmware}")
        for one in device.profiles():
            group = f", a keyframe in {one.group} pictures" if one.group else ""
            said = f"{one.name}: {one.codec} {one.width}x{one.height}, {one.rate:g} a second{group}"
            yield Told(Step.PROFILE, f"{said}; {without_secrets(device.stream(one.token))}")
        yield Told(Step.EVENTS, "offered" if "Events" in device.services() else "not offered")
    except DeviceError as error:
        yield Told(Step.DEVICE, str(error), cause_of(error))
