"""Make the Python client from the description of the programming interface: `python -m scripts.client [FOLDER]`.

Without a folder the committed one, `clients/python/blickschutz_client`, is made anew. The description is asked of the pages themselves, in
memory; nothing of it that the generator cannot read is passed over. Generator and formatter are locked, so the same description gives the
same bytes.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from fastapi import FastAPI
from starlette.routing import Mount

from blickschutz.bootstrap.system import System
from blickschutz.config.loader import load_site
from blickschutz.kernel.clock import SystemClock
from blickschutz.web.api.app import describe
from blickschutz.web.app import API

ROOT = Path(__file__).resolve().parent.parent
CLIENT = ROOT / "clients/python/blickschutz_client"
_MARK = "# Made by `python -m scripts.client` from the description of the programming interface; not to be changed by hand.\n"
_SETTINGS = {
    "content_type_overrides": {"image/jpeg": "application/octet-stream", "video/mp4": "application/octet-stream"},
    "docstrings_on_attributes": True,
    "literal_enums": True,
    # Without the settings of any project that the folder lies in.
    "post_hooks": [
        "ruff check --isolated --quiet --fix-only --extend-select=I,UP --target-version=py311 .",
        "ruff format --isolated --quiet --line-length=140 .",
    ],
}


class ClientError(Exception):
    """What the generator said."""


def described() -> dict[str, object]:
    """The description as the pages give it; it is the same for every site."""
    with tempfile.TemporaryDirectory() as folder:
        system = System(load_site(ROOT / "examples/rathaus-kaiserslautern.toml"), ROOT, SystemClock(), data=Path(folder))
        (api,) = (one.app for one in system.app.routes if isinstance(one, Mount) and one.path == API and isinstance(one.app, FastAPI))
        found = describe(api)
        system.records.keeping.close()
        system.control.alerting.desk.store.close()
    return found


def generate(description: dict[str, object], folder: Path) -> None:
    """Write the package to `folder`; what lay there is removed."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        (work / "openapi.json").write_text(json.dumps(description), encoding="utf-8")
        (work / "settings.json").write_text(json.dumps(_SETTINGS), encoding="utf-8")
        made = work / folder.name
        words = ["--path", "openapi.json", "--config", "settings.json", "--output-path", str(made), "--meta", "none", "--fail-on-warning"]
        # The formatter is that of this environment, activated or not.
        environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}", "NO_COLOR": "1"}
        command = [sys.executable, "-m", "openapi_python_client", "generate", *words]
        done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ClientError((done.stdout + done.stderr).strip())
        for path in made.rglob("*.py"):
            path.write_text(_MARK + path.read_text(encoding="utf-8"), encoding="utf-8")
        (made / "py.typed").touch()
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(made, folder, ignore=shutil.ignore_patterns(".ruff_cache", "__pycache__"))


def main(words: list[str]) -> int:
    folder = Path(words[0]) if words else CLIENT
    try:
        generate(described(), folder)
    except ClientError as error:
        print(f"The client was not made: {error}", file=sys.stderr)
        return 1
    print(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
