"""What goes wrong in guarded work, for pages and the log."""

from __future__ import annotations

import threading

from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.model import Event
from blickschutz.control.ports import Do
from blickschutz.guard.model import Change, Trouble
from blickschutz.kernel.events import Topic


class Troubles:
    """Hears of every trouble, from any thread. `told` hands it on to whoever notifies people."""

    def __init__(self, log: AuditLog, do: Do) -> None:
        self._log, self._do = log, do
        self._lock = threading.Lock()
        self._open: dict[str, Trouble] = {}
        self.told: Topic[Trouble] = Topic()

    def heard(self, trouble: Trouble) -> None:
        with self._lock:
            if trouble.change is Change.RECOVERED:
                self._open.pop(trouble.name, None)
            else:
                self._open[trouble.name] = trouble
        facts: dict[str, str | int | float | bool | list[str]] = {
            "change": trouble.change.value,
            "error": trouble.error,
            "failures": trouble.failures,
        }
        self._do(lambda: self._log.write(Event.WORK_TROUBLE, "system", trouble.name, facts))
        self.told.tell(trouble)

    def now(self) -> list[Trouble]:
        """What is wrong at this moment."""
        with self._lock:
            return list(self._open.values())
