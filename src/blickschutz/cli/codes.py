"""What a command ends with, by cause: whoever starts it again by itself must know what a new start does not mend."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import click

from blickschutz.kernel.errors import BlickschutzError

GATES_CLOSED, SETTINGS_WRONG = 3, 4


@contextlib.contextmanager
def ends_with(code: int, *causes: type[BlickschutzError]) -> Iterator[None]:
    """One of `causes` ends the command with its message and `code`."""
    try:
        yield
    except causes as error:
        click.ClickException(str(error)).show()
        raise SystemExit(code) from error
