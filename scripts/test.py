"""Run all tests in the shortest time that promises nothing less: `python -m scripts.test`.

What computes shares the cores, and takes what is left of them (nice 10) while live systems, which mostly wait, run beside it. What
watches real time closely comes last and has the machine to itself. Ends with 1 where one of the three failed; an interrupt ends all.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
# In the order of their names: the modules with few tests are the long ones, and must not come last.
_SHARED = ("--dist", "loadfile", "--no-loadscope-reorder")
# What starts processes or servers and gives them some seconds to answer must not wait for the cores, and mostly waits itself.
_LIVE = ("tests/live", "tests/attack", *(f"tests/unit/test_{one}.py" for one in ("gate", "links", "onvif", "pictures", "takeover")))
# Where tests of this mark lie: looking through all modules takes longer than some of them.
ALONE = ("tests/live", "tests/unit/test_lag.py", "tests/unit/test_alert_pages.py")


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "pytest", *words]


@contextlib.contextmanager
def _running(command: Sequence[str], nice: int = 0, into: IO[bytes] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Ended with us, whatever ends us."""
    with subprocess.Popen(
        ["nice", "-n", str(nice), *command], cwd=ROOT, stdout=into, stderr=subprocess.STDOUT if into else None
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()


def main() -> int:
    computing = _command("-n", "auto", *_SHARED, "-m", "not alone and not long", *(f"--ignore={one}" for one in _LIVE))
    waiting = _command("-n", "3", *_SHARED, "-m", "not alone and not long", *_LIVE)
    with tempfile.TemporaryFile() as told:
        with _running(computing, nice=10) as first, _running(waiting, into=told) as second:
            codes = [first.wait(), second.wait()]
        # In one piece, after the other: two progresses in one another tell nothing.
        told.seek(0)
        sys.stdout.buffer.write(told.read())
        sys.stdout.flush()
    with _running(_command("-m", "alone and not long", *ALONE)) as last:
        codes.append(last.wait())
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main())
