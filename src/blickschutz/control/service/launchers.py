"""Sees to it that cells and rooms can be started: looks after the processes that fork them."""

from __future__ import annotations

from typing import Protocol

from blickschutz.guard.service import Guard
from blickschutz.guard.work import ThreadWork
from blickschutz.kernel.errors import DeviceError

EVERY_S = 2.0


class Forking(Protocol):
    """`zones.launcher.Launcher`, as far as it is looked after."""

    @property
    def pids(self) -> list[int]: ...

    def look(self) -> int: ...


class LauncherWatch:
    """Has a launcher that was killed or does not answer replaced by the other one; the log has it, and every channel is told."""

    def __init__(self, launcher: Forking, *, every_s: float = EVERY_S) -> None:
        self._launcher, self._every_s = launcher, every_s
        self._work: ThreadWork | None = None
        self.gone = False

    def start(self, guard: Guard) -> None:
        self._work = guard.thread("launcher", self.look, every_s=self._every_s)

    def look(self) -> None:
        """One round. Raises `OSError` where the second one cannot be had.

        Where none is left nothing mends it but a new start: this process may start no program.
        """
        try:
            replaced = self._launcher.look()
        except OSError:
            self.gone = not self._launcher.pids
            raise
        self.gone = False
        if replaced and self._work is not None:
            self._work.failed(DeviceError(f"{replaced} launcher of cells and rooms ended or gave no answer; replaced"), tell_at_once=True)
