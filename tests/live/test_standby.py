"""Two control rooms on one database server: one leads, the other waits, and takes over from one that is killed or stands still."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess

import httpx
import pytest

from tests.live.system import free_port, until
from tests.live.test_folder import command, site
from tests.live.test_server_database import entries, knock, served

__all__ = ["served", "site"]

SOON_S = 300


def told(*words):
    return subprocess.run(command(*words), capture_output=True, text=True, timeout=SOON_S, check=False)


class Room:
    """A control room with a folder and a port of its own; the site file is otherwise the same."""

    def __init__(self, site, name):
        self.port, self.data = free_port(), site.parent / name
        text = site.read_text(encoding="utf-8")
        port = next(line for line in text.splitlines() if line.startswith("port = "))
        self.site = site.with_name(f"{name}.toml")
        self.site.write_text(text.replace(port, f"port = {self.port}").replace('data = "daten"', f'data = "{name}"'), encoding="utf-8")
        self.process = None

    def run(self, *words):
        with (self.data.with_suffix(".out")).open("ab") as out:
            line = command("run", "--site", self.site, *words)
            self.process = subprocess.Popen(line, stdout=out, stderr=out, start_new_session=True, env={**os.environ, "LC_ALL": "C.UTF-8"})

    def said(self):
        return self.data.with_suffix(".out").read_text(encoding="utf-8")

    def page(self, path="/sign-in"):
        """Status and text; None where nobody answers."""
        assert self.process.poll() is None, self.said()
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=60)
        except httpx.TransportError:
            return None
        return answer.status_code, answer.text

    def leads(self):
        return (self.page() or (0,))[0] == 200

    def waits(self):
        return (self.page() or (0, ""))[0] == 503 and "Diese Leitstelle wartet" in self.page("/x")[1]

    def end(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGTERM)
            return self.process.wait(SOON_S)
        return None


@pytest.mark.long
@pytest.mark.timeout(3000)
def test_one_waits_and_takes_over_from_one_that_stands_still_and_one_that_is_killed(served, cluster, tmp_path):
    site, name = served
    assert told("database", "prepare", "--site", site, "--owner", "blickschutz_owner").returncode == 0
    one, other = Room(site, "eins"), Room(site, "zwei")
    try:
        one.run()
        until(one.leads, SOON_S)
        assert told("standby", "--site", one.site).returncode == 1, "nobody waits yet"

        # Another one does not begin beside it, and does not wait without the installation's key.
        refused = told("run", "--site", other.site, "--new")
        assert (refused.returncode, "--standby" in refused.stderr) == (1, True), refused.stderr
        refused = told("run", "--site", other.site, "--standby")
        assert (refused.returncode, "installation.key" in refused.stderr) == (1, True), refused.stderr
        (other.data / "keys").mkdir(exist_ok=True)
        shutil.copy2(one.data / "keys" / "installation.key", other.data / "keys")

        other.run("--standby")
        until(other.waits, SOON_S)
        assert "Kameras dieser Anlage hängen an der führenden Leitstelle selbst" in other.page()[1]
        assert "blickschutz_standby_waiting 1" in other.page("/metrics")[1]
        shown = told("standby", "--site", one.site, "--json")
        assert (shown.returncode, str(other.data) in shown.stdout, str(one.data) in shown.stdout) == (0, True, True)
        until(lambda: (other.data / "keys" / "factors.key").exists(), SOON_S)
        assert (other.data / "keys" / "factors.key").read_bytes() == (one.data / "keys" / "factors.key").read_bytes()
        refusal = knock(one)
        before = len(entries(cluster, name))

        # It stands still, as a machine that hangs; and goes on when another one leads.
        one.process.send_signal(signal.SIGSTOP)
        until(other.leads, SOON_S)
        assert knock(other) == refusal
        at_takeover = entries(cluster, name)
        assert len(at_takeover) > before
        assert at_takeover.count("system-started") == 2
        one.process.send_signal(signal.SIGCONT)
        assert one.process.wait(SOON_S) == 1
        assert "another control room leads" in one.said()
        told_of = entries(cluster, name)
        assert told_of[: len(at_takeover)] == at_takeover
        assert "system-ended" not in told_of, "who lost the lead writes nothing any more"

        # It comes back as the one that waits, and the other one is killed.
        one.run("--standby")
        until(one.waits, SOON_S)
        assert told("users", "invite", "--site", other.site, "dsb").returncode == 0
        other.process.kill()
        until(one.leads, SOON_S)
        assert knock(one) == refusal
        assert one.end() == 0
        assert entries(cluster, name)[-1] == "system-ended"
        # In order: nobody has to wait for it.
        assert '"holder": ""' in told("standby", "--site", one.site, "--json").stdout
        assert told("check", "--site", one.site, "--json").returncode in {0, 1, 3}
    finally:
        for room in (one, other):
            room.end()
