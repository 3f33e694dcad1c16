"""Alters one line in a copy of the tree, runs fast tests there, and takes the alteration back."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue

from benchmarks.mutations.model import Line, Outcome, Result

ROOT = Path(__file__).resolve().parents[2]
_COPIED = ("src", "tests", "benchmarks", "scripts")
_WHOLE = ("unit", "properties")
_WITHOUT = ("cacheprovider", "schemathesis", "playwright", "xdist")
_EACH_S, _LISTED_S, _WHOLE_S = 60, 240.0, 1800.0
_PASSED, _FAILED = 0, 1
_FAILURE = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.M)
_SLOWEST = re.compile(r"^([\d.]+)s (?:call|setup)", re.M)


@dataclass(frozen=True, slots=True)
class Run:
    """`failed` are the tests that did, `slowest_s` the longest call."""

    code: int
    failed: tuple[str, ...]
    slowest_s: float
    said: str


class Tree:
    """A copy of the sources and tests in `folder`; the rest of the repository is linked. `environment` makes it the one that is used."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "tree"
        self.root.mkdir(parents=True)
        for path in ROOT.iterdir():
            if path.name in _COPIED:
                shutil.copytree(path, self.root / path.name, ignore=shutil.ignore_patterns("__pycache__"))
            elif not path.name.startswith("."):
                (self.root / path.name).symlink_to(path)
        shared = ROOT.parent / "shared"
        if shared.exists():
            (folder / "shared").symlink_to(shared)
        self.environment = {**os.environ, "PYTHONPATH": f"{self.root / 'src'}:{self.root}", "PYTHONPYCACHEPREFIX": str(folder / "cache")}
        self._stamp = int(time.time())

    def read(self, file: str) -> str:
        path = self.root / "src/blickschutz" / file
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def write(self, file: str, text: str) -> None:
        """Python tells a changed module by whole seconds and its size: each writing gets a time of its own."""
        path = self.root / "src/blickschutz" / file
        path.write_text(text, encoding="utf-8")
        self._stamp += 2
        os.utime(path, (self._stamp, self._stamp))

    def test(self, tests: Sequence[str], limit_s: float) -> Run | None:
        """Run fast tests until the first fails; None where they do not end in time."""
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-m", "not alone", "--tb=no", "--durations=1", f"--timeout={_EACH_S}"]
        command += [part for plugin in _WITHOUT for part in ("-p", f"no:{plugin}")] + [f"tests/{one}" for one in tests]
        try:
            done = subprocess.run(
                command, cwd=self.root, env=self.environment, capture_output=True, text=True, timeout=limit_s, check=False
            )
        except subprocess.TimeoutExpired:
            return None
        failed = tuple(name.removeprefix("tests/") for name in _FAILURE.findall(done.stdout))
        slowest = max((float(found) for found in _SLOWEST.findall(done.stdout)), default=0.0)
        return Run(done.returncode, failed, slowest, (done.stdout + done.stderr)[-600:])


def places(line: Line) -> int:
    """How often its text stands in its file."""
    path = ROOT / "src/blickschutz" / line.file
    return path.read_text(encoding="utf-8").count(line.text) if path.exists() else 0


def try_line(tree: Tree, line: Line, listed_only: bool) -> Result:
    """Alter one line; the tests that should notice go first, all others only where those do not."""
    # Of the copy: whoever works on the tree meanwhile changes nothing of what is tried.
    source, begun = tree.read(line.file), time.monotonic()
    if (times := source.count(line.text)) != 1:
        return Result(line, Outcome.MISFIT, why=f"its text stands {times} times in {line.file}")
    tree.write(line.file, source.replace(line.text, line.altered))
    try:
        found = _judged(line, tree.test(line.tests, _LISTED_S), listed=True)
        if found.outcome is Outcome.UNNOTICED and not listed_only:
            found = _judged(line, tree.test(_WHOLE, _WHOLE_S), listed=False)
    finally:
        tree.write(line.file, source)
    return replace(found, seconds=round(time.monotonic() - begun, 1))


def _judged(line: Line, run: Run | None, *, listed: bool) -> Result:
    if run is None:
        return Result(line, Outcome.UNNOTICED, listed=listed, why="the tests did not end in time")
    if run.code == _FAILED and run.failed:
        return Result(line, Outcome.NOTICED, run.failed[0], listed)
    if run.code == _PASSED:
        return Result(line, Outcome.UNNOTICED, listed=listed, why="all tests passed")
    return Result(line, Outcome.BROKEN, listed=listed, why=run.said)


def try_all(
    lines: Sequence[Line], folder: Path, tell: Callable[[Result], None], *, listed_only: bool = False
) -> tuple[list[Result], float]:
    """All lines, two at a time, and the longest call among the tests that noticed.

    A test that fails without any alteration too has noticed nothing.
    """
    trees: SimpleQueue[Tree] = SimpleQueue()
    for name in ("one", "two"):
        trees.put(Tree(folder / name))

    def work(line: Line) -> Result:
        tree = trees.get()
        try:
            result = try_line(tree, line, listed_only)
        finally:
            trees.put(tree)
        tell(result)
        return result

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(work, lines))
    return _confirmed(trees.get(), results)


def _confirmed(tree: Tree, results: Sequence[Result]) -> tuple[list[Result], float]:
    noticing, doubtful, slowest_s = sorted({one.by for one in results if one.by}), set[str](), 0.0
    while left := [name for name in noticing if name not in doubtful]:
        run = tree.test(left, _WHOLE_S)
        if run is not None and run.code == _PASSED:
            slowest_s = run.slowest_s
            break
        doubtful |= set(run.failed) if run is not None and run.failed else set(left)
    why = "the test that failed does so without the alteration too"
    return [replace(one, outcome=Outcome.UNNOTICED, why=why) if one.by in doubtful else one for one in results], slowest_s
