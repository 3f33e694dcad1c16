"""Read a site file and say exactly what is wrong with it."""

from __future__ import annotations

import dataclasses
import difflib
import errno
import hashlib
import io
import json
import os
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from blickschutz.config.about import said_of, section_of
from blickschutz.config.lines import key_lines, line_of
from blickschutz.config.model import SiteFile
from blickschutz.config.texts import say
from blickschutz.kernel.errors import UNREADABLE, SettingsError

_WANTED = {
    "string_type": "text",
    "float_type": "number",
    "int_type": "whole",
    "int_from_float": "whole",
    "float_parsing": "number",
    "int_parsing": "whole",
    "bool_parsing": "truth",
    "date_from_datetime_parsing": "day",
    "date_parsing": "day",
    "datetime_from_date_parsing": "moment",
    "datetime_parsing": "moment",
    "bool_type": "truth",
    "tuple_type": "list",
    "list_type": "list",
    "model_type": "table",
    "model_attributes_type": "table",
    "dict_type": "table",
}
_BOUNDS = {
    "greater_than_equal": ("least", "ge"),
    "less_than_equal": ("most", "le"),
    "greater_than": ("above", "gt"),
    "multiple_of": ("multiple", "multiple_of"),
    "too_short": ("more_entries", "min_length"),
    "too_long": ("fewer_entries", "max_length"),
    "string_too_short": ("longer", "min_length"),
    "string_too_long": ("shorter", "max_length"),
}
# Paragraphs behind a refusal of what is no setting and never will be; those behind settings stand with them.
_NEVER = dict.fromkeys(("audio", "microphone", "ptz", "zoom"), "EDPB 3/2019, Rn. 129")
# The longest site file that anybody wrote has some hundred kilobytes.
_MOST_BYTES = 4 * 1024 * 1024
_File = TypeVar("_File", bound=BaseModel)


def operator_language() -> str:
    """ "de" where the terminal speaks German, else "en"."""
    spoken = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return "de" if spoken.startswith("de") else "en"


def load_site(path: Path, language: str | None = None) -> SiteFile:
    """Read and check the site file. Raises `SettingsError` with one line per problem."""
    spoken = language or operator_language()
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        # Line ends of any system, as `read_text` takes them, and the mark that editors of Windows put before the first line.
        text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig").read()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "UTF-8"
        raise SettingsError(f"{path}: {say('no_file', spoken, reason=reason)}") from error
    return parse_site(text, str(path), spoken)


def parse_site(text: str, name: str, language: str) -> SiteFile:
    """Check the text of a site file; `name` is what messages call it."""
    return parse_file(SiteFile, text, name, language)


def load_file(model: type[_File], path: Path, most: int = _MOST_BYTES) -> _File:
    """Read and check a file that is no site's, at most its first `most` bytes. Raises `SettingsError` with one line per problem."""
    try:
        with path.open("rb") as file:
            text = file.read(most).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from error
    return parse_file(model, text, str(path), operator_language())


def parse_file(model: type[_File], text: str, name: str, language: str) -> _File:
    """Check the text of a file of settings or facts. Raises `SettingsError` with one line per problem."""
    try:
        data = _with_tuples(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        line = int(found.group(1)) if found else 1
        raise SettingsError(f"{name}:{line}: {say('syntax', language, reason=error)}") from error
    except UNREADABLE as error:
        # Numbers or lists without end: the parser itself gives up.
        raise SettingsError(f"{name}:1: {say('syntax', language, reason=error)}") from error
    try:
        return model.model_validate(data)
    except ValidationError as error:
        lines = key_lines(text)
        problems = [_describe(model, problem, lines, name, language) for problem in error.errors()]
        raise SettingsError("\n".join(dict.fromkeys(problems))) from error


def _with_tuples(value: Any) -> Any:
    """TOML's lists as tuples, because the settings are frozen."""
    if isinstance(value, dict):
        return {key: _with_tuples(item) for key, item in value.items()}
    return tuple(_with_tuples(item) for item in value) if isinstance(value, list) else value


def _describe(root: type[BaseModel], problem: ErrorDetails, lines: dict[tuple[str | int, ...], int], name: str, language: str) -> str:
    path = [part for part in problem["loc"] if not (isinstance(part, str) and part.startswith(("function-", "tagged-")))]
    path.extend(problem.get("ctx", {}).get("where", ()))
    key = ".".join(str(part) for part in path) or "(file)"
    law = _law(root, path)
    return f"{name}:{line_of(path, lines)}: {key}: {reason(root, problem, path, language)}{f' ({law})' if law else ''}"


def reason(root: type[BaseModel], problem: ErrorDetails, path: Sequence[str | int], language: str) -> str:
    kind, context, value = problem["type"], problem.get("ctx", {}), problem.get("input")
    if kind.startswith("site."):
        return say(kind.removeprefix("site."), language, **{k: v for k, v in context.items() if k not in {"name", "where"}})
    if kind in {"extra_forbidden", "unexpected_keyword_argument"}:
        return _unknown(root, path, language)
    if kind == "missing":
        return say("missing", language, about=_about(root, path))
    if kind in _WANTED:
        return say("type", language, value=_shown(value), wanted=say(_WANTED[kind], language))
    if kind in _BOUNDS:
        text, bound = _BOUNDS[kind]
        return say("range", language, value=_shown(value), wanted=say(text, language, bound=context[bound]))
    if kind in {"literal_error", "enum"}:
        return say("choice", language, value=_shown(value), wanted=str(context["expected"]).replace(" or ", " | "))
    return str(problem["msg"])


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)[:60]


def _unknown(root: type[BaseModel], path: Sequence[str | int], language: str) -> str:
    keys = list(_fields(root, path[:-1]))
    near = difflib.get_close_matches(str(path[-1]), keys, 1)
    proposal = say("meant", language, near=near[0]) if near else say("allowed", language, keys=", ".join(keys))
    return say("unknown", language, proposal=proposal)


def _law(root: type[BaseModel], path: Sequence[str | int]) -> str:
    if not path or isinstance(path[-1], int):
        return ""
    section = _section_at(root, path[:-1])
    said = said_of(section, path[-1]) if section is not None else None
    return said.law if said is not None else _NEVER.get(path[-1], "")


def _fields(root: type[BaseModel], path: Sequence[str | int]) -> dict[str, Any]:
    """The settings that stand at `path`, by name; a value is what pydantic knows of it, or None."""
    section = _section_at(root, path)
    if section is None:
        return {}
    if issubclass(section, BaseModel):
        return dict(section.model_fields)
    return dict.fromkeys(field.name for field in dataclasses.fields(section))


def _section_at(root: type[BaseModel], path: Sequence[str | int]) -> type[Any] | None:
    here: type[Any] = root
    for part in path:
        if isinstance(part, int):
            continue
        field = here.model_fields.get(part) if issubclass(here, BaseModel) else None
        inner = section_of(field.annotation) if field else None
        if inner is None:
            return None
        here = inner
    return here


def _about(root: type[BaseModel], path: Sequence[str | int]) -> str:
    field = _fields(root, path[:-1]).get(str(path[-1]))
    return str(field.description).rstrip(".") if field is not None and field.description else str(path[-1])


def settings_hash(site: SiteFile) -> str:
    """SHA-256 of the settings in force (hex). Comments and the order of keys in the file do not change it.

    Nor do the installation's id, the place of its data and the root of its reviewers: what was approved for the settings stays so
    when the folder moves, or people found their register. A section that is not there is left out: what was approved before it could be
    written stays approved.
    """
    left: dict[str, Any] = {"site": {"id", "data"}, "review": {"root"}}
    if site.hosts is None:
        left["hosts"] = True
    return hashlib.sha256(site.model_dump_json(exclude=left).encode()).hexdigest()


def schema() -> dict[str, Any]:
    """The JSON Schema of the site file, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Blickschutz site file",
        **SiteFile.model_json_schema(),
    }
