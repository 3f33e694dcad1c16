"""The threat model names for each row what tries it, and what it names is there."""

from __future__ import annotations

import ast
import re
from functools import cache

from tests.conftest import ROOT

_TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def rows():
    """Cells of each row of the table of threats."""
    lines = (ROOT / "docs/threat-model.md").read_text(encoding="utf-8").split("\n")
    start = next(number for number, line in enumerate(lines) if line.startswith("| who | wants |"))
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip("|").split("|")]


@cache
def named(path):
    """Functions of a file that its tests run: the tests, and what they call."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    found = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    return {name for name in found if name.startswith("test_") or name in called}


def test_every_row_names_an_attack_that_is_there():
    found = list(rows())
    assert len(found) > 50
    for who, _, against, tried in found:
        tests = _TEST.findall(tried)
        assert tests, f"nothing tries {who}"
        assert against, who
        for path, name in tests:
            assert (ROOT / path).is_file(), f"{who}: {path}"
            there = named(path)
            assert name in there if name else any(one.startswith("test_") for one in there), f"{who}: {path}::{name}"


def test_every_attack_stands_in_the_threat_model():
    text = "".join(tried for *_, tried in rows())
    missing = {path.name for path in (ROOT / "tests/attack").glob("test_*.py") if f"tests/attack/{path.name}" not in text}
    assert missing <= {"test_threat_model.py"}
