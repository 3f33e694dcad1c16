"""The service under systemd, by `systemctl` (systemctl(1)); nothing is asked of it that its own manual does not name."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from blickschutz.kernel.errors import DeviceError
from blickschutz.upgrade.model import Seen
from blickschutz.upgrade.rules import live_of

_BOOTED = Path("/run/systemd/system")  # sd_booted(3)
_ASKED = ("ActiveState", "NRestarts", "StatusText")
_LONGEST_S = 180.0
_PATH = re.compile(r"\bpath=(?P<path>/\S+)")


class SystemdService:
    """See `Service`; `unit` as systemd names it."""

    def __init__(self, unit: str) -> None:
        self._unit = unit

    @staticmethod
    def is_there() -> bool:
        return _BOOTED.is_dir()

    def seen(self) -> Seen:
        told = dict(
            line.split("=", maxsplit=1) for line in self._ask("show", *(f"--property={one}" for one in _ASKED)).splitlines() if "=" in line
        )
        state, restarts = told.get("ActiveState", ""), told.get("NRestarts", "0")
        live, cameras = live_of(told.get("StatusText", ""))
        return Seen(state == "active", state == "failed", int(restarts) if restarts.isdecimal() else 0, live, cameras)

    def program(self) -> Path | None:
        """What the unit starts; None where there is no such unit."""
        found = _PATH.search(self._ask("show", "--property=ExecStart"))
        return Path(found["path"]) if found is not None else None

    def start(self) -> None:
        self._ask("reset-failed")
        self._ask("start", "--no-block")

    def stop(self) -> None:
        self._ask("stop")

    def _ask(self, verb: str, *words: str) -> str:
        try:
            done = subprocess.run(["systemctl", verb, *words, self._unit], capture_output=True, text=True, timeout=_LONGEST_S, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise DeviceError(f"systemctl {verb} {self._unit}: {error}") from error
        # Nothing is to be reset where nothing failed.
        if done.returncode and verb != "reset-failed":
            raise DeviceError(f"systemctl {verb} {self._unit}: {(done.stderr or done.stdout).strip()[-300:]}")
        return done.stdout
