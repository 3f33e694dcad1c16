"""The sheets of those who check and code open texts, in the folder `texts` of the evaluation's folder; destroyed at their date."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

from stimmungsbild.collection.folder import write_private
from stimmungsbild.errors import CodingError
from stimmungsbild.evaluation.model import Opened
from stimmungsbild.evaluation.texts import Agreement, Codes, agreements, decided, shuffled, without_names

CHECK, CODERS, DECIDED, CODED = "check.csv", ("coder-1.csv", "coder-2.csv"), "decided.csv", "coded.json"
_IDS = "ids.json"
_AND = "|"
_YES = "ja"
ITEM = "help"


def export(opened: Opened, folder: Path, names: Collection[str], randomness: Callable[[int], bytes]) -> int:
    """Every open text under a random name for the person who takes out what is still in it of names; how many there are."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if (folder / CHECK).exists():
        raise CodingError(f"{folder / CHECK} is there already; the texts are taken out once")
    texts = {
        randomness(8).hex(): (digest, str(one.values[ITEM]))
        for one, digest in zip(opened.answers, opened.digests, strict=True)
        if one.values.get(ITEM)
    }
    write_private(folder / _IDS, json.dumps({one: digest for one, (digest, _) in texts.items()}).encode())
    _write(folder / CHECK, ("id", "text", "checked"), [(one, without_names(texts[one][1], names), "") for one in sorted(texts)])
    return len(texts)


def sheets(folder: Path) -> int:
    """One sheet for each of the two coders, from texts that a person checked for names."""
    rows = _rows(folder / CHECK, ("id", "text", "checked"))
    unseen = [row["id"] for row in rows if row["checked"].strip().lower() != _YES]
    if unseen:
        raise CodingError(f"no person checked {len(unseen)} texts for names ({_YES} in the column checked): {', '.join(unseen[:20])}")
    texts = {row["id"]: row["text"] for row in rows}
    for name in CODERS:
        if (folder / name).exists():
            raise CodingError(f"{folder / name} is there already")
        _write(folder / name, ("id", "text", "codes"), [(one, texts[one], "") for one in shuffled(list(texts), name)])
    return len(texts)


def merge(folder: Path) -> dict[str, Agreement]:
    """How far both agree; and where everything is decided, what is coded, for the evaluation. Raises `CodingError`."""
    first, second = (_codes(folder / name) for name in CODERS)
    found = agreements(first, second)
    third = _codes(folder / DECIDED) if (folder / DECIDED).exists() else {}
    what = decided(first, second, third)
    ids = json.loads((folder / _IDS).read_text(encoding="utf-8"))
    coded = {"codes": {ids[one]: sorted(codes) for one, codes in what.items()}, "kappa": {one: each.kappa for one, each in found.items()}}
    write_private(folder / CODED, json.dumps(coded).encode())
    return found


def read_coded(path: Path) -> tuple[dict[str, frozenset[str]], dict[str, float | None]]:
    """Categories of each answer by its digest, and kappa of each category."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {one: frozenset(codes) for one, codes in found["codes"].items()}, dict(found["kappa"])
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise CodingError(f"{path.name} is no file of coded texts: {error}") from error


def _codes(path: Path) -> Codes:
    rows = _rows(path, ("id", "codes"))
    return {row["id"]: frozenset(one.strip() for one in row["codes"].split(_AND) if one.strip()) for row in rows}


def _rows(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise CodingError(f"{path.name} cannot be read as UTF-8: {error}") from error
    if any(row.get(one) is None for row in rows for one in columns):
        raise CodingError(f"{path.name} needs the columns {', '.join(columns)}")
    return rows


def _write(path: Path, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        # A spreadsheet takes a cell that begins like a formula for one.
        writer.writerows([f"'{one}" if one[:1] in {"=", "+", "-", "@"} else one for one in row] for row in rows)
    path.chmod(0o600)
