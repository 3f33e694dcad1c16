"""The wheel is the product: what is in it, what comes with it, and that it works where nothing else of the project is."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from scripts.release import ReleaseError, release
from scripts.sbom import _closure, _name, _needs

from blickschutz.analysis.io import TELEMETRY, engine
from blickschutz.analysis.io.fetching import fetched
from blickschutz.kernel.errors import ModelError
from blickschutz.shipped import FOLDERS, shipped
from tests.bundles import BUNDLES
from tests.conftest import ROOT

UV = Path(sys.executable).with_name("uv")
EXAMPLE = "examples/rathaus-kaiserslautern.toml"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def build(folder: Path) -> Path:
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build(tmp_path_factory.mktemp("wheel"))


def clean(**more):
    """The environment of a program that must not find this checkout."""
    kept = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "BLICKSCHUTZ_DATA", "VIRTUAL_ENV"}}
    return {**kept, **more}


def test_two_builds_are_the_same_bytes(wheel, tmp_path):
    assert build(tmp_path).read_bytes() == wheel.read_bytes()


def test_examples_schemas_handbook_and_texts_are_inside(wheel):
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file():
                assert f"blickschutz/shipped/{path.relative_to(ROOT)}" in names, path
    source = {f"blickschutz/{p.relative_to(ROOT / 'src/blickschutz')}" for p in (ROOT / "src/blickschutz").rglob("*") if p.is_file()}
    assert {name for name in source if "__pycache__" not in name} - names == set()
    assert "blickschutz/web/locale/en.po" in names


def test_what_is_shipped_is_found_in_a_checkout():
    assert all(shipped(name).is_dir() for name in FOLDERS)
    assert shipped(EXAMPLE) == ROOT / EXAMPLE


def test_no_requirement_leads_to_the_analytics_client():
    """By what the installed packages ask for themselves; the engine alone asks for it, and is no requirement."""
    installed = {_name(one.metadata["Name"]): one for one in metadata.distributions()}
    needed = {name: sorted(_needs(one)) for name, one in installed.items()}
    needed["blickschutz"] = [_name(re.match(r"[\w.-]+", line)[0]) for line in PROJECT["dependencies"]]
    reached = _closure("blickschutz", {name: needed.get(name, []) for name in {*needed, *(n for ns in needed.values() for n in ns)}})
    assert len(reached) > len(PROJECT["dependencies"])
    assert not {one for one in reached if "telemetry" in one and "opentelemetry" not in one}
    assert "openvino" not in reached
    assert "openvino-telemetry" in needed["openvino"], "where that ends, the engine can be a plain requirement again"
    assert "openvino-telemetry" not in installed


def test_the_analytics_client_cannot_be_imported_where_the_engine_is(tmp_path):
    """Even where something else installed it."""
    (tmp_path / TELEMETRY).mkdir()
    (tmp_path / TELEMETRY / "__init__.py").write_text("print('sent')\n")
    program = f"import blickschutz.pipeline.cell\ntry:\n    import {TELEMETRY}\nexcept ImportError:\n    print('refused')\n"
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT / 'src'}"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == "refused\n", done.stderr


def test_the_engine_is_locked_by_hash():
    lines = engine.locked().splitlines()
    assert re.match(r"openvino==20\d\d\.\d+\.\d+ \\$", lines[0])
    assert len(lines) > 3
    assert all(re.match(r"    --hash=sha256:[0-9a-f]{64}( \\)?$", line) for line in lines[1:])


class TestFetching:
    def test_it_says_that_it_waits_and_ends(self, tmp_path):
        said = []
        with pytest.raises(ModelError, match=r"no answer within 1 s.*--from FOLDER"):
            fetched([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path, said.append, word_s=0.3, limit_s=1.0)
        assert len(said) >= 2
        assert all("still waiting" in one for one in said)

    def test_it_gives_what_was_said(self, tmp_path):
        program = "import sys; print('a'); print('b', file=sys.stderr); sys.exit(3)"
        code, said = fetched([sys.executable, "-c", program], tmp_path, print)
        assert (code, set(said.split())) == (3, {"a", "b"})

    def test_a_program_that_is_not_there_is_said(self, tmp_path):
        with pytest.raises(ModelError, match="could not be run"):
            fetched(["/nowhere/npm"], tmp_path, print)


def empty_environment(folder: Path) -> Path:
    """Its interpreter."""
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    return folder / "bin/python"


@pytest.mark.later
def test_the_command_works_from_anywhere_with_nothing_but_the_wheel(wheel, tmp_path):
    """The libraries are those of this environment; the package is the wheel's, and the checkout is not to be seen."""
    python = empty_environment(tmp_path / "env")
    subprocess.run([UV, "pip", "install", "--quiet", "--offline", "--no-deps", "--python", python, wheel], check=True, env=clean())
    inside = next((tmp_path / "env/lib").glob("python*")) / "site-packages"
    # A path in a .pth file is added; .pth files below it (that of the checkout) are not read.
    (inside / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")

    def command(*words):
        return subprocess.run(
            [python.with_name("blickschutz"), *words], cwd="/", env=clean(), capture_output=True, text=True, check=False, timeout=60
        )

    done = command("files", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / EXAMPLE).read_bytes() == (ROOT / EXAMPLE).read_bytes()
    checked = command("check", "--site", tmp_path / "out" / EXAMPLE, "--data", tmp_path / "data")
    assert checked.returncode == 3, checked.stderr
    assert "Rathaus Kaiserslautern, 11 Kameras" in checked.stdout


@pytest.mark.long
def test_two_releases_are_the_same_bytes(tmp_path):
    first, second = (release(tmp_path / name, committed_only=False) for name in ("a", "b"))
    assert [one.suffix for one in first] == [".whl", ".whl", ".json", ""]
    assert [one.read_bytes() for one in first] == [one.read_bytes() for one in second]
    for line in first[-1].read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((tmp_path / "a" / name).read_bytes()).hexdigest() == digest


def test_what_is_not_committed_is_no_release(tmp_path, monkeypatch):
    monkeypatch.setattr("scripts.release._git", lambda *words: " M src/blickschutz/__init__.py")
    with pytest.raises(ReleaseError, match="not committed"):
        release(tmp_path / "dist")
    assert not (tmp_path / "dist").exists()


@pytest.mark.long
@pytest.mark.timeout(600)
def test_an_empty_environment_without_a_network_runs_the_product(wheel, tmp_path):
    """Other wheels of a bundle, models and footage of this environment; a namespace that has loopback alone."""
    if os.geteuid() or shutil.which("unshare") is None:
        pytest.skip("a network namespace needs root and unshare(1)")
    if not BUNDLES:
        pytest.skip("no bundle in dist (make deb), and BLICKSCHUTZ_BUNDLE names none")
    with tarfile.open(BUNDLES[-1]) as bundle:
        bundle.extractall(tmp_path, [one for one in bundle.getmembers() if "/wheels/" in one.name], filter="data")
    (wheels,) = tmp_path.glob("*/wheels")
    python, sealed = empty_environment(tmp_path / "env"), ["unshare", "--net", "sh", "-c", 'ip link set lo up; exec "$0" "$@"']
    lock = re.sub(r"( \\)?\n    --hash=\S+", "", (ROOT / "requirements/base.txt").read_text(encoding="utf-8"))
    (tmp_path / "versions.txt").write_text(lock)
    share = Path(sys.prefix) / "share/blickschutz"
    shutil.copytree(share / "footage", tmp_path / "env/share/blickschutz/footage")
    environment = clean(UV_OFFLINE="1", PATH=f"{UV.parent}:{os.environ['PATH']}")

    def run(*words, **options):
        done = subprocess.run(
            [*sealed, *words], cwd="/", env=environment, capture_output=True, text=True, check=False, timeout=300, **options
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    found = ("--no-index", "--find-links", wheels)
    run(UV, "pip", "install", "--quiet", "--python", python, *found, "--constraint", tmp_path / "versions.txt", wheel)
    blickschutz = python.with_name("blickschutz")
    run(blickschutz, "models", "install", "--from", share / "models")
    assert "11 cameras" in run(blickschutz, "demo", "--seconds", "5", "--port", "8733")
    run(blickschutz, "files", tmp_path / "out")
    site = (tmp_path / "out" / EXAMPLE).read_text(encoding="utf-8").replace("[site]\n", "[site]\ndemo = true\n")
    (tmp_path / "site.toml").write_text(site)
    run(blickschutz, "documents", "--site", tmp_path / "site.toml", "--data", tmp_path / "data", "--out", tmp_path / "papers")
    assert list((tmp_path / "papers").glob("*.pdf"))
    names = run(UV, "pip", "list", "--python", python)
    assert "openvino" in names
    assert "openvino-telemetry" not in names
