"""The evaluation: open texts, evaluate, and what is done with what was published."""

from __future__ import annotations

import secrets
from datetime import date
from pathlib import Path

import click

from stimmungsbild.cli.common import FILE, WORKBOOK, definition
from stimmungsbild.evaluation.coding import CHECK, CODED, CODERS, export, merge, sheets
from stimmungsbild.evaluation.texts import CATEGORIES
from stimmungsbild.keys.files import read_evaluation, read_holder
from stimmungsbild.publication.figures import read_figures
from stimmungsbild.publication.office import INTERNAL, PUBLIC, open_all, publish, tally
from stimmungsbild.publication.views import views
from stimmungsbild.questionnaire.io import earlier_wave

_ANSWERS = click.option("--answers", type=FILE, multiple=True, required=True, help="The file that left the field; those of paper besides.")
_KEY = click.option("--key", type=FILE, required=True, help="The evaluation's key.")
_HOLDERS = click.option("--holder", "holders", type=FILE, multiple=True, required=True, help="A holder's key file; two of them.")


def _asked(holders: tuple[Path, ...]) -> dict[Path, str]:
    return {one: click.prompt(f"passphrase of {read_holder(one).holder}", hide_input=True) for one in holders}


@click.group()
def texts() -> None:
    """Open texts: names removed, coded by two people."""


_TEXTS = click.option("--texts", "folder", type=click.Path(path_type=Path, file_okay=False), required=True, help="A folder for the texts.")


@texts.command("export")
@_ANSWERS
@_KEY
@_HOLDERS
@WORKBOOK
@_TEXTS
@click.option("--names", type=FILE, help="Names of this town, one a line; they are taken out wherever they stand.")
def export_texts(
    answers: tuple[Path, ...], key: Path, holders: tuple[Path, ...], workbook: Path | None, folder: Path, names: Path | None
) -> None:
    """Open by two people and write every open text without names, for the person who checks that."""
    known = frozenset(one.strip().casefold() for one in names.read_text(encoding="utf-8").splitlines()) - {""} if names else frozenset()
    _, opened = open_all(definition(workbook), answers, read_evaluation(key), _asked(holders))
    many = export(opened, folder, known, secrets.token_bytes)
    click.echo(f"{folder / CHECK}: {many} texts; a person takes out what is still in them of names and writes ja in the column checked")


@texts.command("sheets")
@_TEXTS
def text_sheets(folder: Path) -> None:
    """Make the sheets of both coders, once every text was checked."""
    many = sheets(folder)
    click.echo(f"{' and '.join(CODERS)}: {many} texts; categories: {', '.join(CATEGORIES)}; several are joined by |")


@texts.command("merge")
@_TEXTS
def merge_texts(folder: Path) -> None:
    """Say how far both agree; `decided.csv` (id,codes) decides what they coded differently."""
    for one, found in merge(folder).items():
        shown = "–" if found.kappa is None else f"{found.kappa:.2f}"
        click.echo(f"{one:10} kappa {shown}  {found.first} and {found.second} of {found.texts}{'' if found.printed else '  not printed'}")
    click.echo(f"{folder / CODED} is for the evaluation")


@click.command("evaluate")
@_ANSWERS
@_KEY
@_HOLDERS
@click.option("--margins", type=FILE, required=True, help="CSV `margin,category,people` of the register.")
@click.option("--earlier", type=FILE, help="TOML file of an earlier wave; without it that of 2021.")
@click.option("--before", type=FILE, help="Signed figures of an earlier wave, to stand beside this one.")
@click.option("--texts", "coded", type=FILE, help="The coded open texts.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="An empty folder.")
@WORKBOOK
def evaluate(
    answers: tuple[Path, ...],
    key: Path,
    holders: tuple[Path, ...],
    margins: Path,
    earlier: Path | None,
    before: Path | None,
    coded: Path | None,
    out: Path,
    workbook: Path | None,
) -> None:
    """Open all answers by two people, weight, suppress and print; at a machine without a network."""
    what = publish(definition(workbook), earlier_wave(earlier), answers, key, _asked(holders), margins, out, date.today(), coded, before)
    if not what.method.converged:
        click.echo("ATTENTION: the weights do not reach the margins; the report says so")
    click.echo(f"{out / PUBLIC} may be published; {out / INTERNAL} may not")
    for said, many in tally(out / INTERNAL / "cleaning.csv").items():
        click.echo(f"{many} x {said}")


@click.command("verify")
@click.argument("file", type=FILE)
@click.option("--verify-key", help="The evaluation's public key in hex, as it was announced before the field; else the one the file names.")
def verify(file: Path, verify_key: str | None) -> None:
    """Say whether a file of figures is as the evaluation signed it, and what it may be taken for."""
    what = read_figures(file.read_bytes(), verify_key)
    click.echo(f"wave {what.wave}, field {what.field}, printed {what.printed}: the signature holds")
    click.echo(what.purpose)


@click.command("views")
@click.argument("file", type=FILE)
@WORKBOOK
def show_views(file: Path, workbook: Path | None) -> None:
    """Print the figures as views of data subjects, to be typed by hand where a DSFA asks for them."""
    data = file.read_bytes()
    click.echo(views(definition(workbook), read_figures(data), data))
