"""The network namespaces of the demonstration of a cluster: made anew at once, whatever the one before left running."""

from __future__ import annotations

import signal
import subprocess

import pytest

from blickschutz.demo import wires
from blickschutz.demo.wires import Wires
from blickschutz.kernel.errors import OperatorError


@pytest.mark.skipif(not wires.possible(), reason="needs root and `ip`")
def test_lines_are_there_again_at_once_though_a_process_of_before_still_runs(monkeypatch):
    """A namespace goes some time after its last process, and its line with it: the next start found that line and ended."""
    monkeypatch.setattr(wires, "_BRIDGE", "blt-bridge")
    monkeypatch.setattr(wires, "_NET", "10.213.79")
    monkeypatch.setattr(wires, "_space", lambda name: f"blt-{name}")
    monkeypatch.setattr(wires, "_port", lambda number: f"blt-{number}")
    try:
        first = Wires(["one", "two"])
    except OperatorError as error:
        pytest.skip(f"no namespaces here: {error}")
    left = subprocess.Popen(Wires.inside("one", ["sleep", "60"]), start_new_session=True)
    try:
        first.end()
        second = Wires(["one", "two"])
        try:
            assert subprocess.run(Wires.inside("one", ["ip", "-br", "addr"]), capture_output=True, text=True, check=True).stdout.count("UP")
        finally:
            second.end()
    finally:
        left.send_signal(signal.SIGKILL)
        left.wait(10)
        first.end()
