"""Versammlungslage: who stops which camera at an assembly, when, and how that is proven (Art. 8 GG)."""

from __future__ import annotations

from blickschutz.access.model import Permission, Role
from blickschutz.access.rules import PERMISSIONS
from blickschutz.audit.model import Entry, Event
from blickschutz.compliance.documents import words
from blickschutz.compliance.documents.model import Document, Section, Sentence, Table, event, fact, law, missing, rule, say, setting, test
from blickschutz.compliance.facts import FactKind
from blickschutz.compliance.model import Grounds

_MOST = 20
_DAYS = 365.0
_ROLES = {
    Role.CONTROL_ROOM: "Leitstelle",
    Role.REVIEW: "Sichtung",
    Role.SUPERVISION: "Aufsicht",
    Role.ADMINISTRATION: "Administration",
    Role.DATA_PROTECTION: "Datenschutz",
}
_FREE = law("Art. 8 GG")


def assemblies(g: Grounds) -> Document:
    """The paper for the day of an assembly, with a table that is filled in by hand."""
    sections = (
        Section(
            "Worum es geht",
            (
                say(
                    "Wer damit rechnet, bei einer Versammlung gefilmt zu werden, bleibt ihr vielleicht fern. Das gilt auch für Kameras, "
                    "die aus anderem Grund an diesem Ort hängen.",
                    _FREE,
                    words.ASSEMBLIES.evidence,
                ),
                *words.to_verify(words.ASSEMBLIES),
            ),
        ),
        Section(
            "Was festgelegt ist",
            (
                words.recorded(g, FactKind.ASSEMBLIES, "Regelung für Versammlungen: wer entscheidet, welche Kameras, ab wann, bis wann"),
                say(
                    "Von selbst erkennt die Anlage keine Versammlung und hält nichts an; das tun Menschen. Eine Ansammlung kann sie melden "
                    "oder, je nach Betrieb, aufzeichnen, solange die Kamera läuft.",
                    setting("cameras.zones.rules"),
                    setting("regimes.night.on_situation"),
                    rule("KI-08"),
                ),
            ),
        ),
        Section("Wer zuständig ist", (_people(g),)),
        Section(
            "Wie angehalten wird",
            (
                say(
                    f"Anhalten können: {_who(Permission.STOP)}; eine Kamera oder alle, mit Grund. Wieder freigeben: "
                    f"{_who(Permission.RESUME)}.",
                    test("tests/unit/test_access.py"),
                    rule("KI-08"),
                ),
                say(
                    "Eine angehaltene Kamera zeigt und speichert nichts. Was sie vorher aufgezeichnet hat, bleibt bis zu seiner Frist. "
                    "Angehalten bleibt sie auch nach einem Neustart, bis jemand sie freigibt.",
                    event(Event.CAMERA_STOPPED),
                    test("tests/unit/test_keeping.py"),
                ),
                say(
                    "Ob eine Kamera angehalten ist, sieht man ihr nicht an. Vorschlag: der Versammlungsleitung sagen, welche Kameras "
                    "angehalten sind, oder sie sichtbar verdecken.",
                    _FREE,
                ),
            ),
        ),
        Section(
            "Am Tag auszufüllen",
            (
                Table(
                    ("Kamera", "angehalten um", "durch", "freigegeben um", "durch", "verdeckt"),
                    tuple(((camera.name, *[" "] * 5), (setting("cameras.name"), _FREE)) for camera in g.site.cameras),
                ),
            ),
        ),
        Section("Nachweis aus dem Protokoll", tuple(_stops(g))),
    )
    return Document(
        "versammlungslage",
        "Sicherheitskonzept für Versammlungen",
        "de",
        "Art. 8 GG",
        sections,
        signers=("Verantwortlicher", "Ordnungsamt", "Datenschutzbeauftragte"),
        reticent=True,
    )


def _who(permission: Permission) -> str:
    return ", ".join(_ROLES[role] for role in _ROLES if role in PERMISSIONS[permission])


def _people(g: Grounds) -> Sentence | Table:
    """Those who may stop and resume, by name, as the concept of roles has them."""
    found = [one for one in g.facts.assignments if one.role in PERMISSIONS[Permission.RESUME]]
    if not found:
        return missing("Namen und Vertretung derer, die anhalten und freigeben", fact("assignments"))
    rows = tuple(((_ROLES[one.role], one.person, words.or_open(one.deputy)), (fact("assignments"),)) for one in found)
    return Table(("Rolle", "Person", "Vertretung"), rows)


def _stops(g: Grounds) -> list[Sentence | Table]:
    """When cameras were stopped and resumed within a year, with the reason that was given."""
    evidence = (event(Event.CAMERA_STOPPED), event(Event.CAMERA_RESUMED))
    if not g.started:
        return [missing("Die Anlage lief noch nicht; es gibt kein Protokoll", *evidence)]
    entries = [*g.entries(Event.CAMERA_STOPPED, _DAYS), *g.entries(Event.CAMERA_RESUMED, _DAYS)]
    entries.sort(key=lambda one: one.number, reverse=True)
    if not entries:
        return [say("Im letzten Jahr wurde keine Kamera angehalten.", *evidence)]
    names = {camera.id: camera.name for camera in g.site.cameras}
    rows = tuple((_row(g, one, names), (event(one.event),)) for one in entries[:_MOST])
    return [Table(("Zeit", "Kamera", "was", "Grund"), rows)]


def _row(g: Grounds, one: Entry, names: dict[str, str]) -> tuple[str, ...]:
    what = "angehalten" if one.event is Event.CAMERA_STOPPED else "freigegeben"
    return words.moment(g, one.at), names.get(one.subject, "alle"), what, words.or_open(str(one.facts.get("reason", "")))
