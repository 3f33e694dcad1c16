"""The survey's own papers, and destruction."""

from __future__ import annotations

import secrets
from datetime import date
from pathlib import Path

import click

from stimmungsbild.cli.common import FACTS
from stimmungsbild.errors import LawError
from stimmungsbild.law.files import lacking, read_facts
from stimmungsbild.law.press import print_papers
from stimmungsbild.law.retention import destroy_due, outlook, read_receipts
from stimmungsbild.law.rules import content


@click.group()
def papers() -> None:
    """The survey's own law papers, from the facts file."""


@papers.command("check")
@FACTS
def check_papers(facts: Path) -> None:
    """Say what keeps a field from beginning, and the hash of the facts that two people sign."""
    data = facts.read_bytes()
    found = read_facts(data)
    click.echo(f"content of these facts: {content(found)}")
    lacks = lacking(data, facts.parent)
    if lacks:
        raise LawError("a field may not begin:\n" + "\n".join(lacks))
    click.echo("a demonstration, which needs no papers" if found.demo else "everything is there; a field may begin")


@papers.command("print")
@FACTS
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="A folder.")
def print_all(facts: Path, out: Path) -> None:
    """Print impact assessment, record, roles, basis, retention and the information sheets; what is missing is printed as OFFEN."""
    for path in print_papers(read_facts(facts.read_bytes()), out, date.today()):
        click.echo(path)


@click.group()
def retention() -> None:
    """What is kept until when, and its destruction."""


_ROOM = click.option(
    "--room", type=click.Path(path_type=Path, file_okay=False, exists=True), required=True, help="The evaluation's folder."
)


@retention.command("run")
@FACTS
@_ROOM
def run_retention(facts: Path, room: Path) -> None:
    """Destroy what is due today and write the receipt; for a timer, once a day."""
    known = read_facts(facts.read_bytes())
    receipt = destroy_due(room, known, date.today(), secrets.token_bytes)
    click.echo(f"receipt {receipt.number}: {len(receipt.files)} files destroyed" if receipt else "nothing is due")
    for what, day in outlook(known).items():
        click.echo(f"{what} until {day}")


@retention.command("verify")
@_ROOM
def verify_receipts(room: Path) -> None:
    """Say of all receipts whether they are as they were signed, and none was taken away in between."""
    for one in read_receipts(room):
        click.echo(f"{one.number} {one.destroyed}: {', '.join(one.kinds)}, {len(one.files)} files")
