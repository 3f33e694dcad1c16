"""Open data: tables as CSV with a Data Package (Frictionless, Table Schema 1), and a codebook after DDI-Codebook 2.5.

Everything is made of the figures that are published anyway; no answer of anybody is in it.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any
from xml.etree import ElementTree

from stimmungsbild.publication.model import Asked, Figures, Place, Row
from stimmungsbild.questionnaire.model import GERMAN, Item, Questionnaire
from stimmungsbild.questionnaire.rules import choice_label, label, stem

# The licence of what is published, as SPDX and the Open Definition name it; the town may choose another.
LICENCE = ("CC-BY-4.0", "https://creativecommons.org/licenses/by/4.0/")
NAMESPACE = "ddi:codebook:2_5"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_PERCENT = {"minimum": 0, "maximum": 100}
_Field = tuple[str, str, str, dict[str, Any]]

_SHARES: tuple[_Field, ...] = (
    ("table", "string", "which table of the report", {"required": True, "enum": ["unsafe", "without_bursts", "groups", "items"]}),
    ("item", "string", "name of the question", {"required": True}),
    ("by", "string", "by what people are grouped; empty for everybody", {}),
    ("row", "string", "group, or choice; empty for feeling unsafe at all", {}),
    ("town_percent", "integer", "share of the town in per cent, from the letters", _PERCENT),
    ("town_low", "integer", "lower end of its 95 % interval", _PERCENT),
    ("town_high", "integer", "upper end of its 95 % interval", _PERCENT),
    ("open_percent", "integer", "share of those who came to the open door; it has no interval", _PERCENT),
)
_ITEMS: tuple[_Field, ...] = (
    ("item", "string", "name of the question", {"required": True, "unique": True}),
    ("wording_sha256", "string", "hash of its German wording", {"required": True, "pattern": "[0-9a-f]{64}"}),
    ("standing", "string", "how it stands to the earlier wave", {"required": True, "enum": ["same", "changed", "new", "unknown"]}),
    ("town_answers", "integer", "how many with a letter answered it; moved by two at most", {"minimum": 5}),
    ("open_answers", "integer", "how many at the open door answered it; moved by two at most", {"minimum": 5}),
)
_PLACES: tuple[_Field, ...] = (
    ("door", "string", "by which door", {"required": True, "enum": ["register", "open"]}),
    ("square", "string", "width, and lower left corner in hundreds of metres (ETRS89-LAEA)", {"required": True}),
    ("metres", "integer", "width", {"required": True, "minimum": 100}),
    ("rest", "boolean", "without those of its quarters that stand by themselves", {"required": True}),
    ("people", "integer", "how many people named it", {"required": True, "minimum": 5}),
    ("more", "boolean", "there may be more of them", {"required": True}),
)
_TEXTS: tuple[_Field, ...] = (
    ("category", "string", "what an open text says would help", {"required": True, "unique": True}),
    ("kappa", "number", "how far the two who coded it agree (Cohen); under 0.7 no count is published", {"maximum": 1}),
    ("register", "integer", "texts of people with a letter; moved by two at most", {"minimum": 5}),
    ("open", "integer", "texts of people at the open door; moved by two at most", {"minimum": 5}),
)


def tables(what: Figures) -> dict[str, tuple[tuple[_Field, ...], list[list[Any]]]]:
    """All tables of the open data: fields and rows by file."""
    found = {"shares": (_SHARES, list(_shares(what))), "items": (_ITEMS, [_asked(one) for one in what.items])}
    places = [_place("register", one) for one in what.register_places] + [_place("open", one) for one in what.open_places]
    said = [[one.category, one.kappa, one.register, one.open] for one in what.said]
    return {**found, "places": (_PLACES, places), "texts": (_TEXTS, said)}


def _shares(what: Figures) -> Iterator[list[Any]]:
    yield from (_share("unsafe", one.name, "", "", one) for one in what.unsafe)
    yield from (_share("without_bursts", one.name, "", "", one) for one in what.without_bursts)
    yield from (_share("groups", group.item, group.by, one.name, one) for group in what.groups for one in group.rows)
    yield from (_share("items", asked.name, "", one.name, one) for asked in what.items for one in asked.rows)


def _share(table: str, item: str, by: str, row: str, one: Row) -> list[Any]:
    town = [one.town.percent, one.town.low, one.town.high] if one.town else [None] * 3
    return [table, item, by, row, *town, one.open.percent if one.open else None]


def _asked(one: Asked) -> list[Any]:
    return [one.name, one.wording, one.standing, one.town_answers, one.open_answers]


def _place(door: str, one: Place) -> list[Any]:
    return [door, one.name, one.metres, one.rest, one.people, one.more]


def files(q: Questionnaire, what: Figures) -> dict[str, bytes]:
    """Every file of the open data by its name."""
    found: dict[str, bytes] = {}
    resources = []
    for name, (fields, rows) in tables(what).items():
        data = _csv([one[0] for one in fields], rows)
        found[f"{name}.csv"] = data
        resources.append(_resource(name, data, fields))
    package = {
        "profile": "tabular-data-package",
        "name": f"stimmungsbild-{what.wave}",
        "title": f"Sicherheitsgefühl {what.wave}",
        "description": what.purpose + (". Simulated town: all figures are made up" if what.simulated else ""),
        "created": f"{what.printed}T00:00:00Z",
        "licenses": [{"name": LICENCE[0], "path": LICENCE[1]}],
        "resources": resources,
    }
    found["datapackage.json"] = json.dumps(package, ensure_ascii=False, indent=1).encode()
    found["codebook.xml"] = codebook(q, what)
    return found


def _csv(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows([("true" if one else "false") if isinstance(one, bool) else "" if one is None else one for one in row] for row in rows)
    return text.getvalue().encode()


def _resource(name: str, data: bytes, fields: Sequence[_Field]) -> dict[str, Any]:
    described = [{"name": key, "type": kind, "description": said, "constraints": holds} for key, kind, said, holds in fields]
    return {
        "profile": "tabular-data-resource",
        "name": name,
        "path": f"{name}.csv",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": len(data),
        "hash": f"sha256:{hashlib.sha256(data).hexdigest()}",
        "schema": {"fields": described, "missingValues": [""]},
    }


_Tree = ElementTree.Element


def _add(parent: _Tree, kind: str, text: str = "", **attributes: str) -> _Tree:
    found = ElementTree.SubElement(parent, f"{{{NAMESPACE}}}{kind}", attributes)
    found.text = text or None
    return found


def codebook(q: Questionnaire, what: Figures) -> bytes:
    """The study, how it was asked and weighted, and every question in all its languages with the shares of the town."""
    root = ElementTree.Element(f"{{{NAMESPACE}}}codeBook", {"version": "2.5", _LANGUAGE: GERMAN})
    _study(_add(root, "stdyDscr"), q, what)
    for name in tables(what):
        text = _add(_add(root, "fileDscr", ID=f"F-{name}"), "fileTxt")
        _add(text, "fileName", f"{name}.csv")
        _add(text, "fileType", "text/csv, UTF-8")
    described = _add(root, "dataDscr")
    asked = {one.name: one for one in what.items}
    for item in q.items():
        _variable(described, q, item, asked.get(item.name))
    ElementTree.register_namespace("", NAMESPACE)
    ElementTree.indent(root, " ")
    found: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return found


def _study(study: _Tree, q: Questionnaire, what: Figures) -> None:
    citation = _add(study, "citation")
    title = _add(citation, "titlStmt")
    _add(title, "titl", f"Sicherheitsgefühl {what.wave}")
    _add(title, "IDNo", what.field, agency="stimmungsbild")
    _add(_add(citation, "prodStmt"), "software", "stimmungsbild")
    _add(_add(citation, "distStmt"), "distDate", what.printed, date=what.printed)
    _add(citation, "verStmt")
    info = _add(study, "stdyInfo")
    _add(_add(info, "subject"), "keyword", "Sicherheitsgefühl")
    _add(info, "abstract", what.purpose)
    about = _add(info, "sumDscr")
    _add(about, "nation", "Deutschland", abbr="DE")
    _add(about, "anlyUnit", "Person")
    _add(about, "universe", "Menschen ab 16 Jahren, die in der Stadt wohnen")
    _add(about, "dataKind", "Befragung; veröffentlicht werden Anteile und verlegte Zahlen")
    method = _add(study, "method")
    collected = _add(method, "dataColl")
    _add(collected, "timeMeth", "Querschnitt")
    _add(
        collected,
        "sampProc",
        "Zufallsauswahl aus dem Melderegister (Briefe); daneben, nie vermengt, offener Zugang und aufsuchende Befragung",
    )
    _add(collected, "collMode", "Webseite ohne Skript, Papier")
    _add(collected, "resInstru", f"{q.id} {q.wave}, Prüfsumme {what.questionnaire}; Sprachen: {', '.join(q.words)}")
    one = what.method
    _add(
        collected,
        "weight",
        f"Raking auf Stadtteil, Alter, Geschlecht; Gewichte 0,2 bis 5; Design-Effekt {one.design_effect}; wirksam {one.effective} "
        f"Menschen; "
        f"{'erreicht' if one.converged else 'nicht erreicht'}, größter Abstand {one.residual_points} Punkte",
    )
    _add(collected, "cleanOps", f"{one.altered} Antworten ließen sich nicht öffnen, {one.missing} fehlen")
    analysed = _add(method, "anlyInfo")
    if one.letters and what.register_people:
        _add(analysed, "respRate", f"{what.register_people} Antworten auf {one.letters} Briefe")
    _add(analysed, "EstSmpErr", "geschichtetes Jackknife (JKn), jede Wiederholung neu gewichtet; 95-%-Bereiche nur für Briefe")
    access = _add(study, "dataAccs")
    _add(_add(access, "setAvail"), "avlStatus", "Zahlen offen; Antworten werden zu ihrem Tag vernichtet")
    _add(_add(access, "useStmt"), "conditions", f"{LICENCE[0]} {LICENCE[1]}")


def _variable(described: _Tree, q: Questionnaire, item: Item, asked: Asked | None) -> None:
    page = next(one for one in q.pages if item in one.items)
    found = _add(described, "var", ID=f"V-{item.name}", name=item.name, intrvl="discrete")
    _add(found, "labl", label(q, item, GERMAN)).set(_LANGUAGE, GERMAN)
    question = _add(found, "qstn")
    for language in q.words:
        before = stem(q, page, language)
        text = f"{before} – {label(q, item, language)}" if before else label(q, item, language)
        _add(question, "qstnLit", text).set(_LANGUAGE, language)
    if item.relevant:
        _add(found, "universe", item.relevant)
    shares = {row.name: row.town.percent for row in asked.rows if row.town} if asked else {}
    for choice in q.lists.get(item.list, ()):
        category = _add(found, "catgry")
        _add(category, "catValu", choice)
        for language in q.words:
            _add(category, "labl", choice_label(q, item.list, choice, language)).set(_LANGUAGE, language)
        if choice in shares:
            _add(category, "catStat", str(shares[choice]), type="percent", wgtd="wgtd")
    _add(found, "concept", item.source)
    _add(found, "varFormat", type="character")
