"""What is said of guarded work: its state, its troubles, how long it waits after an error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds to wait before the next try: `first_s`, then `factor` times as long, up to `most_s`; the second half is jitter.

    After `trouble_after` failures in a row somebody is told. Work that ran for `calm_s` since has recovered.
    """

    first_s: float = 0.5
    most_s: float = 60.0
    factor: float = 2.0
    trouble_after: int = 3
    calm_s: float = 60.0


class WorkKind(StrEnum):
    """A thread or task that lives long, short ones of the same name together, a queue with its worker."""

    THREAD = "thread"
    TASK = "task"
    SHORT = "short"
    QUEUE = "queue"


@dataclass(frozen=True, slots=True)
class WorkState:
    """One piece of work at this moment. `since` (monotonic) is when it began to run, or stopped running.

    What has rounds runs between them too, unless the last one failed.

    `failing` are failures in a row, `failures` all of them; `error` is the last one in words, also after it was over.
    Of a queue: `depth` items wait or are in work, the oldest for `oldest_s`; `set_aside` were given up since the start.
    """

    name: str
    kind: WorkKind
    running: bool
    failing: int = 0
    failures: int = 0
    restarts: int = 0
    error: str = ""
    since: float = 0.0
    depth: int = 0
    oldest_s: float = 0.0
    set_aside: int = 0


class Change(StrEnum):
    """What is told: it fails again and again, short work failed, an item was set aside; all is well again."""

    FAILING = "failing"
    FAILED = "failed"
    SET_ASIDE = "set-aside"
    RECOVERED = "recovered"


@dataclass(frozen=True, slots=True)
class Trouble:
    """`failures` in a row (of an item that was set aside: its tries); `error` in words."""

    name: str
    change: Change
    error: str
    failures: int


Tell: TypeAlias = Callable[[Trouble], None]
