"""An upgrade that is killed at a random moment: the next start finds the database of before or of after, whole, and no copy stays."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.conftest import ROOT

ROUNDS = 12


def test_it_is_done_or_it_is_as_if_it_had_not_been_begun(tmp_path):
    line = [sys.executable, "-m", "tests.faults.upgrades", str(tmp_path), str(ROUNDS)]
    result = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False, timeout=150)
    assert result.returncode == 0, result.stderr[-3000:]
    assert json.loads(result.stdout.splitlines()[-1])["killed"] > 0
