"""`stimmungsbild`: all commands of the survey."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import msgspec

from stimmungsbild.errors import SurveyError
from stimmungsbild.questionnaire.io import built_in, earlier_wave, read_workbook, write_workbook
from stimmungsbild.questionnaire.model import Questionnaire, Standing
from stimmungsbild.questionnaire.rules import as_wave, compare

_FILE = click.Path(path_type=Path, dir_okay=False)
_WORKBOOK = click.option("--workbook", type=_FILE, help="An XLSForm workbook; without it the questionnaire of the package.")


class _Group(click.Group):
    """Turns our errors into one clear message and exit code 1."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except SurveyError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Group)
def main() -> None:
    """Stimmungsbild asks a town how safe its people feel."""


@main.group()
def questionnaire() -> None:
    """The questionnaire: as a workbook, and beside earlier waves."""


def _definition(workbook: Path | None) -> Questionnaire:
    return read_workbook(workbook) if workbook else built_in()


@questionnaire.command("write")
@click.argument("target", type=_FILE)
def write(target: Path) -> None:
    """Write the questionnaire as an XLSForm workbook, which the institute edits."""
    write_workbook(built_in(), target)
    click.echo(f"{target} written")


@questionnaire.command("check")
@_WORKBOOK
def check_definition(workbook: Path | None) -> None:
    """Say whether a workbook is a whole questionnaire, and in which languages."""
    found = _definition(workbook)
    unchecked = [one for one, words in found.words.items() if not words.checked]
    click.echo(f"{len(found.items())} items on {len(found.pages)} pages in {', '.join(found.words)}")
    click.echo(f"not checked by a native speaker: {', '.join(unchecked) or 'none'}")


@questionnaire.command("wave")
@_WORKBOOK
@click.option("--mode", required=True, help="How it is asked, in words.")
@click.option("--sample", required=True, help="Whom it asks, in words.")
def wave(workbook: Path | None, mode: str, sample: str) -> None:
    """Print this wave with the hash of each wording, as the next one compares with it."""
    click.echo(msgspec.json.format(msgspec.json.encode(as_wave(_definition(workbook), mode, sample)), indent=1).decode())


@questionnaire.command("compare")
@_WORKBOOK
@click.option("--earlier", type=_FILE, help="TOML file of an earlier wave; without it that of 2021.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on the last line.")
def compare_waves(workbook: Path | None, earlier: Path | None, as_json: bool) -> None:
    """Say of each item whether it may be compared with an earlier wave, and which changed word broke it."""
    old = earlier_wave(earlier)
    found = compare(_definition(workbook), old)
    click.echo(f"earlier wave {old.wave}: {old.sample}; {old.mode}")
    for one in found:
        words = "; ".join(f"“{before}” became “{now}”" for before, now in one.words)
        click.echo(f"{one.standing.value:8} {one.item}{f': {words}' if words else ''}")
    counted = {standing.value: sum(one.standing is standing for one in found) for standing in Standing}
    if as_json:
        click.echo(json.dumps({"wave": old.wave, **counted}))


if __name__ == "__main__":
    main()
