"""A disk on which not one byte more fits: destruction goes on, nothing else does, and nothing breaks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zlib

import pytest

from blickschutz.kernel.errors import DeviceError, StoreBusyError, StoreFullError
from blickschutz.storage.reserve import Reserve, is_full
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    if shutil.which("unshare") is None:
        pytest.skip("a disk of one's own takes unshare")
    folder = tmp_path_factory.mktemp("disk")
    own = [] if os.geteuid() == 0 else ["--map-root-user"]
    line = ["unshare", "--mount", *own, sys.executable, "-m", "tests.faults.full_disk", str(folder)]
    result = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    if "Operation not permitted" in result.stderr:
        pytest.skip("mount namespaces are not allowed here")
    assert result.returncode == 0, result.stderr[-3000:]
    assert list(folder.iterdir()) == [], "the disk was seen by its namespace alone"
    return json.loads(result.stdout.splitlines()[-1])


def test_what_does_not_fit_is_told_in_words_and_changes_nothing(seen):
    assert "control.db: the disk is full; nothing was changed" in seen["refused"]
    assert seen["changed"] == [0, 0]
    assert seen["readable"] == 120


def test_with_the_reserve_everything_that_is_due_is_destroyed_with_its_receipt(seen):
    assert seen["held"] is True
    assert seen["still_held"] is False
    assert (seen["destroyed"], seen["receipts"]) == (120, 120)
    assert seen["faults"] == seen["whole"] == []


def test_the_reserve_is_held_wholly_or_not_at_all_and_again_once_there_is_room(seen):
    assert seen["no_room"] == [False, []]
    assert seen["held_again"] == [True, True, True]


def test_an_upgrade_that_does_not_fit_leaves_the_database_as_it_was(seen):
    assert len(seen["upgrade"]) == 2
    assert all("the disk is full" in said for said in seen["upgrade"])


def test_the_records_of_a_site_end_what_is_due_and_keep_what_is_held(seen):
    assert seen["kept"]["held"] is True
    assert seen["kept"]["refused"] == "disk", "recording stops long before the reserve is touched"
    assert seen["kept"]["states"] == [1, 20]
    assert seen["kept"]["endings"] == ["overwritten"]


def test_a_start_on_a_full_disk_ends_what_is_due(seen):
    assert seen["started"] == {"destroyed": 20, "problem": "", "faults": [], "held_again": True}


class TestReserve:
    @pytest.fixture
    def reserve(self, tmp_path):
        return Reserve(tmp_path / "data" / "reserve", 100_000)

    def test_it_takes_what_it_says_in_bytes_that_cannot_be_compressed(self, reserve, tmp_path):
        assert reserve.hold()
        data = (tmp_path / "data/reserve").read_bytes()
        assert len(data) == 100_000
        assert len(zlib.compress(data)) > 99_000
        assert (tmp_path / "data/reserve").stat().st_mode & 0o777 == 0o600

    def test_what_a_crash_left_half_is_no_reserve(self, reserve, tmp_path):
        reserve.hold()
        os.truncate(tmp_path / "data/reserve", 500)
        assert not reserve.held
        assert reserve.hold()
        assert reserve.held

    def test_it_is_given_once_and_for_a_full_disk_only(self, reserve):
        reserve.hold()
        tried = []

        def work(error):
            tried.append(1)
            raise error

        with pytest.raises(StoreBusyError):
            reserve.through(lambda: work(StoreBusyError("busy")))
        assert (len(tried), reserve.held) == (1, True)
        with pytest.raises(StoreFullError):
            reserve.through(lambda: work(StoreFullError("full")))
        assert (len(tried), reserve.held) == (3, False)
        with pytest.raises(StoreFullError):
            reserve.through(lambda: work(StoreFullError("full")))
        assert len(tried) == 4

    def test_a_full_disk_is_known_by_its_cause(self):
        wrapped = DeviceError("x.clip cannot be destroyed")
        wrapped.__cause__ = OSError(28, "No space left on device")
        assert is_full(wrapped)
        assert not is_full(DeviceError("no cause"))
        assert not is_full(OSError(5, "Input/output error"))

    def test_another_trouble_of_the_disk_is_told(self, tmp_path):
        (tmp_path / "data").write_text("a file, and no folder")
        with pytest.raises(DeviceError, match="reserve cannot be written"):
            Reserve(tmp_path / "data" / "reserve", 10).hold()
