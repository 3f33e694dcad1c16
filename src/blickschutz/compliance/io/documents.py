"""The facts file of a site, and the hashes of the documents that it names."""

from __future__ import annotations

import hashlib
from pathlib import Path

from blickschutz.compliance.facts import Facts
from blickschutz.config.loader import operator_language, parse_file
from blickschutz.config.texts import say
from blickschutz.kernel.errors import SettingsError


def facts_path(site: Path) -> Path:
    """Where the facts of a site file lie: `anlage.toml` has `anlage.facts.toml` beside it."""
    return site.with_suffix(".facts.toml")


def load_facts(path: Path, language: str | None = None) -> Facts:
    """The recorded facts; none where the file is not there. Raises `SettingsError` with one line per problem."""
    spoken = language or operator_language()
    if not path.exists():
        return Facts()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "UTF-8"
        raise SettingsError(f"{path}: {say('no_file', spoken, reason=reason)}") from error
    return parse_file(Facts, text, str(path), spoken)


def hashes(facts: Facts, folder: Path) -> dict[str, str]:
    """SHA-256 of each document that a fact names, "" where it is not there or lies outside `folder`."""
    found = {}
    for name in facts.documents:
        path = (folder / name).resolve()
        inside = path.is_relative_to(folder.resolve())
        found[name] = hashlib.sha256(path.read_bytes()).hexdigest() if inside and path.is_file() else ""
    return found
