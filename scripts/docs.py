"""Build handbook and reference as a site: `python -m scripts.docs [FOLDER]` (`var/site` without one), offline.

Pages are gathered from where they lie in the repository (README, changelog, `docs`, schemas, examples), with links turned to where they lie
in the site. A link or an anchor that leads nowhere ends it, and so does a page that no menu leads to (`website/menu.json`).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
_LINK = re.compile(r"(!?\[[^\]]*\]\()([^)#\s]+)(#[^)]*)?\)")
_MOVED = {"README.md": "index.md", "CONTRIBUTING.md": "contributing-in-short.md", "CHANGELOG.md": "changelog.md", "LICENCE": "licence.txt"}
# Their pages come into the menu by themselves.
_SECTIONS = {"Design": "design", "Decisions": "decisions", "Model cards": "models"}


class DocsError(Exception):
    """What is wrong with the pages, as the builder says it."""


def place(path: str) -> str:
    """Where a file of the repository lies in the site: both by their paths from the root."""
    return _MOVED.get(path) or path.removeprefix("docs/")


def turned(text: str, path: str) -> str:
    """A page with its links as they are in the site. `path` is the page's in the repository."""

    def link(found: re.Match[str]) -> str:
        start, target, anchor = found[1], found[2], found[3] or ""
        if ":" in target:
            return found[0]
        whole = os.path.normpath(PurePosixPath(path).parent / target)
        return f"{start}{os.path.relpath(place(whole), PurePosixPath(place(path)).parent)}{anchor})"

    return _LINK.sub(link, text)


def gather(folder: Path) -> None:
    """The pages and what they show or link to."""
    trees = (path for name in ("docs", "schemas", "examples") for path in (ROOT / name).rglob("*") if path.is_file())
    for source in [*(ROOT / name for name in _MOVED), *trees]:
        path = source.relative_to(ROOT).as_posix()
        target = folder / place(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.suffix == ".md":
            target.write_text(turned(source.read_text(encoding="utf-8"), path), encoding="utf-8")
        else:
            shutil.copyfile(source, target)
    (folder / "assets").mkdir()
    shutil.copyfile(ROOT / "website/iframe-worker.js", folder / "assets/iframe-worker.js")


def menu(folder: Path) -> list[object]:
    """What `website/menu.json` says, and the pages of the folders that need no order of their own."""
    own = json.loads((ROOT / "website/menu.json").read_text(encoding="utf-8"))
    sections = ({title: sorted(str(one.relative_to(folder)) for one in (folder / name).glob("*.md"))} for title, name in _SECTIONS.items())
    return [*own, *sections]


def build(target: Path) -> None:
    """Write the site to `target`; what lay there is removed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "docs"
        gather(folder)
        said = {
            "INHERIT": str(ROOT / "website/mkdocs.yml"),
            "docs_dir": str(folder),
            "site_dir": str(target.resolve()),
            "nav": menu(folder),
        }
        # JSON is YAML.
        settings = Path(name) / "mkdocs.yml"
        settings.write_text(json.dumps(said), encoding="utf-8")
        command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--clean", "--config-file", str(settings)]
        # The builder's makers advertise in its output.
        environment = {**os.environ, "NO_MKDOCS_2_WARNING": "true"}
        done = subprocess.run(command, cwd=name, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise DocsError((done.stderr or done.stdout).strip())


def main(words: list[str]) -> int:
    target = Path(words[0]) if words else ROOT / "var/site"
    try:
        build(target)
    except DocsError as error:
        print(f"The site was not built:\n{error}", file=sys.stderr)
        return 1
    print(target / "index.html")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
