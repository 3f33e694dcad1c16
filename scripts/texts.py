"""List the German texts of the pages that have no English yet, and those whose German is gone."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

from jinja2 import Environment

from blickschutz.web.texts import catalogue

WEB = Path(__file__).resolve().parent.parent / "src/blickschutz/web"


def used_texts() -> set[str]:
    """Every text that templates and code mark for translation."""
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    found: set[str] = set()
    for template in [
        *WEB.glob("templates/*.html"),
        *(one for house in ("reviewroom", "overview") for one in WEB.parent.glob(f"{house}/templates/*.html")),
    ]:
        for _, _, message in environment.extract_translations(template.read_text(encoding="utf-8")):
            if isinstance(message, str):
                found.add(message)
    for module in (WEB / "texts.py", *sorted(WEB.glob("*words.py")), *sorted(WEB.parent.glob("overview/*.py"))):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "N_"
            if named and isinstance(node, ast.Call) and isinstance(node.args[0], ast.Constant):
                found.add(str(node.args[0].value))
    return found


if __name__ == "__main__":
    used, known = used_texts(), set(catalogue("en"))
    for text in sorted(used - known):
        print("missing:", text)
    for text in sorted(known - used):
        print("unused:", text)
    sys.exit(bool(used ^ known))
