"""What strangers without an account cost: `.venv/bin/python -m benchmarks.floods [SECONDS] [NAME...]`.

Each flood runs for SECONDS (60) against a site's pages in a process of their own, without cells, on the loopback. Meanwhile somebody
who is signed in reads a page twice a second. Told are growth of memory and disk, of the log, and how long the page took.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import httpx

from blickschutz.access.model import FactorKind
from blickschutz.access.service.totp import new_secret
from blickschutz.bootstrap.system import System
from blickschutz.config.loader import load_site
from blickschutz.kernel.clock import SystemClock

SITE = Path(__file__).parent.parent / "examples/rathaus-kaiserslautern.toml"
PERSON, PAGE = "aufsicht", "/cases"
# Strangers come from other addresses than the desk at which somebody works.
STRANGERS = [f"127.0.{net}.{host}" for net in (1, 2) for host in range(1, 5)]
THREADS = 24
_MB = 1024 * 1024


# --- the site, in a process of its own ---


class _Ended:
    """In place of a cell: one that ended at once."""

    pid, exitcode = None, 1

    def join(self, timeout: float | None = None) -> None:
        del timeout

    def is_alive(self) -> bool:
        return False

    def kill(self) -> None:
        """There is nothing to kill."""


def _no_cell(connection: socket.socket, name: str) -> BaseProcess:
    del name
    connection.close()
    return _Ended()  # type: ignore[return-value]  # as much of a process as a keeper asks for


def serve(folder: Path, port: int) -> None:
    """The pages of the example site; the first line says with which session somebody is signed in."""
    # What the site itself writes goes elsewhere.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    site = load_site(SITE)
    site = site.model_copy(update={"cameras": site.cameras[:2], "server": site.server.model_copy(update={"port": port})})
    system = System(site, folder, SystemClock(), _no_cell, data=folder / "state")
    access = system.records.office.access
    access.accounts.activate(PERSON)
    access.passwords.set(PERSON, "vier Wörter ganz ohne Sinn", "bench")
    access.factors.add(PERSON, FactorKind.TOTP, "bench", new_secret(), 0)
    print(access.begin(PERSON), file=answers, flush=True)

    def wait() -> None:
        sys.stdin.read()
        system.end()

    threading.Thread(target=wait, daemon=True).start()
    asyncio.run(system.serve())


# --- strangers ---

Told = Counter[str]


def _connection(port: int, number: int) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port), timeout=10, source_address=(STRANGERS[number % len(STRANGERS)], 0))
    made.settimeout(10)
    return made


def _request(method: str, path: str, host: str, headers: str = "", body: bytes = b"") -> bytes:
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{length}{headers}\r\n".encode() + body


def _asks(make: Callable[[str], bytes]) -> Callable[[int, int, float, Told], None]:
    """A stranger who sends the same again and again, on connections that stay open for as long as the server has them."""

    def run(port: int, number: int, until: float, told: Told) -> None:
        line: socket.socket | None = None
        while time.monotonic() < until:
            try:
                line = line or _connection(port, number)
                line.sendall(make(f"127.0.0.1:{port}"))
                answer = line.recv(65536)
                told[answer[9:12].decode("latin-1") or "closed"] += 1
                if not answer or b"close" in answer.lower():
                    line.close()
                    line = None
            except OSError as error:
                told[type(error).__name__] += 1
                if line is not None:
                    line.close()
                line = None
                time.sleep(0.01)

    return run


def _fills(head: str) -> Callable[[int, int, float, Told], None]:
    """A stranger who sends a body that does not end."""
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"

    def run(port: int, number: int, until: float, told: Told) -> None:
        while time.monotonic() < until:
            with contextlib.suppress(OSError), _connection(port, number) as line:
                line.sendall(head.format(host=f"127.0.0.1:{port}").encode())
                sent = 0
                while time.monotonic() < until and sent < 1500 * _MB:
                    line.sendall(chunk)
                    sent += len(chunk)
            told["ended"] += 1

    return run


def _holds(port: int, number: int, until: float, told: Told) -> None:
    """A stranger who opens connections, sends half a request on each, and keeps them."""
    held: list[socket.socket] = []
    while time.monotonic() < until:
        try:
            line = _connection(port, number + len(held))
            line.sendall(b"POST /sign-in HTTP/1.1\r\nHost: x\r\nX-Slow: ")
            held.append(line)
            told["opened"] += 1
        except OSError as error:
            told[type(error).__name__] += 1
        if len(held) > 100:
            held.pop(0).close()
        time.sleep(0.005)
    for line in held:
        line.close()


def _word() -> bytes:
    return secrets.token_hex(8).encode()


_FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
_CHUNKED = "POST {path} HTTP/1.1\r\nHost: {{host}}\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n"
_UPGRADE = (
    "Origin: http://{host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


def _nothing(port: int, number: int, until: float, told: Told) -> None:
    """Nobody asks: what the site itself needs meanwhile."""
    del port, number, told
    time.sleep(max(0.0, until - time.monotonic()))


FLOODS: dict[str, Callable[[int, int, float, Told], None]] = {
    "nobody": _nothing,
    "wrong passwords": _asks(lambda host: _request("POST", "/sign-in", host, _FORM, b"person=aufsicht&password=" + _word())),
    "names": _asks(lambda host: _request("POST", "/sign-in", host, _FORM, b"password=x&person=" + _word())),
    "pages": _asks(lambda host: _request("GET", "/sign-in", host)),
    "refused pages": _asks(lambda host: _request("GET", "/log", host)),
    "missing pages": _asks(lambda host: _request("GET", f"/{secrets.token_hex(8)}", host)),
    "foreign hosts": _asks(lambda _: _request("GET", "/", "evil.example")),
    "tokens": _asks(lambda host: _request("GET", "/api/v1/me", host, f"Authorization: Bearer {secrets.token_hex(8)}\r\n")),
    "live streams": _asks(lambda host: _request("GET", "/cameras/vorplatz-nord/live", host, _UPGRADE.format(host=host))),
    "endless JSON": _fills(_CHUNKED.format(path="/api/v1/alerts/1/close", kind="application/json")),
    "endless form": _fills(_CHUNKED.format(path="/sign-in", kind="application/x-www-form-urlencoded")),
    "endless file": _fills(_CHUNKED.format(path="/sign-in", kind="multipart/form-data; boundary=x")),
    "half requests": _holds,
}


def flood(name: str, port: int, seconds: float) -> None:
    """One flood, in this process; tells what was answered."""
    # Strangers bring processors of their own.
    os.nice(9)
    told: list[Told] = [Counter() for _ in range(THREADS)]
    until = time.monotonic() + seconds
    threads = [threading.Thread(target=FLOODS[name], args=(port, number, until, told[number])) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(sum(told, Counter())))


# --- measuring ---


def _memory(pid: int) -> float:
    """Megabytes of a process that are its own."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("RssAnon")) / 1024


def _disk(folder: Path) -> float:
    """Megabytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / _MB


class Site:
    """The site's process, and its log as it lies on the disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        command = [sys.executable, "-m", "benchmarks.floods", "serve", str(folder), str(self.port)]
        # What a library spools goes there too, so that it is counted.
        environment = {**os.environ, "TMPDIR": str(folder)}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
        )
        assert self.process.stdout is not None
        self.session = self.process.stdout.readline().strip()

    def entries(self) -> int:
        """How many entries the log has."""
        with contextlib.closing(sqlite3.connect(f"file:{self.folder}/state/control.db?mode=ro", uri=True, timeout=20)) as database:
            return int(database.execute("select max(number) from log").fetchone()[0])

    def page(self) -> float:
        """Seconds that a page took for somebody who is signed in, on a new connection."""
        start = time.monotonic()
        answer = httpx.get(f"http://127.0.0.1:{self.port}{PAGE}", cookies={"session": self.session}, timeout=20)
        assert answer.status_code == 200, answer.status_code
        return time.monotonic() - start

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(30)


def measure(site: Site, name: str, seconds: float) -> dict[str, Any]:
    """Growth and times while one flood runs."""
    memory, disk, entries = _memory(site.process.pid), _disk(site.folder), site.entries()
    command = [sys.executable, "-m", "benchmarks.floods", "flood", name, str(site.port), str(seconds)]
    attack = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    times: list[float] = []
    most, failed, fullest = memory, 0, disk
    while attack.poll() is None:
        try:
            times.append(site.page())
        except (httpx.HTTPError, AssertionError):
            failed += 1
        most, fullest = max(most, _memory(site.process.pid)), max(fullest, _disk(site.folder))
        time.sleep(0.5)
    assert attack.stdout is not None
    answered = json.loads(attack.stdout.read())
    times.sort()
    return {
        "flood": name,
        "requests": sum(answered.values()),
        "answered": answered,
        "memory_mb": round(most - memory, 1),
        "disk_mb": round(fullest - disk, 1),
        "entries_per_s": round((site.entries() - entries) / seconds, 3),
        "page_p50_ms": round(1000 * times[len(times) // 2]),
        "page_p95_ms": round(1000 * times[int(len(times) * 0.95)]),
        "page_failed": failed,
    }


def main(seconds: float, names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder))
        try:
            for _ in range(100):
                with contextlib.suppress(httpx.HTTPError):
                    site.page()
                    break
                time.sleep(0.2)
            for _ in range(20):
                site.page()
            for name in names or FLOODS:
                print(json.dumps(measure(site, name, seconds)), flush=True)
        finally:
            site.end()


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(Path(sys.argv[2]), int(sys.argv[3]))
    elif sys.argv[1:2] == ["flood"]:
        flood(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
    else:
        main(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0, sys.argv[2:])
