"""The life of a site's records, from the start to the end of its process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from blickschutz import __version__
from blickschutz.audit.model import Event
from blickschutz.config.loader import settings_hash
from blickschutz.config.model import SiteFile
from blickschutz.control.service.office import Inspected
from blickschutz.control.service.recovery import ClipRecovery
from blickschutz.control.service.shredding import Shredder
from blickschutz.control.service.stops import StopControl
from blickschutz.control.service.worker import Worker
from blickschutz.evidence.io.package import remove_left
from blickschutz.guard.service import Guard
from blickschutz.kernel.errors import BlickschutzError
from blickschutz.storage.reserve import Reserve

_log = structlog.get_logger(__name__)


class RecordKeeping:
    """Starts, keeps and ends the records of a site. Not in the event loop. `close` lets go of the databases."""

    def __init__(
        self,
        site: SiteFile,
        worker: Worker,
        inspected: Inspected,
        recovery: ClipRecovery,
        shredder: Shredder,
        stops: StopControl,
        reserve: Reserve,
        close: Callable[[], None],
    ) -> None:
        self.site, self.worker, self.inspected, self.stops, self.close = site, worker, inspected, stops, close
        self.recovery, self.shredder, self.safety, self.reserve = recovery, shredder, inspected.safety, reserve
        self._settled_on = inspected.orders.today()
        # Promises that are weaker on this machine; whoever starts the system knows them.
        self.walls_missing: Sequence[str] = ()
        self.preparing = False
        # Cameras whose cells outlived the control room before, while this one starts.
        self._living: frozenset[str] = frozenset()

    def start(self, guard: Guard, living: frozenset[str] = frozenset()) -> None:
        """`living` are the cameras whose cells lived on: what they write is theirs to tell."""
        self.begin(living)
        self.worker.start(guard)
        self.inspected.chain.start(guard)

    def begin(self, living: frozenset[str] = frozenset()) -> None:
        """Say what was found, and bring everything together. What fails stops no start."""
        self._living = living
        self.safety.look()
        self.attempt(self.log_start)
        self.attempt(self.safety.tell)
        self.attempt(self.inspected.archive.enrolment.look)
        self.recover()
        self._living = frozenset()
        self.attempt(self.reserve.hold)

    def log_start(self) -> None:
        """The start, and whether the settings are others than at the last one (Art. 12 AI Act: settings' hash)."""
        log, settings = self.inspected.office.log, settings_hash(self.site)
        before = log.find(event=Event.SYSTEM_STARTED, most=1)
        if before and before[0][0].facts.get("settings") != settings:
            log.write(Event.SETTINGS_CHANGED, "system", facts={"before": str(before[0][0].facts.get("settings")), "now": settings})
        facts: dict[str, Any] = {"cameras": len(self.site.cameras), "demo": self.site.site.demo, "settings": settings}
        # Once there was a witness, one that is missing is a loss.
        facts["witness"] = self.safety.known
        facts["preparing"] = self.preparing
        facts["walls_missing"] = ", ".join(self.walls_missing)
        log.write(Event.SYSTEM_STARTED, "system", facts={**facts, "version": __version__, "model": self.site.analysis.model})

    def recover(self) -> None:
        """Bring files and rows together again after a crash: every file has a case, what was being destroyed is gone."""
        archive, inspected = self.inspected.archive, self.inspected
        folders = (archive.exports, archive.data / "keys" / "reviewers")
        steps: tuple[Callable[[], object], ...] = (
            remove_left,
            *(partial(_remove_parts, folder) for folder in folders),
            self.stops.recover,
            inspected.orders.recover,
            partial(inspected.intake.recover, self._living),
        )
        for step in steps:
            self.attempt(step)
        if not self.safety.on:
            self.resume()

    def resume(self) -> None:
        """What waits while something is lost: it would be done on rows that may not be the right ones."""
        self.adopt()
        for step in (self.inspected.renewal.run, self.shredder.work, self.safety.look):
            self.attempt(step)

    def adopt(self) -> None:
        """Rows, holds beside the clips, and files are brought together; nothing is destroyed."""
        settle = self.inspected.office.rights.settle
        for step in (self.recovery.holds, settle, self.recovery.restrictions, partial(self.recovery.files, self._living)):
            self.attempt(step)

    def attempt(self, step: Callable[[], object]) -> None:
        """What fails stops no start: live pictures and alerts go on, and every page says what failed."""
        try:
            self.reserve.through(step)
        except (BlickschutzError, OSError) as error:
            _log.error("recovery_failed", problem=str(error))
            self.worker.start_problem = str(error)

    def settle(self) -> None:
        """Once a day: requests and cases, files and rows are brought together again."""
        today = self.inspected.orders.today()
        if today != self._settled_on and not self.safety.on:
            self._settled_on = today
            self.inspected.office.rights.settle()
            self.recovery.look_again()

    def end(self) -> None:
        """Finish what waits."""
        self.worker.end()
        self.inspected.chain.end()
        self.attempt(partial(self.inspected.office.access.turned.look, end=True))
        log = self.inspected.office.log
        log.write(Event.SYSTEM_ENDED, "system")
        log.checkpoint()
        self.safety.end()
        self.close()


def _remove_parts(folder: Path) -> None:
    """Files that a crash left half written. A folder is nothing that this program makes here; it is left alone."""
    for left in folder.glob(".*"):
        if left.is_file() or left.is_symlink():
            try:
                left.unlink()
            except OSError as error:
                _log.error("half_written_file_stays", file=left.name, problem=error.strerror)
