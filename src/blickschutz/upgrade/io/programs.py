"""Environments side by side. What everybody calls (`/opt/blickschutz`) is a link once an upgrade was made.

Programs in an environment name its path in their first line. So the new one is made where it stays, under a name of its own, and what
everybody calls is exchanged with a link to it in one step (`renameat2`): there is no moment at which nothing has the name.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import msgspec

from blickschutz.kernel.errors import UNREADABLE
from blickschutz.storage.files import write_private
from blickschutz.upgrade.model import Begun, Bundle, UpgradeError

_INSTALL_S = 1800.0
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


def called(prefix: Path) -> Path:
    """The path by which everybody calls the environment `prefix`: an upgrade's link `NAME` to `NAME-VERSION`, else itself."""
    links = (one for one in sorted(prefix.parent.iterdir()) if prefix.name.startswith(f"{one.name}-") and one.is_symlink())
    return next((one for one in links if one.resolve() == prefix.resolve()), prefix)


@dataclass(frozen=True, slots=True)
class Environments:
    """See `Programs`. `target`: the path that everybody calls; `version`: the one that comes."""

    target: Path
    language: str
    version: str

    @property
    def new(self) -> Path:
        return self.target.with_name(f"{self.target.name}-{self.version}")

    def begun(self) -> Begun | None:
        """The upgrade that did not come to its end, if there was one."""
        try:
            return msgspec.json.decode(self._note.read_bytes(), type=Begun)
        except FileNotFoundError:
            return None
        except (OSError, *UNREADABLE) as error:
            raise UpgradeError(f"{self._note} cannot be read: look which environment {self.target} is, and remove that file") from error

    def install(self, bundle: Bundle, before: str) -> None:
        place = self.new
        if place.exists():
            if place.resolve() == self.target.resolve():
                raise UpgradeError(f"{self.target} is version {bundle.version} already")
            shutil.rmtree(place)  # of an upgrade that did not come to its end: nobody calls it
        write_private(self._note, msgspec.json.encode(Begun(before=before, now=bundle.version)))
        environment = {**os.environ, "LANG": "de_DE.UTF-8" if self.language == "de" else "C.UTF-8"}
        environment.pop("LC_ALL", None)
        environment.pop("PYTHONPATH", None)
        command = ["sh", str(bundle.folder / "install.sh"), str(place)]
        try:
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_INSTALL_S, check=False)
            said, code = done.stderr.strip(), done.returncode
        except subprocess.TimeoutExpired:
            said, code = f"no end after {_INSTALL_S:.0f} s", 1
        if code:
            self.drop()
            raise UpgradeError(f"the new version could not be installed: {said[-600:]}")

    def drop(self) -> None:
        if self._kept.is_symlink() and self._kept.resolve() == self.new.resolve():
            self._kept.unlink()  # the names were not exchanged
        _remove(self.new)
        self._note.unlink(missing_ok=True)

    def switch(self) -> None:
        self._kept.unlink(missing_ok=True)
        self._kept.symlink_to(self.new)
        _exchange(self.target, self._kept)

    def switch_back(self) -> None:
        if self.target.resolve() == self.new.resolve():
            _exchange(self.target, self._kept)

    def settle(self) -> None:
        old = self._kept.resolve() if self._kept.is_symlink() else self._kept
        if old != self.target.resolve():
            _remove(old)
        if self._kept.is_symlink():
            self._kept.unlink()
        self._note.unlink(missing_ok=True)

    @property
    def _kept(self) -> Path:
        return self.target.with_name(f"{self.target.name}.before")

    @property
    def _note(self) -> Path:
        return self.target.with_name(f".{self.target.name}.upgrade")


def _remove(place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)  # what is left of it takes room, and is in nobody's way


def _exchange(one: Path, other: Path) -> None:
    """renameat2(2); raises `OSError`."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(one))
