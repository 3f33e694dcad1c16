"""Run all tests in the shortest time that promises nothing less: `python -m scripts.test`.

What computes takes the cores that nobody else wants (the scheduler's idle class); live systems, which mostly wait, run beside it, and what
watches real time closely after them, as the only thing that the scheduler serves first. Ends with 1 where one of the three failed; an
interrupt ends all.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, NoReturn

ROOT = Path(__file__).resolve().parent.parent
# In the order of their names: the modules with few tests are the long ones, and must not come last.
_SHARED = ("--dist", "loadfile", "--no-loadscope-reorder")
# What starts processes or servers and gives them some seconds to answer must not wait for the cores, and mostly waits itself.
_LIVE = (
    "tests/live",
    "tests/attack",
    "tests/faults",
    *(f"tests/unit/test_{one}.py" for one in ("gate", "links", "onvif", "pictures", "takeover")),
)
# Where tests of this mark lie: looking through all modules takes longer than some of them.
ALONE = ("tests/live", "tests/unit/test_lag.py", "tests/unit/test_alert_pages.py")


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "pytest", *words]


@contextlib.contextmanager
def _running(command: Sequence[str], into: IO[bytes] | None = None, *, last: bool = False) -> Iterator[subprocess.Popen[bytes]]:
    """Ended with us, whatever ends us. `last`: everybody else is served before it."""
    words = ["nice", "-n", "19", "chrt", "--idle", "0", *command] if last else command
    with subprocess.Popen(words, cwd=ROOT, stdout=into, stderr=subprocess.STDOUT if into else None, start_new_session=last) as process:
        try:
            if last:
                _yield_session(process.pid)
            yield process
        finally:
            if process.poll() is None:
                process.terminate()


def _yield_session(pid: int) -> None:
    """Where the kernel shares the cores between sessions first (autogroup), live systems have sessions of their own and would get no more
    than this one, whatever its class. Where it does not, there is no such file.
    """
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text("19", encoding="ascii")


def _ended(number: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + number)


def main() -> int:
    # Whoever ends this ends what it started: unheard, two runs would take each other's time.
    signal.signal(signal.SIGTERM, _ended)
    # Served last, a test may wait for minutes before it is its turn.
    # Seven processes begin at once and would each compile all of it, where nothing has been compiled yet.
    subprocess.run([sys.executable, "-m", "compileall", "-q", "-j", "0", "src", "tests", "scripts", "benchmarks"], cwd=ROOT, check=False)
    computing = _command("-n", "auto", *_SHARED, "--timeout", "600", "-m", "not alone and not long", *(f"--ignore={one}" for one in _LIVE))
    waiting = _command("-n", "5", *_SHARED, "-m", "not alone and not long", *_LIVE)
    watching = _command("-m", "alone and not long", *ALONE)
    codes = []
    with tempfile.TemporaryFile() as told:
        with _running(computing, into=told, last=True) as first:
            for one in (waiting, watching):
                with _running(one) as process:
                    codes.append(process.wait())
            codes.append(first.wait())
        # In one piece, after the others: two progresses in one another tell nothing.
        told.seek(0)
        sys.stdout.buffer.write(told.read())
        sys.stdout.flush()
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main())
