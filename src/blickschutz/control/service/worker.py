"""The thread of disk and database: does in order what it is given, and never waits for whoever gives it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

import structlog

from blickschutz.kernel.errors import BlickschutzError

_log = structlog.get_logger(__name__)


class Worker:
    """One queue, one thread. What fails is logged and shown by `problem`, and the rest goes on."""

    def __init__(self, name: str) -> None:
        self.problem = ""
        self._work: queue.SimpleQueue[Callable[[], Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def do(self, work: Callable[[], Any]) -> None:
        """Have something done."""
        self._work.put(work)

    def work(self) -> None:
        """Do at once what waits; where no thread does it."""
        while not self._work.empty():
            if (work := self._work.get()) is not None:
                work()

    def end(self, wait_s: float = 10.0) -> None:
        """Finish what waits; to be called in a thread of its own."""
        self._work.put(None)
        if self._thread.is_alive():
            self._thread.join(wait_s)

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            try:
                work()
            except BlickschutzError as error:
                self.problem = str(error)
                _log.error("work_failed", problem=self.problem)
            # One fault must not end all that follows; the log and every page say what failed.
            except Exception as error:  # noqa: BLE001 - goes on, and shows the fault on every page
                self.problem = f"{type(error).__name__}: {error}"
                _log.exception("work_failed")
