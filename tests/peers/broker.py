"""A real MQTT broker (mosquitto) on loopback."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest


class RealBroker:
    """Starts on its port; `stop` ends the process that it started. With a `certificate` and its key it speaks TLS only.

    `more` are further lines of its configuration.
    """

    def __init__(self, port: int, folder: Path, certificate: tuple[Path, Path] | None = None, more: str = "") -> None:
        self.port, self._folder, self._certificate, self._more = port, folder, certificate, more
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        path = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        if not Path(path).exists():
            pytest.skip("mosquitto is not installed")
        config = self._folder / "mosquitto.conf"
        tls = "" if self._certificate is None else "certfile {}\nkeyfile {}\n".format(*self._certificate)
        config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\nuser {getpass.getuser()}\n{tls}{self._more}"
        )
        with (self._folder / "mosquitto.log").open("w") as log:
            self._process = subprocess.Popen([path, "-v", "-c", str(config)], stdout=log, stderr=log)
        end = time.monotonic() + 10
        while time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError("the broker did not start")

    def log(self) -> str:
        """What it wrote since its start."""
        return (self._folder / "mosquitto.log").read_text(encoding="utf-8")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None
