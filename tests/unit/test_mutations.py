"""The runner of mutations believes a test only where it failed for the alteration."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
from benchmarks.mutations import runner
from benchmarks.mutations.model import Line, Outcome
from benchmarks.mutations.runner import Run, Tree, try_all, try_line

LINE = Line("made-up", "nothing", "made_up.py", "return 2\n", "return 3\n", ("unit/test_made_up.py",))
PASSED, FAILED = Run(0, (), 0.1, ""), Run(1, ("unit/test_made_up.py::test_two",), 0.1, "")


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A repository of one module; its test is real."""
    for name, text in {
        "src/blickschutz/made_up.py": "def two():\n    return 2\n",
        "src/blickschutz/__init__.py": "",
        "tests/unit/test_made_up.py": "from blickschutz.made_up import two\n\n\ndef test_two():\n    assert two() == 2\n",
        "benchmarks/nothing.py": "",
        "pyproject.toml": "[tool.pytest.ini_options]\nmarkers = ['alone: not here']\n",
    }.items():
        path = tmp_path / "repository" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(runner, "ROOT", tmp_path / "repository")
    return tmp_path


class Answers:
    """A tree that gives one answer after the other; `written` is what its module was."""

    def __init__(self, *runs):
        self._runs, self.written, self.asked = list(runs), [], []

    def read(self, file):
        return "def two():\n    return 2\n" if file == LINE.file else ""

    def write(self, file, text):
        self.written.append((file, text))

    def test(self, tests, limit_s):
        del limit_s
        self.asked.append(tuple(tests))
        return self._runs.pop(0)


@pytest.mark.parametrize(
    ("runs", "outcome", "listed"),
    [
        ([FAILED], Outcome.NOTICED, True),
        ([PASSED, FAILED], Outcome.NOTICED, False),
        ([PASSED, PASSED], Outcome.UNNOTICED, False),
        ([None, None], Outcome.UNNOTICED, False),
        ([Run(2, (), 0.0, "SyntaxError")], Outcome.BROKEN, True),
        ([Run(5, (), 0.0, "no tests ran")], Outcome.BROKEN, True),
    ],
)
def test_what_the_tests_say_and_the_line_is_put_back(runs, outcome, listed):
    tree = Answers(*runs)
    result = try_line(tree, LINE, listed_only=False)
    assert (result.outcome, result.listed) == (outcome, listed)
    assert tree.written == [("made_up.py", "def two():\n    return 3\n"), ("made_up.py", "def two():\n    return 2\n")]
    assert tree.asked[0] == LINE.tests


@pytest.mark.parametrize(("file", "text"), [("made_up.py", "return 4\n"), ("gone.py", "return 2\n"), ("made_up.py", "t")])
def test_a_text_that_is_not_there_exactly_once_is_an_error(file, text):
    tree = Answers()
    assert try_line(tree, replace(LINE, file=file, text=text), listed_only=False).outcome is Outcome.MISFIT
    assert tree.written == []


def test_a_test_that_fails_without_the_alteration_too_has_noticed_nothing():
    results = [runner.Result(replace(LINE, name=name), Outcome.NOTICED, by) for name, by in (("a", "x"), ("b", "y"), ("c", "x"))]
    tree = Answers(Run(1, ("x",), 0.0, ""), Run(0, (), 0.7, ""))
    confirmed, slowest_s = runner._confirmed(tree, results)
    assert [one.outcome for one in confirmed] == [Outcome.UNNOTICED, Outcome.NOTICED, Outcome.UNNOTICED]
    assert (tree.asked, slowest_s) == ([("x", "y"), ("y",)], 0.7)


def test_the_altered_module_is_the_one_that_is_used(root):
    """Twice the same size within one second: a cached module must not be taken for the altered one."""
    tree, said = Tree(root / "scratch"), []
    for number in (2, 3, 4, 2):
        tree.write("made_up.py", f"def two():\n    return {number}\n")
        command = [sys.executable, "-c", "from blickschutz.made_up import two; print(two())"]
        said.append(subprocess.run(command, cwd=tree.root, env=tree.environment, capture_output=True, text=True, check=True).stdout.strip())
    assert said == ["2", "3", "4", "2"]
    assert (runner.ROOT / "src/blickschutz/made_up.py").read_text(encoding="utf-8") == "def two():\n    return 2\n"


@pytest.mark.parametrize(
    ("number", "code", "failed"), [pytest.param(2, 0, (), marks=pytest.mark.long), (3, 1, ("unit/test_made_up.py::test_two",))]
)
def test_a_test_that_fails_is_named(root, number, code, failed):
    tree = Tree(root / "scratch")
    tree.write("made_up.py", f"def two():\n    return {number}\n")
    run = tree.test(LINE.tests, 170)
    assert (run.code, run.failed) == (code, failed)


def test_two_at_a_time_in_trees_of_their_own(root, monkeypatch):
    """Each line is tried once, and at the end what noticed is asked without any alteration."""
    made = []

    class Believed(Answers):
        def __init__(self, folder):
            super().__init__()
            made.append((folder.name, self))

        def test(self, tests, limit_s):
            self.asked.append(tuple(tests))
            return FAILED if self.written and self.written[-1][1].endswith("return 3\n") else replace(PASSED, slowest_s=0.4)

    monkeypatch.setattr(runner, "Tree", Believed)
    lines = [LINE, replace(LINE, name="harmless", altered="return 1 + 1\n"), replace(LINE, name="again")]
    told = []
    results, slowest_s = try_all(lines, root / "scratch", told.append, listed_only=True)
    assert [one.outcome for one in results] == [Outcome.NOTICED, Outcome.UNNOTICED, Outcome.NOTICED]
    assert {one.line.name for one in told} == {line.name for line in lines}
    assert [name for name, _ in made] == ["one", "two"]
    assert sum(asked == FAILED.failed for _, tree in made for asked in tree.asked) == 1
    assert slowest_s == 0.4
