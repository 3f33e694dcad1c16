"""`blickschutz move`: brings the data of a site to where its site file says."""

from __future__ import annotations

from pathlib import Path

import click

from blickschutz.audit.model import Event
from blickschutz.bootstrap.databases import server_of
from blickschutz.cli.logbook import log_of
from blickschutz.cli.place import place_of, wait_for_cells, with_site
from blickschutz.cli.progress import frame_progress
from blickschutz.config.loader import load_site
from blickschutz.installation.io.faults import spoken
from blickschutz.installation.io.mark import look
from blickschutz.installation.io.move import move_folder, size_of, source_of
from blickschutz.installation.model import State
from blickschutz.installation.texts import say
from blickschutz.kernel.clock import SystemClock

_MB = 1_000_000


@click.command()
@with_site
@click.option("--from", "source", type=click.Path(path_type=Path, file_okay=False), help="Folder with the data; else the old place.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def move(path: Path, data: Path | None, source: Path | None, yes: bool) -> None:
    """Move the data of a site to where its site file says; goes on with a move that was interrupted."""
    site, clock = load_site(path), SystemClock()
    place = place_of(site, path, data)
    old = source_of(place, source)
    size = size_of(old) if old.is_dir() else 0
    with spoken(place.folder, place.language):
        # Whoever began it has agreed to it.
        agreed = yes or look(place.folder) is State.MOVING
    if not agreed:
        click.confirm(say("move-asked", place.language, size=size // _MB, old=old, folder=place.folder), abort=True)

    def log(folder: Path) -> None:
        wait_for_cells(folder, place.language, clock)
        with log_of(folder, clock, server_of(site, path.parent)) as book:
            if book is not None:
                book.write(Event.DATA_MOVED, "terminal", facts={"before": str(folder), "now": str(place.folder)})

    with frame_progress("Moving", size) as step:
        mark = move_folder(place, old, clock, log, step)
    click.echo(say("moved", place.language, id=mark.id, folder=place.folder))
