"""The desk of settings: proposals, the second person, the file, and the way back. One at a time, whoever asks."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import structlog

from blickschutz.access.voices import Decision, Lack, Voices
from blickschutz.config.loader import parse_site
from blickschutz.config.model import SiteFile
from blickschutz.kernel.errors import DeviceError, SettingsError
from blickschutz.settings.model import (
    Difference,
    Edit,
    HandEdit,
    Looked,
    Made,
    Noted,
    Origin,
    Path,
    Proposal,
    Reach,
    Refused,
    State,
    Why,
)
from blickschutz.settings.ports import ClashError, File, ReadOnlyError, Running, Store
from blickschutz.settings.rules.changes import (
    as_edits,
    clashes,
    differences,
    needs_restart,
    needs_second,
    reversed_,
    touches_anchors,
    touches_people,
)
from blickschutz.settings.rules.document import bare, like, plain, written

_log = structlog.get_logger(__name__)
# Who edits the file by hand is known to the machine alone.
BY_HAND = "site-file"
_MOST, _MOST_REASON = 200, 500


class SettingsDesk:
    """Not in the event loop: it reads the disk, asks rules and documents, and waits for whoever is before.

    `file` is None where the settings in force are not those of a file (a demonstration): then nothing can be changed here.
    """

    def __init__(self, file: File | None, text: str, store: Store, running: Running, voices: Voices) -> None:
        self._file, self._store, self._running, self._voices = file, store, running, voices
        # In force is what this text says, but for what waits for a restart since `_started`.
        self._started = self._text = text
        self._lock = threading.RLock()

    # --- what can be seen ---

    @property
    def changeable(self) -> bool:
        """Whether the settings in force are those of a file that is known."""
        return self._file is not None

    @property
    def text(self) -> str:
        """The file as it was put in force last."""
        return self._text

    def proposals(self, most: int = _MOST) -> list[Proposal]:
        """What waits and what was, the newest first."""
        return self._store.all(most)

    def proposal(self, number: int) -> Proposal | None:
        return self._store.get(number)

    def waiting(self) -> list[Proposal]:
        """Those that wait for a second person, the oldest first."""
        return [one for one in reversed(self._store.all(_MOST)) if one.state is State.WAITING]

    def pending(self) -> tuple[str, ...]:
        """The keys of the file that come into force with the next start."""
        return needs_restart(differences(plain(self._started), plain(self._text)))

    def unread(self) -> tuple[Difference, ...]:
        """What somebody changed in the file by hand and nobody applied yet. Raises `DeviceError`, `SettingsError`."""
        return differences(plain(self._text), plain(self._file.read())) if self._file is not None else ()

    # --- before anything is made ---

    def look(self, edits: Sequence[Edit], language: str) -> Looked | Refused:
        """What a change would do. Nothing is kept."""
        with self._lock:
            return self._looked(edits, {}, "", language)

    def look_again(self, proposal: Proposal, language: str) -> Looked | Refused:
        """The same for a proposal that waits, with the file and the settings as they are now."""
        with self._lock:
            return self._of(proposal, language)

    # --- acts ---

    def propose(self, by: str, edits: Sequence[Edit], reason: str = "", language: str = "de") -> Proposal | Refused:
        """Propose a change. One that takes no second person is applied at once, and comes back so."""
        with self._lock:
            looked = self._looked(edits, {}, "", language)
            if isinstance(looked, Refused):
                return looked
            return self._kept(looked, by, reason, language)

    def confirm(self, number: int, by: str, language: str = "de") -> Proposal | Refused:
        """The second person puts a proposal in force. Whoever made it cannot."""
        with self._lock:
            found = self._store.get(number)
            if found is None or found.state is not State.WAITING:
                return Refused(Why.GONE)
            lack = self._voices.lack(Decision.SETTINGS, (found.by,), by)
            if lack is not None:
                return Refused({Lack.SAME: Why.SAME, Lack.LEFT: Why.LEFT, Lack.MAY_NOT: Why.GONE}[lack])
            return self._applied(found, by, language)

    def withdraw(self, number: int, by: str) -> Refused | None:
        """Nothing comes of a proposal: whoever made it changed their mind, or the second person declines."""
        with self._lock:
            return None if self._store.turn(number, State.WAITING, State.WITHDRAWN, by) is not None else Refused(Why.GONE)

    def undo(self, number: int, by: str, language: str = "de") -> Proposal | Refused:
        """Propose the values from before a change that was made; the same rules hold for it."""
        with self._lock:
            made = self._store.get(number)
            if made is None or made.state is not State.APPLIED:
                return Refused(Why.GONE)
            wanted = reversed_(made.differences)
            looked = self._planned(wanted, self._former(made), language)
            if isinstance(looked, Refused):
                return looked
            return self._kept(looked, by, "", language, undoes=number)

    def hand_edit(self, language: str = "de") -> HandEdit | Refused:
        """What somebody wrote into the file by hand, and what it would do; `NOTHING` where nobody did. Nothing is kept."""
        with self._lock:
            found = self._by_hand(language)
            if isinstance(found, Refused):
                return found
            text, looked = found
            return HandEdit(looked.differences, looked.effects, self._mark(text))

    def reload(self, language: str = "de", by: str = BY_HAND, seen: str = "") -> Proposal | Refused:
        """Put in force what somebody wrote into the file by hand; it stands in history and log like any other change.

        `by` saw it on a page: exactly that (`HandEdit.seen`) is put in force. At the machine itself nobody is asked what they saw.
        """
        with self._lock:
            outcome = self._taken(language, by, seen)
            self._note(outcome)
            return outcome

    def begin(self) -> None:
        """At a start, after a crash between file and row too: the file says what became of it. Raises `DeviceError`."""
        if self._file is None:
            return
        with self._lock:
            self._file.keep(self._text)
            self._note()
            for one in self._store.all(_MOST):
                if one.state is State.WRITING:
                    done = hash_of(self._file.read()) == one.after
                    back = State.APPLIED if done else State.WAITING if one.second else State.WITHDRAWN
                    self._store.turn(one.number, State.WRITING, back, one.decided_by)

    # --- how ---

    def _note(self, asked: Proposal | Refused | None = None) -> None:
        """Other programs learn what is in force, and what became of what they asked for."""
        if self._file is None:
            return
        before, now = self._file.noted() or Noted(""), hash_of(self._text)
        if asked is None:
            self._file.note(Noted(now, before.asked, before.turn, before.why, before.lines, self.pending()))
            return
        why, lines = (asked.why.value, _in_words(asked)) if isinstance(asked, Refused) else ("", ())
        try:
            file = hash_of(self._file.read())
        except DeviceError:
            file = ""
        self._file.note(Noted(now, file, before.turn + 1, why, lines, self.pending()))

    def _kept(self, looked: Looked, by: str, reason: str, language: str, undoes: int = 0) -> Proposal | Refused:
        new = Proposal(
            number=0,
            by=by,
            at=0.0,
            differences=looked.differences,
            reason=reason.strip()[:_MOST_REASON],
            second=looked.second,
            before=hash_of(self._text),
            undoes=undoes,
        )
        proposal = self._store.add(new)
        return proposal if proposal.second else self._applied(proposal, by, language)

    def _looked(self, edits: Sequence[Edit], places: Mapping[Path, int], former: str, language: str) -> Looked | Refused:
        if self._file is None:
            return Refused(Why.DEMO)
        try:
            now = self._file.read()
        except DeviceError as error:
            return Refused(Why.DEVICE, (str(error),))
        return self._judged(now, edits, places, former, language)

    def _judged(self, now: str, edits: Sequence[Edit], places: Mapping[Path, int], former: str, language: str) -> Looked | Refused:
        """Write it into the text `now`, and ask all that has a say."""
        assert self._file is not None
        try:
            text = like(now, written(bare(now), edits, former, places))
            wanted = differences(plain(now), plain(text))
        except SettingsError as error:
            return Refused(Why.FORM, (str(error),))
        if not wanted:
            return Refused(Why.NOTHING)
        if touches_people(wanted):
            return Refused(Why.ACCOUNTS)
        if anchors := touches_anchors(wanted):
            return Refused(Why.ANCHOR, keys=anchors)
        return self._allowed(now, text, wanted, language)

    def _allowed(self, now: str, text: str, wanted: Sequence[Difference], language: str) -> Looked | Refused:
        assert self._file is not None
        try:
            site = site_of(text, self._file.name, language)
            self._running.prepare(site)
            effects = self._running.effects(site_of(now, self._file.name, language), site, wanted)
        except SettingsError as error:
            return Refused(Why.FILE, tuple(str(error).splitlines()))
        if effects.against:
            return Refused(Why.LAW, against=effects.against)
        return Looked(tuple(wanted), effects, needs_second(wanted), text)

    def _of(self, proposal: Proposal, language: str) -> Looked | Refused:
        former = self._former(self._store.get(proposal.undoes)) if proposal.undoes else ""
        return self._planned(proposal.differences, former, language)

    def _planned(self, wanted: Sequence[Difference], former: str, language: str) -> Looked | Refused:
        """A change whose keys have to stand as they were when somebody thought of it; all else may be another by now."""
        if self._file is None:
            return Refused(Why.DEMO)
        try:
            now = self._file.read()
            clash = clashes(plain(now), wanted)
        except DeviceError as error:
            return Refused(Why.DEVICE, (str(error),))
        except SettingsError as error:
            return Refused(Why.FILE, (f"{self._file.name}: {error}",))
        if clash:
            return Refused(Why.CLASH, keys=clash)
        places = {one.path: one.place for one in wanted if one.has and one.place >= 0}
        return self._judged(now, as_edits(wanted), places, former, language)

    def _former(self, made: Proposal | None) -> str:
        return (self._file.version(made.before) or "") if made is not None and self._file is not None else ""

    def _applied(self, proposal: Proposal, by: str, language: str) -> Proposal | Refused:
        """Write it, and put it in force. What somebody wrote by hand meanwhile comes first: nobody confirms what they did not see."""
        assert self._file is not None
        edited = self._by_hand(language)
        if not isinstance(edited, Refused):
            return self._given_back(proposal, by, Refused(Why.BY_HAND, keys=tuple(one.key for one in edited[1].differences)))
        if edited.why is not Why.NOTHING:
            refused = Refused(Why.BY_HAND, _in_words(edited)) if edited.why is Why.LAW else edited
            return self._given_back(proposal, by, refused)
        looked = self._of(proposal, language)
        if isinstance(looked, Refused):
            return self._given_back(proposal, by, looked)
        now = self._text
        text = self._whole_undo(proposal, now) or looked.text
        made = Made(hash_of(now), hash_of(text), needs_restart(looked.differences))
        go = self._running.prepare(site_of(text, self._file.name, language))
        if self._store.turn(proposal.number, State.WAITING, State.WRITING, by, made) is None:
            return Refused(Why.GONE)
        try:
            self._file.write(text, now)
        except (ClashError, DeviceError) as error:
            back = State.WAITING if proposal.second else State.WITHDRAWN
            self._store.turn(proposal.number, State.WRITING, back, "" if proposal.second else by)
            return Refused(Why.READ_ONLY if isinstance(error, ReadOnlyError) else Why.DEVICE, (str(error),))
        found = self._store.turn(proposal.number, State.WRITING, State.APPLIED, by, made)
        self._in_force(text, go)
        return found or replace(proposal, state=State.APPLIED)

    def _given_back(self, proposal: Proposal, by: str, refused: Refused) -> Refused:
        """What clashes never fits again; what stands against it otherwise may be mended. Nobody waits for one that took no second."""
        if refused.why in {Why.CLASH, Why.NOTHING, Why.FORM}:
            self._store.turn(proposal.number, State.WAITING, State.OVERTAKEN, by)
        elif not proposal.second:
            self._store.turn(proposal.number, State.WAITING, State.WITHDRAWN, by)
        return refused

    def _whole_undo(self, proposal: Proposal, now: str) -> str:
        """The very bytes from before, where nothing else happened since; empty where something did."""
        made = self._store.get(proposal.undoes) if proposal.undoes else None
        return self._former(made) if made is not None and made.after == hash_of(now) else ""

    def _mark(self, now: str) -> str:
        """Names what is in force and what the file says: who saw the difference of these two saw no other."""
        return hash_of(f"{hash_of(self._text)} {hash_of(now)}")

    def _by_hand(self, language: str) -> tuple[str, Looked] | Refused:
        """The file as somebody left it, and what it would do."""
        if self._file is None:
            return Refused(Why.DEMO)
        try:
            now = self._file.read()
            wanted = differences(plain(self._text), plain(now))
        except DeviceError as error:
            return Refused(Why.DEVICE, (str(error),))
        except SettingsError as error:
            return Refused(Why.FILE, (f"{self._file.name}: {error}",))
        if not wanted:
            if now != self._text:
                # Comments and order alone: nothing is in force that was not, and the next change begins from here.
                self._file.keep(self._text)
                self._text = now
            return Refused(Why.NOTHING)
        looked = self._allowed(self._text, now, wanted, language)
        return looked if isinstance(looked, Refused) else (now, looked)

    def _taken(self, language: str, by: str, seen: str) -> Proposal | Refused:
        """The file as somebody left it, put in force."""
        edited = self._by_hand(language)
        if isinstance(edited, Refused):
            return edited
        now, wanted = edited[0], edited[1].differences
        if seen and seen != self._mark(now):
            return Refused(Why.OTHER)
        assert self._file is not None
        try:
            go = self._running.prepare(site_of(now, self._file.name, language))
            self._file.keep(self._text)
            self._file.keep(now)
        except SettingsError as error:
            return Refused(Why.FILE, tuple(str(error).splitlines()))
        except DeviceError as error:
            return Refused(Why.DEVICE, (str(error),))
        made = Made(hash_of(self._text), hash_of(now), needs_restart(wanted))
        known = self._store.add(Proposal(0, BY_HAND, 0.0, wanted, origin=Origin.FILE, second=False, before=made.before))
        found = self._store.turn(known.number, State.WAITING, State.APPLIED, by, made)
        self._in_force(now, go)
        return found or known

    def _in_force(self, text: str, go: Callable[[], Mapping[str, Reach]]) -> None:
        self._text = text
        touched = go()
        self._note()
        _log.info("settings_in_force", cameras={name: reach.value for name, reach in touched.items()})


def _in_words(refused: Refused) -> tuple[str, ...]:
    rules = (f"{one.rule} ({one.source}): {' / '.join(one.text)}" for one in refused.against)
    return (*refused.lines, *refused.keys, *rules)


def site_of(text: str, name: str, language: str) -> SiteFile:
    """The settings that a file says. Raises `SettingsError`."""
    return parse_site(bare(text), name, language)


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
