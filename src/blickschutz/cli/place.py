"""Where the data of a site lie, for every command that needs them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from blickschutz.config.loader import operator_language
from blickschutz.config.model import SiteFile
from blickschutz.installation.io.faults import user_name
from blickschutz.installation.io.folder import DataFolder, exists, open_folder, require_really_new
from blickschutz.installation.model import FolderError, Place, Use, Why
from blickschutz.installation.rules import alike, default_base, derived_id, old_name
from blickschutz.installation.texts import say
from blickschutz.kernel.clock import Clock, SystemClock

_KNOWN = ".known"
# Seconds for a cell to close its recordings and end.
_CLOSES_S = 15.0
_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)


def with_site(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that works on a site: its file, and another data folder than the file names."""
    command = click.option("--data", type=_FOLDER, help="Data folder, instead of the one that the site file names.")(command)
    return click.option("--site", "path", type=_FILE, required=True, help="Site file (TOML).")(command)


def place_of(site: SiteFile, path: Path, data: Path | None = None, language: str | None = None) -> Place:
    """Where the data of the site in the file `path` belong. Raises `FolderError`, in the operator's language unless another is named."""
    file, language, stated = path.resolve(), language or operator_language(), site.site.id
    base = default_base(os.environ, _home(), root=os.geteuid() == 0)
    known_id = stated or derived_id(file)
    if data is not None:
        folder = data
    elif site.site.data is not None:
        folder = file.parent / Path(site.site.data).expanduser()
    elif base is not None:
        folder = base / (f"{known_id}-demo" if site.site.demo else known_id)
    else:
        raise FolderError(Why.ABSENT, say("no-home", language, user=user_name(os.geteuid())))
    folder = folder.resolve()
    old = [one for one in _old_folders() if one.resolve() != folder]
    name = old_name(site.site.name, demo=site.site.demo)
    return Place(
        id=known_id,
        stated=stated is not None,
        folder=folder,
        chosen=data is not None,
        site=file,
        demo=site.site.demo,
        known=base / _KNOWN if base is not None else None,
        old=tuple(one for one in old if one.name == name),
        nearby=tuple(one for one in old if one.name in alike(name, {other.name for other in old})),
        language=language,
    )


def held(place: Place, *, new: bool) -> DataFolder:
    """The data folder, held by this process alone; made where there is none."""
    return open_folder(place, Use.RUN, "blickschutz run", SystemClock(), make=True, new=new)


def beside(place: Place, *, make: bool) -> DataFolder:
    """The data folder, used beside a running system."""
    return open_folder(place, Use.BESIDE, "blickschutz", SystemClock(), make=make)


def alone(place: Place) -> DataFolder:
    """The data folder, while no system runs in it."""
    return open_folder(place, Use.ALONE, "blickschutz accept-loss", SystemClock(), make=False)


def wait_for_cells(folder: Path, language: str, clock: Clock) -> None:
    """Wait until no cell lives on in the folder, whose lock this process has: what one is writing is no stray, and is told of later.

    A control room that was killed leaves them for `ALONE_S`. Raises `FolderError` where one outlives that.
    """
    # What knows of cells is a large part of the system, and few commands ask.
    from blickschutz.control.io.doors import living
    from blickschutz.pipeline.door import ALONE_S
    from blickschutz.zones.profiles import doors_of

    until, told = clock.monotonic() + ALONE_S + _CLOSES_S, False
    while count := living(doors_of(folder)):
        if clock.monotonic() >= until:
            raise FolderError(Why.HELD, say("cells-live-on", language, count=count))
        if not told:
            click.echo(say("cells-live", language, count=count, seconds=f"{ALONE_S:.0f}"), err=True)
            told = True
        clock.sleep(1.0)


def require_place(place: Place, *, new: bool) -> None:
    """Raise `FolderError` where the folder cannot be used, or an empty one would take the place of data that lie elsewhere."""
    if not exists(place) and not (new or place.chosen or place.demo):
        require_really_new(place)


def require_started(place: Place) -> None:
    """Raise `FolderError` where there are no data yet."""
    if not exists(place):
        raise FolderError(Why.ABSENT, say("absent", place.language, folder=place.folder, site=place.site))


def _home() -> Path | None:
    try:
        home = Path.home()
    except RuntimeError:
        return None
    return home if home.is_dir() else None


def _old_folders() -> list[Path]:
    """All folders in the place where versions up to 0.1 kept data."""
    sites = Path(os.environ.get("BLICKSCHUTZ_DATA") or f"{sys.prefix}/share/blickschutz") / "sites"
    try:
        return sorted(one for one in sites.iterdir() if one.is_dir())
    except OSError:
        return []
