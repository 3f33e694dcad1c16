"""What must be there before a field begins, what a risk is, until when what is kept."""

from __future__ import annotations

import calendar
import hashlib
from collections.abc import Iterable
from datetime import date

import msgspec

from stimmungsbild.law.model import Basis, Facts, Kept, Office, Risk, Role

# What the DSFA asks of each wave: name of the risk, what could happen, what the software does against it.
RISKS: dict[str, tuple[str, str, str]] = {
    "wiedererkennung": (
        "Wiedererkennung aus der Kombination von Angaben",
        "Stadtteil, Alter, Geschlecht und Staatsangehörigkeit zusammen treffen in kleinen Stadtteilen auf wenige Menschen zu.",
        "Antworten sind versiegelt und werden nur von zwei Personen gemeinsam geöffnet. Keine Zahl unter fünf wird gedruckt, jede "
        "Zahl geht "
        "durch dieselbe Geheimhaltung (Cell-Key-Verfahren mit Gegensperrung).",
    ),
    "mitlesen": (
        "Mitlesen auf dem Server",
        "Wer den Server betreibt oder in ihn einbricht, liest Antworten.",
        "Jede Antwort wird beim Eintreffen mit dem öffentlichen Schlüssel der Auswertung versiegelt; der geheime liegt nie auf dem Server.",
    ),
    "zuordnung": (
        "Zuordnung einer Antwort zu einer Person",
        "Zugangscode, Adresse des Geräts oder Zeitpunkt führen zu der Person, die geantwortet hat.",
        "Codes werden blind gezogen, niemand hat eine Liste von Codes und Menschen. Keine Geräteadresse, kein Gerät, kein Zeitpunkt "
        "feiner als "
        "ein Tag; verbrauchte Codes und Antworten stehen in keiner gemeinsamen Ordnung.",
    ),
    "freitext": (
        "Namen Dritter im freien Text",
        "Menschen nennen Namen, Kennzeichen oder Anschuldigungen.",
        "Der Hinweis steht am Feld. Namen, Nummern und Adressen werden entfernt, bevor jemand den Text zur Kodierung sieht; "
        "gedruckt werden "
        "nur Zahlen je Kategorie.",
    ),
    "besondere": (
        "Besondere Kategorien",
        "Angaben über erlebte Straftaten oder freier Text lassen auf Gesundheit, Sexualleben oder Herkunft schließen (Art. 9 DSGVO).",
        "Jede Frage kann ausgelassen werden. Solche Angaben werden nie mit anderen gekreuzt veröffentlicht.",
    ),
    "belastung": (
        "Belastung durch die Fragen",
        "Fragen nach erlebten Straftaten belasten Menschen, denen etwas geschehen ist.",
        "Teilnahme und jede Frage sind freiwillig; abbrechen geht jederzeit, gespeichert wird erst beim Absenden.",
    ),
    "stigma": (
        "Stigmatisierung von Orten und Gruppen",
        "Veröffentlichte Karten und Gruppenvergleiche bringen Orte oder Menschen in Verruf.",
        "Flächen erst ab zehn Menschen, keine Namen aus freiem Text, keine Angabe als Ursache.",
    ),
    "zweck": (
        "Verwendung als Beleg für Überwachung",
        "Ein Gefühl wird als Nachweis der Erforderlichkeit von Kameras benutzt.",
        "Die Datei der Zahlen sagt, wofür sie steht (Standpunkte der Betroffenen); die Videoanlage nimmt eine Befragung nicht als "
        "Vorfall an.",
    ),
    "dauer": (
        "Zu lange Aufbewahrung",
        "Rohantworten bleiben liegen, weil niemand an sie denkt.",
        "Was fällig ist, wird ohne Zutun vernichtet, mit unterschriebenem Beleg; mit dem Schlüssel auch jede Kopie der Antworten.",
    ),
}
_SAYS_LITTLE = 20
_HIGH = 9


def content(facts: Facts) -> str:
    """SHA-256 (hex) of everything but the approval: what the two people signed."""
    return hashlib.sha256(msgspec.json.encode(msgspec.structs.replace(facts, approval=type(facts.approval)()))).hexdigest()


def points(of: tuple[int, int]) -> int:
    """Severity times likelihood, 1 to 16."""
    return of[0] * of[1]


def high(risk: Risk) -> bool:
    """Whether the risk that is left is high, so that the supervisory authority must be asked before (Art. 36)."""
    return points(risk.after) >= _HIGH


def missing(facts: Facts) -> tuple[str, ...]:
    """Everything that must be there before a field begins and is not; in words. Documents are looked at elsewhere."""
    return tuple(_missing(facts))


def _missing(facts: Facts) -> Iterable[str]:
    if facts.begins > facts.ends:
        yield "begins: the field ends before it begins"
    if len(facts.purpose) < _SAYS_LITTLE:
        yield "purpose: say for what the answers are used"
    for name, office in (("controller", facts.controller), ("officer", facts.officer), ("authority", facts.authority)):
        yield from (f"{name}.{one} is empty" for one in _incomplete(office))
    yield from _parties(facts)
    yield from _grounds(facts)
    yield from (f"months.{one.value}: at least one month, at most 36" for one in Kept if not 1 <= months(facts, one) <= 36)
    yield from _assessed(facts)
    if not facts.operation.person or facts.operation.date is None:
        yield "operation: who saw that the proxy keeps no address and the disk is encrypted, and when"
    yield from _approved(facts)


def _incomplete(office: Office) -> list[str]:
    return [name for name in ("name", "address", "email") if not getattr(office, name).strip()]


def _parties(facts: Facts) -> Iterable[str]:
    roles = [one.role for one in facts.parties]
    if roles.count(Role.CONTROLLER) != 1:
        yield "parties: exactly one is the controller"
    if len(roles) < 2:
        yield "parties: who evaluates, and as what (processor, Art. 28, or joint controller, Art. 26)"
    for one in facts.parties:
        if one.role is not Role.CONTROLLER and one.agreed is None:
            yield f"parties: the agreement with {one.name} ({'Art. 26' if one.role is Role.JOINT else 'Art. 28'}) has no day"
        if len(one.does) < _SAYS_LITTLE:
            yield f"parties: say what {one.name} does"


def _grounds(facts: Facts) -> Iterable[str]:
    if facts.grounds.kind is None:
        yield "grounds.kind: consent or public-task; the town decides"
    for name in ("ordinary", "special", "register"):
        one = getattr(facts.grounds, name)
        if not one.norm or len(one.reason) < _SAYS_LITTLE:
            yield f"grounds.{name}: its norm, and why it carries this"
    if facts.grounds.kind is Basis.CONSENT and "6 Abs. 1" in facts.grounds.ordinary.norm and "Buchst. a" not in facts.grounds.ordinary.norm:
        yield "grounds.ordinary: consent is Art. 6 Abs. 1 Buchst. a DSGVO"


def _assessed(facts: Facts) -> Iterable[str]:
    known = {one.id: one for one in facts.risks}
    yield from (f"risks: nobody assessed {one}" for one in RISKS if one not in known)
    yield from (f"risks: {one} is not in the catalogue" for one in known if one not in RISKS)
    for one in known.values():
        if not all(1 <= value <= 4 for value in (*one.before, *one.after)):
            yield f"risks: {one.id}: severity and likelihood are 1 to 4"
        if not one.person or not one.reason:
            yield f"risks: {one.id}: who found that, and why"
    if any(high(one) for one in facts.risks) and facts.advice.consulted is None:
        yield "advice.consulted: a high risk is left, so the supervisory authority is asked before (Art. 36)"
    if not facts.advice.person or facts.advice.date is None:
        yield "advice: what the data protection officer advised (Art. 35 Abs. 2), and when"


def _approved(facts: Facts) -> Iterable[str]:
    one = facts.approval
    names = {" ".join(name.lower().split()) for name in (one.first, one.second)}
    if len(names) < 2 or "" in names or one.date is None:
        yield "approval: two people, and the day on which they signed"
    if facts.officer.name and " ".join(facts.officer.name.lower().split()) in names:
        yield "approval: the data protection officer advises and does not approve"
    if one.content != content(facts):
        yield f"approval.content: they signed other facts; of these it is {content(facts)}"


def months(facts: Facts, what: Kept) -> int:
    """How long something is kept after the field."""
    return int(getattr(facts.months, what.value))


def due(facts: Facts, what: Kept) -> date:
    """The first day on which it must be destroyed."""
    year, month = divmod(facts.ends.year * 12 + facts.ends.month - 1 + months(facts, what), 12)
    return date(year, month + 1, min(facts.ends.day, calendar.monthrange(year, month + 1)[1]))
