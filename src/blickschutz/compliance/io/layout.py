"""What a template gets to see of a document: title block, sections, notes, history, plan. Plain values, for typst."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import segno

from blickschutz.compliance.documents import words
from blickschutz.compliance.documents.editions import FIRST, Edition, number
from blickschutz.compliance.documents.legible import READ_FROM_M, Reading, least_pt
from blickschutz.compliance.documents.model import Document, Evidence, Picture, Plan, Sentence, Source, Table
from blickschutz.compliance.documents.public import here
from blickschutz.compliance.facts import FactKind
from blickschutz.compliance.model import Grounds, Result
from blickschutz.compliance.plan import drawing, sign_code
from blickschutz.kernel.periods import add_months

REVIEW_MONTHS = 12
States = Mapping[str, Result]
_NARROWEST, _WIDEST = 3.2, 9.0


def layout(document: Document, g: Grounds, states: States, editions: Sequence[Edition], files: Mapping[str, str]) -> dict[str, Any]:
    """Everything about a document; `states` is what each rule says, `files` what each picture is called where the
    printer finds it."""
    notes = _Notes(states)
    sections = [{"title": one.title, "parts": [_part(part, notes, files) for part in one.parts]} for one in document.sections]
    return {
        "title": document.title,
        "language": document.language,
        "basis": document.basis,
        "operator": g.site.site.operator,
        "site": g.site.site.name,
        "demo": g.site.site.demo,
        "owner": g.facts.controller.name if g.facts.controller is not None else words.OPEN,
        "approver": _approver(g, document.language),
        "settings": g.settings,
        "date": words.day(g.today, document.language),
        "year": g.today.year,
        "month": g.today.month,
        "day": g.today.day,
        "review": _review(g, document.language),
        # What is open in several places is one point.
        "open": list(dict.fromkeys(_open(one.text) for one in document.sentences() if not one.known)) + _unproven(document, states),
        "values": document.values,
        "code": _picture_code(document),
        "codes": [_picture_code(document, sign.id) for sign in g.facts.signs] if document.template == "sign" else [],
        "far": least_pt(READ_FROM_M, Reading.SIGNAL),
        "plan": drawing(g.site, g.facts) | {"here": here(g, document.language) if document.template == "sign" else []},
        "sections": sections,
        "notes": notes.texts,
        **_formal(document, g, editions),
    }


def _open(text: str) -> str:
    """An open point in the list; of a row what is known of it, once."""
    known = [cell for cell in text.split(" | ") if cell != words.OPEN]
    return f"{words.OPEN}: {' | '.join(known)}" if " | " in text else text


class _Notes:
    """The evidence of a document as numbered notes: what is the same is one note, however often something rests on it."""

    def __init__(self, states: States) -> None:
        self.texts: list[str] = []
        self._states = states
        self._numbers: dict[str, int] = {}

    def of(self, evidence: Iterable[Evidence]) -> dict[str, Any]:
        """Which note it is, and whether the document has it here for the first time."""
        text = _text(evidence, self._states)
        first = text not in self._numbers
        if first:
            self._numbers[text] = len(self.texts)
            self.texts.append(text)
        return {"note": self._numbers[text], "first": first}


def _formal(document: Document, g: Grounds, editions: Sequence[Edition]) -> dict[str, Any]:
    """Number, version, history and who signs."""
    names = {
        "Verantwortlicher": g.facts.controller.name if g.facts.controller else "",
        "Datenschutzbeauftragte": g.facts.data_protection_officer.name if g.facts.data_protection_officer else "",
    }
    return {
        "number": number(document),
        "version": str(editions[-1].version) if editions else "",
        "reference": g.facts.file_reference or words.OPEN,
        "editions": [_edition(one, document.language) for one in reversed(editions)],
        "signers": [[office, names.get(office, "")] for office in document.signers],
    }


def _edition(one: Edition, language: str) -> dict[str, Any]:
    lines = [f"neu: {text}" for text in one.added] + [f"entfallen: {text}" for text in one.dropped]
    if one.more:
        lines.append(f"{one.more} {'weitere ' if lines else ''}Sätze geändert")
    return {
        "version": str(one.version),
        "date": words.day(date.fromisoformat(one.date), language),
        "settings": one.settings[:12],
        "changes": lines or [FIRST if one.version == 1 else "neu begonnen"],
    }


def _review(g: Grounds, language: str) -> str:
    """A year after the approval for these settings, however often it is printed; OFFEN before."""
    approval = g.facts.newest(FactKind.APPROVAL)
    if approval is None or approval.settings != g.settings:
        return words.OPEN
    return words.day(add_months(approval.date, REVIEW_MONTHS), language)


def _approver(g: Grounds, language: str) -> str:
    """Who approved the documents for these settings; OFFEN where nobody did, or for other settings."""
    approval = g.facts.newest(FactKind.APPROVAL)
    if approval is None or approval.settings != g.settings:
        return words.OPEN
    return f"{approval.person}, {words.day(approval.date, language)}"


def _picture_code(document: Document, at: str = "") -> str:
    """The picture code (ISO/IEC 18004) of a document in SVG, empty without one; of a sign that of the sign `at`.

    A sign's is its address with an error correction of 25 %, because signs weather; another paper's is the text that it names, with 15 %.
    """
    sign = document.template == "sign"
    text = sign_code(document.values.get("address", ""), at) if sign else document.values.get("code", "")
    return segno.make(text, error="q" if sign else "m", micro=False).svg_inline(border=4 - 2 * sign, light="#fff") if text else ""


def _part(part: Sentence | Table | Plan | Picture, notes: _Notes, files: Mapping[str, str]) -> dict[str, Any]:
    if isinstance(part, Sentence):
        return {"text": part.text, "known": part.known, **notes.of(part.evidence)}
    if isinstance(part, Plan):
        return {"plan": part.caption.text, **notes.of(part.caption.evidence)}
    if isinstance(part, Picture):
        name = files[part.file]
        return {"picture": f"/{name}", "form": name.rpartition(".")[2], "text": part.caption.text, **notes.of(part.caption.evidence)}
    rows: list[dict[str, Any]] = [{"cells": list(cells), **notes.of(evidence)} for cells, evidence in part.rows]
    columns = [[column, *(row["cells"][index] for row in rows)] for index, column in enumerate(part.columns)]
    # In shares of the line: what is longer gets more of it.
    widths = [min(_WIDEST, max(_NARROWEST, max(len(text) for text in column) ** 0.5)) for column in columns]
    return {"columns": list(part.columns), "rows": rows, "widths": widths, "bar": part.bar}


def _text(evidence: Iterable[Evidence], states: States) -> str:
    """Evidence as it is printed: a rule that does not hold says so."""
    marks = {Result.HOLDS: "", Result.BROKEN: " (verletzt)", Result.UNKNOWN: " (noch nicht bekannt)"}
    return "; ".join(f"{one}{marks[states[one.name]] if one.source is Source.RULE else ''}" for one in evidence)


def _unproven(document: Document, states: States) -> list[str]:
    """Rules on which the document rests and that do not hold."""
    rules = {one.name for said in document.sentences() for one in said.evidence if one.source is Source.RULE}
    marks = {Result.BROKEN: "verletzt", Result.UNKNOWN: "noch nicht bekannt"}
    return [f"OFFEN: Regel {name} ist {marks[states[name]]}" for name in sorted(rules) if states[name] is not Result.HOLDS]
