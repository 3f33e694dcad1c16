"""A program of the same user looks for what a process of a zone holds in memory, and makes it crash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap

import pytest

from blickschutz.zones.hardening import Wall

# Who runs the tests as root attacks as somebody without root's powers.
ORDINARY = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.getuid() == 0 else []
SECRET = "ein-rohes-Bild-7f3a"
# The victim is a child of the attacker: where the kernel lets nobody but a parent look, this one may.
VICTIM = textwrap.dedent(f"""
    import sys
    from blickschutz.zones.hardening import harden, standing
    walls = harden() if sys.argv[1] == "hardened" else standing()
    held = bytearray("{SECRET}".encode() * 100)
    print(*sorted(walls) if sys.argv[1] != "hardened" else sorted(standing()), flush=True)
    sys.stdin.read()
""")
ATTACKER = textwrap.dedent("""
    import os, resource, subprocess, sys
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
    victim = subprocess.Popen([sys.executable, "-c", sys.argv[2], sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    print(victim.stdout.readline().strip(), flush=True)
    wanted, found = sys.argv[3].encode(), 0
    try:
        with open(f"/proc/{victim.pid}/maps") as maps, open(f"/proc/{victim.pid}/mem", "rb") as memory:
            for line in maps:
                part, rights = line.split()[:2]
                start, end = (int(edge, 16) for edge in part.split("-"))
                if rights.startswith("rw") and end - start < 2**28:
                    memory.seek(start)
                    found += memory.read(end - start).count(wanted * 100)
    except OSError as error:
        found = f"refused: {error.strerror}"
    print(found, flush=True)
    os.kill(victim.pid, 11)
    print(os.WCOREDUMP(os.waitpid(victim.pid, 0)[1]), flush=True)
""")


def attack(how, folder):
    arguments = [*ORDINARY, sys.executable, "-c", ATTACKER, how, VICTIM, SECRET]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, cwd=folder, check=True)
    walls, found, dumped = done.stdout.splitlines()
    return set(walls.split()), found, dumped == "True"


@pytest.fixture
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("attack")


def test_memory_is_not_read_and_no_core_is_left(folder):
    walls, found, dumped = attack("hardened", folder)
    assert walls == {Wall.UNREADABLE, Wall.NO_CORE, Wall.NO_NEW_RIGHTS}
    assert found == "refused: Permission denied"
    assert not dumped
    assert list(folder.iterdir()) == []


def test_without_walls_the_same_attack_finds_it(folder):
    """Else the test above would show nothing."""
    walls, found, _ = attack("plain", folder)
    assert Wall.UNREADABLE not in walls
    assert int(found) >= 1


def test_every_process_of_a_zone_raises_them():
    """Cells and rooms before they read their first message, the control room before it opens its records."""
    from blickschutz.cli import main
    from blickschutz.pipeline import cell
    from blickschutz.reviewroom import process

    for entry in (cell.run_cell, process.run_room, main._serve):
        assert "harden" in entry.__code__.co_names, entry


def test_signals_end_it_as_before():
    code = "from blickschutz.zones.hardening import harden; harden(); import signal; signal.pause()"
    with subprocess.Popen([sys.executable, "-c", code]) as child:
        child.terminate()
        assert child.wait(20) in {-signal.SIGTERM, 0}
