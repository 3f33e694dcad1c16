"""What happens in the control room, as typed events; an order to record from its beginning to its outcome."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from blickschutz.kernel.situation import Situation
from blickschutz.recording.model import ClipNews


@dataclass(frozen=True, slots=True)
class SituationSeen:
    """A situation began or ended at `camera`. `run` names the life of the cell that numbers its situations."""

    camera: str
    run: str
    situation: Situation


@dataclass(frozen=True, slots=True)
class ClipHeard:
    """A cell told of a clip."""

    camera: str
    news: ClipNews


class Refused(StrEnum):
    """Why nothing can be recorded."""

    REVIEWERS = "reviewers"
    DISK = "disk"
    CAMERA = "camera"
    STORE = "store"
    KEYS = "keys"
    LOST = "lost"


class OrderState(StrEnum):
    """Where an order to record stands; the last two are outcomes."""

    GIVEN = "given"
    RECORDING = "recording"
    DONE = "done"
    FAILED = "failed"


OPEN_ORDERS = frozenset({OrderState.GIVEN, OrderState.RECORDING})


@dataclass(frozen=True, slots=True)
class RecordingOrder:
    """An order until its clip exists, or until somebody was told that there is none.

    `at` is POSIX seconds. `situation` and `run` where one ordered it, `over` once that has ended; `for_s` where the order ends
    by itself. `alert` is the alert that it belongs to, 0 without one. `clip` once one was begun; `why` where it failed.
    `tries` counts how often a cell was told.
    """

    number: int
    camera: str
    mode: str
    cause: str
    by: str
    reason: str
    at: float
    state: OrderState = OrderState.GIVEN
    situation: Situation | None = None
    run: str = ""
    for_s: float | None = None
    over: bool = False
    alert: int = 0
    clip: str = ""
    why: str = ""
    tries: int = 1


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """An order has no clip, or not to its end; somebody must be told of the situation instead."""

    order: RecordingOrder


@dataclass(frozen=True, slots=True)
class StopEntry:
    """The stop control of one camera: who stopped it or let it go on, when (POSIX), and why. `logged` once that is in the log."""

    camera: str
    stopped: bool
    by: str
    reason: str
    at: float
    logged: bool = False
