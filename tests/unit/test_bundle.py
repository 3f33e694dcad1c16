"""The bundle for machines without a network: what is in it, and its installer, which believes nothing that it did not verify."""

from __future__ import annotations

import ensurepip
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from packaging.requirements import Requirement

from blickschutz.analysis.io.registry import ModelRegistry
from blickschutz.analysis.model import Head, ModelCard
from blickschutz.cli.bundle import pinned
from blickschutz.cli.main import cli
from blickschutz.kernel.errors import OperatorError
from tests.conftest import ROOT

VERSION = "9.9"


def own_wheel(folder, version=VERSION):
    """As small as a wheel with a command can be: it says what it is called with."""
    about = f"blickschutz-{version}.dist-info"
    files = {
        "blickschutz_stand_in.py": "import sys\n\n\ndef main():\n    print('called', *sys.argv[1:])\n",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: blickschutz\nVersion: {version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/entry_points.txt": "[console_scripts]\nblickschutz = blickschutz_stand_in:main\n",
    }
    path = folder / f"blickschutz-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as packed:
        for name, text in files.items():
            packed.writestr(name, text)
        packed.writestr(f"{about}/RECORD", "".join(f"{name},,\n" for name in files))
    return path


def pip_wheels(folder):
    """A folder with the wheel of pip alone, which Python itself brings."""
    folder.mkdir()
    for path in (Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl"):
        shutil.copy(path, folder)
    return folder


def stand_in_models(folder, patch):
    patch.setenv("BLICKSCHUTZ_DATA", str(folder / "data"))
    registry = ModelRegistry()
    for name in ("centernet", "blazepose"):
        data = name.encode() * 10
        card = ModelCard(name, f"{name}.onnx", hashlib.sha256(data).hexdigest(), Head.CENTERNET, 384, "MIT", "test")
        registry.add(card, data)
    (registry.folder / "centernet.LICENCE").write_text("MIT")
    return registry


def bundle_of(folder, wheel, wheels):
    """The file that the command makes in a folder."""
    result = make(folder, wheel, wheels)
    assert result.exit_code == 0, result.output
    return next(one for one in folder.glob("*.tar") if one.name.startswith(wheel.name.removesuffix("-py3-none-any.whl")))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return own_wheel(tmp_path_factory.mktemp("own"))


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    return pip_wheels(tmp_path_factory.mktemp("pip") / "wheels")


@pytest.fixture
def models(tmp_path, monkeypatch):
    return stand_in_models(tmp_path, monkeypatch)


def make(out, wheel, wheels, *more):
    return CliRunner().invoke(cli, ["bundle", str(out), "--wheel", str(wheel), "--wheels", str(wheels), *more], catch_exceptions=False)


@pytest.fixture
def unpacked(tmp_path, wheel, wheels, models):
    result = make(tmp_path / "bundle.tar", wheel, wheels)
    assert result.exit_code == 0, result.output
    with tarfile.open(tmp_path / "bundle.tar") as packed:
        packed.extractall(tmp_path / "there", filter="data")
    return next((tmp_path / "there").iterdir())


def test_the_same_files_give_the_same_bundle(tmp_path, wheel, wheels, models):
    for name in ("a.tar", "b.tar"):
        assert make(tmp_path / name, wheel, wheels).exit_code == 0
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


def test_everything_in_it_has_its_hash(unpacked):
    sums = dict(reversed(line.split()) for line in (unpacked / "SHA256SUMS").read_text().splitlines())
    inside = {str(one.relative_to(unpacked)) for one in unpacked.rglob("*") if one.is_file()}
    assert inside - set(sums) == {"SHA256SUMS"}
    assert {"install.sh", "requirements.txt", "system-packages.txt", "models/centernet.LICENCE", "models/blazepose.onnx"} <= set(sums)
    assert all(hashlib.sha256((unpacked / name).read_bytes()).hexdigest() == said for name, said in sums.items())
    digest = hashlib.sha256((unpacked / f"wheels/blickschutz-{VERSION}-py3-none-any.whl").read_bytes()).hexdigest()
    assert (unpacked / "requirements.txt").read_text() == f"blickschutz=={VERSION} --hash=sha256:{digest}\n"


def test_the_client_is_beside_with_what_it_needs_and_is_installed_with_nothing(tmp_path, wheel, wheels, models):
    own, kept = tmp_path / "blickschutz_client-9.9-py3-none-any.whl", tmp_path / "kept"
    own.write_bytes(b"client")
    shutil.copytree(wheels, kept)
    for name in ("httpx-0.28.1-py3-none-any.whl", "typing_extensions-4.16.0-py3-none-any.whl", "structlog-25.1.0-py3-none-any.whl"):
        (kept / name).write_bytes(name.encode())
    assert make(tmp_path / "bundle.tar", wheel, kept, "--client", str(own)).exit_code == 0
    with tarfile.open(tmp_path / "bundle.tar") as packed:
        packed.extractall(tmp_path / "there", filter="data")
    folder = next((tmp_path / "there").iterdir())
    beside = {one.name for one in (folder / "client").iterdir()}
    assert beside == {own.name, "httpx-0.28.1-py3-none-any.whl", "typing_extensions-4.16.0-py3-none-any.whl", "requirements.txt"}
    digest = hashlib.sha256(b"client").hexdigest()
    assert f"blickschutz_client==9.9 --hash=sha256:{digest}\n" in (folder / "client/requirements.txt").read_text()
    assert "client" not in (folder / "requirements.txt").read_text()
    assert f"{digest}  client/{own.name}\n" in (folder / "SHA256SUMS").read_text()


def test_the_lock_of_the_client_has_what_the_client_says_it_needs():
    said = tomllib.loads((ROOT / "clients/python/pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    locked = {line.partition("==")[0] for line in (ROOT / "requirements/client.txt").read_text().splitlines() if "==" in line}
    assert {Requirement(one).name for one in said} <= locked


def test_a_model_that_is_missing_or_altered_makes_no_bundle(tmp_path, wheel, wheels, models):
    (models.folder / "centernet.onnx").write_bytes(b"another")
    result = make(tmp_path / "bundle.tar", wheel, wheels)
    assert result.exit_code == 1
    assert "altered" in result.output
    assert not (tmp_path / "bundle.tar").exists()


def test_a_name_that_is_none_of_a_wheel_is_refused(tmp_path):
    (tmp_path / "x.whl").touch()
    with pytest.raises(OperatorError, match=r"x\.whl"):
        pinned([tmp_path / "x.whl"])


def install(folder, target, **more):
    """In a namespace without any network, where that can be had."""
    sealed = ["unshare", "--net"] if os.geteuid() == 0 and shutil.which("unshare") else []
    environment = {"PATH": f"{Path(sys.executable).resolve().parent}:/usr/bin:/bin", "HOME": "/nonexistent", **more}
    command = [*sealed, "sh", str(folder / "install.sh"), str(target)]
    return subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.later
def test_it_installs_without_a_network_and_says_each_step(unpacked, tmp_path):
    done = install(unpacked, tmp_path / "opt", LANG="de_DE.UTF-8")
    assert done.returncode == 0, done.stderr
    steps = [line for line in done.stdout.splitlines() if line.startswith("[")]
    assert [line[:5] for line in steps] == [f"[{number}/5]" for number in range(1, 6)]
    assert f"called models install --from {unpacked}/models" in done.stdout
    assert "Fertig" in done.stdout
    assert (tmp_path / "opt/bin/blickschutz").exists()


@pytest.mark.long
def test_it_replaces_an_environment_and_nothing_else(unpacked, tmp_path):
    other = tmp_path / "srv"
    other.mkdir()
    (other / "letters").write_text("dear")
    done = install(unpacked, other)
    assert (done.returncode, (other / "letters").read_text()) == (1, "dear")
    assert "holds something else" in done.stderr
    assert install(unpacked, other / "letters").returncode == 1
    (tmp_path / "empty").mkdir()
    for _ in range(2):
        assert install(unpacked, tmp_path / "empty").returncode == 0


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("models/centernet.onnx", "another", "a file of the bundle is not as it must be"),
        (f"wheels/blickschutz-{VERSION}-py3-none-any.whl", "another", "a file of the bundle is not as it must be"),
        ("PLATFORM", "3.2 " + platform.machine(), "Python 3.2 is missing"),
        ("PLATFORM", "3.11 vax", "the bundle is for vax"),
    ],
)
def test_what_does_not_fit_stops_it_before_anything_is_made(unpacked, tmp_path, file, text, said):
    (unpacked / file).write_text(f"{text}\n")
    if file == "PLATFORM":
        # Another bundle, whole in itself.
        sums = (unpacked / "SHA256SUMS").read_text().splitlines()
        digest = hashlib.sha256((unpacked / file).read_bytes()).hexdigest()
        (unpacked / "SHA256SUMS").write_text("".join(f"{digest}  {file}\n" if one.endswith(file) else f"{one}\n" for one in sums))
    done = install(unpacked, tmp_path / "opt")
    assert done.returncode == 1
    assert said in done.stderr
    assert not (tmp_path / "opt").exists()
