"""Progress bars for long work; silent where nobody looks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


@contextmanager
def frame_progress(label: str, total: int) -> Iterator[Callable[[int], object]]:
    """A bar on standard error over `total` steps; gives the function that moves it on."""
    with click.progressbar(length=max(1, total), label=label, file=sys.stderr, show_pos=total > 0) as bar:
        yield bar.update
