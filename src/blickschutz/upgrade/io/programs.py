"""Environments side by side. What everybody calls (`/opt/blickschutz`) is a link once an upgrade was made.

Programs in an environment name its path in their first line. So the new one is made where it stays, under a name of its own, and the
old one is renamed only while its own path is free for it to come back to.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from blickschutz.upgrade.model import Bundle, UpgradeError

_INSTALL_S = 1800.0
_OLD = ".before"


def called(prefix: Path) -> Path:
    """The path by which everybody calls the programs in the environment `prefix`: a link beside it where one leads there."""
    links = (one for one in sorted(prefix.parent.iterdir()) if one.is_symlink() and one.resolve() == prefix.resolve())
    return next(links, prefix)


@dataclass(frozen=True, slots=True)
class Environments:
    """See `Programs`. `target`: the path that everybody calls; `version`: the one that comes."""

    target: Path
    language: str
    version: str

    @property
    def new(self) -> Path:
        return self.target.with_name(f"{self.target.name}-{self.version}")

    def install(self, bundle: Bundle) -> None:
        place = self.new
        if place.exists():
            if place.resolve() == self.target.resolve():
                raise UpgradeError(f"{self.target} is version {bundle.version} already")
            shutil.rmtree(place)  # of an upgrade that did not come to its end: nobody calls it
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
            self._drop(place)
            raise UpgradeError(f"the new version could not be installed: {said[-600:]}")

    def switch(self) -> None:
        if self.target.is_symlink():
            # What was linked is known by a link of its own until it is settled.
            _link(self._kept, os.readlink(self.target))
        else:
            self.target.rename(self._kept)
        _link(self.target, str(self.new))

    def switch_back(self) -> None:
        if self._kept.is_symlink():
            _link(self.target, os.readlink(self._kept))
            self._kept.unlink()
        elif self._kept.exists():
            self.target.unlink(missing_ok=True)
            self._kept.rename(self.target)
        self._drop(self.new)

    def settle(self) -> None:
        if self._kept.is_symlink():
            self._drop(self._kept.resolve())
            self._kept.unlink()
        else:
            self._drop(self._kept)

    @property
    def _kept(self) -> Path:
        return self.target.with_name(f"{self.target.name}{_OLD}")

    @staticmethod
    def _drop(place: Path) -> None:
        shutil.rmtree(place, ignore_errors=True)  # what is left of it takes room, and is in nobody's way


def _link(link: Path, to: str) -> None:
    """In one step: there is no moment at which nothing has the name."""
    draft = link.with_name(f".{link.name}.new")
    draft.unlink(missing_ok=True)
    draft.symlink_to(to)
    draft.replace(link)
