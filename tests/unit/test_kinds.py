"""Kinds of situations are declared once: each beside its rule, in an order of its own, with all that is made of them."""

from __future__ import annotations

import ast
import string
import subprocess
import sys
from dataclasses import dataclass, fields

import pytest
from scripts.kinds import RULES_HEAD, rendered, with_rows

from blickschutz.situations import declare, rules
from blickschutz.situations.declare import GERMAN, NoBounds, bound, rule
from blickschutz.situations.kinds import DECLARED, RULES, Kind
from blickschutz.situations.model import Declaration, Seconds
from blickschutz.situations.settings import RuleSettings
from tests.conftest import ROOT

HUMMING = Declaration(id="humming", order=135, name=("Summen", "Humming"), explanation=("Summen", "humming"))


@dataclass(frozen=True)
class Humming:
    humming_s: Seconds = bound(1.0, "Summen: Dauer.", "humming: how long.")


@dataclass(frozen=True)
class Again:
    loitering_s: Seconds = bound(1.0, "Noch einmal.", "Once more.")


def hum(history, zone, asked):
    yield from ()


def test_every_kind_that_the_code_names_is_declared():
    """Types do not know the members of a list that is closed at run time; this does."""
    named: set[str] = set()
    for folder in ("src/blickschutz", "scripts", "benchmarks", "tests"):
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            if "situations.kinds" not in text:
                continue
            tree = ast.parse(text)
            brought = [one for one in ast.walk(tree) if isinstance(one, ast.ImportFrom) and one.module == "blickschutz.situations.kinds"]
            names = {alias.asname or alias.name for one in brought for alias in one.names if alias.name == "Kind"}
            for node in ast.walk(tree) if names else ():
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in names and node.attr.isupper():
                    named.add(node.attr)
    assert len(named) > 10
    assert named - {kind.name for kind in Kind} == set()


def test_kinds_and_rules_belong_to_each_other():
    assert [kind.value for kind in Kind] == [one.id for one in sorted(DECLARED.values(), key=lambda one: one.order)]
    assert sorted(one.id for each in RULES for one in each.kinds) == sorted(kind.value for kind in Kind)


def test_settings_have_the_bounds_of_all_rules_in_their_order():
    bounds = [one.name for each in RULES for one in fields(each.bounds)]
    assert [one.name for one in fields(RuleSettings)] == ["off", *bounds]
    for each in RULES:
        assert isinstance(RuleSettings(), each.bounds), "a rule gets its own bounds, typed"


@pytest.mark.parametrize("one", fields(RuleSettings), ids=lambda one: one.name)
def test_every_bound_says_what_it_is_in_both_languages(one):
    german, english = one.metadata[GERMAN], one.metadata["description"]
    assert german.endswith(".")
    assert english.endswith(".")
    assert german != english


@pytest.mark.parametrize("kind", Kind)
def test_both_explanations_tell_the_same_figures(kind):
    def figures(text):
        return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)

    german, english = DECLARED[kind].explanation
    assert figures(german) == figures(english) != []


def test_what_is_declared_too_late_is_refused():
    with pytest.raises(ValueError, match="closed"):
        rule(135, HUMMING, bounds=Humming, true_when="something hums")(hum)


@pytest.mark.parametrize(
    ("order", "one", "bounds", "says"),
    [
        (20, HUMMING, Humming, "order is that of loitering"),
        (135, Declaration(id="humming", order=20, name=HUMMING.name, explanation=HUMMING.explanation), Humming, "a kind of loitering"),
        (135, Declaration(id="loitering", order=135, name=HUMMING.name, explanation=HUMMING.explanation), NoBounds, "a kind of loitering"),
        (135, HUMMING, Again, "loitering_s is a bound of loitering"),
    ],
)
def test_what_clashes_is_refused(monkeypatch, order, one, bounds, says):
    monkeypatch.setattr(declare, "_closed", [])
    with pytest.raises(ValueError, match=says):
        rule(order, one, bounds=bounds, true_when="something hums")(hum)
    assert tuple(sorted(declare._declared, key=lambda one: one.order)) == RULES


def test_the_vocabulary_brings_nothing_heavy_with_it():
    """Pages and documents ask what kinds there are: no decoder, no detector and no picture comes with the answer."""
    heavy = ("av", "cv2", "openvino", "onnxruntime", "lap", "blickschutz.situations.service", "blickschutz.situations.io")
    code = f"import sys, blickschutz.situations.settings; print([name for name in {heavy!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_every_module_with_a_rule_is_found():
    """Whatever lies in the folder counts; there is no list of modules to be forgotten."""
    folder = ROOT / "src/blickschutz/situations/rules"
    declaring = {path.stem for path in folder.glob("*.py") if "\n@rule(" in path.read_text(encoding="utf-8")}
    assert rules.__path__ == [str(folder)]
    assert {each.judge.__module__.rpartition(".")[2] for each in RULES} == declaring != set()


@pytest.mark.parametrize("path", rendered(), ids=lambda path: path.name)
def test_what_lists_the_kinds_is_made_from_their_declarations(path):
    assert path.read_text(encoding="utf-8") == rendered()[path], "run `python -m scripts.kinds`"


def test_a_table_keeps_what_is_not_about_kinds():
    text = f"Before\n\n{RULES_HEAD}| `a`, `b` | old |\n| `x/y`, and more | what `z` says |\n| all others | never |\n\nAfter\n"
    made = f"Before\n\n{RULES_HEAD}| `c` | new |\n| `x/y`, and more | what `z` says |\n| all others | never |\n\nAfter\n"
    assert with_rows(text, RULES_HEAD, ["| `c` | new |"]) == made
    with pytest.raises(ValueError, match="no table"):
        with_rows("Nothing", RULES_HEAD, [])
