"""Reads the definition from the package or from an XLSForm workbook, and writes one (XLSForm: xlsform.org)."""

from __future__ import annotations

import re
import tomllib
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
import openpyxl

from stimmungsbild.errors import DefinitionError
from stimmungsbild.questionnaire.model import LANGUAGES, Item, Kind, Page, Questionnaire, Structure, Wave, Words
from stimmungsbild.questionnaire.rules import check, choice_label, label, stem

_DATA = resources.files("stimmungsbild.questionnaire")
# A square is no `geopoint`: whatever asks for one stores metres.
_TYPES = {Kind.ONE: "select_one", Kind.MANY: "select_multiple", Kind.TEXT: "text", Kind.SQUARES: "hidden"}
_LABEL = re.compile(r"label::.*\(([\w-]+)\)")


def built_in() -> Questionnaire:
    """The questionnaire that comes with the package."""
    structure = msgspec.convert(tomllib.loads((_DATA / "structure.toml").read_text(encoding="utf-8")), Structure)
    words = {language: _words(language) for language in LANGUAGES}
    return check(Questionnaire(structure.id, structure.wave, structure.lists, structure.page, words))


def _words(language: str) -> Words:
    return msgspec.convert(tomllib.loads((_DATA / f"texts/{language}.toml").read_text(encoding="utf-8")), Words)


def earlier_wave(path: Path | None = None) -> Wave:
    """An earlier wave from a TOML file; without one the wave of 2021, as far as it is known."""
    try:
        text = path.read_text(encoding="utf-8") if path else (_DATA / "waves/2021.toml").read_text(encoding="utf-8")
        return msgspec.convert(tomllib.loads(text), Wave)
    except (OSError, ValueError) as error:
        raise DefinitionError(f"the earlier wave cannot be read: {error}") from error


def _heads() -> dict[str, str]:
    return {language: f"label::{name} ({language})" for language, name in LANGUAGES.items()}


def write_workbook(q: Questionnaire, path: Path) -> None:
    """The definition as an XLSForm workbook: sheets survey, choices, settings."""
    book = openpyxl.Workbook()
    survey = book.active
    assert survey is not None
    survey.title = "survey"
    languages = [one for one in LANGUAGES if one in q.words]
    heads = _heads()
    survey.append(["type", "name", *(heads[one] for one in languages), "relevant", "appearance", "source"])
    for page in q.pages:
        titles = [q.words[one].pages[page.name] for one in languages]
        survey.append(["begin group", page.name, *titles, "", "field-list", ""])
        if stem(q, page, languages[0]):
            survey.append(["note", f"{page.name}_stem", *(stem(q, page, one) for one in languages), "", "", ""])
        for item in page.items:
            kind = f"{_TYPES[item.kind]} {item.list}".strip()
            survey.append([kind, item.name, *(label(q, item, one) for one in languages), item.relevant, "", item.source])
        survey.append(["end group"])
    choices = book.create_sheet("choices")
    choices.append(["list_name", "name", *(heads[one] for one in languages)])
    for of, names in q.lists.items():
        for name in names:
            choices.append([of, name, *(choice_label(q, of, name, one) for one in languages)])
    settings = book.create_sheet("settings")
    settings.append(["form_title", "form_id", "version", "default_language"])
    settings.append([q.words[languages[0]].interface["title"], q.id, q.wave, f"{LANGUAGES[languages[0]]} ({languages[0]})"])
    book.save(path)


def read_workbook(path: Path) -> Questionnaire:
    """A definition from an XLSForm workbook, as the institute edited it. Raises `DefinitionError`, by row, for what is not understood."""
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        sheets = {name: list(_rows(book[name])) for name in ("survey", "choices", "settings")}
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise DefinitionError(f"{path.name} is no XLSForm workbook: {error}") from error
    matches = (_LABEL.fullmatch(key) for key in sheets["survey"][0])
    languages = [found[1] for found in matches if found and found[1] in LANGUAGES]
    lists: dict[str, list[str]] = defaultdict(list)
    words = {one: Words(False, _words(one).interface, {}, {}, {}, defaultdict(dict)) for one in languages}
    heads = _heads()
    for row in sheets["choices"]:
        if row["list_name"]:
            lists[row["list_name"]].append(row["name"])
            for one in languages:
                words[one].choices[row["list_name"]][row["name"]] = row[heads[one]]
    pages: list[Page] = []
    for number, row in enumerate(sheets["survey"], 2):
        _take(row, f"survey, row {number}", pages, words)
    about = sheets["settings"][0]
    return check(
        Questionnaire(about["form_id"], about["version"], {key: tuple(found) for key, found in lists.items()}, tuple(pages), words)
    )


def _take(row: dict[str, str], where: str, pages: list[Page], words: dict[str, Words]) -> None:
    """One row of the sheet `survey`."""
    what, _, of = row["type"].partition(" ")
    kinds = {name: kind for kind, name in _TYPES.items()}
    kept = {language: row[_heads()[language]] for language in words}
    if row["type"] in {"begin group", "begin_group"}:
        pages.append(Page(row["name"], ()))
        for language, text in kept.items():
            words[language].pages[row["name"]] = text
    elif row["type"] in {"end group", "end_group", ""}:
        return
    elif not pages:
        raise DefinitionError(f"{where}: {row['name']} lies in no group; each group is a page")
    elif what == "note":
        for language, text in kept.items():
            words[language].stems[pages[-1].name] = text
    elif what in kinds:
        item = Item(row["name"], kinds[what], row.get("source", ""), of, "", row.get("relevant", ""))
        pages[-1] = Page(pages[-1].name, (*pages[-1].items, item))
        for language, text in kept.items():
            words[language].items[item.name] = text
    else:
        raise DefinitionError(f"{where}: the type {row['type']} is not understood; there are {', '.join(kinds)}, note and groups")


def _rows(sheet: Any) -> Iterator[dict[str, str]]:
    lines = sheet.iter_rows(values_only=True)
    heads = [str(one or "") for one in next(lines)]
    for line in lines:
        cells = ["" if one is None else str(one) for one in line]
        yield dict(zip(heads, [*cells, *[""] * (len(heads) - len(cells))], strict=False))
