"""What the guide for contributors says is true: its places exist, and its example of a commit keeps its own rules."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT

GUIDE = (ROOT / "docs/contributing.md").read_text(encoding="utf-8")
PLACES = sorted(set(re.findall(r"`((?:src|tests|docs|schemas|monitoring|benchmarks|scripts)/[\w./-]+)`", GUIDE)))


@pytest.mark.parametrize("place", PLACES)
def test_places_that_it_names_are_there(place):
    assert (ROOT / place).exists()


def test_names_of_code_in_it_are_there():
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    known = ("History", "Finding", "graded", "bound", "VideoSource", "SourceKind", "open_source")
    for name in (*known, "FactKind"):
        assert f"`{name}" in GUIDE
        assert re.search(rf"^(class|def) {name}\b|^{name}\b", code, re.MULTILINE), name


def test_its_example_of_a_commit_keeps_its_rules():
    subject, empty, *body = re.search(r"```\n(.+?)\n```", GUIDE, re.DOTALL)[1].split("\n")
    assert empty == ""
    assert len(subject) <= 72
    assert subject[0].isupper()
    assert not subject.endswith(".")
    assert body
    assert all(len(line) <= 78 for line in body)
