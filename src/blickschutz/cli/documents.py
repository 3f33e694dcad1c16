"""`blickschutz documents`: prints the compliance pack of a site."""

from __future__ import annotations

from pathlib import Path

import click

from blickschutz.bootstrap.grounds import gather
from blickschutz.bootstrap.system import state_folder
from blickschutz.cli.users import open_keeping
from blickschutz.compliance.documents.pack import pack
from blickschutz.compliance.io.press import print_pack
from blickschutz.config.loader import load_site
from blickschutz.kernel.clock import SystemClock


def print_documents(path: Path, folder: Path) -> None:
    """Print every document into `folder`, then what is open and what changed since the last pack."""
    site = load_site(path)
    keeping = open_keeping(path) if (state_folder(site) / "control.db").exists() else None
    grounds = gather(site, path, keeping, SystemClock())
    if keeping is not None:
        keeping.engine.dispose()
    files, changes = print_pack(grounds, folder)
    for file in files:
        click.echo(str(file))
    for document in pack(grounds):
        for text in changes.get(document.key, ()):
            click.echo(f"changed in {document.key}: {text}")
    missing = {one.text for document in pack(grounds) for one in document.sentences() if not one.known}
    click.echo(f"{len(files)} documents, {len(missing)} open points; they are printed as OFFEN and listed at the end of each")
