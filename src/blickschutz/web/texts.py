"""Texts of the pages: German in the source, English from the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

from babel.messages.pofile import read_po

from blickschutz.kernel.situation import Kind, name

LANGUAGES: Mapping[str, str] = {"de": "Deutsch", "en": "English"}

Translate = Callable[[str], str]


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """German text to text in `language`; empty for German itself."""
    if language == "de":
        return {}
    with resources.files("blickschutz.web").joinpath(f"locale/{language}.po").open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file, locale=language) if message.id and message.string}


def translator(language: str) -> Translate:
    """A function from German text to text in `language`; what is not translated stays German."""
    texts = catalogue(language)
    return lambda text: texts.get(text, text)


def moment(at: datetime, language: str) -> str:
    """A moment as an office writes it: `20.01.2026, 22:14 Uhr`, or `20 Jan 2026, 22:14`."""
    return at.strftime("%d.%m.%Y, %H:%M Uhr") if language == "de" else at.strftime("%d %b %Y, %H:%M")


def number(value: float, language: str, digits: int = 1) -> str:
    """A number with the language's marks."""
    text = f"{value:,.{digits}f}"
    return text.translate(str.maketrans(",.", ".,")) if language == "de" else text


def N_(text: str) -> str:  # noqa: N802 - the customary name of a marker for texts that are translated later
    """Mark a text for translation without translating it."""
    return text


def clock(at: datetime, language: str) -> str:
    """A moment to the second."""
    return at.strftime("%d.%m.%Y, %H:%M:%S Uhr") if language == "de" else at.strftime("%d %b %Y, %H:%M:%S")


def zoned(at: float, zone: str) -> datetime:
    """POSIX seconds as a moment in the time zone of that name."""
    return datetime.fromtimestamp(at, ZoneInfo(zone))


def kind_name(kind: Kind, language: str) -> str:
    """The neutral name of a kind of situation."""
    return name(kind, language)


ALERT_WORDS: Mapping[str, str] = {
    "raised": N_("neu"),
    "escalated": N_("überfällig"),
    "acknowledged": N_("quittiert"),
    "acting": N_("in Bearbeitung"),
    "closed": N_("abgeschlossen"),
}
HISTORY_WORDS: Mapping[str, str] = {
    "raised": N_("ausgelöst"),
    "seen": N_("angesehen"),
    "escalate": N_("nicht rechtzeitig quittiert"),
    "acknowledge": N_("quittiert"),
    "act": N_("veranlasst"),
    "close": N_("abgeschlossen"),
    "record": N_("Aufzeichnung angeordnet"),
}
OUTCOME_WORDS: Mapping[str, str] = {
    "confirmed": N_("bestätigt"),
    "false-alarm": N_("Fehlalarm"),
    "no-finding": N_("kein Befund"),
}
ORIGIN_WORDS: Mapping[str, str] = {"analysis": N_("eigene Auswertung"), "camera": N_("Kamera selbst")}
ALERT_PROBLEMS: Mapping[str, str] = {
    "late": N_("Jemand anders war schneller. Die Seite zeigt den neuen Stand; Ihre Eingabe wurde nicht übernommen."),
    "text": N_("Bitte schreiben Sie, was veranlasst wurde."),
    "outcome": N_("Bitte wählen Sie ein Ergebnis."),
    "reason": N_("Bitte nennen Sie einen Grund."),
}
REASON_WORDS: Mapping[str, str] = {
    "hours": N_("nach den Dienstzeiten"),
    "closed-day": N_("heute ist kein Diensttag"),
    "holiday": N_("heute ist Feiertag"),
    "sun": N_("nach dem Sonnenstand"),
    "override": N_("von Hand gesetzt"),
}
REGIME_PROBLEMS: Mapping[str, str] = {
    "name": N_("Bitte wählen Sie Tag oder Nacht."),
    "hours": N_("Bitte nennen Sie eine Zahl von Stunden im erlaubten Rahmen."),
    "reason": N_("Bitte nennen Sie einen Grund."),
}

STATE_WORDS: Mapping[str, str] = {
    "starting": N_("Startet"),
    "live": N_("Live"),
    "stale": N_("Bild steht"),
    "lost": N_("Kamera verloren"),
    "redaction-fault": N_("Verpixelung gestört"),
    "stopped": N_("Angehalten"),
}

STATE_NOTICES: Mapping[str, str] = {
    "starting": N_("Der Hintergrund wird gelernt. Bis dahin ist das ganze Bild verdeckt."),
    "live": "",
    "stale": N_("Seit mehr als zwei Sekunden kommt kein neues Bild."),
    "lost": N_("Die Verbindung wird von selbst wieder aufgebaut."),
    "redaction-fault": N_("Das ganze Bild ist verdeckt, bis die Störung behoben ist."),
    "stopped": N_("Diese Kamera ist angehalten. Es wird kein Bild verarbeitet."),
}

CAUSE_WORDS: Mapping[str, str] = {
    "": "",
    "cell": N_("Die Zelle dieser Kamera ist ausgefallen und wird neu gestartet."),
    "refused": N_("Die Kamera ist nicht erreichbar. Bitte Strom, Netz und Adresse prüfen."),
    "stalled": N_("Die Kamera ist verbunden, sendet aber nichts."),
    "ended": N_("Die Kamera hat die Übertragung beendet."),
    "unreadable": N_("Was die Kamera sendet, ist kein lesbares Video."),
    "no-detector": N_("Das Detektor-Modell fehlt oder wurde verändert. Bitte neu installieren."),
    "fault": N_("Die Auswertung ist gestört. Sie wird von selbst neu begonnen."),
}

SIDE_WORDS: Mapping[str, str] = {"forecourt": N_("Vorplatz"), "side": N_("Weitere Seiten")}
REGIME_WORDS: Mapping[str, str] = {"day": N_("Tag"), "night": N_("Nacht")}
SESSION_WORDS: Mapping[str, str] = {
    "stopped": N_("angehalten"),
    "connecting": N_("verbindet"),
    "live": N_("verbunden"),
    "waiting": N_("wartet auf den nächsten Versuch"),
}
DOUBT_WORDS: Mapping[str, str] = {
    "starting": N_("Hintergrund wird gelernt"),
    "changed": N_("Licht oder Blick hat sich geändert; der Hintergrund wird neu gelernt"),
    "no-detector": N_("Der Detektor fehlt"),
    "no-analysis": N_("Keine Auswertung"),
    "fault": N_("Störung der Auswertung oder Verpixelung"),
}
