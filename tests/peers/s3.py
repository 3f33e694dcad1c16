"""A real server that speaks S3 (moto), in a process of its own on loopback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from tests.peers.nats import free_port

NAME = "kopien"


@contextmanager
def running():
    """The address of a server that has nothing yet."""
    pytest.importorskip("boto3", reason="boto3 is not installed (extra s3)")
    pytest.importorskip("moto", reason="moto is not installed")
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    try:
        end = time.monotonic() + 60
        while time.monotonic() < end and process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        else:
            raise AssertionError("the store did not start")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait(10)
