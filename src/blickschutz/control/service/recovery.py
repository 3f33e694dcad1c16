"""After a start: files, rows, and what lies beside the files are brought together. Nothing is destroyed for being unknown."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial

import structlog

from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.model import Event
from blickschutz.control.service.shredding import is_freed
from blickschutz.kernel.errors import BlickschutzError, DeviceError
from blickschutz.recording.io.clipfile import ClipError, read_head
from blickschutz.recording.io.emptiness import is_empty
from blickschutz.recording.model import ClipHeader, ClipMode, ClipState
from blickschutz.retention.io.shelf import ClipShelf
from blickschutz.review.model import Beside, Case, CaseState, QuarantineReason
from blickschutz.review.ports import BesideClips
from blickschutz.review.rules import OPENABLE, REVIEWABLE, same_hold
from blickschutz.review.service import CaseDesk, QuarantineDesk

_log = structlog.get_logger(__name__)
_LONGEST_NAME = 40
# What these files are is known: no clip of this software, or one of a newer version. They are nobody's case.
_NOT_OURS = frozenset({ClipState.NO_CLIP, ClipState.UNKNOWN_VERSION})


class ClipRecovery:
    """Every file has a case or is told of; every hold stands in both places. `ours`: whether an installation of that name is this one.

    `notes` are the holds and restrictions beside the clips, `now` is the time for deadlines.
    """

    def __init__(
        self,
        cases: CaseDesk,
        quarantine: QuarantineDesk,
        notes: BesideClips,
        shelf: ClipShelf,
        log: AuditLog,
        ours: Callable[[str], bool],
        now: Callable[[], float],
    ) -> None:
        self._cases, self._store, self._quarantine = cases, cases.store, quarantine
        self._notes, self._shelf, self._log, self._ours, self._now = notes, shelf, log, ours, now
        self._seen: frozenset[str] = frozenset()

    def holds(self) -> None:
        """A hold that only one side knows is put right on the other: nothing that somebody held ends because a row was lost."""
        self._notes.tidy()
        for case in self._store.find(states=sorted(OPENABLE), most=100_000):
            self._each(case.clip, partial(self._hold, case))

    def restrictions(self) -> None:
        """A restriction that lies beside a clip, and of which neither its row nor the log knows anything, takes two people."""
        for case in self._store.find(states=sorted(REVIEWABLE), most=100_000):
            self._each(case.clip, partial(self._restriction, case))

    def files(self, living: Collection[str] = ()) -> None:
        """Files that no case knows, or of a case that is over. While no cell runs but those of the cameras `living`, which lived on: what
        they may be writing they tell of, and what they do not is looked at again within a day.
        """
        try:
            for name in self._shelf.rename():
                _log.error("clip_renamed", clip=name)
        except BlickschutzError as error:
            _log.error("clip_not_renamed", problem=str(error))
        for clip in self.strays():
            if not (living and self._may_be_written(clip, living)):
                self._each(clip, partial(self._file, clip))
        self.orphans()

    def _may_be_written(self, clip: str, living: Collection[str]) -> bool:
        """A file without a whole head may be one that was begun this very moment."""
        try:
            return read_head(self._shelf.path(clip)).header.camera in living
        except ClipError:
            return True

    def orphans(self) -> None:
        """What lies beside a clip that is gone, and that no case knows: told as long as the hold would last, then removed."""
        for clip in sorted(self._notes.clips() - self._shelf.clips()):
            self._each(clip, partial(self._orphan, clip))

    def look_again(self) -> None:
        """The same while cells run: a file that was just begun is known in a moment, so only what was unknown before counts."""
        found = self.strays()
        for clip in found:
            if clip in self._seen:
                self._each(clip, partial(self._file, clip))
        self._seen = frozenset(found)
        self.orphans()

    def strays(self) -> list[str]:
        """The names of files that should not be there: no case knows them, or theirs is over."""
        return [clip for clip in sorted(self._shelf.clips()) if (case := self._known(clip)) is None or case.state is CaseState.DESTROYED]

    def _known(self, clip: str) -> Case | None:
        try:
            return self._store.by_clip(clip)
        except BlickschutzError:
            # A row that cannot be read is a row: the clip is nobody's to take.
            return Case(0, clip, "", "", "", 0.0, CaseState.QUARANTINED)

    def _each(self, clip: str, step: Callable[[], None]) -> None:
        """One that fails holds up no other; it is looked at again at the next start."""
        try:
            step()
        except BlickschutzError as error:
            _log.error("clip_not_recovered", clip=clip, problem=str(error))

    # --- what lies beside ---

    def _hold(self, case: Case) -> None:
        if self._shelf.size(case.clip) is None:
            return
        beside = self._notes.read(case.clip)
        if beside.damaged:
            # The row is believed as long as it says that the clip is kept; at its end two people are asked.
            self._log.write(Event.NOTE_DAMAGED, "system", case.clip, {"case": case.id})
            return
        hold, known = beside.hold, case.hold if case.state is CaseState.HELD else None
        if same_hold(hold, known):
            return
        # Of two the longer one: what keeps a clip is never shortened by what was found.
        is_longer = hold is not None and (known is None or hold.until > known.until)
        if hold is not None and is_longer and hold.in_force and hold.until > self._now():
            self._cases.restore(case, hold)
        elif known is not None:
            self._notes.keep(case.clip, known, case.restricted)

    def _restriction(self, case: Case) -> None:
        beside = self._notes.read(case.clip)
        unknown = [number for number in beside.restricted if number not in case.restricted]
        if not unknown:
            return
        if all(is_freed(self._log, case.clip, number) for number in unknown):
            self._notes.keep(case.clip, beside.hold, case.restricted)
        else:
            self._quarantine.contradicted(case, QuarantineReason.RESTRICTED_BESIDE, beside.hold)

    # --- files ---

    def _file(self, clip: str) -> None:
        case = self._store.by_clip(clip)
        if case is None:
            self._unknown(clip)
        elif case.state is CaseState.DESTROYED:
            self._back(case)

    def _orphan(self, clip: str) -> None:
        case = self._known(clip)
        if case is not None and case.state is not CaseState.DESTROYED:
            return
        hold = self._notes.read(clip).hold
        if hold is not None and hold.until > self._now():
            self._log.write(Event.MISSING_FILE, "system", clip, {"held_until": hold.until, "by": list(hold.by)})
        else:
            self._notes.keep(clip, None, ())

    def _back(self, case: Case) -> None:
        """A clip that was destroyed lies there again. The very same is destroyed again, by the order that there is; no other is."""
        beside = self._notes.read(case.clip)
        if self._hashed(case).sha256 == case.sha256 and beside == Beside():
            self._cases.bring_back(case)
        else:
            self._quarantine.contradicted(case, QuarantineReason.CHANGED, beside.hold)

    def _unknown(self, clip: str) -> None:
        try:
            header = read_head(self._shelf.path(clip)).header
        except ClipError as error:
            self._unreadable(clip, error)
            return
        if not self._ours(header.installation):
            self._tell(clip, "the clip belongs to another installation")
        elif len(clip) > _LONGEST_NAME:
            self._tell(clip, "the clip's name is none of ours")
        elif header.clip == clip and self._is_nothing(clip):
            self._remove(clip, "nothing was recorded yet")
        else:
            reason = QuarantineReason.NO_ROW if header.clip == clip else QuarantineReason.RENAMED
            self._keep(self._of(clip, header), reason)

    def _unreadable(self, clip: str, error: ClipError) -> None:
        if self._is_nothing(clip):
            self._remove(clip, str(error))
        elif error.state in _NOT_OURS or len(clip) > _LONGEST_NAME:
            self._tell(clip, str(error))
        else:
            self._keep(Case(0, clip, "", ClipMode.SEALED.value, "", 0.0, CaseState.QUARANTINED), QuarantineReason.HEAD_DAMAGED)

    def _is_nothing(self, clip: str) -> bool:
        """Whether there is no picture in the file and nothing beside it."""
        return is_empty(self._shelf.path(clip)) and self._notes.read(clip) == Beside()

    def _of(self, clip: str, header: ClipHeader) -> Case:
        # What is not over yet by the time for deadlines cannot have begun later.
        opened = min(header.opened, self._now())
        return Case(0, clip, header.camera, header.mode.value, header.cause, opened, CaseState.QUARANTINED)

    def _keep(self, case: Case, reason: QuarantineReason) -> None:
        beside = self._notes.read(case.clip)
        hold = beside.hold if beside.hold is not None and beside.hold.in_force else None
        self._quarantine.found(replace(self._hashed(case), hold=hold), QuarantineReason.NOTE_DAMAGED if beside.damaged else reason)

    def _hashed(self, case: Case) -> Case:
        """Size, hash, and as the file's time says when the last group was written."""
        try:
            with self._shelf.path(case.clip).open("rb") as file:
                digest, found = hashlib.file_digest(file, "sha256").hexdigest(), os.fstat(file.fileno())
        except OSError as error:
            raise DeviceError(f"{case.clip} cannot be read: {error.strerror}") from error
        opened = case.opened or found.st_mtime
        seconds = round(max(0.0, found.st_mtime - opened), 2)
        return replace(case, opened=opened, closed=found.st_mtime, seconds=seconds, size=found.st_size, sha256=digest)

    def _remove(self, clip: str, why: str) -> None:
        """There is provably nothing in it, and nobody has its key."""
        self._log.write(Event.MISSING_ROW, "system", clip, {"problem": why, "removed": True})
        self._shelf.overwrite(clip)
        self._shelf.remove(clip)

    def _tell(self, clip: str, why: str) -> None:
        self._log.write(Event.MISSING_ROW, "system", clip, {"problem": why, "removed": False})
