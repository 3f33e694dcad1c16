"""The site's data, worked on in processes of their owner: a folder that root writes to would lock its owner out."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blickschutz.upgrade.io.copies import REHEARSAL
from blickschutz.upgrade.model import UpgradeError

# Seconds. A database of five years is copied and checked within a minute; a backup is one of both and is sealed.
_LONGEST_S = 1800.0


@dataclass(frozen=True, slots=True)
class SiteRecords:
    """See `Records`. `target`: the environment as everybody calls it, whichever that is at the time; `new`: the one that comes.

    `backups`: None where no backup is wanted.
    """

    target: Path
    new: Path
    site: Path
    data: Path
    backups: Path | None

    def back_up(self) -> None:
        if self.backups is not None:
            self._run([*self._program, "backup", str(self.backups), *self._where])

    def rehearse(self) -> None:
        place = self.data / REHEARSAL
        try:
            self._run([*self._program, "upgrade-records", "copy", *self._where, "--into", str(place)])
            self._run([str(self.new / "bin/blickschutz"), "upgrade-records", "try", str(place)])
        finally:
            self._run([*self._program, "upgrade-records", "erase", str(place)])

    def take_back(self) -> None:
        self._run([*self._program, "upgrade-records", "take-back", *self._where])

    def note(self, before: str, now: str, reason: str) -> None:
        self._run([*self._program, "upgrade-records", "note", *self._where, "--before", before, "--now", now, "--reason", reason])

    @property
    def _program(self) -> list[str]:
        return [str(self.target / "bin/blickschutz")]

    @property
    def _where(self) -> list[str]:
        return ["--site", str(self.site), "--data", str(self.data)]

    def _run(self, command: Sequence[str]) -> None:
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST_S, check=False, **_as_owner(self.data))
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UpgradeError(f"{_said(command)}: {error}") from error
        if done.returncode:
            raise UpgradeError(f"{_said(command)}: {(done.stderr or done.stdout).strip()[-600:]}")


def _said(command: Sequence[str]) -> str:
    return " ".join([Path(command[0]).name, *command[1:4]])


def _as_owner(data: Path) -> Mapping[str, Any]:
    """How a process is started that works in `data`: as its owner, where this one is root and the owner is not."""
    owner = data.stat()
    if os.geteuid() or owner.st_uid == 0:
        return {}
    try:
        home = pwd.getpwuid(owner.st_uid).pw_dir
    except KeyError:
        home = "/"
    return {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": (), "env": {**os.environ, "HOME": home}, "cwd": "/"}
