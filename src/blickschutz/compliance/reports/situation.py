"""What the committee's report says of the crime situation: rates, changes with intervals, identity checks beside them, and no cause."""

from __future__ import annotations

import math
from collections.abc import Sequence

from blickschutz.compliance.documents.model import Section, Sentence, Table, fact, law, missing, say
from blickschutz.compliance.reports.crime import EVENT_YEARS, Period, Role, Row, Unit
from blickschutz.compliance.reports.rates import Cell, Ratio, change, ratio
from blickschutz.compliance.reports.suppression import HIDDEN, Count, Suppressor

_PER = {Unit.DAYS: (1.0, "je Tag"), Unit.OPENING_DAYS: (1.0, "je Öffnungstag"), Unit.VISITORS: (1000.0, "je 1000 Besucher")}
_ROLES = {Role.WATCHED: "beobachtet", Role.COMPARISON: "Vergleich"}
_WIDE = 1.5
"""Above this dispersion the counts vary more than the model of independent offences allows, and it is said."""
_EVIDENCE = fact("incidents")


def crime_situation(rows: Sequence[Row], writes: Suppressor) -> Section:
    """The section; in public what is small is hidden, and whatever would tell it."""
    return Section("Kriminalitätslage", tuple(_parts(rows, writes)))


def _parts(rows: Sequence[Row], writes: Suppressor) -> list[Sentence | Table]:
    if not rows:
        return [missing("Zahlen der Polizei für den Zeitraum und einen Vergleichsraum", _EVIDENCE)]
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.kind, row.event), []).append(row)
    cells = [line for key in sorted(groups) for line in _places(groups[key], writes)]
    columns = (
        "Art und Ort",
        "vorher",
        "nachher",
        "Rate vorher",
        "Rate nachher",
        "Verhältnis (95 %)",
        "Identitätsfeststellungen",
    )
    parts: list[Sentence | Table] = [
        say(
            "Die Zahlen zeigen eine Entwicklung. Sie belegen nicht, dass die Kameras sie verursacht haben; auch anderes, mehr "
            "Kontrollen und ein anderes Anzeigeverhalten ändern Zahlen der Polizei.",
            law("§ 21 Abs. 1 LDSG RLP"),
        ),
        Table(columns, tuple((line, (_EVIDENCE,)) for line in cells)),
    ]
    for (kind, event), group in sorted(groups.items()):
        about = f"{kind} ({event})" if event else kind
        parts.append(_comparison(about, group, writes))
        if event:
            parts += _years(about, group)
    return parts


def _places(group: Sequence[Row], writes: Suppressor) -> list[tuple[str, ...]]:
    """A line for each place."""
    lines = []
    for place in sorted({row.place for row in group}):
        here = [row for row in group if row.place == place]
        before, after = ([row for row in here if row.period is period] for period in (Period.BEFORE, Period.AFTER))
        counts = [sum(row.offences for row in one) for one in (before, after)]
        checks = [sum(row.identity_checks for row in one) for one in (before, after)]
        title = f"{here[0].kind}{f' ({here[0].event})' if here[0].event else ''}: {place} ({_ROLES[here[0].role]})"
        if writes.hides(*map(Count, counts)):
            shown = [HIDDEN] * 5
        else:
            shown = [
                *(f"{count} in {_amount(one)}" if one else "–" for count, one in zip(counts, (before, after), strict=True)),
                *(_rate(one) for one in (before, after)),
                _interval(ratio(counts[1], _exposure(after), counts[0], _exposure(before))) if before and after else "–",
            ]
        small = writes.hides(*map(Count, checks))
        lines.append((title, *shown, HIDDEN if small else f"{checks[0]} → {checks[1]}"))
    return lines


def _comparison(about: str, group: Sequence[Row], writes: Suppressor) -> Sentence:
    """The change in the watched area by that in the comparison area, or what is missing for it."""
    roles = {row.role for row in group}
    if roles != set(Role):
        lacking = "eines Vergleichsraums" if Role.COMPARISON not in roles else "des beobachteten Raums"
        return missing(f"{about}: Zahlen {lacking}", _EVIDENCE)
    cells = [Cell(row.place, row.role is Role.WATCHED, row.period is Period.AFTER, row.offences, row.exposure) for row in group]
    sums = {(one.watched, one.after): 0 for one in cells}
    for one in cells:
        sums[one.watched, one.after] += one.offences
    if writes.hides(*map(Count, (*sums.values(), *(row.offences for row in group)))):
        return say(f"{about}: Der Vergleich ist nicht veröffentlicht; die Anzahlen sind zu klein.", law("Art. 5 Abs. 1 lit. c DSGVO"))
    found = change(cells)
    if found is None:
        return say(f"{about}: Ein Vergleich lässt sich nicht berechnen; eine Anzahl ist null oder ein Zeitraum fehlt.", _EVIDENCE)
    text = (
        f"{about}: Die Rate nachher zu vorher im beobachteten Raum ist das {_decimal(found.ratio.value)}-Fache der im Vergleichsraum "
        f"(95 %: {_decimal(found.ratio.low)} bis {_decimal(found.ratio.high)}). "
    )
    text += (
        "Ein Unterschied ist damit nicht belegt." if found.ratio.low <= 1 <= found.ratio.high else "Eine Ursache ist damit nicht belegt."
    )
    if found.dispersion > _WIDE:
        text += f" Die Zahlen streuen {_decimal(found.dispersion)}-mal so stark wie angenommen; der Bereich ist zu eng."
    return say(text, _EVIDENCE)


def _years(about: str, group: Sequence[Row]) -> list[Sentence]:
    """An event that returns is looked at over several years."""
    years = {row.first.year for row in group if row.role is Role.WATCHED}
    if len(years) >= EVENT_YEARS:
        return []
    return [missing(f"{about}: Zahlen aus mindestens {EVENT_YEARS} Jahren ({len(years)} liegen vor)", _EVIDENCE)]


def _exposure(rows: Sequence[Row]) -> float:
    return sum(row.exposure for row in rows)


def _amount(rows: Sequence[Row]) -> str:
    words = {Unit.DAYS: "Tagen", Unit.OPENING_DAYS: "Öffnungstagen", Unit.VISITORS: "Besuchern (Tausend)"}
    unit = rows[0].unit
    return f"{_exposure(rows) / _PER[unit][0]:g} {words[unit]}".replace(".", ",")


def _rate(rows: Sequence[Row]) -> str:
    if not rows:
        return "–"
    factor, words = _PER[rows[0].unit]
    return f"{_decimal(factor * sum(row.offences for row in rows) / _exposure(rows))} {words}"


def _decimal(value: float) -> str:
    return "–" if not math.isfinite(value) else f"{value:.2f}".replace(".", ",")


def _interval(found: Ratio) -> str:
    return f"{_decimal(found.value)} ({_decimal(found.low)} bis {_decimal(found.high)})"
