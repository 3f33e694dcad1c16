"""What a tile of the wall shows, in words, the parts of a live stream, and how somebody wants the wall."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import msgspec


class TileState(StrEnum):
    """What is true of a camera's picture. Every tile says one of these, in words and by shape.

    `STALE` is the browser's own finding too: no new picture for two seconds.
    """

    STARTING = "starting"
    LIVE = "live"
    STALE = "stale"
    LOST = "lost"
    REDACTION_FAULT = "redaction-fault"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class CameraFacts:
    """What a tile's state is derived from. `last_picture_s` is the age of the newest picture, in seconds."""

    stopped: bool
    cell_alive: bool
    connected: bool
    fault: bool
    proven: bool
    last_picture_s: float | None


@dataclass(frozen=True, slots=True)
class StreamInit:
    """The head of a fragmented MP4: to be given to a viewer before any fragment of the same generation."""

    generation: int
    codec: str
    data: bytes


@dataclass(frozen=True, slots=True)
class StreamFragment:
    """One picture as a fragment. `at` and `taken` are its capture times (monotonic, wall clock)."""

    generation: int
    key: bool
    at: float
    taken: float
    data: bytes


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """`width` is the most that is sent to the wall, in pixels; `key_every_s` bounds how long a join takes."""

    width: int = 960
    key_every_s: float = 2.0
    crf: int = 26


# --- how somebody wants the wall ---


class View(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A view: its cameras in the order in which they stand, and which is large; empty for none. `patrol`: it is of the round."""

    name: str
    cameras: tuple[str, ...]
    large: str = ""
    patrol: bool = True


class WallSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is kept of one person. `enlarge`: a camera that alarms becomes large by itself.

    `patrol_s`: after so many seconds the wall shows the next view by itself; 0 for never.
    """

    views: tuple[View, ...] = ()
    enlarge: bool = False
    patrol_s: int = 0

    def view(self, name: str) -> View | None:
        """The view of that name."""
        return next((one for one in self.views if one.name == name), None)

    @property
    def patrols(self) -> bool:
        """Whether there is a round: a time, and two views that are of it."""
        return self.patrol_s > 0 and sum(one.patrol for one in self.views) > 1


class NotKept(StrEnum):
    """Why a view is not kept."""

    NAME = "view-name"
    CAMERAS = "view-cameras"
    MANY = "view-many"
    SECONDS = "view-seconds"
