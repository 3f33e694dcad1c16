"""Deadlines and destruction: joins cases with the shelf. Waits for disk and database, in whatever thread asks for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import structlog

from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.model import Event
from blickschutz.control.ports import Waits
from blickschutz.control.rules import stamped
from blickschutz.control.service.office import Archive, BackOffice
from blickschutz.hosts.model import HostReceipt
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import BlickschutzError, DeviceError
from blickschutz.kernel.events import Topic
from blickschutz.retention.model import CopyProof, Ending, Receipt, Removed, Stuck
from blickschutz.retention.rules import METHODS, MOST_TRIES, deadline, is_due, is_near, proof_text, receipt_text, wait_s
from blickschutz.review.model import Case, CaseState, Copy, Erasing
from blickschutz.review.rules import MORTAL, contradiction
from blickschutz.storage.reserve import Reserve

_log = structlog.get_logger(__name__)


def is_freed(log: AuditLog, clip: str, request: int) -> bool:
    """Whether the log says that the restriction of that clip by that request ended."""
    return any(entry.facts.get("request") == request for entry, _ in log.find(event=Event.CASE_FREED, subject=clip))


class Shredder:
    """Expires what is due, destroys what is to be destroyed. `drop_seconds` removes the redacted seconds of an alert.

    `set_aside` tells of each clip that does not go after several tries: it is tried again all the same, ever more rarely.
    """

    def __init__(
        self, archive: Archive, office: BackOffice, clock: Clock, drop_seconds: Callable[[int], None], safety: Waits, reserve: Reserve
    ) -> None:
        self._shelf, self._time, self._key, self._limits = archive.shelf, archive.time, archive.key, archive.limits
        self._store, self._cases, self._quarantine, self._log = office.cases.store, office.cases, office.quarantine, office.log
        self._notes, self._ends, self._clock, self._drop_seconds = archive.notes, archive.ends, clock, drop_seconds
        self._safety, self._reserve = safety, reserve
        self._warned: set[str] = set()
        self._stuck: dict[str, Stuck] = {}
        self._shown: tuple[Stuck, ...] = ()
        self.set_aside: Topic[Stuck] = Topic()
        self._lock = threading.Lock()

    def stuck(self) -> Sequence[Stuck]:
        """Clips whose end was ordered and that did not go so far, the oldest first. Waits for nothing."""
        return self._shown

    @property
    def waits(self) -> bool:
        """Whether nothing is destroyed, because something is lost."""
        return self._safety.on

    def expire(self) -> int:
        """Order the end of all that is due, and warn of what will be; returns how many ends were ordered.

        One that cannot be ordered holds up no other; the first error is raised when all were looked at.
        """
        if self._safety.on:
            return 0
        reading, ended, failed = self._time.check(), 0, None
        if reading.suspended:
            return 0
        for case in self._store.find(states=sorted(MORTAL), most=100_000):
            try:
                ended += self._look_at(case, reading.now)
            except BlickschutzError as error:
                _log.error("deadline_not_kept", clip=case.clip, problem=str(error))
                failed = failed or error
        if failed is not None:
            raise failed
        return ended

    def _look_at(self, case: Case, now: float) -> bool:
        known = self._time.kept(stamped(case))
        if known is None:
            return False  # no stamp that is known: nothing judges it, and the page of the clock names it
        end = deadline(known, self._limits)
        # One that is still being recorded at its deadline is none: no recording takes days, only its last news was lost.
        if is_due(known, self._limits, now):
            return self._reserve.through(lambda: self._cases.expire(case, end.why.value, self._time.wall_of(end.at)))
        if is_near(known, self._limits, now) and case.clip not in self._warned:
            at = self._time.wall_of(end.at)
            self._log.write(Event.DEADLINE_NEAR, "system", case.clip, {"case": case.id, "at": at, "why": end.why.value})
            self._warned.add(case.clip)
        return False

    def work(self) -> int:
        """Destroy what is to be destroyed; returns how many clips are gone. What fails stays, and holds up no other and no start."""
        if self._safety.on:
            return 0
        # One at a time: a decision asks for it, and so does the housekeeping.
        with self._lock:
            waiting = self._store.find(states=[CaseState.DESTROYING], most=100_000)
            done = sum(self._try(case) for case in waiting)
            for clip in set(self._stuck) - {case.clip for case in waiting}:
                del self._stuck[clip]
            self._shown = tuple(sorted(self._stuck.values(), key=lambda one: one.since))
        return done

    def _try(self, case: Case) -> bool:
        before = self._stuck.get(case.clip)
        if before is not None and self._clock.monotonic() < before.next_at:
            return False
        try:
            # What ends something may take the space that is reserved for it; the row may have got further before the disk was full.
            done = self._reserve.through(lambda: self._shred(self._store.get(case.id) or case))
            self._stuck.pop(case.clip, None)
            return done
        except Exception as error:  # noqa: BLE001 - one clip must not hold up the others; it is counted, shown and tried again
            self._failed(case, before, str(error) if isinstance(error, BlickschutzError) else type(error).__name__)
            return False

    def _failed(self, case: Case, before: Stuck | None, problem: str) -> None:
        now = self._clock.monotonic()
        known = before or Stuck(case.clip, case.id, 0, problem, self._clock.now(), now)
        tries = known.tries + 1
        self._stuck[case.clip] = known = replace(known, tries=tries, problem=problem, next_at=now + wait_s(tries))
        _log.error("shredding_failed", clip=case.clip, tries=tries, problem=problem)
        if tries < MOST_TRIES or known.told:
            return
        try:
            self._log.write(Event.SHRED_FAILED, "system", case.clip, {"case": case.id, "tries": tries, "problem": problem})
        except BlickschutzError as error:
            # People are told all the same; the entry follows with the next try.
            _log.error("entry_not_written", event=Event.SHRED_FAILED.value, problem=str(error))
            return
        self._stuck[case.clip] = replace(known, told=True)
        self.set_aside.tell(known)

    def _trusted(self) -> float:
        """The time for deadlines as people read it (POSIX): what a receipt says."""
        return self._time.dated()

    # --- one clip ---

    def _shred(self, case: Case) -> bool:
        """What is done is noted in the row before and after, so that the receipt says what happened, whichever run comes to it."""
        if not self.may_go(case):
            return False
        if case.host:
            return False  # its machine destroys it, and says so: `HostedClips`
        case = self._overwritten(case)
        return self._finished(case, self._receipt(case, self._cleared(case)))

    def reported(self, case: Case, report: HostReceipt, reported: str, copies: Sequence[tuple[HostReceipt, Copy]] = ()) -> bool:
        """A host has destroyed the clip of a case whose end is ordered: what was made of it here goes, too, and that is the receipt.
        `reported` is the hash of the host's signed text, `copies` what keepers of second copies reported, with what is known of each.
        Raises `DeviceError` where something is left here.
        """
        removed = self._cleared(case)
        receipt = Receipt(
            clip=case.clip,
            case=case.id,
            camera=case.camera,
            opened=case.opened,
            destroyed=max(report.destroyed, *(one.destroyed for one, _ in copies)) if copies else report.destroyed,
            reason=case.shred_reason,
            people=list(case.shred_by),
            sha256=report.sha256,
            size=report.size,
            method=METHODS[Ending(report.ending)],
            overwritten=report.overwritten,
            derived=removed.derived + report.derived,
            absent=removed.absent and report.absent and all(one.absent for one, _ in copies),
            installation=self._key.installation,
            ending=report.ending,
            begun=report.begun,
            host=report.host,
            reported=reported,
            copies=[proof_text(_proof(one, copy)) for one, copy in copies],
        )
        return self._finished(case, receipt)

    def _cleared(self, case: Case) -> Removed:
        """All that bears the clip's name here is gone; raises `DeviceError` where it is not."""
        removed = self._shelf.remove(case.clip)
        for alert in case.alerts:
            self._drop_seconds(alert)
        if not removed.absent:
            raise DeviceError(f"something of the clip {case.clip} is still there")
        return removed

    def _finished(self, case: Case, receipt: Receipt) -> bool:
        signed = msgspec.structs.replace(receipt, signature=self._key.sign(receipt_text(receipt)).hex())
        facts: dict[str, Any] = msgspec.to_builtins(signed)
        return self._store.shredded(case, facts, receipt.destroyed)

    def may_go(self, case: Case) -> bool:
        """Asked right before: what lies beside the clip must not say otherwise. If it does, two people are asked."""
        beside = self._notes.read(case.clip)
        reason = contradiction(case, beside, lambda request: is_freed(self._log, case.clip, request), self._trusted())
        if reason is None:
            return True
        _log.error("shredding_contradicted", clip=case.clip, reason=reason.value)
        self._quarantine.contradicted(case, reason, beside.hold)
        return False

    def _overwritten(self, case: Case) -> Case:
        size = self._shelf.size(case.clip)
        if not size:
            return self._as_noted_beside(case)
        begun = self._noted(case, Erasing(size, self._trusted()))
        written = self._shelf.overwrite(case.clip)
        if written is None:
            # It went while we looked at it: this run overwrote nothing.
            return self._in_row(begun, case.erasing)
        return self._noted(begun, Erasing(written, self._trusted(), done=True))

    def _as_noted_beside(self, case: Case) -> Case:
        """The row may be older than what was done: a database that was put back, or lost its newest rows, does not know of it."""
        known = self._ends.read(case.clip)
        if known is None or (case.erasing is not None and case.erasing.done >= known.done):
            return case
        return self._in_row(case, known)

    def _noted(self, case: Case, erasing: Erasing) -> Case:
        self._ends.add(case.clip, erasing)
        return self._in_row(case, erasing)

    def _in_row(self, case: Case, erasing: Erasing | None) -> Case:
        noted = self._store.erasing(case, erasing)
        if noted is None:
            raise DeviceError(f"the case of the clip {case.clip} changed meanwhile")
        return noted

    def _receipt(self, case: Case, removed: Removed) -> Receipt:
        erasing = case.erasing
        # A boot counts on from the last time that was written, up to a minute before: nothing is done before its order.
        destroyed = max(self._trusted(), case.due, erasing.at if erasing is not None else 0.0)
        ending = Ending.VANISHED if erasing is None else Ending.OVERWRITTEN if erasing.done else Ending.INTERRUPTED
        return Receipt(
            clip=case.clip,
            case=case.id,
            camera=case.camera,
            opened=case.opened,
            destroyed=destroyed,
            reason=case.shred_reason,
            people=list(case.shred_by),
            sha256=case.sha256,
            size=case.size,
            method=METHODS[ending],
            overwritten=erasing.size if erasing is not None and ending is Ending.OVERWRITTEN else 0,
            derived=removed.derived,
            absent=removed.absent,
            installation=self._key.installation,
            ending=ending.value,
            begun=erasing.size if erasing is not None and ending is Ending.INTERRUPTED else 0,
        )


def _proof(report: HostReceipt, copy: Copy) -> CopyProof:
    return CopyProof(
        host=report.host,
        destroyed=report.destroyed,
        reason=report.reason,
        sha256=report.sha256,
        size=report.size,
        ending=report.ending,
        overwritten=report.overwritten,
        begun=report.begun,
        absent=report.absent,
        reported=copy.digest,
        store=copy.store,
    )
