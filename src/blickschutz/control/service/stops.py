"""The stop control: stops at once, is in the log, and survives a restart."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import structlog

from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.model import Event
from blickschutz.control.model import StopEntry, Stops
from blickschutz.control.ports import Do, Stoppable, StopStore
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import BlickschutzError, FaultError, StoreBusyError

_log = structlog.get_logger(__name__)
ALL = "all"


class StopControl:
    """Stops cameras and lets them go on. Not in the event loop: it waits for disk and database."""

    def __init__(self, cameras: Mapping[str, Stoppable], store: StopStore, log: AuditLog, clock: Clock, do: Do) -> None:
        self._cameras, self._store, self._log, self._clock, self._do = cameras, store, log, clock, do
        # The second is held while the log is written to, which can take a while: nobody who stops a camera waits for it.
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._last: dict[str, StopEntry] = {}
        # Each press of the button has its entry, also where the log does not take any for a while.
        self._owed: list[StopEntry] = []
        self.problem = ""

    def stop(self, camera: str, by: str, reason: str) -> None:
        """Stop one camera, or `ALL`. It stops at once; the file says so before the log does, and the log follows in any case."""
        for one in self._chosen(camera):
            self._cameras[one].stop(True)
        entry = self._keep(camera, True, by, reason)
        with self._lock:
            self._owed.append(entry)
        self._attempt(camera, lambda wait: self._save())
        self._attempt(camera, lambda wait: self._enter(wait=wait))

    def _attempt(self, camera: str, write: Callable[[bool], None]) -> None:
        """Write now, without waiting for others who wait; else later. The camera is stopped and stays so in any case."""
        try:
            write(False)
        except BlickschutzError as error:
            self.problem = str(error)
            _log.error("stop_not_written", camera=camera, problem=self.problem)
            self._do(lambda: write(True))

    def resume(self, camera: str, by: str, reason: str) -> None:
        """Let one camera, or `ALL`, go on. The entry comes first: where it cannot be written, this raises and nothing is filmed."""
        self._enter(wait=False)
        self._log.write(Event.CAMERA_RESUMED, by, camera, {"reason": reason})
        self._keep(camera, False, by, reason)
        self._save()
        for one in self._chosen(camera):
            self._cameras[one].stop(False)

    def joined(self, camera: str, cell: Stoppable) -> None:
        """A camera that comes while all others are stopped is stopped, too; so is one that was when it was taken away."""
        with self._lock:
            known = self._last.get(camera)
            others = [self._last.get(one) for one in self._cameras if one != camera]
            entry = known or (others[0] if others and all(one is not None and one.stopped for one in others) else None)
            if entry is None or not entry.stopped:
                return
            self._last[camera] = replace(entry, camera=camera)
        cell.stop(True)
        self._attempt(camera, lambda wait: self._save())

    def recover(self) -> None:
        """After a start: what was stopped stays stopped, and what was not in the log yet is written now.

        Where the file is damaged, the log says what was stopped; and where the log knows of a stop after what the file says, as that
        of a control room whose machine is lost, that one counts.
        """
        try:
            known = self._store.read()
            self._last, self._owed = {entry.camera: entry for entry in known.last}, list(known.owed)
        except FaultError as error:
            self.problem = str(error)
            _log.error("stops_damaged", problem=self.problem)
            self._last = self._from_log()
            self._save()
        else:
            logged = self._from_log().items()
            later = {camera: entry for camera, entry in logged if entry.stopped and _is_later(entry, self._last.get(camera))}
            if later:
                self._last.update(later)
                self._save()
        for camera, entry in self._last.items():
            if entry.stopped and camera in self._cameras:
                self._cameras[camera].stop(True)
        self._enter()

    def _chosen(self, camera: str) -> Sequence[str]:
        return list(self._cameras) if camera == ALL else [camera]

    def _keep(self, camera: str, stopped: bool, by: str, reason: str) -> StopEntry:
        entry = StopEntry(camera, stopped, by, reason, self._clock.now())
        with self._lock:
            self._last.update((one, replace(entry, camera=one)) for one in self._chosen(camera))
        return entry

    def _save(self) -> None:
        with self._lock:
            self._store.write(Stops(tuple(self._last.values()), tuple(self._owed)))

    def _enter(self, *, wait: bool = True) -> None:
        """Write what is owed to the log, the oldest first. Raises `StoreBusyError` where another waits for the log and this does not."""
        if not self._writing.acquire(blocking=wait):
            raise StoreBusyError("the log does not take an entry at the moment; try again")
        try:
            while self._owed:
                entry = self._owed[0]
                self._log.write(Event.CAMERA_STOPPED, entry.by, entry.camera, {"reason": entry.reason})
                with self._lock:
                    self._owed.remove(entry)
                self._save()
        finally:
            self._writing.release()

    def _from_log(self) -> dict[str, StopEntry]:
        found: dict[str, StopEntry] = {}
        for event, stopped in ((Event.CAMERA_STOPPED, True), (Event.CAMERA_RESUMED, False)):
            for entry, _ in self._log.find(event=event, most=1000):
                for camera in self._chosen(entry.subject) if entry.subject in (*self._cameras, ALL) else ():
                    known = found.get(camera)
                    if known is None or known.at < entry.at:
                        found[camera] = StopEntry(camera, stopped, entry.by, str(entry.facts.get("reason", "")), entry.at)
        return found


def _is_later(entry: StopEntry, known: StopEntry | None) -> bool:
    return known is None or (not known.stopped and known.at < entry.at)
