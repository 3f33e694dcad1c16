"""A second user of the same machine: what they find where no wall stands, and what they lay out for this user to stumble over.

The running site, with a room in which two people sit, meets them in `tests/live/test_secrets.py`.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from blickschutz.evidence.io import package
from tests.attack.neighbour import NOBODY, below, doors, intrude

as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become a second user")


@as_root
def test_where_no_wall_stands_the_neighbour_finds_everything(tmp_path):
    """Else what is held on the running site would show nothing. The victim here is of the neighbour's own user."""
    (tmp_path / "open").mkdir()
    (tmp_path / "open/key").write_bytes(b"x")
    (tmp_path / "open/more").mkdir()
    for path in (tmp_path, tmp_path / "open", tmp_path / "open/more", tmp_path / "open/key"):
        path.chmod(0o777)
    code = f"import ctypes, os, sys; os.setresgid(*({NOBODY},) * 3); os.setresuid(*({NOBODY},) * 3); ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)"
    code += "; print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, "a-secret"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as victim:
        victim.stdout.readline()
        files, folders = below(tmp_path, "open")
        found = intrude(tmp_path, files=files, folders=folders, pids=[victim.pid])
        victim.kill()  # who was traced stands still
    kinds = {one.split()[0] for one in found["done"]}
    assert {"read", "write", "remove", "list", "make", "environ", "memory", "maps", "fd", "cwd", "signal", "kill"} <= kinds
    assert "a-secret" in found["told"]


def test_doors_of_a_process_are_found():
    with socket.create_server(("127.0.0.1", 0)) as one, socket.socket(socket.AF_UNIX) as other:
        other.bind("\0attacked-door")
        other.listen()
        ports, names = doors([os.getpid()])
        assert one.getsockname() in ports
        assert "@attacked-door" in names


@pytest.fixture
def shared(tmp_path, monkeypatch):
    """The folder in memory into which everybody on the machine may put something."""
    (tmp_path / "shm").mkdir()
    monkeypatch.setattr(package, "_MEMORY", tmp_path / "shm")
    (tmp_path / "control.db").write_bytes(b"evidence" * 100)
    yield tmp_path / "shm"
    assert (tmp_path / "control.db").read_bytes() == b"evidence" * 100


DEAD = "blickschutz-evidence-999999999-x"


def test_a_link_in_what_a_room_left_is_not_followed(shared):
    """A room that was taken over, or whoever may write there, names a database; what removes open packages would overwrite it."""
    (shared / DEAD / "in").mkdir(parents=True)
    (shared / DEAD / "in/original.mp4").symlink_to(shared.parent / "control.db")
    (shared / DEAD / "more").symlink_to(shared.parent)
    assert package.remove_left() == 1
    assert list(shared.iterdir()) == []


def test_a_link_in_place_of_a_folder_is_left_alone(shared):
    (shared / DEAD).symlink_to(shared.parent)
    assert package.remove_left() == package.remove_left(999999999) == 0
    assert (shared / DEAD).is_symlink()


@as_root
def test_a_folder_of_another_user_is_left_alone(shared):
    (shared / DEAD).mkdir()
    (shared / DEAD / "original.mp4").symlink_to(shared.parent / "control.db")
    os.chown(shared / DEAD, NOBODY, NOBODY)
    assert package.remove_left() == package.remove_left(999999999) == 0
    assert (shared / DEAD).is_dir()


@pytest.mark.parametrize("name", ["blickschutz-evidence-x-", "blickschutz-evidence--", "blickschutz-evidence-²-y"])
def test_odd_names_stop_nothing(shared, name):
    (shared / name).mkdir()
    (shared / DEAD).mkdir()
    assert package.remove_left() == 1
    assert [one.name for one in shared.iterdir()] == [name]
