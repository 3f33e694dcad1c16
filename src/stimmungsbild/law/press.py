"""Prints the papers and the information sheets into a folder."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

from plattform.press import print_pdf
from stimmungsbild.law.model import Facts
from stimmungsbild.law.notice import notice, title
from stimmungsbild.law.papers import PAPERS, Document, Part
from stimmungsbild.questionnaire.model import LANGUAGES

_DEMO = "Vorführung: Dieses Dokument gilt nicht, und niemand darin ist wirklich."
_WIDE = frozenset({"dsfa"})


def as_pdf(paper: Document, facts: Facts, printed: date, language: str = "de") -> bytes:
    """One paper as tagged PDF (PDF/A-2a, PDF/UA-1)."""
    data: dict[str, Any] = {
        "title": paper.title,
        "author": facts.controller.name or "OFFEN",
        "basis": f"{paper.basis} · {printed.strftime('%d.%m.%Y')}",
        "language": language.split("-")[0],
        "demo": _DEMO if facts.demo else "",
        "wide": paper.key in _WIDE,
        "parts": [asdict(one) for one in paper.parts],
        "year": printed.year,
        "month": printed.month,
        "day": printed.day,
    }
    return print_pdf((resources.files("stimmungsbild.law") / "templates/paper.typ").read_bytes(), data)


def sheet(facts: Facts, language: str) -> Document:
    """The information sheet as a paper."""
    parts = tuple(Part(head, (text,)) for head, text in notice(facts, language))
    return Document(f"information-{language}", title(language), "Art. 13 DSGVO", parts)


def print_papers(facts: Facts, folder: Path, printed: date) -> list[Path]:
    """All papers into `folder`; their files. They are printed with OFFEN where something is missing, to be completed."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for paper, language in [(one(facts), "de") for one in PAPERS] + [(sheet(facts, one), one) for one in LANGUAGES]:
        path = folder / f"{paper.key}.pdf"
        path.write_bytes(as_pdf(paper, facts, printed, language))
        files.append(path)
    return files
