"""Moves that are killed in the middle, and folders on disks that do not do what they should."""

from __future__ import annotations

import hashlib
import os
import random
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from blickschutz.installation.io.folder import open_folder
from blickschutz.installation.io.mark import look, write_move
from blickschutz.installation.io.move import move_folder, source_of
from blickschutz.installation.model import LOCKS, MARK, FolderError, Move, State, Use, Why
from blickschutz.kernel.clock import SystemClock
from tests.conftest import often
from tests.faults.movers import place

CLOCK = SystemClock()
MEMORY = Path("/dev/shm")
KILLS = often(20, 50)


def old_data(folder: Path, files: int = 60) -> dict[str, str]:
    """Data as an older version left them, and the hash of each file."""
    rng = random.Random(7)
    for name in ["control.db", "alerts.db-wal", "keys/installation.key", *(f"clips/{n:03d}.clip" for n in range(files))]:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(rng.randbytes(rng.randrange(400_000)))
    (folder / "exports").mkdir()
    return content(folder)


def content(folder: Path) -> dict[str, str]:
    there = (path for path in folder.rglob("*") if path.is_file() and path.name not in LOCKS | {MARK})
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in there}


def move(old: Path, new: Path) -> list[str]:
    return [sys.executable, "-m", "tests.faults.movers", "move", str(old), str(new)]


@pytest.fixture
def other_disk():
    if not MEMORY.is_dir() or MEMORY.stat().st_dev == Path(tempfile.gettempdir()).stat().st_dev:
        pytest.skip("there is no second file system here")
    with tempfile.TemporaryDirectory(dir=MEMORY) as name:
        yield Path(name)


class TestMove:
    def test_on_one_file_system_it_is_a_rename(self, tmp_path):
        there = old_data(tmp_path / "sites/name", 3)
        inode = (tmp_path / "sites/name/control.db").stat().st_ino
        asked = []
        where = place(tmp_path / "new/rathaus", old=(tmp_path / "sites/name",))
        mark = move_folder(where, source_of(where, None), CLOCK, asked.append)
        assert (mark.id, asked) == ("rathaus", [tmp_path / "sites/name"])
        assert content(where.folder) == there
        assert (where.folder / "control.db").stat().st_ino == inode
        assert (tmp_path / "sites/name").is_file(), "no older version begins an empty site here"
        assert str(where.folder) in (tmp_path / "sites/name").read_text(encoding="utf-8")
        open_folder(where, Use.RUN, "x", CLOCK, make=True).close()

    def test_to_another_disk_everything_is_compared_and_the_old_folder_ends(self, tmp_path, other_disk):
        there = old_data(tmp_path / "name", 5)
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "name/documents").symlink_to(tmp_path / "elsewhere")
        where = place(other_disk / "rathaus")
        moved = []
        move_folder(where, tmp_path / "name", CLOCK, lambda old: None, moved.append)
        assert content(where.folder) == there
        assert (where.folder / "documents").resolve() == tmp_path / "elsewhere"
        assert sorted(path.name for path in tmp_path.iterdir()) == ["elsewhere"]
        assert (where.folder / "exports").is_dir()
        assert {path.stat().st_mode & 0o777 for path in where.folder.rglob("*.clip")} == {0o600}
        assert len(moved) == len(there)

    @pytest.mark.timeout(300)
    def test_killed_in_the_middle_again_and_again_nothing_is_lost(self, tmp_path, other_disk):
        """Each time somewhere else: while it copies, while it compares, while the old folder ends."""
        rng, states = random.Random(), set()
        old, new = tmp_path / "sites/name", other_disk / "rathaus"
        there = old_data(old)
        started = time.monotonic()
        subprocess.run(move(old, new), check=True, capture_output=True, timeout=60)
        longest = time.monotonic() - started
        assert content(new) == there
        for _ in range(KILLS):
            shutil.rmtree(new)
            old.unlink()
            old_data(old)
            with subprocess.Popen(move(old, new), stdout=subprocess.DEVNULL) as child:
                time.sleep(rng.uniform(0.3, 1.05) * longest)
                child.kill()
            states.add(look(new))
            if look(new) is State.MOVING:
                with pytest.raises(FolderError) as caught:
                    open_folder(place(new), Use.RUN, "x", CLOCK, make=True)
                assert caught.value.why is Why.MOVING
                assert f"blickschutz move --site {place(new).site}" in str(caught.value)
            if look(new) is not State.MARKED:
                subprocess.run(move(old, new), check=True, capture_output=True, timeout=60)
            assert content(new) == there
            assert old.is_file()
            assert [path.name for path in old.parent.iterdir()] == ["name"]
            open_folder(place(new), Use.RUN, "x", CLOCK, make=True).close()
        assert State.MOVING in states, "no kill came in the middle"

    def test_what_somebody_made_in_the_old_place_meanwhile_is_left_alone(self, tmp_path, other_disk):
        there = old_data(tmp_path / "name", 2)
        where = place(other_disk / "rathaus")
        old_data(where.folder, 2)
        write_move(where.folder, Move(str(tmp_path / "name"), copied=True, inode=1))
        move_folder(where, tmp_path / "name", CLOCK, lambda old: None)
        assert content(tmp_path / "name") == there
        assert look(where.folder) is State.MARKED

    def test_a_copy_that_lost_its_source_says_so(self, tmp_path, other_disk):
        where = place(other_disk / "rathaus")
        old_data(where.folder, 2)
        write_move(where.folder, Move(str(tmp_path / "gone"), copied=False, inode=1))
        with pytest.raises(FolderError) as caught:
            move_folder(where, source_of(where, None), CLOCK, lambda old: None)
        assert caught.value.why is Why.SOURCE_GONE

    def test_not_into_itself_not_onto_data_and_not_while_it_is_used(self, tmp_path):
        old_data(tmp_path / "a", 1)
        old_data(tmp_path / "b", 1)

        def refused(new):
            with pytest.raises(FolderError) as caught:
                move_folder(place(new), tmp_path / "a", CLOCK, lambda old: None)
            return caught.value.why

        assert refused(tmp_path / "a/b") is Why.INSIDE
        assert refused(tmp_path / "b") is Why.NOT_EMPTY
        reader = [sys.executable, "-c", f"f = open('{tmp_path}/a/control.db'); print('OPEN', flush=True); import time; time.sleep(60)"]
        with subprocess.Popen(reader, stdout=subprocess.PIPE, text=True) as child:
            try:
                assert child.stdout.readline() == "OPEN\n"
                assert refused(tmp_path / "c") is Why.IN_USE
                with pytest.raises(FolderError) as caught:
                    open_folder(place(tmp_path / "a"), Use.RUN, "x", CLOCK, make=True)
                assert str(child.pid) in str(caught.value)
            finally:
                child.kill()
        with open_folder(place(tmp_path / "b"), Use.RUN, "x", CLOCK, make=True), pytest.raises(FolderError) as caught:
            move_folder(place(tmp_path / "d"), tmp_path / "b", CLOCK, lambda old: None)
        assert caught.value.why is Why.HELD


OPEN = """
import sys
from pathlib import Path
from tests.faults.movers import place
from blickschutz.installation.io.folder import open_folder
from blickschutz.installation.model import FolderError, Use
from blickschutz.kernel.clock import SystemClock
import os, pwd
if len(sys.argv) > 2:
    os.seteuid(pwd.getpwnam(sys.argv[2]).pw_uid)
try:
    open_folder(place(Path(sys.argv[1])), Use.RUN, "x", SystemClock(), make=True).close()
    print("OPENED")
except FolderError as error:
    print(error.why.value, error)
"""
root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount and become somebody else")


@root
class TestDisks:
    @pytest.fixture
    def reachable(self):
        """A folder that every user can reach; the tests' own are root's."""
        with tempfile.TemporaryDirectory() as name:
            Path(name).chmod(0o755)
            yield Path(name)

    def mounted(self, folder: Path, options: str, setup: str = ":") -> str:
        """What opening a folder on a file system of its own says; it ends with the namespace."""
        script = f"mount -t tmpfs -o size=1M none {folder} && ({setup}) && mount -o remount,{options} {folder}"
        program = ["unshare", "-m", "sh", "-c", f"{script} && exec $0 -c '{OPEN}' {folder}/d", sys.executable]
        result = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
        if "unshare" in result.stderr or "mount:" in result.stderr:
            pytest.skip(f"no namespaces here: {result.stderr}")
        assert "Traceback" not in result.stderr, result.stderr
        return result.stdout

    def test_a_place_that_may_not_be_used_is_said(self, reachable):
        program = [sys.executable, "-c", OPEN, str(reachable / "d"), "nobody"]
        said = subprocess.run(program, capture_output=True, text=True, timeout=60, check=True).stdout
        assert said.startswith("denied ")
        assert f"install -d -m 700 -o nobody {reachable / 'd'}" in said

    def test_a_read_only_file_system_is_said(self, tmp_path):
        assert self.mounted(tmp_path, "ro").startswith("read-only ")

    def test_a_full_disk_is_said(self, tmp_path):
        said = self.mounted(tmp_path, "size=1M", f"dd if=/dev/zero of={tmp_path}/x bs=1k 2>/dev/null || true")
        assert said.startswith("full "), said

    def test_a_move_to_a_disk_that_is_too_small_leaves_the_old_folder(self, tmp_path):
        there = old_data(tmp_path / "old")
        (tmp_path / "disk").mkdir()
        script = f"mount -t tmpfs -o size=1M none {tmp_path}/disk && exec {' '.join(move(tmp_path / 'old', tmp_path / 'disk/d'))}"
        result = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, timeout=60, check=False)
        if "unshare" in result.stderr or "mount:" in result.stderr:
            pytest.skip(f"no namespaces here: {result.stderr}")
        assert "is full; make room" in result.stderr
        assert content(tmp_path / "old") == there


def test_a_draft_of_a_killed_copy_does_not_stay(tmp_path, other_disk):
    there = old_data(tmp_path / "name", 2)
    where = place(other_disk / "rathaus")
    where.folder.mkdir()
    (where.folder / ".moving-part").write_bytes(secrets.token_bytes(100))
    write_move(where.folder, Move(str(tmp_path / "name"), copied=False, inode=(tmp_path / "name").stat().st_ino))
    move_folder(where, tmp_path / "name", CLOCK, lambda old: None)
    assert content(where.folder) == there
