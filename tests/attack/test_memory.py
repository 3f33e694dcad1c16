"""A program of the same user looks for what a process of a zone holds in memory, makes it crash, and searches what is left."""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from blickschutz.zones import hardening
from blickschutz.zones.model import Wall

# Who runs the tests as root attacks as somebody without root's powers.
ORDINARY = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.getuid() == 0 else []
SECRET = "ein-rohes-Bild-7f3a"
# The victim is a child of the attacker: where the kernel lets nobody but a parent look, this one may. It is told its secret.
VICTIM = textwrap.dedent("""
    import ctypes, sys
    from blickschutz.zones import hardening
    from blickschutz.zones.model import Wall
    how = sys.argv[1]
    if how in ("hardened", "crashing"):
        if how == "crashing":  # somebody undid the other two walls
            del hardening._WALLS[Wall.NO_CORE]
        hardening.harden()
    if how == "crashing":
        ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
    held = bytearray(sys.stdin.readline().strip().encode() * 100)
    print(*sorted(hardening.standing()), flush=True)
    sys.stdin.read()
""")
ATTACKER = textwrap.dedent("""
    import os, pathlib, resource, subprocess, sys
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
    victim = subprocess.Popen([sys.executable, "-c", sys.argv[2], sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    victim.stdin.write(sys.argv[3] + chr(10))
    victim.stdin.flush()
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
    told = 0
    for path in pathlib.Path(f"/proc/{victim.pid}").iterdir():
        if path.name not in ("mem", "pagemap"):
            try:
                told += path.read_bytes().count(wanted)
            except OSError:
                pass
    print(told, flush=True)
    os.kill(victim.pid, 11)
    print(os.WCOREDUMP(os.waitpid(victim.pid, 0)[1]), flush=True)
""")
SHAPES = """
import os, sys
from blickschutz.zones import hardening
if sys.argv[1] == "bounded":
    hardening.resource.setrlimit(hardening.resource.RLIMIT_MEMLOCK, (65536, 65536))
hardening.harden()
kept = bytearray(5_000_000)
if sys.argv[1] == "child" and os.fork() == 0:
    print(hardening.held(), end=" ")
    hardening.harden()
    kept.extend(bytes(5_000_000))
    print(hardening.held(), flush=True)
    os._exit(0)
elif sys.argv[1] == "child":
    os.wait()
else:
    hardening._swaps = lambda: True
    print(hardening.held(), hardening.Wall.NO_SWAP in hardening.lacking())
"""
may_hold = pytest.mark.skipif(
    os.getuid() != 0 and resource.getrlimit(resource.RLIMIT_MEMLOCK)[1] != resource.RLIM_INFINITY,
    reason="this user may hold little in memory",
)
makes_files = pytest.mark.skipif(
    Path("/proc/sys/kernel/core_pattern").read_text(encoding="ascii").startswith(("|", "/")),
    reason="cores lie elsewhere here",
)


def attack(how, folder):
    arguments = [*ORDINARY, sys.executable, "-c", ATTACKER, how, VICTIM, SECRET]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, cwd=folder, check=True)
    walls, found, told, dumped = done.stdout.splitlines()
    return set(walls.split()), found, int(told), dumped == "True"


def shape(how, *before):
    done = subprocess.run([*before, sys.executable, "-c", SHAPES, how], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.split()


def loaded(core):
    """Bytes of its own memory in a core (elf(5), PT_LOAD, PF_W). Always in it are what the kernel lends to every process alike, and
    registers: some dozens of bytes of what was copied last.
    """
    (count,) = struct.unpack_from("=H", core, 56)
    parts = [struct.unpack_from("=II6Q", core, 64 + 56 * index) for index in range(count)]
    assert parts
    return sum(part[5] for part in parts if part[0] == 1 and part[1] & 2)


@pytest.fixture
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("attack")


def test_memory_is_not_read_and_no_core_is_left(folder):
    walls, found, told, dumped = attack("hardened", folder)
    assert walls == {Wall.UNREADABLE, Wall.NO_CORE, Wall.NO_DUMP, Wall.NO_NEW_RIGHTS}
    assert found == "refused: Permission denied"
    assert told == 0
    assert not dumped
    assert list(folder.iterdir()) == []


@makes_files
def test_without_walls_the_same_attack_finds_it(folder):
    """Else the tests beside it would show nothing."""
    walls, found, _, dumped = attack("plain", folder)
    assert Wall.UNREADABLE not in walls
    assert int(found) >= 1
    assert dumped
    assert SECRET.encode() * 100 in next(folder.iterdir()).read_bytes()


@makes_files
def test_a_core_that_is_made_all_the_same_has_no_memory_in_it(folder):
    walls, _, _, dumped = attack("crashing", folder)
    assert walls == {Wall.NO_DUMP, Wall.NO_NEW_RIGHTS}
    assert dumped
    (core,) = folder.iterdir()
    assert loaded(core.read_bytes()) == 0


@pytest.mark.skipif(os.getuid() != 0 or shutil.which("gcore") is None, reason="needs root and a debugger")
@pytest.mark.parametrize("how", ["hardened", "plain"])
def test_a_core_by_roots_debugger_has_no_memory_in_it(how, folder):
    with subprocess.Popen([sys.executable, "-c", VICTIM, how], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as victim:
        victim.stdin.write(SECRET + "\n")
        victim.stdin.flush()
        victim.stdout.readline()
        subprocess.run(["gcore", "-o", str(folder / "core"), str(victim.pid)], capture_output=True, timeout=60, check=False)
        victim.stdin.close()
    (core,) = folder.iterdir()
    found = core.read_bytes()
    assert (SECRET.encode() * 100 in found) is (how == "plain")
    assert (loaded(found) == 0) is (how == "hardened")


@may_hold
def test_all_memory_is_held_that_of_children_and_of_later_too():
    assert shape("own") == ["True", "False"]
    assert shape("child") == ["False", "True"]


def test_who_may_not_hold_its_memory_says_so_and_works():
    assert shape("bounded", *ORDINARY) == ["False", "True"]


@pytest.mark.parametrize("status", ["", "VmLck:\n", "VmLck:\t x kB\n", "VmLck:\t 100 kB\nVmRSS:\t 200 kB\n", "VmRSS:\t 200 kB\n"])
def test_what_the_kernel_does_not_say_is_not_held(status, tmp_path, monkeypatch):
    (tmp_path / "status").write_text(status, encoding="ascii")
    monkeypatch.setattr(hardening, "_STATUS", tmp_path / "status")
    assert not hardening.held()
    monkeypatch.setattr(hardening, "_STATUS", tmp_path / "missing")
    assert not hardening.held()


@may_hold
def test_no_part_of_its_memory_can_be_swapped():
    """As the kernel says of each mapping: `lo` is locked. What it lends to every process alike has no pages to swap."""
    code = "from blickschutz.zones.hardening import harden; harden(); kept = bytearray(9_000_000); print(open('/proc/self/smaps').read())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    parts = re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", done.stdout, flags=re.MULTILINE)[1:]
    loose = [one.splitlines()[0] for one in parts if " lo" not in one.split("VmFlags:")[1] and not re.search(r"\[v(dso|var|syscall)", one)]
    assert loose == []
    assert len(parts) > 50


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
