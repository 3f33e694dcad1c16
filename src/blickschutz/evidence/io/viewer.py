"""The page that lies in a package: one HTML file that checks and shows the package in a browser, without a network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from importlib import resources

import msgspec

NAME = "Beweis-ansehen.html"
Words = Mapping[str, Mapping[str, Mapping[str, str]]]
_FOLDER = resources.files("blickschutz.evidence").joinpath("viewer")


def page(words: Words) -> bytes:
    """The page with the names of kinds, events and legal bases in each language: `words[language][group][key]`.

    Its policy lets nothing run but its own script and nothing be loaded at all; the hashes in it are those of what stands there.
    """
    parts = {name: _FOLDER.joinpath(f"viewer.{name}").read_text(encoding="utf-8") for name in ("html", "css", "js")}
    # In a block of data no tag may end it.
    said = msgspec.json.encode(words, order="deterministic").decode().replace("<", "\\u003c")
    filled = {"script_hash": _hash(parts["js"]), "style_hash": _hash(parts["css"])}
    filled |= {"style": parts["css"], "words": said, "script": parts["js"]}
    found = parts["html"]
    for name, text in filled.items():
        found = found.replace(f"{{{name}}}", text, 1)
    return found.encode()


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
