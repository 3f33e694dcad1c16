"""The floor plan of a site: one proposes a picture, another puts it in force. The log says which; the picture lies under its hash."""

from __future__ import annotations

import hashlib
import struct
import threading
from pathlib import Path

from blickschutz.access.voices import Decision, Lack, Voices
from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.io.log import Facts as LogFacts
from blickschutz.audit.model import Entry, Event
from blickschutz.compliance.floorplan import LEAST_METRES, MOST_METRES, NotTaken, form_of
from blickschutz.compliance.io.floorplan import drawn
from blickschutz.control.model import FloorPlan
from blickschutz.vault.io.files import write_private

FOLDER = "plan"


class FloorPlanDesk:
    """Proposals and what is in force. Draws and writes: not for the event loop."""

    def __init__(self, data: Path, log: AuditLog, voices: Voices) -> None:
        self._folder, self._log, self._voices, self._lock = data / FOLDER, log, voices, threading.Lock()

    def current(self) -> FloorPlan | None:
        """The plan in force; None without one, or where its picture is missing or another one."""
        return self._plan(self._newest(Event.PLAN_SET))

    def proposed(self) -> FloorPlan | None:
        """The newest proposal that nobody decided about."""
        proposal = self._newest(Event.PLAN_PROPOSED)
        decided = self._newest(Event.PLAN_SET)
        if proposal is None or (decided is not None and decided.number > proposal.number):
            return None
        return self._plan(proposal)

    def propose(self, data: bytes, metres: float, north: float, by: str) -> NotTaken | None:
        """Propose a picture whose width is `metres` of the place, with north `north` degrees clockwise from its top; why not, or None."""
        if not LEAST_METRES <= metres <= MOST_METRES:
            return NotTaken.METRES
        if not 0 <= north < 360:
            return NotTaken.NORTH
        form = form_of(data)
        if isinstance(form, NotTaken):
            return form
        picture = drawn(data, form)
        if isinstance(picture, NotTaken):
            return picture
        sha256 = hashlib.sha256(picture).hexdigest()
        width, height = struct.unpack(">II", picture[16:24])
        facts: LogFacts = {"metres": metres, "north": north, "shape": round(height / width, 6)}
        with self._lock:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            write_private(self._path(sha256), picture)
            self._log.write(Event.PLAN_PROPOSED, by, sha256, facts)
            self._tidy()
        return None

    def confirm(self, number: int, by: str) -> NotTaken | None:
        """Put the proposal with that number in force; why not, or None. Whoever proposed it cannot."""
        with self._lock:
            found = self.proposed()
            if found is None or found.number != number:
                return NotTaken.GONE
            lack = self._voices.lack(Decision.PLAN, (found.by,), by)
            if lack is not None:
                return {Lack.SAME: NotTaken.SAME, Lack.LEFT: NotTaken.LEFT, Lack.MAY_NOT: NotTaken.GONE}[lack]
            facts: LogFacts = {
                "entry": number,
                "people": [found.by, by],
                "metres": found.metres,
                "north": found.north,
                "shape": found.shape,
            }
            self._log.write(Event.PLAN_SET, by, found.sha256, facts)
            self._tidy()
        return None

    def picture(self, sha256: str) -> bytes | None:
        """The picture with that hash, of the plan in force or the proposal; None for any other, or where it is another one now."""
        known = {one.sha256 for one in (self.current(), self.proposed()) if one is not None}
        return self._read(sha256) if sha256 in known else None

    def _newest(self, event: Event) -> Entry | None:
        found = self._log.find(event=event.value, most=1)
        return found[0][0] if found else None

    def _plan(self, entry: Entry | None) -> FloorPlan | None:
        if entry is None or self._read(entry.subject) is None:
            return None
        facts = entry.facts
        metres, north, shape = (float(str(facts.get(name, 0))) for name in ("metres", "north", "shape"))
        return FloorPlan(entry.number, entry.subject, entry.by, entry.at, metres, north, shape)

    def _path(self, sha256: str) -> Path:
        return self._folder / f"{sha256}.png"

    def _read(self, sha256: str) -> bytes | None:
        try:
            data = self._path(sha256).read_bytes()
        except OSError:
            return None
        return data if hashlib.sha256(data).hexdigest() == sha256 else None

    def _tidy(self) -> None:
        """Only what is in force or proposed is kept."""
        kept = {entry.subject for entry in (self._newest(Event.PLAN_SET), self._newest(Event.PLAN_PROPOSED)) if entry is not None}
        for path in self._folder.glob("*.png"):
            if path.stem not in kept:
                path.unlink(missing_ok=True)
