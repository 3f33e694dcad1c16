"""Killed at many random moments: writers of clips, and a control room in the middle of verdicts and destruction.

python -m benchmarks.crashes [COUNT]
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.crashes import kill_control, kill_writer


def main(count: int = 200) -> None:
    for name, kill in (("writer", kill_writer), ("control room", kill_control)):
        chance, failures, start = random.Random(7), [], time.monotonic()
        with tempfile.TemporaryDirectory(prefix="blickschutz-crashes-") as folder:
            for number in range(count):
                # Every fifth time from an empty folder: a long history makes each look at it longer, not truer.
                own = Path(folder) / str(number // 5)
                own.mkdir(exist_ok=True)
                try:
                    kill(own, chance)
                except AssertionError as error:
                    failures.append(f"{number}: {error}")
        print(
            f"{name}: killed {count} times, {len(failures)} bad states, {time.monotonic() - start:.0f} s", *failures, sep="\n  ", flush=True
        )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
