"""The Debian package, with dpkg itself in a root of its own: installed, upgraded, removed, purged; data outlive all of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from scripts.deb import PackageError, main, make

from tests.unit.test_bundle import bundle_of, own_wheel, pip_wheels, stand_in_models

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("dpkg") is None or shutil.which("dpkg-deb") is None, reason="needs root and dpkg"
)


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """Of two versions, as small as a bundle can be."""
    folder = tmp_path_factory.mktemp("deb")
    wheels, made = pip_wheels(folder / "wheels"), []
    with pytest.MonkeyPatch.context() as patch:
        stand_in_models(folder, patch)
        for version in ("9.9", "9.10"):
            patch.setattr("blickschutz.cli.bundle.__version__", version)
            made.append(make(bundle_of(folder, own_wheel(folder, version), wheels), folder))
    return made


class Root:
    """A root of dpkg's own; the scripts of packages run in this one and are told where."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("var/lib/dpkg/info", "var/lib/dpkg/updates", "etc"):
            (folder / name).mkdir(parents=True)
        (folder / "var/lib/dpkg/status").touch()

    def dpkg(self, *words):
        command = ["dpkg", f"--root={self.folder}", "--force-script-chrootless", "--force-depends", "--force-confold", *map(str, words)]
        environment = {"PATH": f"{Path(sys.executable).resolve().parent}:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/nonexistent"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def version(self):
        known = (self.folder / "opt/blickschutz/lib").glob("python*/site-packages/blickschutz-*.dist-info")
        return [one.name.removeprefix("blickschutz-").removesuffix(".dist-info") for one in known]


@pytest.mark.later
def test_data_and_settings_outlive_upgrade_removal_and_purge(packages, tmp_path):
    root = Root(tmp_path / "root")
    old, new = packages
    said = root.dpkg("--install", old)
    assert "[5/5]" in said
    assert root.version() == ["9.9"]
    settings, data = root.folder / "etc/blickschutz/anlage.toml", root.folder / "var/lib/blickschutz"
    assert data.stat().st_mode & 0o777 == 0o700
    assert (root.folder / "usr/bin/blickschutz").is_symlink()
    settings.write_text("# ours\n")
    (data / "clip").write_text("sealed")
    root.dpkg("--install", new)
    assert root.version() == ["9.10"]
    assert (settings.read_text(), (data / "clip").read_text()) == ("# ours\n", "sealed")
    root.dpkg("--remove", "blickschutz")
    assert not (root.folder / "opt/blickschutz").exists()
    assert settings.exists()
    said = root.dpkg("--purge", "blickschutz")
    assert "still lie in /var/lib/blickschutz" in said
    assert (data / "clip").read_text() == "sealed"
    assert not settings.exists()
    assert not (root.folder / "usr/bin/blickschutz").is_symlink()


def test_every_file_of_it_is_roots_and_named_with_its_sum(packages):
    listed = subprocess.run(["dpkg-deb", "--contents", packages[0]], capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(listed) > 10
    assert all(" root/root " in line for line in listed)
    about = subprocess.run(["dpkg-deb", "--field", packages[0]], capture_output=True, text=True, check=True).stdout
    assert f"Depends: python3 (>= {sys.version_info[0]}.{sys.version_info[1]})" in about
    assert "Version: 9.9\n" in about


def test_what_is_no_bundle_is_no_package(tmp_path, capsys, monkeypatch):
    (tmp_path / "x.tar").write_bytes(b"no tar")
    assert main([str(tmp_path / "x.tar"), str(tmp_path)]) == 1
    assert "No package" in capsys.readouterr().err
    monkeypatch.setattr("scripts.deb.shutil.which", lambda name: None)
    with pytest.raises(PackageError, match="dpkg-deb is not installed"):
        make(tmp_path / "x.tar", tmp_path)
