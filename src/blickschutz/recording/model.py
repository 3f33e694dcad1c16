"""Orders, settings, and what stands in a sealed clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from blickschutz.kernel.geometry import Points
from blickschutz.vault.model import Envelope, Reviewer


class ClipMode(StrEnum):
    """`sealed`: the camera's own packets. `anonymous`: redacted video only; nothing unredacted leaves the cell."""

    SEALED = "sealed"
    ANONYMOUS = "anonymous"


class CloseReason(StrEnum):
    """Why a clip ended.

    `DISK`: it takes no more; `BEHIND`: it takes less than the camera sends; `FAULT`: an error that was not foreseen;
    `CUT`: without its last message.
    """

    OVER = "over"
    LONGEST = "longest"
    INTERRUPTED = "interrupted"
    STOPPED = "stopped"
    DISK = "disk"
    BEHIND = "behind"
    FAULT = "fault"
    CUT = "cut"


class Refusal(StrEnum):
    """Why no clip was begun: no room or no folder, nobody who could open it, keys that nobody vouched for, clips still being
    written, another error."""

    DISK = "disk"
    REVIEWERS = "reviewers"
    REGISTER = "register"
    BEHIND = "behind"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class RecordingSettings:
    """Seconds before an order (in memory), after the last situation, and most of one clip; `reserve_mb` of disk stay free.

    `root` (hex) is that of the register of reviewers, empty where the site file names none: then the first order's holds.
    """

    before_s: float = 10.0
    after_s: float = 10.0
    most_s: float = 300.0
    reserve_mb: int = 500
    root: str = ""


class Sealing(msgspec.Struct, frozen=True):
    """For whom and where clips are sealed; `register` and its `root` prove whose key is whose (`vault.register`)."""

    installation: str
    folder: str
    reviewers: tuple[Reviewer, ...]
    register: tuple[str, ...] = ()
    root: str = ""


class Keep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long a clip is kept that nobody says a word about: regular and hard limit in seconds, and the time zone of calendar months."""

    regular_s: float
    hard_s: float
    zone: str


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order to record. `cause` is a kind of situation, or "manual"; it holds until it is ended or the clip is full.

    With `for_s` it ends by itself after so many seconds. `situation` is the number of what it was given for, as the camera's cell
    counts now; 0 where that is nothing, or was found in an earlier life of it. `keep` is for a machine that keeps the clip by itself.
    """

    number: int
    mode: ClipMode
    cause: str
    sealing: Sealing
    for_s: float | None = None
    situation: int = 0
    keep: Keep | None = None


class ClipHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the open at the head of a clip file. `opened` is POSIX seconds."""

    clip: str
    installation: str
    camera: str
    mode: ClipMode
    cause: str
    opened: float


class MaskSample(msgspec.Struct, frozen=True, array_like=True):
    """What the cell knew of one analysed picture: who is in it; whoever redacts the clip's pictures needs it.

    `pts` in ticks of 1/90000 s. With a `doubt` nothing is proven. Boxes are (left, top, right, bottom) in shares of the
    picture; `tracks` are (number, seen_s, box), `detections` (score, lying, box), found `looked_s` before; `velocities`
    are those of the tracks, (x, y) in shares of the picture per second; `standing_out` says it of tracks, then detections.
    `rows`, `columns` and `bits` (zlib) are the proof of that one picture in clips of format 1, empty since.
    """

    pts: int
    doubt: str
    rows: int = 0
    columns: int = 0
    bits: bytes = b""
    tracks: tuple[tuple[int, float, tuple[float, float, float, float]], ...] = ()
    detections: tuple[tuple[float, bool, tuple[float, float, float, float]], ...] = ()
    looked_s: float = 0.0
    velocities: tuple[tuple[float, float], ...] = ()
    standing_out: tuple[bool, ...] = ()


class BackgroundSample(msgspec.Struct, frozen=True, array_like=True):
    """The background of the place from the picture at `pts` on (ticks of 1/90000 s): what later pictures are compared with.

    `steps` (zlib) holds (rows, columns, 3) bytes, the difference from the background before in the same clip modulo 256,
    from zero for the first; `known` (zlib) one bit a pixel; `tolerance` as in `kernel.scene.Background`. `levels` are those
    of luma, then those of chroma; `falls` and `others_known` are packed as `known`, `others` (zlib) holds three bytes for each pixel of
    `others_known`. They are empty in older clips.
    """

    pts: int
    rows: int
    columns: int
    tolerance: tuple[int, int, int]
    known: bytes
    steps: bytes
    levels: tuple[int, ...] = ()
    shaky: bool = False
    falls: bytes = b""
    others_known: bytes = b""
    others: bytes = b""


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """A situation that began or ended while the clip was recorded, with its figures. `taken` is POSIX seconds."""

    taken: float
    kind: str
    zone: str
    began: bool
    figures: dict[str, float]


class Opening(msgspec.Struct, frozen=True, tag="opening", kw_only=True):
    """First message of a clip. `digest` is BLAKE2b-256 over everything before it in the file.

    `init` is the head of a fragmented MP4. Redaction's settings are those in force when it was recorded;
    a clip from before `colour` was kept gives the least away. `skew_s` is how far the times of what was known may be off those
    of the pictures: more than 0 where the camera's small stream was looked at and its large one recorded.
    """

    digest: bytes
    init: bytes
    codec: str
    width: int
    height: int
    style: str
    privacy_zones: tuple[Points, ...]
    px_per_metre: float | None
    colour: str = "neutral"
    skew_s: float = 0.0


class Gop(msgspec.Struct, frozen=True, tag="gop", kw_only=True):
    """A group of pictures: one fragment of MP4 (empty in the last one), and what became known meanwhile.

    `pts` are those of the fragment's packets, in their order; `times` are (pts, taken) of decoded pictures.
    """

    data: bytes
    key: bool
    pts: tuple[int, ...]
    times: tuple[tuple[int, float], ...]
    masks: tuple[MaskSample, ...]
    marks: tuple[Mark, ...]
    backgrounds: tuple[BackgroundSample, ...] = ()


class Closing(msgspec.Struct, frozen=True, tag="closing", kw_only=True):
    """Last message of a clip that was closed in good order."""

    reason: CloseReason
    gops: int
    closed: float


class ClipState(StrEnum):
    """What a clip file turned out to be; all but the first two mean that it was changed or damaged."""

    WHOLE = "whole"
    CUT_OFF = "cut-off"
    NO_CLIP = "no-clip"
    HEAD_CUT_OFF = "head-cut-off"
    UNKNOWN_VERSION = "unknown-version"
    FOREIGN_INSTALLATION = "foreign-installation"
    HEAD_ALTERED = "head-altered"
    WRONG_KEY = "wrong-key"
    REORDERED = "reordered"
    FOREIGN_CHUNK = "foreign-chunk"
    CHUNK_ALTERED = "chunk-altered"
    TOO_LONG = "too-long"


class ClipEvent(StrEnum):
    """What a cell tells of a clip."""

    OPENED = "opened"
    CLOSED = "closed"
    REFUSED = "refused"


class ClipNews(msgspec.Struct, frozen=True, kw_only=True):
    """News of a clip: its head, why it closed or was refused, its length in seconds and bytes, the orders in it.

    `closing` or `refusal` say why, `reason` says it in words. Of a clip that stays on another machine that machine says the hash of the
    file, and when it destroys it without another word (POSIX, by its own count).
    """

    event: ClipEvent
    clip: str
    mode: ClipMode
    cause: str
    orders: tuple[int, ...]
    opened: float
    closed: float = 0.0
    reason: str = ""
    seconds: float = 0.0
    size: int = 0
    closing: CloseReason | None = None
    refusal: Refusal | None = None
    sha256: str = ""
    ends: float = 0.0


class Head(msgspec.Struct, frozen=True):
    """What can be read of a clip file without a key."""

    header: ClipHeader
    envelope: Envelope
    stream: bytes
    start: int
    digest: bytes
    version: int


def refused(order: Order, orders: Sequence[int], opened: float, refusal: Refusal, reason: str) -> ClipNews:
    """The news that no clip is begun for an order; it has no name of a clip. `opened` is POSIX."""
    return ClipNews(
        event=ClipEvent.REFUSED,
        clip="",
        mode=order.mode,
        cause=order.cause,
        orders=tuple(orders),
        opened=opened,
        reason=reason,
        refusal=refusal,
    )
