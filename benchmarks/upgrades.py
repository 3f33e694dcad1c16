"""Upgrades under a real systemd: `.venv/bin/python -m benchmarks.upgrades BUNDLE.tar` (root, systemd, unshare).

With the wheels of a bundle (`blickschutz bundle`) three versions of this checkout are built and bundled: the one of today, one with a
further column and table, and one that takes the same steps in the databases and whose cells end at once. A service of the first, with
recordings, a hold and open alerts, is upgraded to the broken one (which has to come back by itself), then to the good one. Prints JSON;
ends with 1 where a row or a clip was lost.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from benchmarks.systemd import DATA, USERS, give_words, is_live, prepare, shown, tried, until
from tests.conftest import ROOT

_LONGEST_S = 1200
_TREE = ("src", "docs", "examples", "schemas", "monitoring", "requirements", "LICENCE", "README.md", "CHANGELOG.md", "CONTRIBUTING.md")
_STEP = '''"""A version to come."""

import sqlalchemy as sa
from alembic import op

revision = "9001"
down_revision = "{last}"


def upgrade() -> None:
    op.add_column("passwords", sa.Column("mood", sa.Text, nullable=True))
    op.create_table("dreams", sa.Column("id", sa.Integer, primary_key=True), sa.Column("text", sa.Text))
'''
_DEAD = "\n\nCell.run = lambda self, settings: __import__('os')._exit(9)\n"
_PLANT = """
from pathlib import Path
from unittest.mock import patch
from blickschutz.kernel.clock import SystemClock
from tests.house import House
with patch("tests.house.ManualClock", SystemClock):
    house = House(Path({data!r}))
house.enrol()
kept = [house.clip(f"{{number:032d}}") for number in range(4)]
for number in range(3):
    house.desk.take("vorplatz-nord", house.situation(number=number + 10), notify=True)
house.close()
"""


def _bundle(work: Path, version: str, *, steps: bool, dead: bool) -> Path:
    tree = work / f"tree-{version}"
    tree.mkdir()
    for name in _TREE:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        copy(ROOT / name, tree / name)
    shutil.copyfile(ROOT / "pyproject.toml", tree / "pyproject.toml")
    package = tree / "src/blickschutz"
    text = (package / "__init__.py").read_text(encoding="utf-8")
    here = next(line for line in text.splitlines() if line.startswith("__version__"))
    (package / "__init__.py").write_text(text.replace(here, f'__version__ = "{version}"'), encoding="utf-8")
    if steps:
        last = sorted((package / "storage/migrations/control").glob("r*.py"))[-1].name[1:5]
        (package / "storage/migrations/control/r9001_later.py").write_text(_STEP.format(last=last), encoding="utf-8")
    if dead:
        with (package / "pipeline/cell.py").open("a", encoding="utf-8") as file:
            file.write(_DEAD)
    environment = {**os.environ, "PYTHONPATH": str(tree / "src")}
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tree / "dist")]
    subprocess.run(build, cwd=tree, check=True, capture_output=True)
    (wheel,) = (tree / "dist").glob("*.whl")
    command = [sys.executable, "-m", "blickschutz.cli.main", "bundle", str(work), "--wheel", str(wheel), "--wheels", str(work / "wheels")]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(tree)
    return next(work.glob(f"blickschutz-{version}-*.tar"))


def _make(work: Path, source: Path) -> None:
    (work / "wheels").mkdir()
    with tarfile.open(source) as packed:
        for one in packed:
            if one.name.endswith(".whl") and not Path(one.name).name.startswith("blickschutz-"):
                one.name = Path(one.name).name
                packed.extract(one, work / "wheels", filter="data")
    today = _bundle(work, "0.1.0", steps=False, dead=False)
    for version, dead in (("0.2.0", True), ("0.3.0", False)):
        _bundle(work, version, steps=True, dead=dead)
    target = work / "opt/blickschutz"
    target.parent.mkdir()
    shutil.unpack_archive(today, work)
    subprocess.run(["sh", str(work / today.stem / "install.sh"), str(target)], check=True, stdout=subprocess.DEVNULL)
    (work / "plant.py").write_text(_PLANT.format(data=DATA), encoding="utf-8")
    user = f"setpriv --reuid {USERS['blickschutz']} --regid {USERS['blickschutz']} --clear-groups"
    plant = f"{user} env HOME={DATA} PYTHONPATH={ROOT / 'src'}:{ROOT} {sys.executable} {work}/plant.py"
    owner = f"{USERS['blickschutz']}:{USERS['blickschutz']}"
    before = f"mkdir -p -m 700 {DATA}; chown {owner} /var/lib/blickschutz {DATA}; cd /; {plant} >> {work}/service.out 2>&1"
    prepare(work, [str(target / "bin/blickschutz")], "benchmarks.upgrades", sources=False, before=before)


def _rows() -> Iterator[tuple[str, str, tuple[object, ...]]]:
    """Rows of both databases: entries of the log whole, the others by their key, since a system that runs changes them."""
    for name in ("control", "alerts"):
        with closing(sqlite3.connect(f"file:{DATA}/{name}.db?mode=ro", uri=True)) as database:
            tables = [row[0] for row in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
            for table in sorted(set(tables) - {"alembic_version", "sqlite_sequence", "dreams"}):
                columns = database.execute(f"PRAGMA table_info({table})").fetchall()
                wanted = [row[1] for row in columns if table == "log" or row[5]]
                for row in database.execute(f"SELECT {', '.join(wanted)} FROM {table}"):
                    yield name, table, row


def _clips() -> set[tuple[str, str]]:
    return {(one.name, hashlib.sha256(one.read_bytes()).hexdigest()) for one in Path(DATA, "clips").glob("*.clip")}


def _plain() -> dict[str, str]:
    """The judge runs with this checkout on its path; the programs do not."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def _upgrade(work: Path, version: str) -> subprocess.CompletedProcess[str]:
    (bundle,) = work.glob(f"blickschutz-{version}-*.tar")
    command = [str(work / "opt/blickschutz/bin/blickschutz"), "upgrade", "--site", str(work / "site.toml"), "--data", DATA]
    more = ["--bundle", str(bundle), "--backups", "/srv/backup", "--yes"]
    return subprocess.run([*command, *more], env=_plain(), capture_output=True, text=True, check=False, cwd="/")


def _dark(said: str) -> float:
    """Seconds, from what the command says at its end."""
    found = re.search(r"dark for (\d+) s", said)
    return float(found[1]) if found is not None else -1.0


def _judge(work: Path) -> None:
    program = work / "opt/blickschutz/bin/blickschutz"
    told: dict[str, object] = {"live_s": until(is_live, 60)}
    give_words([str(program)], work)
    rows, clips = set(_rows()), _clips()
    told["rows"], told["clips"] = len(rows), len(clips)
    for version, wanted in (("0.2.0", "0.1.0"), ("0.3.0", "0.3.0")):
        done = _upgrade(work, version)
        now = subprocess.run([str(program), "--version"], env=_plain(), capture_output=True, text=True, check=True).stdout.split()[-1]
        lost = rows - set(_rows())
        told[version] = {
            "as_wanted": now == wanted and (done.returncode == 0) is (version == wanted),
            "live": until(is_live, 60) >= 0,
            "rows_lost": [f"{name}.{table}" for name, table, _ in sorted(lost, key=str)],
            "clips_lost": sorted(name for name, _ in clips - _clips()),
            "said": (done.stderr.strip() or done.stdout.strip())[-400:],
            "dark_s": _dark(done.stdout + done.stderr),
        }
        rows |= set(_rows())
    told["starts_failed"] = shown("NRestarts")
    (work / "told.json").write_text(json.dumps(told), encoding="utf-8")


def main() -> None:
    if sys.argv[1:2] == ["--inside"]:
        _judge(Path(sys.argv[2]))
        return
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    told = tried("upgrades", lambda work: _make(work, Path(sys.argv[1])), _LONGEST_S)
    print(json.dumps(told, indent=1))
    good = all(
        told[one]["as_wanted"] and told[one]["live"] and not told[one]["rows_lost"] and not told[one]["clips_lost"]
        for one in ("0.2.0", "0.3.0")
    )
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
