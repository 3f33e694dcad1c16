"""What several documents say in the same way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from blickschutz.audit.model import Event
from blickschutz.compliance.documents import remains
from blickschutz.compliance.documents.model import Evidence, Plan, Sentence, event, fact, law, missing, rule, say, setting, test
from blickschutz.compliance.facts import Fact, FactKind, Office, Purpose
from blickschutz.compliance.model import Grounds
from blickschutz.compliance.policy.signed import is_signed
from blickschutz.compliance.reports.suppression import Suppressor
from blickschutz.regime.model import Mode

OPEN = "OFFEN"
UNSIGNED = "noch nicht von zwei Personen unterschrieben"
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


@dataclass(frozen=True, slots=True)
class Unverified:
    """Law whose wording could not be read offline: which norm, and what is to be verified of it."""

    norm: str
    text: str

    @property
    def evidence(self) -> Evidence:
        """The norm as evidence, with the mark that is printed."""
        return law(self.norm if "zu prüfen" in self.norm else f"{self.norm} (zu prüfen)")


WORDING = Unverified(
    "§ 21 LDSG RLP", "Wortlaut von § 21 LDSG RLP, auf den sich Zwecke, Hinweis, Speicherfrist und Informationspflicht stützen."
)
MADE_FROM = Unverified(
    "§ 21 Abs. 5 LDSG RLP", "Ob Meldungen ohne Bild, Namen und Notiz als aus Aufnahmen gefertigte Unterlagen gelten (zwei Monate)."
)
TELL = Unverified("§ 21 Abs. 4 LDSG RLP", "Inhalt, Frist und Ausnahmen der Information einer Person, der eine Aufnahme zugeordnet wird.")
CODETERMINATION = Unverified(
    "§ 80 LPersVG RLP (Nummer zu prüfen)", "Mitbestimmung bei technischen Einrichtungen: Nummer im LPersVG Rheinland-Pfalz."
)
AGREEMENT = Unverified("§ 76 LPersVG RLP", "Form, Kündigung und Nachwirkung einer Dienstvereinbarung.")
COMMITTING = Unverified("§ 8 LDSG RLP", "Ob und wie Beschäftigte auf das Datengeheimnis zu verpflichten sind.")
KEEPING = Unverified("Art. 5 Abs. 2 DSGVO", "Wie lange Anfragen Betroffener als Nachweis aufbewahrt werden dürfen.")
LOG_KEEPING = Unverified("Art. 5 Abs. 1 lit. e DSGVO", "Ob die Frist des Protokolls so kurz ist, wie seine Zwecke es zulassen.")
REMEDY = Unverified("§ 37 Abs. 6 VwVfG, § 58 VwGO", "Rechtsbehelfsbelehrung bei der Ablehnung eines Antrags.")
AI_ACT = Unverified(
    "Art. 5, 6, 26, 27, 50 und Anhang III KI-VO", "Wortlaut der KI-Verordnung in der geltenden Fassung und Beginn der Pflichten."
)
ENFORCEMENT = Unverified(
    "Art. 3 Nr. 45 lit. b KI-VO", "Ob der Kommunale Vollzugsdienst eine Strafverfolgungsbehörde im Sinn der KI-Verordnung ist."
)
NIS2 = Unverified("NIS-2-Umsetzung in Rheinland-Pfalz (§§ zu prüfen)", "Ob Landesrecht die Gemeinde zu Maßnahmen nach NIS 2 verpflichtet.")
LEGIBLE = Unverified("DIN 1450:2013", "Sehwinkel der Mittellänge (Signalisationstext 9', Konsultationstext 10') in der geltenden Fassung.")
ASSEMBLIES = Unverified(
    "§§ 12a und 19a VersammlG",
    "Ob das Versammlungsgesetz des Bundes in Rheinland-Pfalz noch gilt (Art. 125a GG), und was §§ 12a und 19a daneben für Kameras einer "
    "Gemeinde bedeuten; sie sprechen von Aufnahmen der Polizei.",
)
COUNCIL = Unverified("§§ 32 und 35 GemO RLP", "Ob der Rat über den Videoschutz selbst entscheidet und was davon öffentlich zu beraten ist.")
TO_VERIFY = (
    WORDING,
    MADE_FROM,
    TELL,
    CODETERMINATION,
    AGREEMENT,
    COMMITTING,
    KEEPING,
    LOG_KEEPING,
    REMEDY,
    AI_ACT,
    ENFORCEMENT,
    NIS2,
    LEGIBLE,
    ASSEMBLIES,
    COUNCIL,
)
"""The one list of law that is to be verified. What hangs on its wording is printed with "zu prüfen"."""
_OFFICES = {"controller": "Verantwortlicher", "data_protection_officer": "Datenschutzbeauftragte"}


def day(at: date, language: str) -> str:
    """A day as a document writes it."""
    return f"{at:%d %B %Y}" if language == "en" else f"{at:%d.%m.%Y}"


def moment(g: Grounds, at: float) -> str:
    """A moment (POSIX seconds) in the site's time zone, as a German document writes it."""
    return f"{datetime.fromtimestamp(at, ZoneInfo(g.site.site.timezone)):%d.%m.%Y, %H:%M} Uhr"


def either(language: str) -> Callable[[str, str], str]:
    """Chooses between a German and an English text."""
    return lambda german, english: english if language == "en" else german


def or_open(text: str) -> str:
    """What somebody recorded, or OFFEN."""
    return text or OPEN


def found_so(value: bool | None, yes: str = "ja", no: str = "nein") -> str:
    """What a test or a look found, or OFFEN."""
    return OPEN if value is None else yes if value else no


def to_verify(*which: Unverified) -> tuple[Sentence, ...]:
    """What is to be verified of that law, as a document that hangs on it prints it."""
    return tuple(say(f"Zu prüfen: {one.text}", one.evidence) for one in which)


def office(who: Office | None, name: str) -> Sentence:
    """Name, address, telephone and mail of an office (a section of the facts file), or OFFEN."""
    title = _OFFICES[name]
    if who is None:
        return missing(f"{title} mit Anschrift, Telefon und E-Mail", fact(name))
    return say(f"{title}: {who.name}, {who.address}, Telefon {who.phone}, {who.email}", fact(name))


def recorded(g: Grounds, kind: FactKind, about: str) -> Sentence:
    """What a recorded fact says, with its day and person, or OFFEN."""
    found = g.facts.newest(kind)
    return missing(about, fact(kind)) if found is None else stated(g, found, about)


def stated(g: Grounds, found: Fact, about: str) -> Sentence:
    """What one fact says, and that two people have not signed it yet, where it is so."""
    text = f" {found.text}" if found.text else ""
    bare = "" if is_signed(g, found) else f" ({UNSIGNED})"
    return say(f"{about}: {found.date:%d.%m.%Y}, {found.person}{bare}.{text}", fact(found.kind))


def public_reasons(g: Grounds) -> list[str]:
    """What the cameras are there for in the town's own words, as citizens may read it.

    A reason with a small number in it ("2 Einbrüche") would tell of people what the public report hides.
    """
    return [one for one in dict.fromkeys(ground.reason for ground in g.facts.grounds) if Suppressor(public=True).text(one) == one]


def retention(g: Grounds) -> list[Sentence]:
    """Limits of what is stored."""
    kept = g.site.retention
    return [
        say(f"Was niemand gesichtet hat, wird nach {kept.unreviewed_hours} Stunden vernichtet.", setting("retention.unreviewed_hours")),
        say(
            f"Spätestens nach {kept.hard_limit_days} Tagen und nie später als zwei Kalendermonate nach der Aufnahme wird alles vernichtet, "
            "was nicht gesperrt, durch eine offene Anfrage eingeschränkt oder in Quarantäne ist.",
            setting("retention.hard_limit_days"),
            test("tests/unit/test_periods.py"),
        ),
        say(
            "In Quarantäne kommt eine Aufzeichnung, zu der Datei und Verzeichnis nach einer Störung nicht zusammenpassen; niemand sieht "
            "sie, und zwei Personen entscheiden, ob sie bleibt. Nach drei Tagen wird täglich daran erinnert; eine Höchstfrist gibt es "
            "nicht.",
            rule("VA-05"),
            test("tests/unit/test_quarantine.py"),
            MADE_FROM.evidence,
        ),
    ]


def _overwritten(g: Grounds) -> str:
    """A server overwrites nothing."""
    return " und überschrieben" if g.site.storage.server is None else ""


def log_kept(g: Grounds) -> tuple[Sentence, ...]:
    """How long the log is to be kept, what the program does about it, and what else stands in it: the shift book."""
    return (
        recorded(g, FactKind.LOG_RETENTION, "Begründung der Frist für das Protokoll"),
        say(
            f"Ein Eintrag des Protokolls wird {g.site.audit.keep_months} Kalendermonate nach dem Tag, an dem er entstand, gelöscht"
            f"{_overwritten(g)}. Es bleibt eine Prüfsumme, aus der sich der Inhalt nicht errechnen lässt; ein neuer, von der Anlage "
            "signierter "
            "Eintrag sagt, wie viele gelöscht wurden. So ist eine Löschung nach Frist von einer Fälschung zu unterscheiden.",
            setting("audit.keep_months"),
            event(Event.LOG_ERASED),
            test("tests/unit/test_log_limit.py"),
            rule("LO-08"),
        ),
        say(
            "Länger bleiben Einträge über einen Clip, solange er da ist (Nachweis, wer ihn hatte), der jeweils jüngste Eintrag über einen "
            "Zustand, der noch gilt, und die Einträge über Nachweise, Schlüssel, das Verzeichnis der Sichtenden, gedruckte Unterlagen und "
            "diese Löschungen selbst: Sie enden mit der Anlage.",
            law("Art. 5 Abs. 2 DSGVO"),
            LOG_KEEPING.evidence,
            test("tests/unit/test_log_limit.py"),
        ),
        say(
            "Das Schichtbuch der Leitstelle (Notizen, Übergaben, Namen der Diensthabenden) besteht aus Einträgen des Protokolls und hat "
            "dessen Frist. Angaben über Betroffene gehören nicht hinein: Was aus Aufnahmen gefertigt ist, endet nach zwei Monaten.",
            event(Event.SHIFT_NOTED),
            MADE_FROM.evidence,
        ),
    )


def redaction(g: Grounds) -> Sentence:
    """How people are redacted."""
    sealed = " Unverpixelt verlässt ihn nur, was versiegelt gespeichert wird, und das verschlüsselt." if stored(g) else ""
    return say(
        f"Personen werden in jedem Live-Bild selbsttätig verpixelt ({remains.described(g)}), bevor es den Kameraprozess verlässt.{sealed}",
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
