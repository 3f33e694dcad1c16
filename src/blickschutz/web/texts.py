"""Texts of the pages: German in the source, English from the catalogue."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

from babel.messages.pofile import read_po

from blickschutz.situations.kinds import Kind, name
from blickschutz.web.clock_words import (
    CHOICE_MEANINGS,
    CHOICE_WORDS,
    CLOCK_AWRY,
    CLOCK_EVENTS,
    CLOCK_PROBLEMS,
    SPANS,
    SUSPENDED_WORDS,
)
from blickschutz.web.door_words import DOOR_PROBLEMS, KEY_DONE, ROOM_PROBLEMS, UNSAFE_REDACTION
from blickschutz.web.fact_words import FACT_DOCUMENTS, FACT_EVENTS, FACT_KINDS, FACT_PROBLEMS, FACT_SHEETS, FACT_STANDINGS
from blickschutz.web.health_words import CLIP_COPY_WORDS, COPY_WORDS, DATABASE_WORDS, NEED_WORDS, WORK_KINDS
from blickschutz.web.place_words import PLAN_PROBLEMS, VIEW_PROBLEMS
from blickschutz.web.request_words import (
    DUTY_SOURCES,
    REQUEST_EVENTS,
    REQUEST_OUTCOMES,
    REQUEST_PROBLEMS,
    REQUEST_STATES,
    RIGHT_WORDS,
    SETTLEMENT_WORDS,
)
from blickschutz.web.sensitivity_words import BEGAN_WORDS, SENSITIVITY_EVENTS, SENSITIVITY_PROBLEMS, STANDING_WORDS, WHY_WORDS
from blickschutz.web.setup_words import RULER_WORDS, SETUP_PROBLEMS
from blickschutz.web.trial_words import TRIAL_PROBLEMS
from blickschutz.web.version_words import CHANGE_STATES, REACH_WORDS, SETTINGS_EVENTS, SETTINGS_PROBLEMS
from blickschutz.web.words import (
    ACCOUNT_DONE,
    ACCOUNT_EVENTS,
    ACCOUNT_PROBLEMS,
    ACT_OTHER,
    ACT_WORDS,
    CHANGE_WORDS,
    FACTOR_WORDS,
    FATE_WORDS,
    FIELD_WORDS,
    LOSS_PROBLEMS,
    LOSS_WORDS,
    N_,
    PERMISSION_WORDS,
    QUARANTINE_WORDS,
    ROLE_MEANINGS,
    ROLE_WORDS,
    SIGN_IN_PROBLEMS,
    STATE_WORDS_OF_ACCOUNTS,
    TODO_WORDS,
)

__all__ = [
    "ACCOUNT_DONE",
    "ACCOUNT_PROBLEMS",
    "BEGAN_WORDS",
    "CHANGE_STATES",
    "CHANGE_WORDS",
    "CHOICE_MEANINGS",
    "CHOICE_WORDS",
    "CLIP_COPY_WORDS",
    "CLOCK_AWRY",
    "CLOCK_PROBLEMS",
    "COPY_WORDS",
    "DATABASE_WORDS",
    "DOOR_PROBLEMS",
    "DUTY_SOURCES",
    "FACTOR_WORDS",
    "FACT_DOCUMENTS",
    "FACT_KINDS",
    "FACT_PROBLEMS",
    "FACT_SHEETS",
    "FACT_STANDINGS",
    "FATE_WORDS",
    "FIELD_WORDS",
    "KEY_DONE",
    "LOSS_PROBLEMS",
    "LOSS_WORDS",
    "NEED_WORDS",
    "PERMISSION_WORDS",
    "PLAN_PROBLEMS",
    "QUARANTINE_WORDS",
    "REACH_WORDS",
    "REQUEST_OUTCOMES",
    "REQUEST_PROBLEMS",
    "REQUEST_STATES",
    "RIGHT_WORDS",
    "ROLE_MEANINGS",
    "ROLE_WORDS",
    "ROOM_PROBLEMS",
    "RULER_WORDS",
    "SENSITIVITY_PROBLEMS",
    "SETTINGS_PROBLEMS",
    "SETTLEMENT_WORDS",
    "SETUP_PROBLEMS",
    "SIGN_IN_PROBLEMS",
    "SPANS",
    "STANDING_WORDS",
    "STATE_WORDS_OF_ACCOUNTS",
    "SUSPENDED_WORDS",
    "TODO_WORDS",
    "TRIAL_PROBLEMS",
    "UNSAFE_REDACTION",
    "VIEW_PROBLEMS",
    "WHY_WORDS",
    "WORK_KINDS",
]

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


def clock(at: datetime, language: str) -> str:
    """A moment to the second."""
    return at.strftime("%d.%m.%Y, %H:%M:%S Uhr") if language == "de" else at.strftime("%d %b %Y, %H:%M:%S")


def day(at: date, language: str) -> str:
    """A day as an office writes it."""
    return at.strftime("%d.%m.%Y") if language == "de" else at.strftime("%d %b %Y")


def act(path: str) -> str:
    """What a form is for that is sent to that address."""
    return next((words for pattern, words in ACT_WORDS if re.fullmatch(pattern, path)), ACT_OTHER)


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
PRIORITY_WORDS: Mapping[str, str] = {"high": N_("hoch"), "medium": N_("mittel"), "low": N_("niedrig")}
HISTORY_WORDS: Mapping[str, str] = {
    "raised": N_("ausgelöst"),
    "seen": N_("angesehen"),
    "escalate": N_("nicht rechtzeitig quittiert"),
    "acknowledge": N_("quittiert"),
    "undo": N_("zurückgenommen"),
    "act": N_("veranlasst"),
    "close": N_("abgeschlossen"),
    "record": N_("Aufzeichnung angeordnet"),
    "unrecorded": N_("Aufzeichnung nicht möglich"),
    "lost": N_("Ende des Ereignisses nicht gesehen"),
    "outdated": N_("verpixelte Sekunden vernichtet"),
}
OUTCOME_WORDS: Mapping[str, str] = {
    "confirmed": N_("bestätigt"),
    "false-alarm": N_("Fehlalarm"),
    "no-finding": N_("kein Befund"),
}
ORIGIN_WORDS: Mapping[str, str] = {"analysis": N_("eigene Auswertung"), "camera": N_("Kamera selbst")}
RECORDING_PROBLEMS: Mapping[str, str] = {
    "reviewers": N_("Es sind weniger als zwei Personen für die Sichtung eingetragen. Es wird nichts aufgezeichnet."),
    "register": N_(
        "Das Verzeichnis derer, die sichten, wurde verändert oder passt nicht zum Protokoll. Es wird nichts aufgezeichnet; "
        "die Seite „Zustand“ sagt, was gefunden wurde."
    ),
    "unfounded": N_(
        "Für keinen Schlüssel haben zwei andere eingestanden. Es wird nichts aufgezeichnet, bis das Verzeichnis derer, die sichten, "
        "gegründet ist (Seite „Mein Sichtungskennwort“)."
    ),
    "unpinned": N_(
        "Die Standortdatei nennt die Wurzel des Verzeichnisses derer, die sichten, noch nicht. Es wird nichts aufgezeichnet; "
        "die Zeile zeigt die Seite „Mein Sichtungskennwort“."
    ),
    "disk": N_("Der Speicherplatz reicht nicht. Es wird nichts mehr aufgezeichnet; was schon da ist, bleibt."),
    "safe-mode": N_("Sicherer Betrieb: Es fehlt etwas, deshalb wird nichts aufgezeichnet und nichts vernichtet."),
    "camera": N_("Die Kamera ist nicht erreichbar oder angehalten. Es wird nicht aufgezeichnet."),
    "host": N_(
        "Diese Kamera wertet ein Rechner bei den Kameras aus, dessen Version noch nichts aufbewahrt. Bis er aktualisiert ist, wird jedes "
        "Ereignis gemeldet statt aufgezeichnet."
    ),
}
ALERT_PROBLEMS: Mapping[str, str] = {
    "late": N_("Jemand anders war schneller. Die Seite zeigt den neuen Stand; Ihre Eingabe wurde nicht übernommen."),
    "over": N_("Das lässt sich nicht mehr zurücknehmen: Es sind mehr als zehn Sekunden vergangen, oder es ging schon weiter."),
    "text": N_("Bitte schreiben Sie, was veranlasst wurde."),
    "outcome": N_("Bitte wählen Sie ein Ergebnis."),
    "reason": N_("Bitte nennen Sie einen Grund."),
    **RECORDING_PROBLEMS,
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
    "cell": N_("Die Auswertung dieser Kamera ist ausgefallen und wird neu gestartet."),
    "host-away": N_("Der Rechner bei den Kameras, der diese Kamera auswertet, ist nicht erreichbar. Fällt er aus, übernimmt ein anderer."),
    "host-none": N_("Kein Rechner bei den Kameras wertet diese Kamera aus: Es ist keiner da, der sie erreicht und Platz hat."),
    "broker-away": N_("Die Verbindung zu den Rechnern bei den Kameras ist unterbrochen. Bitte den Broker und das Netz prüfen."),
    "refused": N_("Die Kamera ist nicht erreichbar. Bitte Strom, Netz und Adresse prüfen."),
    "stalled": N_("Die Kamera ist verbunden, sendet aber nichts."),
    "ended": N_("Die Kamera hat die Übertragung beendet."),
    "unreadable": N_("Was die Kamera sendet, ist kein lesbares Video."),
    "password": N_("Die Kamera nimmt Benutzer oder Kennwort nicht an. Bitte beides an der Kamera und in der Anlagendatei prüfen."),
    "address": N_("Die Kamera kennt diese Adresse nicht. Bitte den Pfad des Stroms in der Anlagendatei prüfen."),
    "busy": N_("Die Kamera bedient schon zu viele Betrachter. Bitte andere Verbindungen zu ihr beenden oder die Kamera neu starten."),
    "transport": N_(
        "Auf dem eingestellten Weg kommt von der Kamera kein Bild. Bitte transport der Kamera in der Anlagendatei ändern (tcp geht meist), "
        "den Weg an der Kamera einschalten, oder die Firewall prüfen."
    ),
    "redirected": N_(
        "Die Kamera verweist auf einen anderen Rechner oder Port; dorthin wird nicht verbunden. Bitte die richtige Adresse eintragen."
    ),
    "certificate": N_(
        "Das Zertifikat der Kamera ist nicht das erwartete. Bitte authority oder fingerprint der Kamera in der Anlagendatei prüfen."
    ),
    "view": N_("Die beiden Ströme der Kamera zeigen nicht dasselbe. Bitte an der Kamera für beide denselben Ausschnitt einstellen."),
    "codec": N_("Was die Kamera sendet, kann niemand hier lesen. Bitte an der Kamera H.264 oder H.265 einstellen."),
    "silent": N_(
        "Unter dieser Adresse nimmt jemand Verbindungen an, antwortet aber nicht. Bitte Adresse und Anschluss prüfen, dann die Kamera neu "
        "starten."
    ),
    "answer": N_("Die Kamera antwortet mit einem Fehler. Bitte Adresse und Einstellungen der Kamera prüfen und sie neu starten."),
    "no-detector": N_("Das Detektor-Modell fehlt oder wurde verändert. Bitte neu installieren."),
    "fault": N_("Die Auswertung ist gestört. Sie wird von selbst neu begonnen."),
}

UNRECORDABLE = N_("zeichnet nicht auf")
# Also the reason with which a WebSocket ends: 123 bytes at most.
TOO_MANY_STREAMS = N_("In dieser Sitzung sind zu viele Fenster offen. Bitte schließen Sie einige.")

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

CASE_WORDS: Mapping[str, str] = {
    "recording": N_("wird aufgezeichnet"),
    "waiting": N_("wartet auf Erstsichtung"),
    "second": N_("wartet auf Zweitsichtung"),
    "third": N_("wartet auf dritte Stimme"),
    "held": N_("Vorfall, gesperrt"),
    "quarantined": N_("in Quarantäne"),
    "destroying": N_("wird vernichtet"),
    "destroyed": N_("vernichtet"),
}
VERDICT_WORDS: Mapping[str, str] = {
    "no-incident": N_("kein Vorfall"),
    "false-alarm": N_("Fehlalarm"),
    "incident": N_("Vorfall"),
}
GROUND_WORDS: Mapping[str, str] = {
    "straftat": N_("Verfolgung einer Straftat"),
    "rechtsanspruch": N_("Geltendmachung eines Rechtsanspruchs"),
    "schutzwuerdiges_interesse": N_("schutzwürdiges Interesse einer betroffenen Person"),
}
BASIS_WORDS: Mapping[str, str] = {
    "strafverfolgung": N_("Verfolgung einer Straftat"),
    "gefahrenabwehr": N_("Abwehr einer Gefahr für die öffentliche Sicherheit"),
    "gesetzlich": N_("gesetzlich angeordnet"),
    "betroffener": N_("eigene Daten einer betroffenen Person (Art. 15)"),
    "ordnungswidrigkeit": N_("Ordnungswidrigkeit"),
}
SHRED_WORDS: Mapping[str, str] = {
    "harmless": N_("kein Vorfall nach Sichtung"),
    "unreviewed": N_("Frist abgelaufen, nicht gesichtet"),
    "hold-expired": N_("Löschsperre abgelaufen"),
    "hold-released": N_("Löschsperre von zwei Personen aufgehoben"),
    "erasure": N_("Löschung auf Antrag der betroffenen Person"),
    "unsafe-redaction": N_("von einer älteren Version verpixelt, nicht sicher genug"),
    "discarded": N_("aus der Quarantäne von zwei Personen verworfen"),
}
WEEKDAYS = (N_("Mo"), N_("Di"), N_("Mi"), N_("Do"), N_("Fr"), N_("Sa"), N_("So"))
RECEIPT_FILE = N_("Loeschprotokoll-Vorgang")
PACKAGE_FILE = N_("Beweispaket-Vorgang")
DENSITY_WORDS: Mapping[str, str] = {
    "monitor": N_("Überwachen"),
    "detect": N_("Detektieren"),
    "observe": N_("Beobachten"),
    "recognise": N_("Wiedererkennen"),
    "identify": N_("Identifizieren"),
    "inspect": N_("Begutachten"),
}
CAUSE_MANUAL = N_("von Hand angeordnet")
MODE_WORDS: Mapping[str, str] = {"sealed": N_("versiegelt"), "anonymous": N_("anonym, nur verpixelt")}
TROUBLE_WORDS: Mapping[str, str] = {
    "busy": N_("Die Datenbank ist gerade belegt, zum Beispiel durch eine Sicherung. Bitte versuchen Sie es gleich noch einmal."),
    "full": N_("Der Datenträger ist voll, es konnte nichts gespeichert werden. Bitte die Administration verständigen."),
    "store": N_("Es konnte nicht gespeichert oder gelesen werden. Bitte die Administration verständigen; die Seite „Zustand“ sagt mehr."),
    "fault": N_("Das ist ein Fehler in Blickschutz. Er wurde aufgezeichnet. Bitte die Administration verständigen."),
}
EVENT_WORDS: Mapping[str, str] = {
    **ACCOUNT_EVENTS,
    **CLOCK_EVENTS,
    **REQUEST_EVENTS,
    **SENSITIVITY_EVENTS,
    **SETTINGS_EVENTS,
    "system-started": N_("System gestartet"),
    "system-ended": N_("System beendet"),
    "camera-stopped": N_("Kamera angehalten"),
    "camera-resumed": N_("Kamera wieder gestartet"),
    "regime-set": N_("Regelung von Hand gesetzt"),
    "regime-released": N_("Regelung zurück zum Plan"),
    "signed-in": N_("angemeldet"),
    "sign-in-refused": N_("Anmeldung abgelehnt"),
    "signed-out": N_("abgemeldet"),
    "password-changed": N_("Kennwort geändert"),
    "refusals-counted": N_("Abweisungen gezählt"),
    "witness-bound": N_("Zeuge des Protokolls eingetragen"),
    "anchor-failed": N_("Protokoll nicht bezeugt"),
    "anchored-again": N_("Protokoll wieder bezeugt"),
    "access-refused": N_("Zugriff abgelehnt"),
    "reviewer-enrolled": N_("Sichter eingetragen"),
    "reviewer-left": N_("Sichter ausgeschieden"),
    "passphrase-changed": N_("Sichtungskennwort geändert"),
    "passphrase-refused": N_("Sichtungskennwort am Schlüsselplatz abgewiesen"),
    "key-presented": N_("Schlüssel vorgelegt"),
    "reviewers-founded": N_("Verzeichnis derer, die sichten, gegründet"),
    "reviewer-confirmed": N_("Schlüssel bestätigt"),
    "reviewer-revoked": N_("Schlüssel zählt nicht mehr"),
    "register-broken": N_("Verzeichnis derer, die sichten, ist nicht, wie es war"),
    "alert-decided": N_("Meldung entschieden"),
    "shift-noted": N_("Eintrag ins Schichtbuch"),
    "plan-proposed": N_("Grundriss vorgeschlagen"),
    "plan-set": N_("Grundriss in Kraft gesetzt"),
    "setup-looked": N_("Verpixeltes Bild zum Einrichten angesehen"),
    "camera-tried": N_("Kamera-Adresse ausprobiert"),
    "cameras-sought": N_("Kameras im Netz gesucht"),
    "recording-ordered": N_("Aufzeichnung angeordnet"),
    "recording-refused": N_("Aufzeichnung nicht möglich"),
    "recording-failed": N_("Aufzeichnung nicht zustande gekommen"),
    "work-trouble": N_("Störung eines Teils der Anlage"),
    "recording-closed": N_("Aufzeichnung beendet"),
    "case-opened": N_("Vorgang angelegt"),
    "case-seen": N_("Vorgang angesehen"),
    "room-opened": N_("Sichtungsraum geöffnet"),
    "room-closed": N_("Sichtungsraum geschlossen"),
    "seat-taken": N_("Platz im Sichtungsraum eingenommen"),
    "seat-refused": N_("Platz im Sichtungsraum verweigert"),
    "clip-opened": N_("Clip zu zweit geöffnet"),
    "clip-unreadable": N_("Clip nicht lesbar"),
    "clip-shown": N_("Clip einer Person gezeigt"),
    "verdict-given": N_("Bewertung abgegeben"),
    "case-decided": N_("Vorgang entschieden"),
    "unmask-asked": N_("Entpixelung beantragt"),
    "unmask-granted": N_("Entpixelung zugelassen"),
    "unmask-refused": N_("Entpixelung abgelehnt"),
    "unmask-ended": N_("Entpixelung beendet"),
    "unmask-quota-passed": N_("Kontingent der Entpixelungen überschritten"),
    "hold-set": N_("Löschsperre gesetzt"),
    "hold-proposed": N_("Löschsperre vorgeschlagen"),
    "hold-released": N_("Löschsperre aufgehoben"),
    "hold-restored": N_("Löschsperre aus der Datei beim Clip wiederhergestellt"),
    "quarantined": N_("in Quarantäne gestellt"),
    "quarantine-proposed": N_("Entscheidung über die Quarantäne vorgeschlagen"),
    "quarantine-released": N_("aus der Quarantäne zur Sichtung freigegeben"),
    "quarantine-overdue": N_("Quarantäne wartet zu lange auf eine Entscheidung"),
    "note-damaged": N_("Datei mit der Löschsperre beim Clip ist beschädigt"),
    "came-back": N_("vernichteter Clip ist wieder da, wird erneut vernichtet"),
    "deadline-near": N_("Frist läuft bald ab"),
    "shred-ordered": N_("Vernichtung angeordnet"),
    "shredded": N_("vernichtet, Löschprotokoll"),
    "shred-failed": N_("lässt sich nicht vernichten"),
    "release-asked": N_("Herausgabe beantragt"),
    "release-refused": N_("Herausgabe abgelehnt"),
    "released": N_("Beweispaket erstellt"),
    "release-fetched": N_("Beweispaket abgeholt"),
    "log-seen": N_("Protokoll angesehen"),
    "log-exported": N_("Protokoll exportiert"),
    "log-erased": N_("Einträge des Protokolls nach Ablauf ihrer Frist gelöscht"),
    "outage-began": N_("Kamera ausgefallen"),
    "outage-ended": N_("Ausfall einer Kamera beendet"),
    "disk-full": N_("Speicher voll"),
    "missing-file": N_("Datei eines Vorgangs fehlt"),
    "missing-row": N_("Datei ohne Vorgang gefunden"),
    "loss-found": N_("Verlust festgestellt, sicherer Betrieb"),
    "loss-seen": N_("Verlust von einer Person zur Kenntnis genommen"),
    "loss-accepted": N_("Verlust zu zweit hingenommen"),
    "key-replaced": N_("Schlüssel der Anlage ersetzt"),
    "documents-printed": N_("Dokumente gedruckt"),
    **FACT_EVENTS,
    "pictures-renewed": N_("gespeicherte verpixelte Bilder geprüft"),
    "data-moved": N_("Datenordner verschoben"),
    "programs-changed": N_("Version der Programme gewechselt"),
    "recovery-made": N_("Wiederherstellungswort ausgegeben"),
    "recovery-removed": N_("Wiederherstellungswort entfernt"),
    "backup-made": N_("Sicherung erstellt"),
    "restore-tried": N_("Wiederherstellung erprobt"),
    "restored": N_("aus einer Sicherung wiederhergestellt"),
}


def cause_name(cause: str, language: str) -> str:
    """Why something was recorded: the neutral name of a situation, or that somebody ordered it."""
    return name(Kind(cause), language) if cause in set(Kind) else translator(language)(CAUSE_MANUAL)


def lasting(seconds: float, translate: Translate) -> str:
    """How long something has lasted, as people say it."""
    if seconds < 90:
        return translate(N_("{n} s")).format(n=max(0, round(seconds)))
    if seconds < 90 * 60:
        return translate(N_("{n} min")).format(n=round(seconds / 60))
    if seconds < 48 * 3600:
        return translate(N_("{n} h")).format(n=round(seconds / 3600))
    return translate(N_("{n} Tage")).format(n=round(seconds / 86400))


def remaining(seconds: float, translate: Translate) -> str:
    """What is left until a deadline, as people say it."""
    if seconds <= 0:
        return translate(N_("abgelaufen"))
    if seconds < 3600:
        return translate(N_("noch {n} min")).format(n=max(1, int(seconds // 60)))
    if seconds < 72.5 * 3600:
        return translate(N_("noch {n} h")).format(n=int(seconds // 3600))
    return translate(N_("noch {n} Tage")).format(n=int(seconds // 86400))
