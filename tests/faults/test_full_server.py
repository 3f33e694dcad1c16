"""The disk of a database server is full: who writes is told so at once, nothing that was confirmed is missing, and it goes on by itself."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile

import pytest

from tests.conftest import ROOT
from tests.postgres import found

pytestmark = [pytest.mark.long, pytest.mark.skipif(not found(), reason="no PostgreSQL server is installed (Debian: postgresql)")]
# Seconds within which whoever writes is told; a machine under load gets some more here.
SOON_S = 2.0 + 3.0


@pytest.mark.parametrize("full", ["tables", "journal"])
@pytest.mark.timeout(300)
def test_who_writes_is_told_soon_and_in_words(full):
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("a disk of one's own for another user takes root and unshare")
    # Where other users come by: the server is not root.
    with tempfile.TemporaryDirectory(prefix="full-") as folder:
        line = ["unshare", "--mount", "--propagation", "private", sys.executable, "-m", "tests.faults.full_server", folder, full]
        done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False, timeout=280)
    if "Operation not permitted" in done.stderr:
        pytest.skip("mount namespaces are not allowed here")
    assert done.returncode == 0, done.stderr[-3000:]
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["told"] == 40
    assert 0.0 < seen["most_s"] < SOON_S
    assert seen["read_s"] < SOON_S
    if full == "tables":
        assert seen["readable"]
        assert all("the disk of the server is full; nothing was changed" in said for said in seen["words"])
    else:
        assert all("disk is full" in said for said in seen["words"]), seen["words"]
    assert (seen["missing"], seen["faults"], seen["goes_on"]) == ([], [], True)
