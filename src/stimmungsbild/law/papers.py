"""The papers, from the facts: impact assessment, record of processing, roles, consent or basis, retention. German, as offices file them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from stimmungsbild.law.model import Basis, Facts, Kept, Office, Role
from stimmungsbild.law.rules import RISKS, content, due, high, missing, months, points

OPEN = "OFFEN"
_ROLES = {Role.CONTROLLER: "Verantwortlicher (Art. 4 Nr. 7)", Role.JOINT: "gemeinsam verantwortlich (Art. 26)"}
_ROLES |= {Role.PROCESSOR: "Auftragsverarbeiter (Art. 28)"}
KEPT = {
    Kept.ANSWERS: "Antworten (versiegelt) und der Schlüssel der Auswertung",
    Kept.TEXTS: "freie Texte, von Namen befreit, bis zur Kodierung",
    Kept.LOG: "Protokoll der Bereinigung",
    Kept.SCANS: "eingelesene Papierbögen",
}


@dataclass(frozen=True, slots=True)
class Part:
    """A heading with its paragraphs, and a table (head and rows) where there is one."""

    title: str
    lines: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """One paper. `key` is the name of its file."""

    key: str
    title: str
    basis: str
    parts: tuple[Part, ...]


def _day(one: date | None) -> str:
    return f"{one.day}.{one.month}.{one.year}" if one else OPEN


def _office(one: Office) -> str:
    return ", ".join(part or OPEN for part in (one.name, one.address, one.email)) + (f", {one.phone}" if one.phone else "")


def _kept(facts: Facts) -> Part:
    rows = tuple((name, f"{months(facts, one)} Monate nach dem Feld", _day(due(facts, one))) for one, name in KEPT.items())
    codes = ("Zugangscodes", "nur als Prüfsumme, bis zum Ende des Feldes", _day(facts.ends))
    lines = ("Was fällig ist, vernichtet das Programm ohne Zutun und schreibt einen unterschriebenen Beleg, der auf den vorigen verweist.",)
    return Part("Fristen und Vernichtung", lines, ("was", "wie lange", "vernichtet ab"), (codes, *rows))


def _bases(facts: Facts) -> Part:
    kind = {Basis.CONSENT: "Einwilligung", Basis.PUBLIC_TASK: "öffentliche Aufgabe", None: OPEN}[facts.grounds.kind]
    named = (("Befragung", facts.grounds.ordinary), ("besondere Kategorien", facts.grounds.special), ("Ziehung", facts.grounds.register))
    rows = tuple((what, one.norm or OPEN, one.reason or OPEN) for what, one in named)
    return Part("Rechtsgrundlage", (f"Gewählt ist: {kind}.",), ("wofür", "Norm", "warum sie trägt"), rows)


def _roles(facts: Facts) -> Part:
    rows = tuple((one.name, _ROLES[one.role], one.does, "" if one.role is Role.CONTROLLER else _day(one.agreed)) for one in facts.parties)
    return Part("Beteiligte und Rollen", (), ("wer", "als was", "tut was", "Vereinbarung vom"), rows or ((OPEN, OPEN, OPEN, OPEN),))


_DATA = (
    "Sicherheitsgefühl an Orten, Störungen, Sorgen, Verhalten, erlebte Straftaten, Vertrauen, freier Text",
    "Stadtteil, Alter in vier Gruppen, Geschlecht, Staatsangehörigkeit ja oder nein",
)
_MEASURES = (
    "Versiegelung jeder Antwort beim Eintreffen; Öffnen nur durch zwei Personen gemeinsam, an einem Rechner ohne Netz",
    "keine Geräteadresse, kein Gerät, kein Zeitpunkt feiner als ein Tag, kein Cookie",
    "Codes blind gezogen und nur als Prüfsumme gespeichert; Stapel gemischt",
    "Zahlen nur durch ein Verfahren der Geheimhaltung, keine unter fünf",
    "eigener Server, eigene Konten, eigene Schlüssel; keine Verbindung zur Videoanlage",
)


def impact(facts: Facts) -> Document:
    """The data protection impact assessment (Art. 35(7))."""
    found = {one.id: one for one in facts.risks}
    rows = []
    for name, (title, what, against) in RISKS.items():
        one = found.get(name)
        before = f"{one.before[0]} × {one.before[1]} = {points(one.before)}" if one else OPEN
        after = f"{one.after[0]} × {one.after[1]} = {points(one.after)}{' (hoch)' if high(one) else ''}" if one else OPEN
        said = f"{one.reason} ({one.person}, {_day(one.date)})" if one else OPEN
        rows.append((title, what, against, before, after, said))
    advice = facts.advice
    asked = "nötig vor Beginn" if any(map(high, facts.risks)) else "nicht nötig, kein hohes Restrisiko festgestellt"
    if not facts.risks:
        asked = OPEN
    return Document(
        "dsfa",
        f"Datenschutz-Folgenabschätzung der Befragung {facts.wave}",
        "Art. 35 DSGVO",
        (
            Part(
                "Beschreibung (Abs. 7 Buchst. a)",
                (
                    facts.purpose,
                    f"Feld vom {_day(facts.begins)} bis {_day(facts.ends)}. Drei Zugänge, nie vermengt: Briefe an zufällig gezogene "
                    f"Menschen, "
                    "offener Zugang, aufsuchende Befragung.",
                    "Daten: " + "; ".join(_DATA) + ".",
                ),
            ),
            _roles(facts),
            _bases(facts),
            Part(
                "Notwendigkeit und Verhältnismäßigkeit (Abs. 7 Buchst. b)",
                (
                    "Ohne Angaben zu Stadtteil, Alter und Geschlecht lassen sich die Antworten nicht auf die Stadt beziehen. "
                    "Genaueres wird "
                    "nicht gefragt: kein Geburtsjahr, keine Straße, kein Herkunftsland.",
                    "Jede Frage kann ausgelassen werden. Ein milderes Mittel mit gleicher Aussage (Zählung von Vorfällen) misst "
                    "kein Gefühl.",
                ),
            ),
            Part(
                "Risiken und Maßnahmen (Abs. 7 Buchst. c und d)",
                ("Schwere mal Wahrscheinlichkeit, je 1 bis 4; ab 9 hoch.",),
                ("Risiko", "was geschehen kann", "Maßnahme", "vorher", "nachher", "festgestellt"),
                tuple(rows),
            ),
            _kept(facts),
            Part(
                "Rat und Anhörung",
                (
                    f"Datenschutzbeauftragte (Abs. 2): {advice.person or OPEN}, {_day(advice.date)}.",
                    f"Aufsichtsbehörde (Art. 36): {asked}{f'; gefragt am {_day(advice.consulted)}' if advice.consulted else ''}.",
                    f"Proxy ohne Adressen und verschlüsselte Platte gesehen: {facts.operation.person or OPEN}, "
                    f"{_day(facts.operation.date)}.",
                ),
            ),
            _signatures(facts),
        ),
    )


def _signatures(facts: Facts) -> Part:
    one = facts.approval
    signed = f"{one.first or OPEN} und {one.second or OPEN}, {_day(one.date)}"
    valid = one.content == content(facts) and not missing(facts)
    state = "Freigegeben für diese Angaben." if valid else "Noch nicht freigegeben: Es fehlt etwas, oder die Angaben änderten sich seither."
    return Part("Freigabe", (f"Prüfsumme der Angaben: {content(facts)}", f"Unterschrieben: {signed}.", state))


def record(facts: Facts) -> Document:
    """The record of processing activities (Art. 30(1))."""
    rows = (
        ("Verantwortlicher", _office(facts.controller)),
        ("Datenschutzbeauftragte", _office(facts.officer)),
        ("Zweck", facts.purpose),
        ("Betroffene", "Einwohnerinnen und Einwohner ab 16 Jahren, die antworten; bei der Ziehung: die gezogenen Menschen"),
        ("Daten", "; ".join(_DATA)),
        ("Empfänger", "; ".join(one.name for one in facts.parties if one.role is not Role.CONTROLLER) or OPEN),
        ("Drittland", "keine Übermittlung"),
        ("Löschfristen", "; ".join(f"{name}: {_day(due(facts, one))}" for one, name in KEPT.items())),
        ("Maßnahmen (Art. 32)", "; ".join(_MEASURES)),
    )
    return Document(
        "vvt",
        "Verzeichnis von Verarbeitungstätigkeiten: Befragung",
        "Art. 30 Abs. 1 DSGVO",
        (Part("Angaben", (), ("Angabe", "Wert"), rows),),
    )


def roles(facts: Facts) -> Document:
    """Who is what, and who does what."""
    lines = (
        "Die Briefe zieht, wer das Register führt; Codes und Umschläge werden ohne Aufzeichnung gemischt.",
        "Der Schlüssel der Auswertung gehört mehreren Personen aus mehr als einer Stelle; zwei öffnen gemeinsam, keine allein.",
        f"Anfragen Betroffener beantwortet {facts.controller.name or OPEN}. Eine abgesendete Antwort lässt sich niemandem mehr zuordnen "
        "(Art. 11 DSGVO).",
    )
    return Document("rollen", "Rollen in der Befragung", "Art. 26 und 28 DSGVO", (_roles(facts), Part("Abläufe", lines)))


def basis(facts: Facts) -> Document:
    """On what it rests, and how consent is given where it rests on consent."""
    consent = (
        "Eingewilligt wird durch Absenden des Bogens, nach der Information. Ein Widerruf nach dem Absenden kann keine Antwort mehr finden, "
        "weil niemand weiß, wessen sie ist; darauf weist die Information vor dem Beginn hin.",
    )
    public = ("Es wird keine Einwilligung eingeholt. Teilnahme bleibt freiwillig; wer nicht antwortet, hat keinen Nachteil.",)
    said = {Basis.CONSENT: consent, Basis.PUBLIC_TASK: public, None: (OPEN,)}[facts.grounds.kind]
    return Document(
        "rechtsgrundlage", "Rechtsgrundlage und Einwilligung", "Art. 6, 7 und 9 DSGVO", (_bases(facts), Part("Durchführung", said))
    )


def retention(facts: Facts) -> Document:
    """What is kept until when."""
    return Document("loeschkonzept", "Aufbewahrung und Vernichtung der Befragung", "Art. 5 Abs. 1 Buchst. e DSGVO", (_kept(facts),))


PAPERS: tuple[Callable[[Facts], Document], ...] = (impact, record, roles, basis, retention)
