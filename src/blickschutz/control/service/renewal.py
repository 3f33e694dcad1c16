"""Redacted pictures that an older version stored: what of them is there, and how they end at the next start.

Up to clip version 1 redacted pictures were made from a few proofs a second; what lay between them was not compared with the
background, so fast people could stay visible. No raw picture is kept to render them again, so they are destroyed. What is
held, or restricted by a request, stays as evidence and is shown to nobody until that ends.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy.exc import SQLAlchemyError

from blickschutz.alerts.io.outdated import OldSeconds
from blickschutz.alerts.io.tables import METADATA as ALERT_TABLES
from blickschutz.audit.io.log import AuditLog, Facts
from blickschutz.audit.model import Event
from blickschutz.control.ports import Waits
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import BlickschutzError, DeviceError
from blickschutz.recording.io.clipfile import ClipError, is_unsafe, read_head
from blickschutz.recording.model import ClipMode
from blickschutz.retention.io.shelf import ClipShelf
from blickschutz.review.model import Case, CaseState
from blickschutz.review.ports import CaseStore
from blickschutz.review.rules import MORTAL, THERE, half_held
from blickschutz.review.service import CaseDesk
from blickschutz.storage.engine import open_engine
from blickschutz.storage.places import Place

_log = structlog.get_logger(__name__)
_PACKAGES = "*.tar.age"


def shows_too_much(case: Case, path: Path) -> bool:
    """Whether a case's clip holds pictures of the old redaction. A file that cannot be read is shown to nobody either way."""
    if case.mode != ClipMode.ANONYMOUS:
        return False
    try:
        return is_unsafe(read_head(path))
    except (ClipError, DeviceError):
        return False


@dataclass(frozen=True, slots=True)
class OldClips:
    """Cases whose clip shows too much: those that end at the next start, those that a hold or a request keeps, and those of
    which somebody has said already that there is something to keep: these end with their deadline.
    """

    ending: Sequence[Case]
    held: Sequence[Case]
    restricted: Sequence[Case]
    half_held: Sequence[Case]


class Renewal:
    """What older versions left. Only `run` and `again` destroy; everything else looks."""

    def __init__(
        self, data: Path, alerts: Place, store: CaseStore, desk: CaseDesk, shelf: ClipShelf, log: AuditLog, clock: Clock, safety: Waits
    ) -> None:
        self._alerts, self._exports = alerts, data / "exports"
        self._store, self._desk, self._shelf, self._log, self._clock = store, desk, shelf, log, clock
        self._safety = safety
        self._kept: set[int] = set()
        self._unfinished = False

    def run(self) -> None:
        """Order the end of all clips that show too much, and destroy the alerts' old seconds. Stops no start, whatever fails.

        The log is told first: what a crash then leaves is found, told of and ended at the start after.
        """
        if self._safety.on:
            return
        clips, alerts = self.clips(), self.alerts_or_none()
        self._tell(clips, alerts)
        self._kept = {case.id for case in (*clips.held, *clips.restricted, *clips.half_held)}
        for case in clips.ending:
            self._desk.outdated(case)
        self._destroy_seconds()

    def again(self) -> None:
        """What was kept ends when neither hold nor request keeps it any more, and what failed is tried again; called every few seconds."""
        if self._safety.on:
            return
        if self._unfinished:
            self._destroy_seconds()
        for number in sorted(self._kept):
            case = self._store.get(number)
            if case is None or case.state not in THERE or self._desk.outdated(case):
                self._kept.discard(number)

    def _destroy_seconds(self) -> None:
        """Even where there are none: a crash may have come between deleting them and the end of the journal."""
        if not self._has_alerts():
            return
        try:
            with closing(self._opened()) as old:
                old.destroy(self._clock.now())
            self._unfinished = False
        except BlickschutzError as error:
            self._unfinished = True
            _log.error("old_seconds_not_destroyed", problem=str(error))

    def clips(self) -> OldClips:
        """Cases whose clips show too much."""
        cases = self._store.find(states=sorted(MORTAL - {CaseState.RECORDING}), most=100_000)
        found = [case for case in cases if shows_too_much(case, self._shelf.path(case.clip))]
        held = [case for case in found if case.state is CaseState.HELD]
        restricted = [case for case in found if case.restricted and case.state is not CaseState.HELD]
        half = [case for case in found if half_held(case) and case not in held and case not in restricted]
        return OldClips([case for case in found if case not in (*held, *restricted, *half)], held, restricted, half)

    def alerts(self) -> int:
        """How many alerts have seconds of the old redaction. Raises `DeviceError`."""
        if not self._has_alerts():
            return 0
        with closing(self._opened()) as old:
            return old.count()

    def packages(self) -> list[str]:
        """Packages of evidence from before the first start of a version that redacts each picture with evidence of its own."""
        first = self._log.between([Event.PICTURES_RENEWED], 0.0, float("inf"))
        found = sorted(self._exports.glob(_PACKAGES)) if self._exports.exists() else []
        return [path.name for path in found if not first or path.stat().st_mtime < first[0].at]

    def _has_alerts(self) -> bool:
        return not isinstance(self._alerts, Path) or self._alerts.exists()

    def _opened(self) -> OldSeconds:
        """Raises `DeviceError`."""
        try:
            return OldSeconds(open_engine(self._alerts, ALERT_TABLES))
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise DeviceError(f"{self._alerts.name} cannot be opened: {error}") from error

    def alerts_or_none(self) -> int:
        """As `alerts`, 0 where the database cannot be read; the log says so."""
        try:
            return self.alerts()
        except BlickschutzError as error:
            _log.error("old_seconds_not_counted", problem=str(error))
            return 0

    def _tell(self, clips: OldClips, alerts: int) -> None:
        """One entry at the first start, and one at each later start at which there is something new to tell."""
        held, restricted = ([str(case.id) for case in cases] for cases in ((*clips.held, *clips.half_held), clips.restricted))
        facts: Facts = {"alerts": alerts, "clips": len(clips.ending), "held": held, "restricted": restricted}
        before = self._log.find(event=Event.PICTURES_RENEWED, most=1)
        told = before[0][0].facts if before else {}
        known = (told.get("held"), told.get("restricted")) == (held, restricted)
        gone = not held and not restricted
        if not before or alerts or clips.ending or not (known or gone):
            self._log.write(Event.PICTURES_RENEWED, "system", facts=facts)
