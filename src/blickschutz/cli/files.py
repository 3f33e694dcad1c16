"""`blickschutz files`: what comes with the package for people and other programs."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from blickschutz.kernel.errors import OperatorError
from blickschutz.shipped import FOLDERS, shipped


@click.command()
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
def files(out: Path) -> None:
    """Copy what comes with the package into the folder OUT: example of a site file, JSON Schemas, documentation with the
    handbook, alert rules and dashboard, locked requirements."""
    try:
        for name in FOLDERS:
            shutil.copytree(shipped(name), out / name, dirs_exist_ok=True)
            click.echo(f"{out / name}")
    except (OSError, shutil.Error) as error:
        raise OperatorError(f"{out} cannot be written: {error}") from error
