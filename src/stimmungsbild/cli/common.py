"""What all commands share: one clear message for our errors, and options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from stimmungsbild.errors import SurveyError
from stimmungsbild.questionnaire.io import built_in, read_workbook
from stimmungsbild.questionnaire.model import Questionnaire

FILE = click.Path(path_type=Path, dir_okay=False)
PLACE = click.Path(path_type=Path, file_okay=False, exists=True)
WORKBOOK = click.option("--workbook", type=FILE, help="An XLSForm workbook; without it the questionnaire of the package.")
FOLDER = click.option("--field", "folder", type=click.Path(path_type=Path, file_okay=False), required=True, help="The field's folder.")
FACTS = click.option("--facts", type=FILE, required=True, help="The facts file, its documents beside it.")
OUT = click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="A folder.")


class Group(click.Group):
    """Turns our errors into one clear message and exit code 1."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except SurveyError as error:
            raise click.ClickException(str(error)) from error


def definition(workbook: Path | None) -> Questionnaire:
    """The questionnaire of a workbook, else that of the package."""
    return read_workbook(workbook) if workbook else built_in()
