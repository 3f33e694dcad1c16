"""Counting failures, the wait after them, and an error in words."""

from __future__ import annotations

import threading
from pathlib import PurePath
from typing import Final

from blickschutz.guard.model import Backoff, Change, Trouble
from blickschutz.kernel.errors import BlickschutzError, DeviceError

_MOST_WORDS = 300
# What fails in the same words is said again in the log after so long, then after twice as long, up to the second.
LINE_AGAIN_S: Final = 60.0
MOST_LINE_AGAIN_S: Final = 3600.0
_MOST_WORDINGS: Final = 16


def wait_after(failures: int, backoff: Backoff, chance: float) -> float:
    """Seconds to wait after so many failures in a row; `chance` from 0 to 1."""
    # Beyond some sixty failures the power alone would be no number any more.
    longest = min(backoff.most_s, backoff.first_s * backoff.factor ** min(failures - 1, 60))
    return longest * (0.5 + chance / 2)


def words(error: BaseException) -> str:
    """An error for people: our own and the system's in their words, any other by type and place.

    What a library says of a value that it did not expect may hold that value: a name, a passphrase, an address.
    """
    if isinstance(error, BlickschutzError):
        return (str(error) or type(error).__name__)[:_MOST_WORDS]
    if isinstance(error, OSError) and error.strerror:
        return f"{type(error).__name__}: {error.strerror}"[:_MOST_WORDS]
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" at {PurePath(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace is not None else ""
    return f"{type(error).__name__}{place}"


def trace_of(error: BaseException | None) -> BaseException | None:
    """What the log shows the way of: nothing of a device that failed, which was foreseen, and whose words say all."""
    return None if isinstance(error, DeviceError) else error


class Lines:
    """Which lines of what goes on failing are worth their place in the log: the first in each wording, and then ever more rarely. A link
    that is cut is tried several times a second for hours.
    """

    def __init__(self) -> None:
        # By wording when it is said again (monotonic), and how long it is quiet then.
        self._due: dict[str, tuple[float, float]] = {}

    def over(self) -> None:
        """It went well: what comes next is said at once."""
        self._due.clear()

    def say(self, text: str, now: float) -> bool:
        """Whether it is to be said; `now` is monotonic."""
        # Words that hold a number that changes are none of their own for ever.
        known = text if text in self._due or len(self._due) < _MOST_WORDINGS else ""
        due, quiet_s = self._due.get(known, (now, LINE_AGAIN_S))
        if now < due:
            return False
        self._due[known] = now + quiet_s, min(2 * quiet_s, MOST_LINE_AGAIN_S)
        return True

    def want(self, error: BaseException | None, text: str, failing: int, now: float) -> bool:
        """The same for the `failing`-th failure in a row; what nobody foresaw is always said."""
        if failing == 1:
            self.over()
        return not isinstance(error, DeviceError) or self.say(text, now)


class Tally:
    """Failures of one piece of work. Each call gives what is to be told, or None. Used by several threads."""

    def __init__(self, name: str, backoff: Backoff) -> None:
        self.name, self.backoff = name, backoff
        self.failing = self.failures = self.restarts = 0
        self.error = ""
        self.in_trouble = False
        self._lock = threading.Lock()

    def failed(self, error: str, *, tell_at_once: bool = False) -> Trouble | None:
        with self._lock:
            self.failing, self.failures, self.error = self.failing + 1, self.failures + 1, error
            if tell_at_once:
                self.in_trouble = True
                return Trouble(self.name, Change.FAILED, error, self.failing)
            if self.in_trouble or self.failing < self.backoff.trouble_after:
                return None
            self.in_trouble = True
            return Trouble(self.name, Change.FAILING, error, self.failing)

    def went_well(self) -> Trouble | None:
        with self._lock:
            self.failing = 0
            if not self.in_trouble:
                return None
            self.in_trouble = False
            return Trouble(self.name, Change.RECOVERED, self.error, 0)
