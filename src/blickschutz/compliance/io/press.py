"""Prints documents with typst: PDF/A-2a and PDF/UA-1, tagged, without a network."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import segno
import typst

from blickschutz.compliance.documents import words
from blickschutz.compliance.documents.model import Document, Evidence, Picture, Plan, Sentence, Source
from blickschutz.compliance.documents.pack import changed, pack
from blickschutz.compliance.facts import FactKind
from blickschutz.compliance.model import Grounds, Result
from blickschutz.compliance.plan import drawing
from blickschutz.compliance.policy import assess
from blickschutz.kernel.errors import FaultError
from blickschutz.kernel.periods import add_months

STANDARDS: list[Literal["a-2a", "ua-1"]] = ["a-2a", "ua-1"]
REVIEW_MONTHS = 12
LIST = "pack.json"
States = Mapping[str, Result]
_NARROWEST, _WIDEST, _EVIDENCE = 3.2, 9.0, 6.0


def print_document(document: Document, g: Grounds, folder: Path) -> Path:
    """Print one document into `folder`; its file."""
    return _print(document, g, folder, _states(g))


def _print(document: Document, g: Grounds, folder: Path, states: States) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{document.key}.pdf"
    _write(path, _rendered(document, g, states))
    return path


def print_pack(g: Grounds, folder: Path) -> tuple[list[Path], dict[str, list[str]]]:
    """Print every document of the site into `folder`; the files, and per document the sentences that changed since the last pack."""
    last, documents, states = _last(folder), pack(g), _states(g)
    files = [_print(document, g, folder, states) for document in documents]
    said = {document.key: [one.text for one in document.sentences()] for document in documents}
    _write(
        folder / LIST,
        json.dumps({"settings": g.settings, "date": g.today.isoformat(), "said": said}, ensure_ascii=False, indent=1).encode(),
    )
    return files, changed(last.get("said", {}), documents)


@dataclass(frozen=True, slots=True)
class Papers:
    """The last pack: when it was printed and for which settings, file and title of each document, what would be otherwise today."""

    printed: str
    settings: str
    files: Mapping[str, str]
    changed: Mapping[str, Sequence[str]]


def papers(g: Grounds, folder: Path) -> Papers | None:
    """What is known of the last pack in `folder`; None where there is none."""
    last = _last(folder)
    if not last:
        return None
    documents = pack(g)
    files = {f"{one.key}.pdf": f"{one.title}{_variant(one)}" for one in documents if (folder / f"{one.key}.pdf").is_file()}
    return Papers(str(last["date"]), str(last["settings"]), files, changed(last["said"], documents))


def _variant(document: Document) -> str:
    paper = document.values.get("paper", "")
    return f" ({document.language}{f', {paper.upper()}' if paper else ''})" if document.language != "de" or paper else ""


def render(document: Document, g: Grounds) -> bytes:
    """One document as PDF."""
    return _rendered(document, g, _states(g))


def _states(g: Grounds) -> States:
    """What each rule says; asked once for a whole pack."""
    return {one.rule.id: one.answer.result for one in assess(g)}


def _rendered(document: Document, g: Grounds, states: States) -> bytes:
    source = resources.files("blickschutz.compliance").joinpath(f"templates/{document.template}.typ").read_bytes()
    shown = {part.file: _form(part, document, g) for section in document.sections for part in section.parts if isinstance(part, Picture)}
    try:
        # The fonts that come with typst, and no others: the same settings print the same on every machine.
        printed: bytes = typst.compile(  # type: ignore[call-overload] # its stubs want root to be bytes where the source is
            source,
            format="pdf",
            ignore_system_fonts=True,
            sys_inputs={"data": json.dumps(_data(document, g, states, shown))},
            pdf_standards=list(STANDARDS),
            root=g.folder if shown else None,
        )
    except typst.TypstError as error:
        raise FaultError(f"the document {document.key} cannot be printed: {error}") from error
    return printed


def _form(picture: Picture, document: Document, g: Grounds) -> str:
    """Its form as the printer calls it. It is looked at once more: a file that is another one by now stops the print."""
    data = (g.folder / picture.file).read_bytes() if g.folder is not None else b""
    if hashlib.sha256(data).hexdigest() != g.documents[picture.file].sha256:
        raise FaultError(f"the picture {picture.file} of the document {document.key} changed while it was printed")
    return "png" if data.startswith(b"\x89PNG") else "jpg"


def _data(document: Document, g: Grounds, states: States, shown: Mapping[str, str]) -> dict[str, Any]:
    opened = [one.text for one in document.sentences() if not one.known] + _unproven(document, states)
    owner = g.facts.controller.name if g.facts.controller is not None else "OFFEN"
    return {
        "title": document.title,
        "language": document.language,
        "basis": document.basis,
        "operator": g.site.site.operator,
        "site": g.site.site.name,
        "demo": g.site.site.demo,
        "owner": owner,
        "approver": _approver(g, document.language),
        "settings": g.settings,
        "date": words.day(g.today, document.language),
        "year": g.today.year,
        "month": g.today.month,
        "day": g.today.day,
        "review": _review(g, document.language),
        "open": opened,
        "values": document.values,
        "code": _code(document.values.get("address", "")) if document.template == "sign" else "",
        "plan": drawing(g.site, g.facts.ways, g.facts.signs),
        "sections": [
            {"title": section.title, "parts": [_part(part, states, shown) for part in section.parts]} for section in document.sections
        ],
    }


def _review(g: Grounds, language: str) -> str:
    """A year after the approval for these settings, however often it is printed; OFFEN before."""
    approval = g.facts.newest(FactKind.APPROVAL)
    if approval is None or approval.settings != g.settings:
        return "OFFEN"
    return words.day(add_months(approval.date, REVIEW_MONTHS), language)


def _approver(g: Grounds, language: str) -> str:
    """Who approved the documents for these settings; OFFEN where nobody did, or for other settings."""
    approval = g.facts.newest(FactKind.APPROVAL)
    if approval is None or approval.settings != g.settings:
        return "OFFEN"
    return f"{approval.person}, {words.day(approval.date, language)}"


def _code(address: str) -> str:
    """The address as a picture code (ISO/IEC 18004) in SVG; error correction of 25 %, because signs weather. Empty without one."""
    return segno.make(address, error="q", micro=False).svg_inline(border=2, light="#fff") if address else ""


def _part(part: Any, states: States, shown: Mapping[str, str]) -> dict[str, Any]:
    if isinstance(part, Sentence):
        return {"text": part.text, "evidence": _text(part.evidence, states), "known": part.known}
    if isinstance(part, Plan):
        return {"plan": part.caption.text, "evidence": _text(part.caption.evidence, states)}
    if isinstance(part, Picture):
        return {
            "picture": f"/{part.file}",
            "form": shown[part.file],
            "text": part.caption.text,
            "evidence": _text(part.caption.evidence, states),
        }
    rows = [{"cells": list(cells), "evidence": _text(evidence, states)} for cells, evidence in part.rows]
    cells = [[column, *(row["cells"][index] for row in rows)] for index, column in enumerate(part.columns)]
    # In shares of the line: what is longer gets more of it, and the evidence as much as a middling column.
    widths = [min(_WIDEST, max(_NARROWEST, max(len(text) for text in column) ** 0.5)) for column in cells]
    return {"columns": list(part.columns), "rows": rows, "widths": [*widths, _EVIDENCE], "bar": part.bar}


def _text(evidence: Iterable[Evidence], states: States) -> str:
    """Evidence as it is printed: a rule that does not hold says so."""
    marks = {Result.HOLDS: "", Result.BROKEN: " (verletzt)", Result.UNKNOWN: " (noch nicht bekannt)"}
    return "; ".join(f"{one}{marks[states[one.name]] if one.source is Source.RULE else ''}" for one in evidence)


def _unproven(document: Document, states: States) -> list[str]:
    """Rules on which the document rests and that do not hold."""
    rules = {one.name for said in document.sentences() for one in said.evidence if one.source is Source.RULE}
    marks = {Result.BROKEN: "verletzt", Result.UNKNOWN: "noch nicht bekannt"}
    return [f"OFFEN: Regel {name} ist {marks[states[name]]}" for name in sorted(rules) if states[name] is not Result.HOLDS]


def _last(folder: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / LIST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if {"date", "settings", "said"} <= found.keys() else {}


def _write(path: Path, data: bytes) -> None:
    """Wholly or not at all: nobody hangs up half a sign."""
    draft = path.with_suffix(path.suffix + ".new")
    draft.write_bytes(data)
    os.replace(draft, path)
