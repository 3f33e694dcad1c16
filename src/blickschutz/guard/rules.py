"""Counting failures, the wait after them, and an error in words."""

from __future__ import annotations

import threading
from pathlib import PurePath

from blickschutz.guard.model import Backoff, Change, Trouble
from blickschutz.kernel.errors import BlickschutzError

_MOST_WORDS = 300


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
