"""Build what is handed out, reproducibly: `python -m scripts.release [FOLDER]` (`dist` without one).

The wheel, that of the Python client, the list of what it was tested with (CycloneDX), `SHA256SUMS`. All times are that of the last commit
(`SOURCE_DATE_EPOCH`, reproducible-builds.org), so whoever builds the same commit gets the same bytes. What is not committed is refused.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from scripts.sbom import listing

ROOT = Path(__file__).resolve().parent.parent


class ReleaseError(Exception):
    """Something that a person must do first; the text says what."""


def release(folder: Path, *, committed_only: bool = True) -> list[Path]:
    """The files made, `SHA256SUMS` last. What lay in `folder` is removed."""
    if committed_only and _git("status", "--porcelain"):
        raise ReleaseError("there are changes that are not committed; a release is made of commits alone")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    environment = {**os.environ, "SOURCE_DATE_EPOCH": _git("log", "-1", "--format=%ct")}
    for project in (ROOT, ROOT / "clients/python"):
        _run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder.resolve())], environment, project)
    made = sorted(folder.glob("*.whl"))
    listed = folder / made[0].name.replace("-py3-none-any.whl", ".cdx.json")
    listed.write_text(listing(), encoding="utf-8")
    made.append(listed)
    sums = folder / "SHA256SUMS"
    sums.write_text("".join(f"{hashlib.sha256(one.read_bytes()).hexdigest()}  {one.name}\n" for one in sorted(made)), encoding="ascii")
    return [*made, sums]


def _git(*words: str) -> str:
    return _run(["git", *words], dict(os.environ)).strip()


def _run(command: list[str], environment: dict[str, str], folder: Path = ROOT) -> str:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ReleaseError(f"{' '.join(command[:4])} failed: {(done.stderr or done.stdout).strip()[-400:]}")
    return done.stdout


def main(words: list[str]) -> int:
    try:
        for one in release(Path(words[0]) if words else ROOT / "dist"):
            print(f"{one} ({one.stat().st_size:,} bytes)")
    except ReleaseError as error:
        print(f"No release: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
