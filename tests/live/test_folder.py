"""Two real processes on one folder, a kill, and a backup of what runs."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest

from tests.live.system import free_port, guest_clip, one_camera, until


@pytest.fixture
def site(tmp_path):
    """One camera on a drawn clip; the data lie beside the site file."""
    guest_clip(tmp_path / "guest.mp4")
    return one_camera(tmp_path, "file:guest.mp4", free_port())


def command(*words):
    return [sys.executable, "-m", "blickschutz.cli.main", *map(str, words)]


def told(*words):
    return subprocess.run(command(*words), capture_output=True, text=True, timeout=120, check=False)


class Running:
    """`blickschutz run` in a process and a group of its own, as a service manager starts it."""

    def __init__(self, site, **environment):
        self.port = int(next(line for line in site.read_text(encoding="utf-8").splitlines() if line.startswith("port = "))[7:])
        # A file: a pipe that nobody reads is full one day, and holds up whoever writes into it.
        self._said = site.with_name("said.log")
        with self._said.open("ab") as said:
            # With a careless umask: what it makes is private all the same.
            self.process = subprocess.Popen(
                ["sh", "-c", 'umask 000 && exec "$0" "$@"', *command("run", "--site", site)],
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,
                env={**os.environ, **environment},
            )
        until(self.answers, 90)

    def answers(self):
        assert self.process.poll() is None, self._said.read_text(encoding="utf-8")
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/sign-in").status_code == 200
        except httpx.TransportError:
            return False

    def kill(self):
        """SIGKILL to the control room alone: what it started finds out by itself."""
        self.process.kill()
        self.process.wait(20)

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 0, "it ends in order, as after Ctrl-C"


def test_a_service_manager_is_told_when_it_is_ready_that_it_lives_and_that_it_ends(site, tmp_path):
    """From inside the control room's walls; SIGTERM then ends it as Ctrl-C does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        running = Running(site, NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="1500000")
        try:
            ready = manager.recv(1000).decode()
            heard = [manager.recv(1000).decode() for _ in range(3)]
        finally:
            running.end()
        assert ready.startswith("READY=1\nSTATUS=")
        assert [one.split("\n")[0] for one in heard] == ["WATCHDOG=1"] * 3
        manager.setblocking(False)
        rest = []
        with contextlib.suppress(BlockingIOError):
            while True:
                rest.append(manager.recv(1000).decode().split("\n")[0])
        assert rest[-1] == "STOPPING=1"


@pytest.mark.timeout(300)
@pytest.mark.later
def test_one_process_holds_the_folder_of_a_running_site(site, tmp_path):
    folder, running = tmp_path / "daten", Running(site)
    try:
        modes = {one.stat().st_mode & 0o777 for one in [folder, *folder.rglob("*")] if one.exists()}
        assert modes <= {0o700, 0o600}
        other = tmp_path / "other.toml"
        other.write_text(site.read_text(encoding="utf-8").replace(f"port = {running.port}", f"port = {free_port()}"), encoding="utf-8")
        refused = told("run", "--site", other, "--seconds", "5")
        assert refused.returncode == 1
        assert str(running.process.pid) in refused.stderr
        assert "blickschutz run" in refused.stderr
        assert "Traceback" not in refused.stderr
        # Beside it people get words, and what runs is backed up and tried.
        for person in ("aufsicht", "dsb"):
            assert told("users", "recovery", "--site", site, person).returncode == 0
        made = told("backup", tmp_path / "a.backup", "--site", site)
        assert made.returncode == 0, made.stderr
        assert "does not know" not in made.stdout, "somebody must decide whether this file belongs in a backup"
        tried = told("restore", tmp_path / "a.backup", "--try", "--site", site)
        assert tried.returncode == 0, tried.stderr
        assert told("move", "--site", site, "--from", folder, "--data", tmp_path / "x", "--yes").returncode == 1
        assert running.answers()
        running.kill()
        # The kernel let go of the folder; who held it is of no account any more.
        started = time.monotonic()
        running = Running(site)
        assert time.monotonic() - started < 60
    finally:
        running.end()
    assert told("check", "--site", site, "--json").returncode in {0, 1, 3}
    assert os.listdir(folder).count("installation.json") == 1
