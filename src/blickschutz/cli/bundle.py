"""`blickschutz bundle`: everything that an installation without a network needs, in one file."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from blickschutz import __version__
from blickschutz.analysis.io.fetching import fetched
from blickschutz.analysis.io.registry import NEEDED, ModelRegistry
from blickschutz.cli.models import hand_over
from blickschutz.kernel.errors import OperatorError
from blickschutz.shipped import shipped
from blickschutz.storage.files import sha256_of

# Seconds. About 350 MB; a source package among them is built.
_FETCH_S = 1800.0
_PYTHON = ".".join(map(str, sys.version_info[:2]))
_WHEEL = re.compile(r"(?P<name>[A-Za-z0-9_.]+)-(?P<version>[^-]+)-.+\.whl$")
# The user's setting of reproducible-builds.org; without it bundles of a day differ by it alone.
_EPOCH = "SOURCE_DATE_EPOCH"
_SYSTEM = f"""\
# Packages of Debian that the machine needs: Python itself; the rest comes in the bundle.
python{_PYTHON}
# Wanted besides: a time server's client, without which deadlines wait after a jump of the clock; names and zones.
chrony
tzdata
"""


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--wheel", type=click.Path(path_type=Path, dir_okay=False, exists=True), required=True, help="Blickschutz itself (`make release`)."
)
@click.option(
    "--client",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The Python client of the programming interface, for programs on machines without a network (`make release`).",
)
@click.option("--wheels", type=click.Path(path_type=Path, file_okay=False, exists=True), help="Take the others from this folder alone.")
def bundle(out: Path, wheel: Path, client: Path | None, wheels: Path | None) -> None:
    """Make one file OUT (or a name of its own in the folder OUT) for a machine without a network: wheels with hashes, models with
    licences, what the system needs, and an installer that verifies all of it. For machines of this kind and this Python."""

    def say(text: str) -> None:
        click.echo(f"  {text}")

    name = f"blickschutz-{__version__}-python{_PYTHON}-{platform.machine()}"
    target = out / f"{name}.tar" if out.is_dir() else out
    with tempfile.TemporaryDirectory(prefix="blickschutz-bundle-") as place:
        folder = Path(place) / name
        (folder / "wheels").mkdir(parents=True)
        _gather(folder / "wheels", wheels, say)
        _with_own(folder / "wheels", wheel, folder)
        if client is not None:
            # Not installed with the product: programs of others run elsewhere, under another user.
            (folder / "client").mkdir()
            _gather_client(folder / "client", wheels, say)
            _with_own(folder / "client", client, folder / "client")
        say("taking the models with their licences")
        for model in NEEDED:
            hand_over(model, ModelRegistry(), ModelRegistry(folder / "models"))
        shutil.copyfile(shipped("install.sh"), folder / "install.sh")
        shutil.copyfile(shipped("LICENCE"), folder / "LICENCE")
        (folder / "PLATFORM").write_text(f"{_PYTHON} {platform.machine()}\n", encoding="ascii")
        (folder / "system-packages.txt").write_text(_SYSTEM, encoding="utf-8")
        sums = [f"{sha256_of(one)}  {one.relative_to(folder)}\n" for one in sorted(folder.rglob("*")) if one.is_file()]
        (folder / "SHA256SUMS").write_text("".join(sums), encoding="ascii")
        say(f"packing {len(sums)} files")
        _pack(folder, target)
    click.echo(f"{target} ({target.stat().st_size // 1_000_000} MB), SHA-256 {sha256_of(target)}")
    click.echo(f"There: tar xf {target.name} && sh {name}/install.sh")


def _with_own(wheels: Path, own: Path, listed: Path) -> None:
    """Add the wheel that was built here, and write what is installed of all into `listed`."""
    shutil.copyfile(own, wheels / own.name)
    (listed / "requirements.txt").write_text(pinned(sorted(wheels.glob("*.whl"))), encoding="ascii")


def pinned(wheels: Sequence[Path]) -> str:
    """Requirements for exactly these wheels, each by its hash; pip itself installs and stays outside."""
    lines = []
    for one in wheels:
        found = _WHEEL.match(one.name)
        if found is None:
            raise OperatorError(f"{one.name} is no name of a wheel")
        if found["name"] != "pip":
            lines.append(f"{found['name']}=={found['version']} --hash=sha256:{sha256_of(one)}\n")
    return "".join(lines)


def _gather(folder: Path, source: Path | None, say: Callable[[str], None]) -> None:
    """All wheels of the locked requirements, and pip. One that comes as source is built here, where there is a network."""
    if source is not None:
        for one in sorted(source.glob("*.whl")):
            shutil.copyfile(one, folder / one.name)
        if not list(folder.glob("pip-*.whl")):
            raise OperatorError(f"{source} has no wheel of pip, which installs the others")
        return
    _fetch(folder, (("pip", ["pip"]), ("locked packages (350 MB)", _locked("base"))), say)


def _gather_client(folder: Path, source: Path | None, say: Callable[[str], None]) -> None:
    """What the client needs; of the folder `source` alone, where there is one, whatever of it is there."""
    if source is None:
        _fetch(folder, (("what the client needs", _locked("client")),), say)
        return
    lock = shipped("requirements/client.txt").read_text(encoding="utf-8")
    names = {line.partition("==")[0].replace("-", "_") for line in lock.splitlines() if "==" in line}
    for one in sorted(source.glob("*.whl")):
        if one.name.partition("-")[0].lower() in names:
            shutil.copyfile(one, folder / one.name)


def _locked(lock: str) -> list[str]:
    return ["--no-deps", "--require-hashes", "-r", str(shipped(f"requirements/{lock}.txt"))]


def _fetch(folder: Path, wanted: Sequence[tuple[str, list[str]]], say: Callable[[str], None]) -> None:
    """Wheels into `folder`: of each what it is in words, and what pip is told."""
    with tempfile.TemporaryDirectory(prefix="blickschutz-pip-") as place:
        python = _with_pip(Path(place))
        for what, words in wanted:
            say(f"fetching {what}")
            command = [python, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--wheel-dir", str(folder), *words]
            code, said = fetched(command, Path(place), say, limit_s=_FETCH_S)
            if code:
                raise OperatorError(f"the packages could not be fetched: {said.strip()[-600:]}")


def _with_pip(place: Path) -> str:
    """An interpreter that has pip: this one, else one in an environment made for it."""
    if importlib.util.find_spec("pip") is not None:
        return sys.executable
    done = subprocess.run([sys.executable, "-m", "venv", str(place / "env")], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OperatorError(f"there is no pip, and no environment with one can be made: {(done.stderr or done.stdout).strip()[-300:]}")
    return str(place / "env/bin/python")


def _pack(folder: Path, target: Path) -> None:
    """A tar, not compressed (wheels are): the same files give the same bytes."""
    at = int(os.environ.get(_EPOCH, "0"))
    try:
        with tarfile.open(target, "w", format=tarfile.GNU_FORMAT) as packed:
            for one in sorted(folder.rglob("*")):
                if not one.is_file():
                    continue
                about = tarfile.TarInfo(str(one.relative_to(folder.parent)))
                about.size, about.mtime, about.mode = one.stat().st_size, at, 0o755 if one.suffix == ".sh" else 0o644
                with one.open("rb") as data:
                    packed.addfile(about, data)
    except OSError as error:
        raise OperatorError(f"{target} cannot be written: {error.strerror}") from error
