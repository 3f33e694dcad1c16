"""Without any way out everything works, and nothing looks for one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.conftest import ROOT

pytestmark = [pytest.mark.peers, pytest.mark.timeout(180)]


def closed(*arguments, module="closed"):
    """Run the small site in namespaces of its own, in which there is a loopback, no resolver and nothing else."""
    if os.geteuid() or shutil.which("unshare") is None or shutil.which("ip") is None:
        pytest.skip("a network namespace takes root, unshare and ip")
    line = ["unshare", "--net", "--mount", sys.executable, "-m", f"tests.live.{module}", *map(str, arguments)]
    # As the command does: what has a pool of threads cannot be confined.
    single = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    result = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False, timeout=170, env=single)
    if "Operation not permitted" in result.stderr:
        pytest.skip("network namespaces are not allowed here")
    assert result.returncode == 0, result.stderr[-3000:]
    return json.loads(result.stdout.splitlines()[-1])


def test_a_connection_that_leaves_would_be_counted(tmp_path):
    assert closed(tmp_path, "--leak")["left"] >= 1


@pytest.mark.later
def test_a_whole_site_works_without_a_way_out_and_looks_for_none(tmp_path):
    assert closed(tmp_path) == {"left": 0, "done": ["pages", "recording", "document", "holds"]}


@pytest.mark.long
def test_of_all_addresses_a_running_site_tries_those_of_its_file_alone(tmp_path):
    """Every call of every process that names an address, from the start to the end."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    assert closed(tmp_path, module="reached") == {"called": True, "page": 200, "elsewhere": ["10.77.0.20"]}
