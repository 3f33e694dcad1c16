"""Forms on paper."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click
import msgspec

from stimmungsbild.cli.common import FILE, FOLDER, OUT, PLACE, WORKBOOK, definition
from stimmungsbild.collection.folder import load, write_private
from stimmungsbild.collection.model import Door
from stimmungsbild.paper.forms import read_entry, settle
from stimmungsbild.paper.office import ENTRIES, FORMS, LAYOUT, READ, Read, make, read_folder, read_layout, take
from stimmungsbild.questionnaire.model import LANGUAGES


@click.group()
def paper() -> None:
    """Forms on paper: printed with marks, read from scans, doubts settled by two people, sealed."""


@paper.command("print")
@WORKBOOK
@click.option("--language", type=click.Choice(list(LANGUAGES)), default="de", show_default=True)
@click.option("--first", type=click.IntRange(1), default=1, show_default=True, help="Number of the first form; no number twice in a field.")
@click.option("--count", type=click.IntRange(1, 500), required=True)
@OUT
def print_paper(workbook: Path | None, language: str, first: int, count: int, out: Path) -> None:
    """Print forms, and keep where their boxes stand."""
    layout = make(definition(workbook), language, first, count, out)
    click.echo(f"{out / FORMS}: {count} forms of {layout.pages} pages; {out / LAYOUT} is needed to read them")


@paper.command("read")
@WORKBOOK
@click.option("--layout", type=FILE, required=True, help="The layout of the printed forms.")
@click.option("--scans", type=click.Path(path_type=Path, file_okay=False, exists=True), required=True, help="Pictures at 200 dpi.")
@OUT
def read_paper(workbook: Path | None, layout: Path, scans: Path, out: Path) -> None:
    """Read scans; what is not clear is listed, with a picture of each, for two people who do not see each other's list."""
    found = read_folder(definition(workbook), read_layout(layout), scans, out)
    for name, why in found.unreadable.items():
        click.echo(f"NOT READ {name}: {why}")
    click.echo(f"{len(found.pages)} pages read, {len(found.doubts)} doubts in {' and '.join(ENTRIES)}")


@paper.command("take")
@FOLDER
@click.option("--layout", type=FILE, required=True, help="The layout of the printed forms.")
@click.option("--read", "read_", type=PLACE, required=True, help="The folder that `paper read` made.")
@click.option("--first", type=FILE, required=True, help="What the first person entered.")
@click.option("--second", type=FILE, required=True, help="What the second person entered.")
@click.option("--door", type=click.Choice([Door.REGISTER.value, Door.OUTREACH.value]), default=Door.OUTREACH.value, show_default=True)
@click.option("--out", type=FILE, required=True, help="The sealed answers, for the evaluation.")
def take_paper(folder: Path, layout: Path, read_: Path, first: Path, second: Path, door: str, out: Path) -> None:
    """Seal what was read, once both people entered every doubt alike."""
    made, q = load(folder)
    found = msgspec.json.decode((read_ / READ).read_bytes(), type=Read)
    if found.unreadable:
        click.echo(f"ATTENTION: {len(found.unreadable)} scans were not read and are not in this file")
    sealed = take(q, made, read_layout(layout), found, settle(read_entry(first), read_entry(second)), Door(door), date.today())
    write_private(out, msgspec.json.encode(sealed))
    click.echo(f"{out}: {len(sealed.answers)} forms sealed; the scans are destroyed at their date")
