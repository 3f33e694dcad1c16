"""The life of a site's records, from the start to the end of its process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from blickschutz import __version__
from blickschutz.audit.model import Event
from blickschutz.config.loader import settings_hash
from blickschutz.config.model import SiteFile
from blickschutz.control.service.office import Inspected
from blickschutz.control.service.shredding import Shredder
from blickschutz.control.service.stops import StopControl
from blickschutz.control.service.worker import Worker
from blickschutz.evidence.io.package import remove_left
from blickschutz.guard.service import Guard
from blickschutz.kernel.errors import DeviceError


class RecordKeeping:
    """Starts, keeps and ends the records of a site. Not in the event loop. `close` lets go of the databases."""

    def __init__(
        self, site: SiteFile, worker: Worker, inspected: Inspected, shredder: Shredder, stops: StopControl, close: Callable[[], None]
    ) -> None:
        self.site, self.worker, self.inspected, self.shredder, self.stops, self.close = site, worker, inspected, shredder, stops, close
        self._settled_on = inspected.orders.today()

    def start(self, guard: Guard) -> None:
        self.log_start()
        self.recover()
        self.worker.start(guard)
        self.inspected.chain.start(guard)

    def log_start(self) -> None:
        """The start, and whether the settings are others than at the last one (Art. 12 AI Act: settings' hash)."""
        log, settings = self.inspected.office.log, settings_hash(self.site)
        before = log.find(event=Event.SYSTEM_STARTED, most=1)
        if before and before[0][0].facts.get("settings") != settings:
            log.write(Event.SETTINGS_CHANGED, "system", facts={"before": str(before[0][0].facts.get("settings")), "now": settings})
        facts: dict[str, Any] = {"cameras": len(self.site.cameras), "demo": self.site.site.demo, "settings": settings}
        log.write(Event.SYSTEM_STARTED, "system", facts={**facts, "version": __version__, "model": self.site.analysis.model})

    def recover(self) -> None:
        """Bring files and rows together again after a crash: every file has a case, what was being destroyed is gone."""
        archive, inspected = self.inspected.archive, self.inspected
        remove_left()
        for folder in (archive.exports, archive.data / "keys" / "reviewers"):
            _remove_parts(folder)
        self.stops.recover()
        inspected.intake.recover()
        inspected.office.rights.settle()
        inspected.renewal.run()
        try:
            self.shredder.work()
        except DeviceError as error:
            # A file that does not go stops no start: every page says so, and it is tried again every few seconds.
            self.worker.start_problem = str(error)

    def settle(self) -> None:
        """Once a day: requests and cases are brought together again."""
        today = self.inspected.orders.today()
        if today != self._settled_on:
            self._settled_on = today
            self.inspected.office.rights.settle()

    def end(self) -> None:
        """Finish what waits."""
        self.worker.end()
        self.inspected.chain.end()
        log = self.inspected.office.log
        log.write(Event.SYSTEM_ENDED, "system")
        log.checkpoint()
        self.close()


def _remove_parts(folder: Path) -> None:
    """Files that a crash left half written. A folder is nothing that this program makes here; it is left alone."""
    for left in folder.glob(".*"):
        if left.is_file() or left.is_symlink():
            left.unlink()
