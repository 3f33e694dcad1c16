"""Bring the inference engine, by hash and without what it asks for besides.

The engine requires an analytics client unconditionally, so a wheel that required the engine would bring the client. It is
therefore no requirement but a part that is fetched with the models: the locked release, nothing else (NumPy is there anyway).
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from blickschutz.analysis.io.fetching import fetched
from blickschutz.kernel.errors import ModelError
from blickschutz.shipped import shipped

ENGINE = "openvino"


def is_there() -> bool:
    return importlib.util.find_spec(ENGINE) is not None


def locked() -> str:
    """The engine's lines in the locked requirements: its version and hashes."""
    text = shipped("requirements/base.txt").read_text(encoding="utf-8")
    found = re.search(rf"^{ENGINE}==\S+(?: \\\n    --hash=\S+)+", text, re.MULTILINE)
    if found is None:
        raise ModelError(f"{shipped('requirements/base.txt')} does not lock {ENGINE}")
    return found[0] + "\n"


def install(say: Callable[[str], None], links: Path | None = None) -> None:
    """Fetch and install the engine unless it is there, from the folder of wheels `links` alone where that is given. Raises `ModelError`."""
    if is_there():
        return
    say(f"fetching the inference engine {locked().split(' ', 1)[0]}, without its analytics client (about 60 MB)")
    with tempfile.TemporaryDirectory(prefix="blickschutz-engine-") as name:
        wanted = Path(name) / "engine.txt"
        wanted.write_text(locked(), encoding="utf-8")
        source = ("--no-index", "--find-links", str(links)) if links is not None else ()
        code, said = fetched([*_installer(), "--no-deps", "--require-hashes", *source, "-r", str(wanted)], Path(name), say)
    importlib.invalidate_caches()
    if code or not is_there():
        raise ModelError(f"the inference engine could not be installed: {said.strip()[-400:]}")


def _installer() -> Sequence[str]:
    """pip of this environment, or uv, which needs none in it."""
    if importlib.util.find_spec("pip") is not None:
        own = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
        return [*own, "--retries", "1", "--timeout", "20"]
    uv = shutil.which("uv")
    if uv is None:
        raise ModelError(
            f"neither pip nor uv is there to install the inference engine; by hand: pip install --no-deps {locked().split()[0]}"
        )
    return [uv, "pip", "install", "--quiet", "--python", sys.executable]
