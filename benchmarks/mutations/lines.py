"""Reads the lists: the forty lines that carry the promises, and further ones."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec
from benchmarks.mutations.model import Line


def _read(name: str) -> tuple[Line, ...]:
    found = tomllib.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))
    return msgspec.convert(found["line"], tuple[Line, ...])


FORTY, FURTHER = _read("forty.toml"), _read("further.toml")
