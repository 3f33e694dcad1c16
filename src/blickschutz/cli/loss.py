"""`blickschutz accept-loss`: go on without what was lost, from the server's own terminal."""

from __future__ import annotations

from pathlib import Path

import click

from blickschutz.cli.place import alone, place_of, require_started, wait_for_cells, with_site
from blickschutz.config.loader import load_site, operator_language

_BY = "terminal"


@click.command("accept-loss")
@with_site
@click.option("--yes", is_flag=True, help="Do not ask.")
def accept_loss(path: Path, data: Path | None, yes: bool) -> None:
    """Show what a site lost and the way back, and go on without it. The system must not run meanwhile.

    Whatever no row explains then goes into quarantine; nothing is destroyed by this.
    """
    from blickschutz.bootstrap.databases import server_of
    from blickschutz.bootstrap.records import make_records
    from blickschutz.control.words import said
    from blickschutz.kernel.clock import SystemClock

    site = load_site(path)
    place = place_of(site, path, data)
    require_started(place)
    clock = SystemClock()
    with alone(place) as folder:
        wait_for_cells(folder.path, place.language, clock)
        records = make_records(site, folder.path, clock, {}, repair=True, server=server_of(site, path.parent))
        try:
            safety = records.keeping.safety
            if not safety.losses:
                click.echo("Nothing is missing.")
                return
            language = "de" if operator_language() == "de" else "en"
            for loss in safety.losses:
                means, back = said(loss, language)
                click.echo(f"{loss.kind.value}\n  {means}\n  {back}")
            if not yes:
                click.confirm("This cannot be undone. Is all of this lost for good, and should the system go on without it?", abort=True)
            safety.tell()
            safety.accept_here(_BY)
            records.keeping.adopt()
            waiting = len(records.office.quarantine.waiting())
            click.echo(f"Accepted, and written into the log. {waiting} recordings are in quarantine; two people decide (page Vorgänge).")
        finally:
            records.keeping.close()
