"""Find the line of a key in a TOML file, for messages that name it."""

from __future__ import annotations

import re
from collections.abc import Sequence

Path = tuple[str | int, ...]

_TABLE = re.compile(r"^\s*\[(\[)?\s*([^\]]+?)\s*\]")
_KEY = re.compile(r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=""")


def key_lines(text: str) -> dict[Path, int]:
    """Line number (from 1) of every table head and key; arrays of tables are counted from 0."""
    lines: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    for number, line in enumerate(text.splitlines(), 1):
        head = _TABLE.match(line)
        if head and "=" not in line.split("]")[0]:
            table = _resolve(_parts(head.group(2)), counts)
            if head.group(1):
                counts[table] = counts.get(table, -1) + 1
                lines.setdefault(table, number)
                table = (*table, counts[table])
            lines[table] = number
            for length in range(1, len(table)):
                lines.setdefault(table[:length], number)
            continue
        key = _KEY.match(line)
        if key:
            lines[(*table, *_parts(key.group(1)))] = number
    return lines


def line_of(path: Sequence[str | int], lines: dict[Path, int]) -> int:
    """The line of `path`, or of the nearest thing around it; 1 where there is none."""
    here = tuple(path)
    while here:
        if here in lines:
            return lines[here]
        here = here[:-1]
    return 1


def _parts(dotted: str) -> Path:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def _resolve(parts: Path, counts: dict[Path, int]) -> Path:
    """Put the current index behind every part that is an array of tables, but the last."""
    result: Path = ()
    for position, part in enumerate(parts):
        result = (*result, part)
        if position < len(parts) - 1 and result in counts:
            result = (*result, counts[result])
    return result
