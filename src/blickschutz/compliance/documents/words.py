"""What several documents say in the same way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from blickschutz.compliance.documents import remains
from blickschutz.compliance.documents.model import Plan, Sentence, fact, missing, say, setting, test
from blickschutz.compliance.facts import FactKind, Office, Purpose
from blickschutz.compliance.model import Grounds
from blickschutz.regime.model import Mode

OPEN = "OFFEN"
NECESSITY = FactKind.NECESSITY_REVIEW
BASIS = "§ 21 LDSG RLP i. V. m. Art. 6 Abs. 1 lit. e DSGVO"
PURPOSES = {
    Purpose.PUBLIC_TASK: "Wahrnehmung einer öffentlichen Aufgabe",
    Purpose.HOUSE_RIGHT: "Wahrnehmung des Hausrechts",
    Purpose.PROPERTY: "Schutz des Eigentums und Kontrolle des Zugangs",
}
PURPOSES_EN = {
    Purpose.PUBLIC_TASK: "performance of a task in the public interest",
    Purpose.HOUSE_RIGHT: "exercise of the right to determine who may be on the premises",
    Purpose.PROPERTY: "protection of property and control of access",
}


TO_VERIFY = (
    ("Wortlaut von § 21 LDSG RLP, auf den sich Zwecke, Hinweis, Speicherfrist und Informationspflicht stützen.", "§ 21 LDSG RLP"),
    (
        "Ob Meldungen ohne Bild, Namen und Notiz als aus Aufnahmen gefertigte Unterlagen gelten (zwei Monate).",
        "§ 21 Abs. 5 LDSG RLP",
    ),
    ("Mitbestimmung bei technischen Einrichtungen: Nummer im LPersVG Rheinland-Pfalz.", "§ 80 LPersVG RLP (Nummer zu prüfen)"),
    ("Wie lange Anfragen Betroffener als Nachweis aufbewahrt werden dürfen.", "Art. 5 Abs. 2 DSGVO"),
    ("Rechtsbehelfsbelehrung bei der Ablehnung eines Antrags.", "§ 37 Abs. 6 VwVfG, § 58 VwGO"),
)
"""Law that could not be read offline: the one list of it. What hangs on its wording is printed with "zu prüfen"."""
_OFFICES = {"controller": "Verantwortlicher", "data_protection_officer": "Datenschutzbeauftragte"}


def day(at: date, language: str) -> str:
    """A day as a document writes it."""
    return f"{at:%d.%m.%Y}" if language == "de" else f"{at:%d %B %Y}"


def either(language: str) -> Callable[[str, str], str]:
    """Chooses between a German and an English text."""
    return lambda german, english: english if language == "en" else german


def office(who: Office | None, name: str) -> Sentence:
    """Name, address, telephone and mail of an office (a section of the facts file), or OFFEN."""
    title = _OFFICES[name]
    if who is None:
        return missing(f"{title} mit Anschrift, Telefon und E-Mail", fact(name))
    return say(f"{title}: {who.name}, {who.address}, Telefon {who.phone}, {who.email}", fact(name))


def recorded(g: Grounds, kind: FactKind, about: str) -> Sentence:
    """What a recorded fact says, with its day and person, or OFFEN."""
    found = g.facts.newest(kind)
    if found is None:
        return missing(about, fact(kind))
    text = f" {found.text}" if found.text else ""
    return say(f"{about}: {found.date:%d.%m.%Y}, {found.person}.{text}", fact(kind))


def retention(g: Grounds) -> list[Sentence]:
    """Limits of what is stored."""
    kept = g.site.retention
    return [
        say(f"Was niemand gesichtet hat, wird nach {kept.unreviewed_hours} Stunden vernichtet.", setting("retention.unreviewed_hours")),
        say(
            f"Spätestens nach {kept.hard_limit_days} Tagen und nie später als zwei Kalendermonate nach der Aufnahme wird alles vernichtet, "
            "was nicht gesperrt ist.",
            setting("retention.hard_limit_days"),
            test("tests/unit/test_periods.py"),
        ),
    ]


def redaction(g: Grounds) -> Sentence:
    """How people are redacted."""
    return say(
        f"Personen werden in jedem Bild selbsttätig verpixelt ({remains.described(g)}), bevor es die Kamerazelle verlässt.",
        setting("redaction.style"),
        setting("redaction.colour"),
        setting("cameras.colour"),
    )


def stored(g: Grounds) -> bool:
    """Whether anything unredacted is ever stored."""
    return Mode.SEALED in (g.site.regimes.day.mode, g.site.regimes.night.mode)


def plan(g: Grounds, english: bool = False) -> Plan | Sentence:
    """The site plan, or OFFEN where no camera has a place on it."""
    evidence = (setting("cameras.plan"), setting("site.building"), fact("signs"), fact("ways"))
    placed = [camera for camera in g.site.cameras if camera.plan is not None]
    if not placed:
        return missing("site plan" if english else "Lageplan", *evidence)
    if english:
        text = f"Site plan: {len(placed)} cameras with their fields of view, {len(g.facts.ways)} ways, {len(g.facts.signs)} signs."
    else:
        text = f"Lageplan: {len(placed)} Kameras mit Sichtfeldern, {len(g.facts.ways)} Wege, {len(g.facts.signs)} Schilder."
    return Plan(say(text, *evidence))
