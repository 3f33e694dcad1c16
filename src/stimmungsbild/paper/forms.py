"""From pages to forms: what is clear is an answer, what is not is asked of two people, who must say the same."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from stimmungsbild.errors import PaperError
from stimmungsbild.paper.model import Doubt, Ink, Layout, Page
from stimmungsbild.questionnaire.model import Answers, Kind, Questionnaire
from stimmungsbild.questionnaire.rules import TooLongError, UnknownChoiceError, accept

HEAD = ("form", "item", "why", "answer")
# Several choices in one cell; no name of a choice has it.
_AND = "|"
Ticked = dict[str, dict[str, Ink]]
Settled = Mapping[tuple[int, str], tuple[str, ...]]


def gather(layout: Layout, pages: Iterable[Page]) -> tuple[dict[int, Ticked], tuple[Doubt, ...]]:
    """Ink by form, and what is not clear about whole pages. A page that was scanned twice counts once, where both read alike."""
    seen: dict[tuple[int, int], Page] = {}
    doubts: list[Doubt] = []
    forms: dict[int, Ticked] = {}
    for page in pages:
        before = seen.setdefault((page.form, page.page), page)
        if before.ink != page.ink:
            doubts += [
                Doubt(page.form, item, "scanned twice, and read otherwise") for item in page.ink if page.ink[item] != before.ink[item]
            ]
        forms.setdefault(page.form, {}).update(before.ink)
    whole = {box.page for box in layout.boxes}
    for form in forms:
        lost = sorted(whole - {page for of, page in seen if of == form})
        doubts += [Doubt(form, "", f"page {page + 1} is missing") for page in lost]
    return forms, tuple(doubts)


def doubtful(q: Questionnaire, form: int, ticked: Ticked) -> tuple[Doubt, ...]:
    """Every item of a form of which a person must say what it says."""
    kinds = {item.name: item.kind for item in q.items()}
    found = []
    for item, boxes in ticked.items():
        marked = sum(one is Ink.MARKED for one in boxes.values())
        if kinds[item] is Kind.TEXT and any(one is not Ink.EMPTY for one in boxes.values()):
            found.append(Doubt(form, item, "to be typed"))
        elif Ink.DOUBT in boxes.values():
            found.append(Doubt(form, item, "a box is not clear"))
        elif kinds[item] is Kind.ONE and marked > 1:
            found.append(Doubt(form, item, f"{marked} boxes of one are crossed"))
    return tuple(found)


def answers(q: Questionnaire, form: int, ticked: Ticked, doubts: Sequence[Doubt], settled: Settled) -> Answers:
    """What a form says. Raises `PaperError` where a doubt is not settled, or was settled by what the questionnaire does not offer."""
    asked = {one.item for one in doubts if one.form == form and one.item}
    open_ = [item for item in sorted(asked) if (form, item) not in settled]
    if open_:
        raise PaperError(f"form {form}: nobody settled {', '.join(open_)}")
    given = {item: [one for one, ink in boxes.items() if ink is Ink.MARKED] for item, boxes in ticked.items() if item not in asked}
    given |= {item: list(settled[form, item]) for item in asked}
    try:
        return accept(q, given)
    except (UnknownChoiceError, TooLongError) as error:
        raise PaperError(f"form {form}: {error} has no such answer") from error


def write_doubts(path: Path, doubts: Iterable[Doubt]) -> None:
    """The list that one of the two people fills in."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEAD)
        writer.writerows((one.form, one.item, one.why, "") for one in doubts)


def read_entry(path: Path) -> dict[tuple[int, str], tuple[str, ...]]:
    """What one of the two people entered. An empty answer says that there is none."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        return {
            (int(row["form"]), row["item"]): tuple(one.strip() for one in row["answer"].split(_AND) if one.strip())
            for row in rows
            if row["item"]
        }
    except (OSError, UnicodeDecodeError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise PaperError(f"{path.name} is no list of doubts with the columns {', '.join(HEAD)}: {error}") from error


def settle(first: Settled, second: Settled) -> dict[tuple[int, str], tuple[str, ...]]:
    """Both entries as one. Raises `PaperError` with everything that the two people did not enter alike."""

    def said(values: tuple[str, ...] | None) -> object:
        return None if values is None else sorted(" ".join(one.split()) for one in values)

    unequal = [
        f"form {form}, {item}"
        for form, item in sorted({*first, *second})
        if said(first.get((form, item))) != said(second.get((form, item)))
    ]
    if unequal:
        raise PaperError("entered differently; both look again: " + "; ".join(unequal))
    return dict(first)
