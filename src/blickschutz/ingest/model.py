"""Settings and states of a camera session."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from blickschutz.situations.kinds import Kind


class SourceKind(StrEnum):
    RTSP = "rtsp"
    PICTURES = "pictures"
    FILE = "file"


class Transport(StrEnum):
    """How RTSP and its media come: both in one connection, media as datagrams to this machine or to a group, both within HTTP."""

    TCP = "tcp"
    UDP = "udp"
    MULTICAST = "multicast"
    HTTP = "http"

    @property
    def datagrams(self) -> bool:
        return self in {Transport.UDP, Transport.MULTICAST}


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """Where the video comes from. Times in seconds.

    A file is played at its own speed, from `start_s` on, and looped; with `realtime` off it is read once
    and as fast as it can be; with `upright` on its pictures come as they are to be shown, turned and with square pixels, which its
    packets are not. `every_s` is from one still picture to the next, where a camera gives such. For RTSPS and HTTPS `authority` is the
    file of the authority's certificate (PEM), `fingerprint` the SHA-256 of the camera's own (hex) where it is that one and no other;
    without either the system's authorities count.
    """

    kind: SourceKind
    address: str = field(repr=False)
    stall_s: float = 5.0
    connect_s: float = 8.0
    realtime: bool = True
    start_s: float = 0.0
    upright: bool = False
    every_s: float = 1.0
    transport: Transport = Transport.TCP
    authority: str = ""
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class NoticeSettings:
    """Where a camera tells what it finds itself (ONVIF), with the account in it; `motion` is what a plain alarm of motion counts as."""

    address: str = field(repr=False)
    motion: Kind | None = None
    authority: str = ""
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class NotifySettings:
    """Where a camera sends lines (IP Notify): `host` and `port` of this machine; `camera` is the host from which alone they count."""

    host: str
    port: int
    camera: str
    secret: str = field(repr=False)
    motion: Kind | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Something that a camera found itself, or (`active` false) the end of it, under the same `id`."""

    id: str
    kind: Kind
    active: bool
    zone: str


class Cause(StrEnum):
    """Why a camera gives no picture. The pages have words for each, and what to do."""

    REFUSED = "refused"
    STALLED = "stalled"
    ENDED = "ended"
    UNREADABLE = "unreadable"
    PASSWORD = "password"
    ADDRESS = "address"
    BUSY = "busy"
    TRANSPORT = "transport"
    REDIRECTED = "redirected"
    CERTIFICATE = "certificate"
    CODEC = "codec"
    SILENT = "silent"
    ANSWER = "answer"
    VIEW = "view"


class Step(StrEnum):
    """What is tried of a camera, in this order."""

    REACH = "reach"
    SIGN_IN = "sign-in"
    STREAM = "stream"
    KEYFRAMES = "keyframes"
    RATE = "rate"
    SMALL = "substream"
    SAME_VIEW = "same-view"
    LOAD = "load"
    PICTURE = "picture"
    CLOCK = "clock"
    DEVICE = "device"
    PROFILE = "profile"
    EVENTS = "events"


class Codec(StrEnum):
    """Forms of video by name; what is none of them is `OTHER`."""

    NONE = ""
    H264 = "h264"
    H265 = "hevc"
    MJPEG = "mjpeg"
    OTHER = "other"


_Figure = Annotated[float, Meta(ge=0, le=1e7)]
_Count = Annotated[int, Meta(ge=0, le=1_000_000)]


@dataclass(frozen=True, slots=True)
class Measured:
    """What a step found, in numbers and closed words; 0 where it says nothing of it.

    `key_s` and `key_most_s` are seconds from one keyframe to the next, `keys` how many came; `rate` pictures a second; `clock_s` how far
    the camera's clock is ahead; `cores` processor cores, `memory_mb` megabytes of memory.
    """

    codec: Codec = Codec.NONE
    width: _Count = 0
    height: _Count = 0
    keys: _Count = 0
    key_s: _Figure = 0.0
    key_most_s: _Figure = 0.0
    rate: _Figure = 0.0
    kbit: _Figure = 0.0
    clock_s: Annotated[float, Meta(ge=-1e10, le=1e10)] = 0.0
    cores: _Figure = 0.0
    memory_mb: _Figure = 0.0


@dataclass(frozen=True, slots=True)
class BackoffSettings:
    """Waits between tries, in seconds: exponential from `first` to `most`, each spread by `jitter` (a share)."""

    first: float = 1.0
    most: float = 30.0
    factor: float = 2.0
    jitter: float = 0.3


class SessionState(StrEnum):
    """States of a camera session; the transitions are `rules.TRANSITIONS`."""

    STOPPED = "stopped"
    CONNECTING = "connecting"
    LIVE = "live"
    WAITING = "waiting"


class SessionEvent(StrEnum):
    """What can happen to a camera session."""

    START = "start"
    CONNECTED = "connected"
    REFUSED = "refused"
    STALLED = "stalled"
    ENDED = "ended"
    UNREADABLE = "unreadable"
    WAITED = "waited"
    STOP = "stop"
