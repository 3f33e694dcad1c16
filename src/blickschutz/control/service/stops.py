"""The stop control: stops at once, is in the log, and survives a restart."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import structlog

from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.model import Event
from blickschutz.control.model import StopEntry
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
        self._entries: dict[str, StopEntry] = {}
        self.problem = ""

    def stop(self, camera: str, by: str, reason: str) -> None:
        """Stop one camera, or `ALL`. It stops at once; the file says so before the log does, and the log follows in any case."""
        chosen = self._chosen(camera)
        for one in chosen:
            self._cameras[one].stop(True)
        self._keep(chosen, True, by, reason)
        self._attempt(camera, lambda wait: self._save())
        self._attempt(camera, lambda wait: self._write(camera, chosen, wait=wait))

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
        chosen = self._chosen(camera)
        self._write(camera, chosen, wait=False)
        self._log.write(Event.CAMERA_RESUMED, by, camera, {"reason": reason})
        self._keep(chosen, False, by, reason, logged=True)
        self._save()
        for one in chosen:
            self._cameras[one].stop(False)

    def recover(self) -> None:
        """After a start: what was stopped stays stopped, and what was not in the log yet is written now.

        Where the file is damaged, the log says what was stopped.
        """
        try:
            self._entries = self._store.read()
        except FaultError as error:
            self.problem = str(error)
            _log.error("stops_damaged", problem=self.problem)
            self._entries = self._from_log()
            self._store.write(list(self._entries.values()))
        for camera, entry in self._entries.items():
            if entry.stopped and camera in self._cameras:
                self._cameras[camera].stop(True)
        for camera in [name for name, entry in self._entries.items() if not entry.logged]:
            self._write(camera, [camera])

    def _chosen(self, camera: str) -> Sequence[str]:
        return list(self._cameras) if camera == ALL else [camera]

    def _keep(self, chosen: Sequence[str], stopped: bool, by: str, reason: str, *, logged: bool = False) -> None:
        now = self._clock.now()
        with self._lock:
            for one in chosen:
                self._entries[one] = StopEntry(one, stopped, by, reason, now, logged)

    def _save(self) -> None:
        with self._lock:
            self._store.write(list(self._entries.values()))

    def _write(self, subject: str, cameras: Sequence[str], *, wait: bool = True) -> None:
        """The entry of a stop, once. Raises `StoreBusyError` where another entry waits for the log and this one does not."""
        if not self._writing.acquire(blocking=wait):
            raise StoreBusyError("the log does not take an entry at the moment; try again")
        try:
            with self._lock:
                waiting = [self._entries[one] for one in cameras if one in self._entries and not self._entries[one].logged]
            if waiting:
                self._log.write(Event.CAMERA_STOPPED, waiting[0].by, subject, {"reason": waiting[0].reason})
                self._mark(waiting)
        finally:
            self._writing.release()

    def _mark(self, written: Sequence[StopEntry]) -> None:
        with self._lock:
            for entry in written:
                # Somebody may have decided anew meanwhile; that has an entry of its own.
                if self._entries[entry.camera] == entry:
                    self._entries[entry.camera] = replace(entry, logged=True)
            self._store.write(list(self._entries.values()))

    def _from_log(self) -> dict[str, StopEntry]:
        found: dict[str, StopEntry] = {}
        for event, stopped in ((Event.CAMERA_STOPPED, True), (Event.CAMERA_RESUMED, False)):
            for entry, _ in self._log.find(event=event, most=1000):
                for camera in self._chosen(entry.subject) if entry.subject in (*self._cameras, ALL) else ():
                    known = found.get(camera)
                    if known is None or known.at < entry.at:
                        found[camera] = StopEntry(camera, stopped, entry.by, str(entry.facts.get("reason", "")), entry.at, logged=True)
        return found
