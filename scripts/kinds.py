"""Write what lists the kinds of situations: `.venv/bin/python -m scripts.kinds` (schemas, tables of the documentation)."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from blickschutz.alerts.io.wire import schemas
from blickschutz.config.loader import schema
from blickschutz.situations.kinds import DECLARED, RULES

ROOT = Path(__file__).resolve().parent.parent
RULES_HEAD, TOPICS_HEAD = "| kind | true when |\n|---|---|\n", "| topic | situation |\n|---|---|\n"


def rendered() -> dict[Path, str]:
    """File to its text as it should be."""
    found = {ROOT / "schemas" / name: as_json(one) for name, one in {"site.schema.json": schema(), **schemas()}.items()}
    for path, head, rows in (
        (ROOT / "docs/design/situations.md", RULES_HEAD, rule_rows()),
        (ROOT / "docs/cameras.md", TOPICS_HEAD, topic_rows()),
    ):
        found[path] = with_rows(path.read_text(encoding="utf-8"), head, rows)
    return found


def as_json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def rule_rows() -> list[str]:
    """When each rule is true, in the order of what it finds."""
    rules = sorted(RULES, key=lambda rule: min(one.order for one in rule.kinds))
    return [f"| {', '.join(f'`{one.id}`' for one in rule.kinds)} | {rule.true_when} |" for rule in rules]


def topic_rows() -> list[str]:
    """By which topics cameras tell a kind, the kinds in their order."""
    return [f"| {', '.join(f'`{topic}`' for topic in one.onvif)} | `{kind}` |" for kind, one in DECLARED.items() if one.onvif]


def with_rows(text: str, head: str, rows: Sequence[str]) -> str:
    """`text` with these rows under that head instead of those that end in the name of kinds, or all. Raises `ValueError` without one."""
    before, found, after = text.partition(head)
    if not found:
        raise ValueError(f"there is no table with the head {head.splitlines()[0]}")
    old, end, rest = after.partition("\n\n")
    kept = [row for row in old.splitlines() if not _is_of_kinds(row)]
    return before + found + "\n".join([*rows, *kept]) + end + rest


def _is_of_kinds(row: str) -> bool:
    """Whether a row is about kinds: its first or its last cell is a list of names in backquotes."""
    cells = [cell.strip().split(", ") for cell in row.strip("|").split(" | ")]
    return any(all(re.fullmatch(r"`\w+`", name) for name in names) for names in cells)


if __name__ == "__main__":
    for path, text in rendered().items():
        path.write_text(text, encoding="utf-8")
