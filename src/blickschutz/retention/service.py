"""The time for deadlines: counts, asks all sources, suspends, and lets two people decide."""

from __future__ import annotations

import dataclasses
import secrets
import threading
from collections.abc import Sequence

import structlog
from msgspec.structs import replace

from blickschutz.kernel.errors import DeviceError
from blickschutz.kernel.events import Topic
from blickschutz.retention.model import (
    FAULTS,
    Adopted,
    Basis,
    Change,
    Choice,
    Confirmed,
    Decided,
    Kept,
    Limits,
    Proposal,
    Reading,
    Reason,
    Record,
    Sample,
    Stamp,
    StampedClip,
    TimeView,
    Trust,
    Void,
)
from blickschutz.retention.ports import Clips, Journal, RecordFile, Sources
from blickschutz.retention.rules import decisions
from blickschutz.retention.rules import time as rules

_log = structlog.get_logger(__name__)
_WRITE_EVERY_S = 60.0
_FORGET_EVERY_S = 3600.0


class RetentionTime:
    """See `docs/design/time.md`. `now`, `reading` and `suspended` touch no disk; all else may, and belongs into a thread.

    `changed` tells what happened by itself, in the thread of whoever looked. Safe to be called from several threads.
    """

    def __init__(
        self, sources: Sources, file: RecordFile, clips: Clips, journal: Journal, limits: Limits, trust: Trust | None = None
    ) -> None:
        self._sources, self._file, self._clips, self._journal, self._limits = sources, file, clips, journal, limits
        self._trust = trust or Trust()
        self.changed: Topic[Change] = Topic()
        self._lock = threading.RLock()
        self._proposal: Proposal | None = None
        self._proposals = 0
        self._unsaved = ""
        self._written_at = self._forgot_at = float("-inf")
        self._untold: list[Change] = []
        self._booted = self._looked = False
        self._record = self._begin()

    # --- at the start ---

    def _begin(self) -> Record:
        sample, found, clips = self._sources.sample(), self._file.read(), self._clips.stamped()
        serial = self._journal.serial()
        if isinstance(found, Record):
            found = self._finished(found, serial)
            # What was counted and decided since is missing in an older file, so no number in it can be compared with any other.
            found = Reason.FILE_OLDER if found.serial < serial else found
        if isinstance(found, Record | float):
            known = found if isinstance(found, Record) else rules.from_mark(_new_name(), found)
            record, self._booted = rules.continued(known, sample, clips)
            is_fault = record.suspension is not None and record.suspension.reason in FAULTS
            after = rules.faulty(record, sample, Reason.EPOCH_UNKNOWN) if not is_fault and rules.unknown(record, clips) else record
        else:
            if found is not None:
                self._file.set_aside()
            fault = found if found is not None else Reason.FILE_MISSING if clips or self._journal.begun() else None
            after = rules.fresh(_new_name(), sample, self._trust, fault)
            record = replace(after, suspension=None)
        self._untold = list(rules.changes(record, after))
        return replace(after, serial=max(serial, after.serial))

    @staticmethod
    def _finished(record: Record, serial: int) -> Record:
        """A decision that was prepared is in force if the log has it, and never was one if not."""
        if record.decided is None:
            return record
        if serial < record.decided.serial:
            return replace(record, decided=None)
        return _in_force(record, record.decided)

    # --- the time ---

    def now(self) -> float:
        """Retention time. What is to last stores a `Stamp`, not this: a gap that is settled moves it."""
        return rules.retention(self._record, self._sources.boottime())

    def reading(self) -> Reading:
        """The time to judge by, as of the last look; suspended before the first."""
        record = self._record
        return Reading(rules.retention(record, self._sources.boottime()), record.suspension is not None or not self._looked)

    @property
    def suspended(self) -> str:
        """Why nothing may be judged; empty where that is not so. As of the last look, no disk."""
        suspension = self._record.suspension
        return suspension.reason.value if suspension is not None else ""

    def check(self) -> Reading:
        """Look at all sources, then as `reading`. To be called before deadlines are judged, at least every few seconds."""
        with self._lock:
            sample = self._look()
            return Reading(rules.retention(self._record, sample.boottime), self._record.suspension is not None)

    def stamp(self) -> Stamp:
        """What a clip that opens now is stamped with."""
        with self._lock:
            sample = self._look()
            return Stamp(rules.newest(self._record).id, sample.boottime)

    def at(self, stamp: Stamp) -> float | None:
        """When a stamp was, in retention time; None where this count does not know it."""
        return rules.resolve(self._record, stamp)

    def kept(self, clip: StampedClip) -> Kept | None:
        """A clip as deadlines see it; None where its stamp is not known, so that nothing judges it."""
        return rules.kept(self._record, clip)

    def retention_of(self, wall: float) -> float:
        """A date that people choose (POSIX), as retention time: what a hold is judged by. By the last agreed difference."""
        return wall - self._record.offset

    def wall_of(self, retention: float) -> float:
        """Retention time as people read it (POSIX): when a deadline will be, when something was destroyed."""
        return rules.wall_of(self._record, retention)

    def dated(self) -> float:
        """The wall time of this moment (POSIX), as a receipt says it: as counted, whatever the machine's clock does.

        Without a count that can be believed (`FAULTS`) it is the machine's clock, where that shows a time that can be.
        """
        record, boottime = self._record, self._sources.boottime()
        wall = record.last.wall + boottime - record.last.boottime
        if record.suspension is not None and record.suspension.reason in FAULTS and rules.is_usable(wall, self._trust):
            return wall
        return rules.wall_of(record, rules.retention(record, boottime))

    def adoptions(self) -> dict[str, Adopted]:
        """Stamps for clips from before there were any, to be written into their rows.

        None while the file is at fault: two people decide then.
        """
        with self._lock:
            sample, record = self._look(), self._record
            if record.suspension is not None and record.suspension.reason in FAULTS:
                return {}
            bare = [clip for clip in self._clips.stamped() if clip.stamp is None]
            return decisions.adopted(record, bare, rules.retention(record, sample.boottime), Basis.WALL, self._trust)

    def _look(self) -> Sample:
        """What follows from all sources, in force and on disk. What loosens is in force once it is on disk, what binds at once."""
        sample, before = self._sources.sample(), self._record
        after = rules.observed(before, sample, self._trust, booted=self._booted)
        if sample.boottime - self._forgot_at >= _FORGET_EVERY_S:
            self._forgot_at = sample.boottime
            bare = rules.adopted_epoch(after)
            after = rules.forgotten(after, {clip.stamp.epoch if clip.stamp is not None else bare for clip in self._clips.stamped()})
        changes = [*self._untold, *rules.changes(before, after)]
        if changes or self._unsaved or _differs(before, after) or sample.boottime - self._written_at >= _WRITE_EVERY_S:
            saved = replace(after, serial=before.serial + 1) if changes else after
            if self._save(saved):
                after = saved
            elif _loosens(before, after):
                self._record, self._looked = replace(before, last=after.last), True
                return sample
        self._record, self._untold, self._looked, self._booted = after, [], True, False
        self._tell(changes, after.serial)
        return sample

    def _tell(self, changes: Sequence[Change], serial: int) -> None:
        errors: list[Exception] = []
        for change in changes:
            try:
                self.changed.tell(dataclasses.replace(change, serial=serial))
            except ExceptionGroup as error:
                errors.append(error)
        if errors:
            raise ExceptionGroup("not everybody could be told of the time", errors)

    def _save(self, record: Record) -> bool:
        try:
            self._file.write(record)
        except DeviceError as error:
            if not self._unsaved:
                _log.error("time_not_saved", problem=str(error))
            self._unsaved = str(error)
            return False
        self._unsaved, self._written_at = "", record.last.boottime
        return True

    # --- two people ---

    def view(self) -> TimeView:
        """All that a person has to see before they decide."""
        with self._lock:
            sample, clips = self._look(), self._clips.stamped()
            record, now = self._record, rules.retention(self._record, sample.boottime)
            if self._proposal is not None and self._void(self._proposal, sample) is not None:
                self._proposal = None
            suspension = record.suspension
            possible = decisions.choices(record, sample, self._trust)
            return TimeView(
                reason=suspension.reason if suspension is not None else None,
                since=rules.wall_of(record, suspension.since) if suspension is not None else None,
                wall=sample.wall,
                counted=rules.wall_of(record, now),
                synchronised=sample.synchronised,
                claim=record.claim,
                choices=tuple(self._choice(sample, basis, seconds, clips) for basis, seconds in possible),
                proposal=self._proposal,
                unjudged=tuple(clip.clip for clip in clips if rules.kept(record, clip) is None),
                unsaved=self._unsaved,
            )

    def propose(self, by: str, basis: Basis) -> Proposal | Void:
        """One person proposes; a proposal from before is gone."""
        with self._lock:
            sample, record = self._look(), self._record
            if record.suspension is None:
                return Void.NOT_SUSPENDED
            seconds = dict(decisions.choices(record, sample, self._trust)).get(basis)
            if seconds is None:
                return Void.NOT_POSSIBLE
            choice = self._choice(sample, basis, seconds, self._clips.stamped())
            self._proposals += 1
            ahead, now = rules.ahead(record, sample), rules.retention(record, sample.boottime)
            self._proposal = Proposal(self._proposals, by, choice, record.suspension.reason, ahead, now)
            return self._proposal

    def confirm(self, by: str, number: int) -> Confirmed | Void:
        """Another person confirms exactly the proposal with that number.

        Raises `DeviceError` where it cannot be kept; nothing changed then.
        """
        with self._lock:
            sample, proposal = self._look(), self._proposal
            if proposal is None or proposal.number != number:
                return Void.GONE
            if by == proposal.by:
                return Void.SAME_PERSON
            if (void := self._void(proposal, sample)) is not None:
                self._proposal = None
                return void
            record, choice = self._record, proposal.choice
            after = decisions.decided(record, sample, choice.basis, choice.seconds)
            outcome = Decided(serial=record.serial + 1, epochs=after.epochs, offset=after.offset, sourced=after.sourced)
            decision = Confirmed(
                basis=choice.basis,
                people=(proposal.by, by),
                reason=proposal.reason,
                seconds=choice.seconds,
                due=choice.due,
                serial=outcome.serial,
                stamps=decisions.stamps(record, self._clips.stamped(), sample, choice.basis, choice.seconds, self._trust),
            )
            self._file.write(replace(record, decided=outcome))
            self._journal.confirmed(decision)
            # From here on it is decided, whatever the disk does: after a crash the log says so.
            self._record, self._proposal = _in_force(record, outcome), None
            self._save(self._record)
            return decision

    def _void(self, proposal: Proposal, sample: Sample) -> Void | None:
        """Whether what was proposed is no longer what would follow."""
        record, choice = self._record, proposal.choice
        if record.suspension is None:
            return Void.CHANGED
        if abs(rules.ahead(record, sample) - proposal.ahead) > self._trust.step_s:
            return Void.CHANGED
        if rules.retention(record, sample.boottime) - proposal.at > self._trust.proposal_s:
            return Void.CHANGED
        # The same moment is asked about again, so that only a change of the clips makes another list.
        until, clips = proposal.at + self._trust.proposal_s, self._clips.stamped()
        again = decisions.ends(record, clips, sample, choice.basis, choice.seconds, until, self._limits, self._trust)
        return None if again == choice.due else Void.CHANGED

    def _choice(self, sample: Sample, basis: Basis, seconds: float, clips: Sequence[StampedClip]) -> Choice:
        until = rules.retention(self._record, sample.boottime) + self._trust.proposal_s
        return Choice(basis, seconds, decisions.ends(self._record, clips, sample, basis, seconds, until, self._limits, self._trust))


def _in_force(record: Record, outcome: Decided) -> Record:
    joined = rules.closed(replace(record, epochs=outcome.epochs, offset=outcome.offset, sourced=outcome.sourced))
    return replace(joined, agreed=True, serial=outcome.serial, decided=None)


def _differs(before: Record, after: Record) -> bool:
    """Whether it has to be on disk now; what moves with every look can wait a minute."""
    vouched = (before.sourced is None) is not (after.sourced is None)
    return vouched or replace(after, last=before.last, offset=before.offset, sourced=before.sourced) != before


def _loosens(before: Record, after: Record) -> bool:
    """Whether something could end under `after` that could not under `before`."""
    bases = {epoch.id: epoch.base for epoch in before.epochs}
    moved = any(epoch.base != bases.get(epoch.id, epoch.base) for epoch in after.epochs)
    return moved or (before.suspension is not None and after.suspension is None)


def _new_name() -> str:
    return secrets.token_hex(4)
