"""The facts file and the documents beside it; the gate that a field passes."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

import msgspec

from stimmungsbild.errors import LawError
from stimmungsbild.law.model import Facts, Paper, Role
from stimmungsbild.law.rules import missing


def read_facts(data: bytes) -> Facts:
    """The facts file. Raises `LawError`."""
    try:
        return msgspec.convert(tomllib.loads(data.decode()), Facts)
    except (ValueError, msgspec.ValidationError) as error:
        raise LawError(f"the facts file cannot be read: {error}") from error


def demo_facts() -> bytes:
    """The facts of a demonstration: a town that is made up."""
    return (resources.files("stimmungsbild.law") / "demo.toml").read_bytes()


def lacking(data: bytes, folder: Path | None) -> tuple[str, ...]:
    """Everything that keeps a field from beginning. Documents lie in `folder`; a demonstration lacks nothing."""
    facts = read_facts(data)
    return () if facts.demo else (*missing(facts), *_papers(facts, folder))


def _papers(facts: Facts, folder: Path | None) -> Iterable[str]:
    wanted = [(f"the agreement with {one.name}", one.agreement) for one in facts.parties if one.role is not Role.CONTROLLER]
    wanted += [("the officer's advice", facts.advice.paper), ("the signed approval", facts.approval.paper)]
    seen: dict[str, str] = {}
    for what, paper in wanted:
        problem = _problem(paper, folder)
        if problem:
            yield f"{what}: {problem}"
        elif paper.sha256 in seen:
            yield f"{what}: it is the same document as {seen[paper.sha256]}"
        seen[paper.sha256] = what


def _problem(paper: Paper, folder: Path | None) -> str:
    if not paper.document or folder is None:
        return "no document is named"
    inside = folder.resolve()
    path = (inside / paper.document).resolve()
    if not path.is_relative_to(inside) or not path.is_file():
        return f"{paper.document} is not there"
    data = path.read_bytes()
    if not data.startswith(b"%PDF"):
        return f"{paper.document} is no PDF"
    return "" if hashlib.sha256(data).hexdigest() == paper.sha256.lower() else f"{paper.document} is another one than was recorded"


def passed(data: bytes, folder: Path | None) -> Facts:
    """The facts of a field that may begin. Raises `LawError` with everything that is lacking."""
    lacks = lacking(data, folder)
    if lacks:
        raise LawError("this field may not begin; `stimmungsbild papers check` says so again when this is there:\n" + "\n".join(lacks))
    return read_facts(data)
