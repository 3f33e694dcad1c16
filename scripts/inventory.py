"""Write where cryptography is used: `.venv/bin/python -m scripts.inventory` (docs/cryptography.md), every module that imports it."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE, TARGET = ROOT / "src/blickschutz", ROOT / "docs/cryptography.md"
LIBRARIES = frozenset({"cryptography", "fido2", "hashlib", "hmac", "nacl", "pyrage", "secrets", "ssl"})
_TABLE = re.compile(r"(?<=<!-- modules -->\n)(?s:.*?)(?=<!-- /modules -->)")


def used() -> Mapping[str, set[str]]:
    """Modules by library of cryptography that they import, anywhere in them."""
    found = defaultdict[str, set[str]](set)
    for path in SOURCE.rglob("*.py"):
        for name in _imported(path) & LIBRARIES:
            found[name].add(path.relative_to(SOURCE).as_posix())
    return found


def _imported(path: Path) -> set[str]:
    names = set[str]()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return {name.split(".")[0] for name in names}


def renewed(page: str) -> str:
    """The page with the table as it is now."""
    rows = [f"| {name} | {', '.join(f'`{one}`' for one in sorted(modules))} |" for name, modules in sorted(used().items())]
    table = "\n".join(["| library | modules |", "|---|---|", *rows]) + "\n"
    return _TABLE.sub(lambda _: table, page)


if __name__ == "__main__":
    TARGET.write_text(renewed(TARGET.read_text(encoding="utf-8")), encoding="utf-8")
