"""A real broker between hosts (nats-server) on loopback, with TLS both ways and the accounts of an installation."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from nats.aio.client import Client

from blickschutz.hosts.io.broker import Address
from blickschutz.hosts.rules.server import Broker, configuration
from blickschutz.hosts.rules.subjects import ROOM, user
from tests.peers.authority import ThrowAway

SITE = "town-hall"


def program() -> str:
    path = shutil.which("nats-server") or "/usr/sbin/nats-server"
    if not Path(path).exists():
        pytest.skip("nats-server is not installed")
    pytest.importorskip("nats", reason="nats-py is not installed (extra hosts)")
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RunningBroker:
    """The program with a configuration that is there. `kill`, `start`, `empty` are what happens to brokers."""

    def __init__(self, config: Path, port: int, host: str = "127.0.0.1") -> None:
        self._host = host
        self._program, self._config, self.port, self.folder = program(), config, port, config.parent
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def store(self) -> Path:
        return self.folder / "store"

    def start(self) -> None:
        with (self.folder / "nats.log").open("ab") as log:
            self._process = subprocess.Popen([self._program, "-c", str(self._config)], stdout=log, stderr=log)
        end = time.monotonic() + 10
        while time.monotonic() < end and self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex((self._host, self.port)) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError(f"the broker did not start: {self.log()}")

    def log(self) -> str:
        return (self.folder / "nats.log").read_text(encoding="utf-8")

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def empty(self) -> None:
        """All that it stored is gone, as after a disk that was replaced."""
        self.kill()
        shutil.rmtree(self.store, ignore_errors=True)

    def reload(self) -> None:
        """It reads its configuration anew."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def hold(self, on: bool) -> None:
        """It stands still, as behind a cut."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP if on else signal.SIGCONT)

    def _end(self, by: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(by)
            self._process.wait(10)
            self._process = None


class NatsServer(RunningBroker):
    """For an installation with these hosts."""

    def __init__(self, folder: Path, hosts: tuple[str, ...] = ("north", "south"), **more: int) -> None:
        super().__init__(folder / "nats.conf", free_port())
        self.authority = ThrowAway(folder)
        certificate, key = self.authority.server("broker", "broker.internal")
        where = Broker("127.0.0.1", self.port, str(certificate), str(key), str(self.authority.file), str(self.store), **more)
        self._config.write_text(configuration(where, SITE, hosts))

    def address(self, host: str = ROOM, authority: ThrowAway | None = None, days: float = 1.0, site: str = SITE) -> Address:
        """How `host` connects; `authority` made its certificate, which is good for so many days."""
        name = user(site, host)
        certificate, key = (authority or self.authority).server(f"{name}-{days}", name, days)
        return Address(f"tls://127.0.0.1:{self.port}", "broker.internal", self.authority.file, certificate, key)


@contextlib.contextmanager
def overheard() -> Iterator[list[bytes]]:
    """All that clients of this process say to a broker and hear from it, by subject, payload and headers."""
    found: list[bytes] = []
    publish, process = Client._send_publish, Client._process_msg

    async def said(self, subject, reply, payload, size, headers):
        found.append(subject.encode() + bytes(payload) + repr(headers).encode())
        await publish(self, subject, reply, payload, size, headers)

    async def heard(self, sid, subject, reply, data, headers):
        found.append(bytes(subject) + bytes(data))
        await process(self, sid, subject, reply, data, headers)

    with patch.object(Client, "_send_publish", said), patch.object(Client, "_process_msg", heard):
        yield found
