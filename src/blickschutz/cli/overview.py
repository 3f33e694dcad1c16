"""`blickschutz overview`: many sites in one view, an application of its own."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from blickschutz.kernel.clock import SystemClock

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
_ROLES = ("administration", "datenschutz")


@click.group()
def overview() -> None:
    """Many sites in one view: numbers that each site allows to be read."""


@overview.command()
@click.argument("file", type=_FILE)
def run(file: Path) -> None:
    """Serve the overview of FILE until Ctrl-C."""
    from blickschutz.bootstrap.overview import opened
    from blickschutz.pipeline.logs import configure_logs

    configure_logs()
    with opened(file, SystemClock()) as found:
        server = found.file.server
        scheme = "https" if server.secure else "http"
        click.echo(f"{found.file.name}: {scheme}://{server.known_names[0]}:{server.port}/, {len(found.file.sites)} sites. Ctrl-C ends.")
        asyncio.run(found.serve())
    click.echo("Ended.")


@overview.command()
@click.argument("file", type=_FILE)
@click.argument("person")
@click.option("--name", required=True, help="Their name.")
@click.option(
    "--role", type=click.Choice(_ROLES), default=_ROLES[0], show_default=True, help="administration: the sites; datenschutz: the log."
)
def invite(file: Path, person: str, name: str, role: str) -> None:
    """A one-time code for PERSON, who takes the account over on the page /welcome; the overview must not run meanwhile."""
    from blickschutz.access.model import Role
    from blickschutz.bootstrap.overview import opened

    with opened(file, SystemClock()) as found:
        code = found.invite(person, name, Role(role))
    click.echo(f"One-time code of {person}, good for three days and once: {code}\nIt is typed on the page /welcome.")


@overview.command()
@click.argument("file", type=_FILE)
def check(file: Path) -> None:
    """Ask every site of FILE once, and say what came of it."""
    from blickschutz.bootstrap.overview import load_overview, place_of
    from blickschutz.overview.io.reader import fetch
    from blickschutz.overview.model import ReadError
    from blickschutz.overview.rules import read

    found, failed = load_overview(file), 0
    for site in found.sites:
        try:
            told = read(asyncio.run(fetch(place_of(site, file.parent))))
            click.echo(f"{site.id:24} well  version {told.version}")
        except ReadError as error:
            failed += 1
            click.echo(f"{site.id:24} {error.fault.value}")
    if failed:
        raise click.ClickException(f"{failed} of {len(found.sites)} sites did not answer as they should")
