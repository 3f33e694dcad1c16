"""A rule is two files, its module and its test: this adds one that the software does not know, and looks at what it makes of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from tests.conftest import ROOT

ARGUMENTS = ("-m", "pytest", "-q", "-p", "tests.fakes.one_more_rule", "-p", "no:cacheprovider", "tests/unit/one_more_rule.py")


@pytest.mark.later
def test_a_module_is_all_that_a_new_rule_takes(tmp_path):
    """In a process of its own, because the list of kinds is closed as soon as anybody has asked for it."""
    shutil.copy(ROOT / "tests/fakes/lane_blocked.py", tmp_path)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "tests.fakes.one_more_rule",
        "-p",
        "no:cacheprovider",
        "tests/unit/one_more_rule.py",
    ]
    environment = {**os.environ, "ONE_MORE_RULE": str(tmp_path)}
    found = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout
    assert "passed" in found.stdout
