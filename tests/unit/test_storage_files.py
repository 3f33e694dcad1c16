"""Files that last: whole or not at all, on disk before anything relies on it, and nothing left when they end."""

from __future__ import annotations

import os

import pytest

from blickschutz.storage import files
from blickschutz.storage.files import erase, overwrite, write_private


class Disk:
    """Records what a file is asked to do, and does it: syncs by name, and replacing."""

    def __init__(self, monkeypatch):
        self.steps = []
        sync, replace = os.fsync, os.replace

        def synced(handle):
            path = os.readlink(f"/proc/self/fd/{handle}")
            self.steps.append(("sync", os.path.basename(path), os.fstat(handle).st_size))
            sync(handle)

        def replaced(path, target):
            self.steps.append(("replace", os.path.basename(path), os.path.basename(target)))
            replace(path, target)
            return target

        monkeypatch.setattr(files.os, "fsync", synced)
        monkeypatch.setattr("pathlib.Path.replace", replaced)


def test_a_file_is_on_disk_before_it_takes_the_place_of_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "stops.json"
    write_private(path, b"old")
    disk = Disk(monkeypatch)
    write_private(path, b"a new one")
    (first, part, size), (second, replaced, target), (third, folder, _) = disk.steps
    assert (first, size, second, target, third, folder) == ("sync", 9, "replace", "stops.json", "sync", tmp_path.name)
    assert part == replaced != "stops.json"
    assert path.read_bytes() == b"a new one"


def test_an_error_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "stops.json"
    write_private(path, b"old")

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_private(path, b"new")
    assert path.read_bytes() == b"old"


def test_overwriting_is_synced_before_it_is_said_to_be_done(tmp_path, monkeypatch):
    path = tmp_path / "clip"
    path.write_bytes(b"share" * 1000)
    disk = Disk(monkeypatch)
    overwrite(path)
    assert disk.steps == [("sync", "clip", 5000)]
    assert b"share" not in path.read_bytes()
    assert path.stat().st_size == 5000
    overwrite(path, 10, 20)


def test_what_is_erased_is_gone_and_may_be_gone_already(tmp_path):
    path = tmp_path / "copy"
    path.write_bytes(b"x")
    erase(path)
    erase(path)
    assert list(tmp_path.iterdir()) == []
