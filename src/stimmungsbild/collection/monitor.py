"""The field monitor: once a week, in whole tens, where outreach is due. It cannot look at an answer, since the server cannot."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from stimmungsbild.collection.folder import open_store, write_private
from stimmungsbild.collection.model import Door
from stimmungsbild.collection.rules import rounded, wanting
from stimmungsbild.errors import MarginsError

AIM = 5000


def read_margins(path: Path) -> dict[str, dict[str, float]]:
    """People of the register by margin and category, from a CSV with the columns `margin,category,people`."""
    found: dict[str, dict[str, float]] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for number, row in enumerate(csv.DictReader(file), 2):
                try:
                    margin, category, people = row["margin"], row["category"], float(row["people"])
                except (KeyError, TypeError, ValueError) as error:
                    raise MarginsError(f"{path.name}, line {number}: it needs the columns margin, category, people") from error
                if not people >= 0 or category in found.get(margin, {}):
                    raise MarginsError(f"{path.name}, line {number}: {margin} {category} is negative or there twice")
                found.setdefault(margin, {})[category] = people
    except (OSError, UnicodeDecodeError) as error:
        raise MarginsError(f"{path.name} cannot be read as UTF-8: {error}") from error
    if not found:
        raise MarginsError(f"{path.name} has no margins")
    return found


def standing(folder: Path, margins: Path | None, today: date, randomness: Callable[[int], bytes]) -> dict[str, Any]:
    """The state of this week. Asked again in the same week it is the same: two looks on two days would tell who answered between them."""
    year, week, _ = today.isocalendar()
    kept = folder / f"monitor-{year}-W{week:02}.json"
    if not kept.exists():
        store = open_store(folder, randomness)
        try:
            known = rounded(store.totals())
        finally:
            store.close()
        write_private(kept, json.dumps({"week": f"{year}-W{week:02}", "aim": AIM, "answers": known}).encode())
    found: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
    if margins:
        register = found["answers"].get(Door.REGISTER.value, {})
        found["outreach"] = wanting(register, read_margins(margins))
    return found
