"""Run all tests in the shortest time that promises nothing less: `python -m scripts.test [--later]`.

With `--later` those that are near to what another one shows (the mark `later`), without it all others but the `long` ones.

What computes takes the cores that nobody else wants (the scheduler's idle class); live systems, which mostly wait, run beside it, and what
watches real time closely after them, as the only thing that the scheduler serves first. Ends with 1 where one of the three failed; an
interrupt ends all.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
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
# So many changed modules are compiled where they are needed.
_FEW = 20
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


def _compiled(parts: Sequence[Sequence[str]]) -> None:
    """Each of the processes that run tests would compile all of it, and make its `assert` tell what it compares, where nobody has yet."""
    ours = ("src", "tests", "scripts", "benchmarks")
    subprocess.run([sys.executable, "-m", "compileall", "-q", "-j", "0", "-x", "/test_[^/]*$", *ours], cwd=ROOT, check=False)
    if sum(not _is_compiled(path) for path in (ROOT / "tests").rglob("test_*.py")) < _FEW:
        return
    with Path(os.devnull).open("wb") as nowhere, contextlib.ExitStack() as stack:
        for process in [stack.enter_context(_running(_command("--collect-only", "-q", *part), into=nowhere)) for part in parts]:
            process.wait()


def _is_compiled(path: Path) -> bool:
    """By pytest, whichever version, since its last change."""
    usual = Path(importlib.util.cache_from_source(str(path)))
    changed = path.stat().st_mtime
    return any(one.stat().st_mtime >= changed for one in usual.parent.glob(f"{usual.stem}-pytest-*{usual.suffix}"))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--later", action="store_true", help="what comes after `make test`")
    which = "later" if parser.parse_args(arguments).later else "not later"
    # Whoever ends this ends what it started: unheard, two runs would take each other's time.
    signal.signal(signal.SIGTERM, _ended)
    computed = tuple(f"--ignore={one}" for one in _LIVE)
    _compiled((computed, _LIVE))
    # Served last, a test may wait for minutes before it is its turn.
    computing = _command("-n", "auto", *_SHARED, "--timeout", "600", "-m", f"not alone and not long and {which}", *computed)
    waiting = _command("-n", "4", *_SHARED, "-m", f"not alone and not long and {which}", *_LIVE)
    watching = _command("-m", f"alone and not long and {which}", *ALONE)
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
