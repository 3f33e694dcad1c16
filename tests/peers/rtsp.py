"""Start and end the RTSP server."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

SYSTEM_PYTHON = "/usr/bin/python3"


@dataclass
class RtspServer:
    process: subprocess.Popen
    port: int

    @property
    def address(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/stream"

    def end(self) -> None:
        self.process.kill()
        self.process.wait(10)
        self.process.stdout.close()


def start_server(*options: str) -> RtspServer:
    """A running server; the test is skipped, by name, where GStreamer's server is not installed."""
    if not Path(SYSTEM_PYTHON).exists():
        pytest.skip("no system Python for the RTSP server")
    command = [SYSTEM_PYTHON, str(Path(__file__).with_name("rtsp_server.py")), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    line = process.stdout.readline()
    if not line:
        process.wait(10)
        process.stdout.close()
        pytest.skip("GStreamer's RTSP server is not installed")
    return RtspServer(process, int(line))


@contextlib.contextmanager
def rtsp_server(*options: str) -> Iterator[RtspServer]:
    server = start_server(*options)
    try:
        yield server
    finally:
        server.end()
