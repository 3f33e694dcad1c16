"""A camera tried step by step, as its cell would use it, for whoever sets it up. No picture is kept or shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from blickschutz.guard.service import Guard
from blickschutz.ingest.io.onvif import OnvifCamera
from blickschutz.ingest.io.sources import open_source
from blickschutz.ingest.model import Cause, NoticeSettings, SourceSettings, Step
from blickschutz.ingest.rules.address import without_secrets
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import BlickschutzError, CameraRefusedError, CameraUnreachableError, DeviceError
from blickschutz.kernel.frames import RawFrame
from blickschutz.kernel.streams import Packet, Stamp

SameView: TypeAlias = Callable[[RawFrame, RawFrame], bool]
# What a refusal says of the steps before it: whoever wants another password was reached.
_UNREACHED = frozenset({Cause.REFUSED, Cause.SILENT, Cause.CERTIFICATE})


@dataclass(frozen=True, slots=True)
class Told:
    """How a step went: `cause` where it failed, `text` what was found."""

    step: Step
    text: str
    cause: Cause | None = None


@dataclass(slots=True)
class _Last:
    """The newest picture of a stream; it is compared, and never kept beyond the trial."""

    frame: RawFrame | None = None


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
    yield from _stream(settings, seconds, clock, last)
    if small is not None:
        yield from _small(small, seconds, clock, last, same_view)
    if onvif is not None:
        yield from _onvif(onvif, clock)


def _small(settings: SourceSettings, seconds: float, clock: Clock, large: _Last, same_view: SameView | None) -> Iterator[Told]:
    """The second stream in one step, or the one that fails; then whether both show the same."""
    last = _Last()
    steps = list(_stream(settings, seconds, clock, last))
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


def _stream(settings: SourceSettings, seconds: float, clock: Clock, newest: _Last) -> Iterator[Told]:
    sizes, guard, count = _Sizes(), Guard(clock), 0
    first = last = 0.0
    width = height = 0
    try:
        source = open_source(settings, clock, sizes, guard)
        try:
            began = clock.monotonic()
            for frame in source.frames():
                first, last, count = first or frame.at, frame.at, count + 1
                width, height, newest.frame = frame.width, frame.height, frame
                if clock.monotonic() - began > seconds:
                    break
        finally:
            source.close()
    except BlickschutzError as error:
        yield from _failed(error)
        if not count:
            return
    finally:
        guard.end(1.0)
    yield Told(Step.REACH, "answers")
    yield Told(Step.SIGN_IN, "taken")
    yield Told(Step.STREAM, f"{sizes.codec} {width}x{height}")
    span = last - first
    gaps = [after - before for before, after in zip(sizes.keys, sizes.keys[1:], strict=False)]
    found = f"one in {sum(gaps) / len(gaps):.2f} s, {max(gaps):.2f} s at most" if gaps else f"{len(sizes.keys)} in {seconds:g} s"
    yield Told(Step.KEYFRAMES, found)
    rate = f"{(count - 1) / span:.1f} pictures, {sizes.sent * 8 / span / 1000:.0f} kbit a second" if span > 0 else f"{count} pictures"
    yield Told(Step.RATE, rate)


def _failed(error: BlickschutzError) -> Iterator[Told]:
    """The step that failed, and those that must have gone well before."""
    cause = Cause(error.cause) if isinstance(error, CameraRefusedError) else Cause.STALLED
    if isinstance(error, CameraUnreachableError) and not isinstance(error, CameraRefusedError):
        cause = Cause.REFUSED
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
        cause = Cause(error.cause) if isinstance(error, CameraRefusedError) else Cause.STALLED
        yield Told(Step.DEVICE, str(error), cause)
