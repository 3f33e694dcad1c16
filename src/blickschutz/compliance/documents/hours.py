"""What every document says of hours and of what follows then, in German and English, from the table of the week."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import time

from blickschutz.audit.model import Event
from blickschutz.compliance.documents.model import Evidence, Sentence, event, rule, say, setting
from blickschutz.compliance.documents.words import either
from blickschutz.compliance.model import Grounds
from blickschutz.config.hours import service
from blickschutz.regime.model import MOST_OVERRIDE_HOURS, Action, Mode, Policy, RegimeName, Span, Sun, Week
from blickschutz.regime.rules import week
from blickschutz.situations.kinds import Kind, name

HOURS = (
    setting("regimes.day.starts"),
    setting("regimes.night.starts"),
    setting("regimes.by_sun"),
    setting("regimes.weekdays"),
    setting("regimes.holidays"),
)
_RECORDS = frozenset({Action.RECORD, Action.BOTH})
_DAYS = (
    ("montags", "Mondays"),
    ("dienstags", "Tuesdays"),
    ("mittwochs", "Wednesdays"),
    ("donnerstags", "Thursdays"),
    ("freitags", "Fridays"),
    ("samstags", "Saturdays"),
    ("sonntags", "Sundays"),
)
_STATES = {
    "BB": ("Brandenburg", "Brandenburg"),
    "BE": ("Berlin", "Berlin"),
    "BW": ("Baden-Württemberg", "Baden-Württemberg"),
    "BY": ("Bayern", "Bavaria"),
    "HB": ("Bremen", "Bremen"),
    "HE": ("Hessen", "Hesse"),
    "HH": ("Hamburg", "Hamburg"),
    "MV": ("Mecklenburg-Vorpommern", "Mecklenburg-Western Pomerania"),
    "NI": ("Niedersachsen", "Lower Saxony"),
    "NW": ("Nordrhein-Westfalen", "North Rhine-Westphalia"),
    "RP": ("Rheinland-Pfalz", "Rhineland-Palatinate"),
    "SH": ("Schleswig-Holstein", "Schleswig-Holstein"),
    "SL": ("dem Saarland", "Saarland"),
    "SN": ("Sachsen", "Saxony"),
    "ST": ("Sachsen-Anhalt", "Saxony-Anhalt"),
    "TH": ("Thüringen", "Thuringia"),
}
_SUN = {Sun.RISE: ("Sonnenaufgang", "sunrise"), Sun.SET: ("Sonnenuntergang", "sunset")}
_ACTIONS = {
    Action.NOTIFY: ("Ein Ereignis wird dem diensthabenden Personal gemeldet.", "An event is reported to the staff on duty."),
    Action.RECORD: ("Ein Ereignis löst eine Aufzeichnung aus.", "An event starts a recording."),
    Action.BOTH: (
        "Ein Ereignis wird dem diensthabenden Personal gemeldet und löst eine Aufzeichnung aus.",
        "An event is reported to the staff on duty and starts a recording.",
    ),
    Action.COUNT: ("Ein Ereignis wird nur gezählt.", "An event is only counted."),
}
_EXCEPTIONS = {
    Action.NOTIFY: ("gemeldet", "reported"),
    Action.RECORD: ("aufgezeichnet", "recorded"),
    Action.BOTH: ("gemeldet und aufgezeichnet", "reported and recorded"),
    Action.COUNT: ("nur gezählt", "only counted"),
}
_MODES = {
    Mode.ANONYMOUS: ("Aufzeichnungen enthalten nur verpixelte Bilder.", "Recordings hold redacted pictures only."),
    Mode.SEALED: (
        "Aufzeichnungen werden versiegelt gespeichert; nur zwei geschulte Personen öffnen sie gemeinsam. Das ist Pseudonymisierung.",
        "Recordings are kept sealed; only two trained people open them together. That is pseudonymisation.",
    ),
}
POLAR_DEGREES = 60.0
"""Beyond this latitude there may be days on which the sun does not both rise and set."""


def hours(g: Grounds, language: str) -> list[Sentence]:
    """When day and night are, what follows an event in each, and what people may do by hand."""
    t, policies, spoken = either(language), service(g.site).policies, _table(g)
    day, night = policies[RegimeName.DAY], policies[RegimeName.NIGHT]
    of_day, of_night = _service_time(g, spoken, language), _other_time(g, spoken, language)
    said = [
        say(f"{t('Tagbetrieb', 'Day operation')} ({of_day}): {_follows(day, language)}", *evidence(RegimeName.DAY)),
        say(f"{t('Nachtbetrieb', 'Night operation')} ({of_night}): {_follows(night, language)}", *evidence(RegimeName.NIGHT)),
    ]
    if any(_some_record(policy) for policy in (day, night)):
        said.append(
            say(
                t(
                    "Kann ein Ereignis nicht aufgezeichnet werden, wird es dem Personal gemeldet.",
                    "Where an event cannot be recorded, it is reported to the staff.",
                ),
                event(Event.RECORDING_REFUSED),
            )
        )
    return [*said, *_by_hand(language)]


def state_of(g: Grounds) -> str:
    """The state whose public holidays count, in German."""
    return _STATES[g.site.regimes.holidays][0]


def evidence(which: RegimeName) -> tuple[Evidence, ...]:
    """What a sentence rests on that says what follows in one of the two operations."""
    return (*HOURS, *(setting(f"regimes.{which.value}.{key}") for key in ("on_situation", "kinds", "mode")))


def _by_hand(language: str) -> list[Sentence]:
    t = either(language)
    return [
        say(
            t(
                "Auf Anordnung: Die Leitstelle kann im Tag- wie im Nachtbetrieb mit Grund eine Aufzeichnung anordnen; sie wird "
                "gespeichert wie jede andere dieses Betriebs und steht im Protokoll.",
                "By order: the control room can order a recording with a reason, in day and night operation alike; it is kept like any "
                "other of that operation and is logged.",
            ),
            event(Event.RECORDING_ORDERED),
            rule("DM-07"),
        ),
        say(
            t(
                f"Umschalten: Leitstelle oder Aufsicht können mit Grund für höchstens {MOST_OVERRIDE_HOURS} Stunden auf den anderen "
                "Betrieb umschalten, auch am Tag auf den Nachtbetrieb. Das steht im Protokoll und endet von selbst.",
                f"Switching: control room or supervision can switch to the other operation with a reason for at most "
                f"{MOST_OVERRIDE_HOURS} hours, also by day to night operation. It is logged and ends by itself.",
            ),
            event(Event.REGIME_SET),
            event(Event.REGIME_RELEASED),
        ),
    ]


def sign_hours(g: Grounds, language: str) -> list[Sentence]:
    """The same, as short as a sign needs it."""
    t, policies, spoken = either(language), service(g.site).policies, _table(g)
    times = {RegimeName.DAY: _service_time(g, spoken, language), RegimeName.NIGHT: _other_time(g, spoken, language)}
    said = [
        say(
            f"{text[0].upper()}{text[1:]} – {_short(policies[which], language)}",
            *evidence(which),
        )
        for which, text in times.items()
    ]
    text = t(
        f"Auf Anordnung wird auch sonst aufgezeichnet; für höchstens {MOST_OVERRIDE_HOURS} Stunden kann der Betrieb umgeschaltet werden.",
        f"Recordings are made by order at other times too; the operation can be switched for at most {MOST_OVERRIDE_HOURS} hours.",
    )
    return [*said, say(text, event(Event.RECORDING_ORDERED), event(Event.REGIME_SET))]


def by_day(g: Grounds) -> str:
    """What the staff's orders say of recording by day, in German."""
    policy = service(g.site).policies[RegimeName.DAY]
    if _some_record(policy):
        return "Aufgezeichnet wird am Tag, wo ein Ereignis es auslöst (siehe Zeiten), und auf Anordnung mit Grund."
    return "Aufgezeichnet wird am Tag nur auf Anordnung mit Grund."


def _table(g: Grounds) -> Week:
    return week(service(g.site).hours, holidays=bool(g.site.regimes.holidays))


def _some_record(policy: Policy) -> bool:
    return any(policy.action(kind) in _RECORDS for kind in Kind)


def _short(policy: Policy, language: str) -> str:
    t = either(language)
    if policy.usual in _RECORDS:
        return t("Aufzeichnung bei einem Ereignis", "recorded on an event")
    if _some_record(policy):
        return t("Beobachtung, Aufzeichnung bei bestimmten Ereignissen", "watched, recorded on certain events")
    return t("Beobachtung, keine Aufzeichnung ohne Anordnung", "watched, not recorded without an order")


def _follows(policy: Policy, language: str) -> str:
    """What follows an event, kind by kind where it differs, and how a recording is kept."""
    t, index = either(language), 1 if language == "en" else 0
    parts = [_ACTIONS[policy.usual][index]]
    other: dict[Action, list[str]] = {}
    for kind in Kind:
        if (action := policy.action(kind)) is not policy.usual:
            other.setdefault(action, []).append(name(kind, "en" if language == "en" else "de"))
    if other:
        listed = "; ".join(f"{_EXCEPTIONS[action][index]}: {', '.join(kinds)}" for action, kinds in sorted(other.items()))
        parts.append(f"{t('Davon abweichend werden', 'Exceptions,')} {listed}.")
    if not _some_record(policy):
        parts.append(t("Von selbst wird nicht aufgezeichnet.", "Nothing is recorded by itself."))
    return " ".join([*parts, _MODES[policy.mode][index]])


def _service_time(g: Grounds, table: Week, language: str) -> str:
    """When the regime day is: days, times, and that holidays have none."""
    t = either(language)
    found: dict[Span, list[int]] = {}
    for index, span in enumerate(table.days):
        if span is not None:
            found.setdefault(span, []).append(index)
    text = "; ".join(
        f"{_days(days, language)} {_between(span.start, span.end, span.over_midnight, language)}" for span, days in found.items()
    )
    if table.holidays and table.holiday is None:
        text += f", {t('außer an', 'except on')} {_holidays(g, language)}"
    polar = abs(g.site.site.latitude or 0.0) > POLAR_DEGREES and any(isinstance(span.start, Sun) for span in found)
    if polar:
        day, night = (time.fromisoformat(one.starts) for one in (g.site.regimes.day, g.site.regimes.night))
        clock = _between(day, night, night <= day, language)
        text += t(f"; geht die Sonne an einem Tag nicht auf oder nicht unter, {clock}", f"; on days without sunrise or sunset {clock}")
    return text


def _other_time(g: Grounds, table: Week, language: str) -> str:
    """All other times, in the same words: between two days of service, and the days that have none."""
    t = either(language)
    spans = {span for span in table.days if span is not None}
    closed = [index for index, span in enumerate(table.days) if span is None]
    off = _names(closed, language)
    if table.holidays and table.holiday is None:
        off.append(t("an ", "") + _holidays(g, language))
    text = t("in der übrigen Zeit: ", "at all other times: ")
    text += "; ".join(_between(span.end, span.start, not span.over_midnight, language, after=False) for span in sorted(spans, key=str))
    if not off:
        return text
    days = t("", "on ") + _joined(off, language)
    if any(span.over_midnight and span.end != time() for span in spans):
        return text + t(f"; {days} beginnt kein Tagbetrieb", f"; no day operation begins {days}")
    return text + t(f", {days} ganztägig", f", {days} all day")


def _holidays(g: Grounds, language: str) -> str:
    german, english = _STATES[g.site.regimes.holidays]
    return either(language)(f"gesetzlichen Feiertagen in {german}", f"public holidays in {english}")


def _days(found: Iterable[int], language: str) -> str:
    """Days of the week in words."""
    days, t = sorted(found), either(language)
    if len(days) == len(_DAYS):
        return t("täglich", "every day")
    return t("", "on ") + _joined(_names(days, language), language)


def _names(days: Iterable[int], language: str) -> list[str]:
    """Names of days; runs of three and more are one name."""
    runs: list[list[int]] = []
    for index in days:
        if runs and runs[-1][-1] == index - 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    column, names = 1 if language == "en" else 0, []
    for run in runs:
        first, last = _DAYS[run[0]][column], _DAYS[run[-1]][column]
        joint = either(language)("bis", "to")
        names += [f"{first} {joint} {last}"] if len(run) > 2 else [_DAYS[index][column] for index in run]
    return names


def _joined(names: Sequence[str], language: str) -> str:
    last = names[-1]
    return last if len(names) == 1 else ", ".join(names[:-1]) + either(language)(" und ", " and ") + last


def _between(start: time | Sun, end: time | Sun, over_midnight: bool, language: str, *, after: bool = True) -> str:
    """From when to when; midnight as an end is 24:00, and as a start 00:00. `after`: an end on the day after says so."""
    t, column = either(language), 1 if language == "en" else 0

    def edge(at: time | Sun, *, is_end: bool) -> str:
        if isinstance(at, Sun):
            return _SUN[at][column]
        return "24:00" if is_end and at == time() else f"{at:%H:%M}"

    clock = "" if isinstance(end, Sun) else t(" Uhr", "")
    next_day = t(" des Folgetags", " of the day after") if after and over_midnight and end != time() and not isinstance(end, Sun) else ""
    return f"{t('von', 'from')} {edge(start, is_end=False)} {t('bis', 'to')} {edge(end, is_end=True)}{clock}{next_day}"
