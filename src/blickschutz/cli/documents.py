"""`blickschutz documents`: prints the compliance pack of a site."""

from __future__ import annotations

from pathlib import Path

import click

from blickschutz.cli.users import if_started
from blickschutz.compliance.documents.pack import pack
from blickschutz.compliance.io.press import print_pack
from blickschutz.config.loader import load_site
from blickschutz.control.service.grounds import gather
from blickschutz.kernel.clock import SystemClock

_WORDS = (
    ("geändert in", "{files} Dokumente, {missing} offene Punkte; sie stehen als OFFEN darin und am Ende jedes Dokuments beisammen"),
    ("changed in", "{files} documents, {missing} open points; they are printed as OFFEN and listed at the end of each"),
)


def print_documents(path: Path, data: Path | None, folder: Path) -> None:
    """Print every document into `folder`, then what is open and what changed since the last pack."""
    site = load_site(path)
    with if_started(site, path, data) as records:
        grounds = gather(site, path, records.inspected if records else None, SystemClock())
    files, changes = print_pack(grounds, folder)
    changed, last = _WORDS[0 if site.site.language == "de" else 1]
    for file in files:
        click.echo(str(file))
    for key, texts in changes.items():
        for text in texts:
            click.echo(f"{changed} {key}: {text}")
    missing = {one.text for document in pack(grounds) for one in document.sentences() if not one.known}
    click.echo(last.format(files=len(files), missing=len(missing)))
