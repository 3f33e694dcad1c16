"""Deadlines and destruction: joins cases with the shelf. Run in the thread of disk and database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import msgspec
import structlog

from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.model import Event
from blickschutz.config.model import SiteFile
from blickschutz.control.service.office import Archive
from blickschutz.kernel.errors import DeviceError
from blickschutz.retention.model import Kept, Limits, Receipt
from blickschutz.retention.rules import METHOD, deadline, is_due, is_near, receipt_text
from blickschutz.review.model import Case, CaseState
from blickschutz.review.rules import THERE
from blickschutz.review.service import CaseDesk

_log = structlog.get_logger(__name__)
_HOUR_S, _DAY_S = 3600.0, 86_400.0


def limits_of(site: SiteFile) -> Limits:
    """The limits of a site file."""
    return Limits(site.retention.unreviewed_hours * _HOUR_S, site.retention.hard_limit_days * _DAY_S)


def kept(case: Case) -> Kept:
    """A case as the deadlines see it."""
    held_until = case.hold.until if case.hold is not None and case.hold.in_force else None
    return Kept(case.clip, case.opened, held_until, bool(case.restricted))


class Shredder:
    """Expires what is due, destroys what is to be destroyed. `drop_seconds` removes the redacted seconds of an alert."""

    def __init__(self, archive: Archive, cases: CaseDesk, log: AuditLog, drop_seconds: Callable[[int], None]) -> None:
        self._shelf, self._time, self._key, self._limits = archive.shelf, archive.time, archive.key, archive.limits
        self._store, self._cases, self._log, self._drop_seconds = cases.store, cases, log, drop_seconds
        self._warned: set[str] = set()
        self._lock = threading.Lock()

    def expire(self) -> int:
        """Order the end of all that is due, and warn of what will be; returns how many ends were ordered."""
        now, ended = self._time.now(), 0
        for case in self._store.find(states=sorted(THERE - {CaseState.RECORDING}), most=100_000):
            known = kept(case)
            if is_due(known, self._limits, now):
                ended += self._cases.expire(case, deadline(known, self._limits).why.value)
            elif is_near(known, self._limits, now) and case.clip not in self._warned:
                self._warned.add(case.clip)
                end = deadline(known, self._limits)
                self._log.write(Event.DEADLINE_NEAR, "system", case.clip, {"case": case.id, "at": end.at, "why": end.why.value})
        return ended

    def work(self) -> int:
        """Destroy what is to be destroyed; returns how many clips are gone. What fails stays, is tried again, and holds up no other.

        Raises the first `DeviceError` when all were tried.
        """
        done, failed = 0, None
        # One at a time: a decision asks for it, and so does the housekeeping.
        with self._lock:
            for case in self._store.find(states=[CaseState.DESTROYING], most=100_000):
                try:
                    done += self._shred(case)
                except DeviceError as error:
                    _log.error("shredding_failed", clip=case.clip, problem=str(error))
                    failed = failed or error
        if failed is not None:
            raise failed
        return done

    def _shred(self, case: Case) -> bool:
        for alert in case.alerts:
            self._drop_seconds(alert)
        result = self._shelf.destroy(case.clip)
        if not result.absent:
            raise DeviceError(f"something of the clip {case.clip} is still there")
        now = self._time.now()
        receipt = Receipt(
            clip=case.clip,
            case=case.id,
            camera=case.camera,
            opened=case.opened,
            destroyed=now,
            reason=case.shred_reason,
            people=list(case.shred_by),
            sha256=case.sha256,
            size=case.size,
            method=METHOD,
            overwritten=result.overwritten,
            derived=result.derived,
            absent=result.absent,
            installation=self._key.installation,
        )
        signed = msgspec.structs.replace(receipt, signature=self._key.sign(receipt_text(receipt)).hex())
        facts: dict[str, Any] = msgspec.to_builtins(signed)
        return self._store.shredded(case, facts, now)
