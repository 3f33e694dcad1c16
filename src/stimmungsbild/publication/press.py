"""Prints a report: as tagged PDF (PDF/A-2a, PDF/UA-1) with typst, and as one static page that needs no script and no other file."""

from __future__ import annotations

from datetime import date
from importlib import resources
from typing import Any

import jinja2

from plattform.press import print_pdf
from stimmungsbild.publication.report import Chart, Report, Table, texts

# Open data beside the page; `opendata.files` makes them.
DATA_FILES = ("shares.csv", "items.csv", "places.csv", "texts.csv", "datapackage.json", "codebook.xml")
_TEMPLATES = resources.files("stimmungsbild.publication") / "templates"


def _part(part: str | Table | Chart) -> dict[str, Any]:
    if isinstance(part, Table):
        return {"kind": "table", "caption": part.caption, "head": part.head, "rows": part.rows}
    if isinstance(part, Chart):
        return {"kind": "chart", "svg": part.svg, "alt": part.alt}
    return {"kind": "text", "text": part}


def _data(report: Report, printed: date) -> dict[str, Any]:
    sections = [{"level": one.level, "title": one.title, "parts": [_part(part) for part in one.parts]} for one in report.sections]
    day = {"year": printed.year, "month": printed.month, "day": printed.day}
    return {"language": report.language, "title": report.title, "lead": report.lead, "sections": sections, **day}


def as_pdf(report: Report, printed: date) -> bytes:
    """The report as PDF."""
    return print_pdf((_TEMPLATES / "report.typ").read_bytes(), _data(report, printed))


def as_page(report: Report, printed: date, others: dict[str, str]) -> str:
    """The report as HTML. `others`: file by language of the same report in other languages."""
    env = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    names = {language: texts(language)["language"] for language in others}
    template = env.from_string((_TEMPLATES / "report.html").read_text("utf-8"))
    return template.render(**_data(report, printed), others=others, names=names, t=texts(report.language), data=DATA_FILES)
