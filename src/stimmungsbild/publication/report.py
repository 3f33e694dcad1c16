"""The report as headings, paragraphs, tables and charts: from the figures and in one language, for page and print alike."""

from __future__ import annotations

import html
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from stimmungsbild.evaluation.texts import LEAST_KAPPA
from stimmungsbild.publication.model import Asked, Figures, Place, Row, Said
from stimmungsbild.questionnaire.model import Questionnaire
from stimmungsbild.questionnaire.rules import choice_label, label, stem

LANGUAGES = ("de", "en")


@cache
def texts(language: str) -> dict[str, str]:
    """The report's own words."""
    found: dict[str, str] = tomllib.loads((resources.files("stimmungsbild.publication") / f"texts/{language}.toml").read_text("utf-8"))
    return found


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a heading for each row."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture of the table that follows it; `alt` says what it shows and where its figures are."""

    svg: str
    alt: str


@dataclass(frozen=True, slots=True)
class Section:
    """A heading of level 2 or 3 with what stands under it."""

    level: int
    title: str
    parts: tuple[str | Table | Chart, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The whole report."""

    language: str
    title: str
    lead: tuple[str, ...]
    sections: tuple[Section, ...]


def report(q: Questionnaire, what: Figures, language: str) -> Report:
    """The report of a wave in one language."""
    t = texts(language)
    lead = [*([t["simulated"]] if what.simulated else []), t["intro"]]
    sections = [_people(t, what), _headline(q, t, what, language), *_groups(q, t, what, language), _method(t, what)]
    sections[2:2] = [*_changes(q, t, what, language), *_squares(t, what), *_said(t, what)]
    sections += [Section(2, t["items"], ()), *(_item(q, t, what, one, language) for one in what.items)]
    return Report(language, t["title"].format(wave=what.wave), tuple(lead), tuple(sections))


def _people(t: dict[str, str], what: Figures) -> Section:
    doors = (("register", what.register_people), ("open", what.open_people), ("outreach", what.outreach_people))
    rows = tuple((t[door], _count(t, many)) for door, many in doors)
    return Section(2, t["people"], (Table(t["people_caption"], (t["door"], t["answers"]), rows),))


def _count(t: dict[str, str], many: int | None) -> str:
    return t["few"] if many is None else str(many)


def _name(q: Questionnaire, item: str, language: str) -> str:
    found = next(one for one in q.items() if one.name == item)
    return label(q, found, language)


def _headline(q: Questionnaire, t: dict[str, str], what: Figures, language: str) -> Section:
    names = [_name(q, one.name, language) for one in what.unsafe]
    parts: list[str | Table | Chart] = [t["headline_text"], Chart(chart(names, what.unsafe), t["chart"])]
    parts += [_table(t, t["headline_caption"], t["where"], names, what.unsafe), t["open_note"]]
    if what.bursts:
        said = "; ".join(f"{_name(q, one.name, language)}: {one.open.percent} %" for one in what.without_bursts if one.open)
        parts.append(f"{t['bursts']} {said}.")
    return Section(2, t["headline"], tuple(parts))


def _table(t: dict[str, str], caption: str, first: str, names: Sequence[str], rows: Sequence[Row]) -> Table:
    """The town with its interval, the open door without, and their difference."""
    head = (first, t["town"], t["interval"], t["open_share"], t["difference"])
    return Table(caption, head, tuple((name, *_cells(t, row)) for name, row in zip(names, rows, strict=True)))


def _cells(t: dict[str, str], row: Row) -> tuple[str, str, str, str]:
    town = (f"{row.town.percent} %", f"{row.town.low}–{row.town.high} %") if row.town else (t["few"], "")
    difference = f"{row.difference:+d}".replace("-", "−") if row.difference is not None else ""
    return *town, f"{row.open.percent} %" if row.open else t["few"], difference


def _squares(t: dict[str, str], what: Figures) -> Iterator[Section]:
    doors = (("register", what.register_places), ("open", what.open_places))
    if not any(places for _, places in doors):
        return
    parts: list[str | Table | Chart] = [t["squares_text"]]
    for door, places in doors:
        if places:
            rows = tuple((one.name, t["rest"] if one.rest else "", f"{one.people}{' +' if one.more else ''}") for one in _by_people(places))
            caption = t["squares_caption"].format(door=t[door])
            parts += [Chart(squares_chart(places), f"{caption}. {t['squares_chart']}")]
            parts += [Table(caption, (t["square"], t["part"], t["people_there"]), rows)]
    yield Section(2, t["squares"], tuple(parts))


def _changes(q: Questionnaire, t: dict[str, str], what: Figures, language: str) -> Iterator[Section]:
    if not what.changes:
        return
    rows = []
    for one in what.changes:
        now = next(row.town for row in what.unsafe if row.name == one.item)
        shown = [f"{each.percent} %" if each else t["few"] for each in (one.then, now)]
        apart = t[f"change_{one.standing}"] if one.points is None else f"{one.points:+d} ({one.low:+d} … {one.high:+d})".replace("-", "−")
        rows.append((_name(q, one.item, language), *shown, apart))
    head = (t["where"], what.before, what.wave, t["change"])
    title = t["changes"].format(before=what.before)
    yield Section(2, title, (t["changes_text"].format(before=what.before), Table(t["changes_caption"], head, tuple(rows))))


def _said(t: dict[str, str], what: Figures) -> Iterator[Section]:
    if not what.said:
        return
    rows = tuple(
        (t[f"said_{one.category}"], *(_coded(t, one, many) for many in (one.register, one.open)), _kappa(one)) for one in what.said
    )
    head = (t["category"], t["register"], t["open"], t["kappa"])
    yield Section(2, t["said"], (t["said_text"], Table(t["said_caption"], head, rows)))


def _kappa(one: Said) -> str:
    return "–" if one.kappa is None else f"{one.kappa:.2f}"


def _coded(t: dict[str, str], one: Said, many: int | None) -> str:
    return t["unsure"] if one.kappa is None or one.kappa < LEAST_KAPPA else _count(t, many)


def _by_people(places: Sequence[Place]) -> list[Place]:
    return sorted(places, key=lambda one: (-one.people, one.name))


def _groups(q: Questionnaire, t: dict[str, str], what: Figures, language: str) -> Iterator[Section]:
    for group in what.groups:
        of = next(one for one in q.items() if one.name == group.by).list
        names = [choice_label(q, of, row.name, language) for row in group.rows]
        title = t["by"].format(by=t[group.by], item=_name(q, group.item, language))
        yield Section(3, title, (_table(t, t["headline_caption"], t["group"], names, group.rows),))


def _item(q: Questionnaire, t: dict[str, str], what: Figures, asked: Asked, language: str) -> Section:
    item = next(one for one in q.items() if one.name == asked.name)
    page = next(one for one in q.pages if item in one.items)
    names = [choice_label(q, item.list, row.name, language) for row in asked.rows]
    base = t["base"].format(town=_count(t, asked.town_answers), open=_count(t, asked.open_answers))
    parts: list[str | Table | Chart] = [one for one in (stem(q, page, language),) if one]
    parts += [_table(t, label(q, item, language), t["choice"], names, asked.rows), base, t[asked.standing].format(earlier=what.earlier)]
    return Section(3, label(q, item, language), tuple(parts))


def _method(t: dict[str, str], what: Figures) -> Section:
    one = what.method
    parts = [
        *([t["method_failed"]] if not one.converged else []),
        *([t["method_letters"].format(letters=one.letters)] if one.letters else []),
        t["method_design"].format(deff=one.design_effect, effective=one.effective, residual=one.residual_points, iterations=one.iterations),
        t["method_limits"],
        t["method_privacy"],
        *([t["method_altered"].format(altered=one.altered, missing=one.missing)] if one.altered or one.missing else []),
        t["method_necessity"],
    ]
    return Section(2, t["method"], tuple(parts))


_MAP = 480
_SHADES = ("#d6e4f2", "#a3c3e3", "#5b93c8", "#1f5f9e")


def squares_chart(places: Sequence[Place]) -> str:
    """Squares where they lie, north up; the darker, the more people. The largest are drawn first, so that smaller ones stand on them."""
    west, south = min(one.east for one in places), min(one.north for one in places)
    wide = max(max(one.east + one.metres // 100 for one in places) - west, max(one.north + one.metres // 100 for one in places) - south)
    most = max(one.people for one in places)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_MAP} {_MAP}" font-family="Libertinus Serif, serif">']
    parts.append(f'<rect width="{_MAP}" height="{_MAP}" fill="#ffffff" stroke="#8a949e"/>')
    for one in sorted(places, key=lambda place: -place.metres):
        side = _MAP * one.metres / 100 / wide
        x, y = _MAP * (one.east - west) / wide, _MAP * (1 - (one.north - south) / wide) - side
        shade = "none" if one.rest else _SHADES[min(len(_SHADES) - 1, len(_SHADES) * one.people // (most + 1))]
        parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{side:.1f}" height="{side:.1f}" fill="{shade}" stroke="#0b2f57"/>')
    return "".join([*parts, "</svg>"])


_ROW, _LEFT, _WIDE = 26, 250, 400


def chart(names: Sequence[str], rows: Sequence[Row]) -> str:
    """Bars of the town with their interval, a diamond for the open door; 0 to 100 per cent. SVG of fixed colours, readable on white."""
    tall = _ROW * len(rows) + 24
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDE + 20} {tall}" font-family="Libertinus Serif, serif">']
    parts.append(f'<rect width="{_LEFT + _WIDE + 20}" height="{tall}" fill="#ffffff"/>')
    for percent in range(0, 101, 25):
        x = _LEFT + _WIDE * percent / 100
        parts.append(f'<path d="M{x} 0V{tall - 20}" stroke="#8a949e"/><text x="{x}" y="{tall - 6}" font-size="11" text-anchor="middle" ')
        parts.append(f'fill="#17212b">{percent}</text>')
    for at, (name, row) in enumerate(zip(names, rows, strict=True)):
        y = _ROW * at + 4
        shown = name if len(name) < 42 else f"{name[:40]}…"
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 13}" font-size="12" text-anchor="end" fill="#17212b">{html.escape(shown)}</text>')
        if row.town:
            low, high = (_LEFT + _WIDE * one / 100 for one in (row.town.low, row.town.high))
            parts.append(f'<rect x="{_LEFT}" y="{y}" width="{_WIDE * row.town.percent / 100}" height="18" fill="#7fa8d1"/>')
            parts.append(f'<path d="M{low} {y + 9}H{high}M{low} {y + 4}v10M{high} {y + 4}v10" stroke="#0b2f57" stroke-width="2"/>')
        if row.open:
            x = _LEFT + _WIDE * row.open.percent / 100
            parts.append(f'<path d="M{x} {y + 2}l7 7l-7 7l-7 -7z" fill="#9c3d00"/>')
    return "".join([*parts, "</svg>"])
