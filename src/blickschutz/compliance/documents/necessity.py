"""The form of necessity and proportionality of each camera, and the AI classification: what people found, OFFEN until then."""

from __future__ import annotations

from dataclasses import dataclass

from blickschutz.compliance.documents import words
from blickschutz.compliance.documents.model import (
    Document,
    Evidence,
    Section,
    Sentence,
    Table,
    fact,
    law,
    missing,
    rule,
    say,
    setting,
    test,
)
from blickschutz.compliance.documents.signatures import signatures
from blickschutz.compliance.documents.sources import OWN, listens, own_analysis
from blickschutz.compliance.facts import FactKind, Ground
from blickschutz.compliance.model import Grounds
from blickschutz.compliance.plan import CLASSES_DE, density, density_class
from blickschutz.compliance.sheets import Sheet
from blickschutz.config.model import Camera
from blickschutz.kernel.periods import add_months

REVIEW_MONTHS = 12
_AREAS = {"oeffentlich": "öffentlich zugänglich (§ 21 LDSG RLP)", "nicht-oeffentlich": "nicht öffentlich (§ 3 LDSG RLP)"}


def necessity(g: Grounds) -> Document:
    """A form for each camera: purpose, incidents, suitability, milder means, proportionality, conclusion."""
    grounds = {one.camera: one for one in g.facts.grounds}
    sections = (
        Section(
            "Wie geprüft wird",
            (
                say(
                    "Jede Kamera wird für sich geprüft: Zweck, Vorfälle in ihrem Sichtfeld, Eignung, mildere Mittel, Angemessenheit, "
                    "Ergebnis. Ein Gefühl der Unsicherheit ist kein Vorfall.",
                    law("§ 21 Abs. 1 LDSG RLP"),
                    rule("RG-02"),
                ),
                words.recorded(g, FactKind.MILDER_MEANS, "Mildere Mittel für die ganze Anlage"),
                words.recorded(g, FactKind.NECESSITY_REVIEW, "Letzte Prüfung der ganzen Anlage"),
            ),
        ),
        *(_camera(g, number, camera, grounds.get(camera.id)) for number, camera in enumerate(g.site.cameras, 1)),
        Section("Rechtliche Prüfung", words.to_verify(words.WORDING)),
    )
    return Document(
        "erforderlichkeit",
        "Erforderlichkeit und Verhältnismäßigkeit je Kamera",
        "de",
        "§ 21 Abs. 1 LDSG RLP, Art. 35 Abs. 7 lit. b DSGVO",
        sections,
        signers=("Fachamt", "Datenschutzbeauftragte"),
    )


def _camera(g: Grounds, number: int, camera: Camera, ground: Ground | None) -> Section:
    purpose = f"{words.PURPOSES[ground.purpose]}: {ground.reason}" if ground else words.OPEN
    incidents = [one for one in g.facts.incidents if one.camera == camera.id]
    counted = "; ".join(f"{one.count} vom {one.first:%d.%m.%Y} bis {one.last:%d.%m.%Y} ({one.source})" for one in incidents)
    dense = density(camera)
    private = ", ".join(zone.reason for zone in camera.privacy_zones) or (ground.no_privacy_zone if ground else "")
    by = f"{ground.assessed:%d.%m.%Y}, {ground.assessor}" if ground and ground.assessed and ground.assessor else words.OPEN
    again = f"{add_months(ground.assessed, REVIEW_MONTHS):%d.%m.%Y}" if ground and ground.assessed else words.OPEN
    rows: tuple[tuple[str, str, tuple[Evidence, ...]], ...] = (
        ("Zweck und Grund", purpose, (fact("grounds"), rule("RG-01"))),
        ("Art des Bereichs", _AREAS[ground.area] if ground else words.OPEN, (fact("grounds"), rule("RG-05"))),
        ("Vorfälle im Sichtfeld", words.or_open(counted), (fact("incidents"), rule("RG-02"))),
        ("Bereiche und Linien", ", ".join(zone.name for zone in camera.zones) or "keine", (setting("cameras.zones"),)),
        ("Privatzonen, oder warum keine", words.or_open(private), (setting("cameras.privacy_zones"), rule("DM-02"))),
        (
            "Pixeldichte",
            f"{dense:.0f} px/m ({CLASSES_DE[density_class(dense)]})" if dense is not None else words.OPEN,
            (setting("cameras.calibration"), rule("DM-03")),
        ),
        ("Eignung", words.or_open(ground.suitable if ground else ""), (fact("grounds"),)),
        ("Mildere Mittel an dieser Stelle", words.or_open(ground.milder if ground else ""), (fact("grounds"), rule("RG-03"))),
        ("Angemessenheit", words.or_open(ground.proportionate if ground else ""), (fact("grounds"),)),
        ("Ergebnis", words.or_open(ground.conclusion if ground else ""), (fact("grounds"), rule("RG-06"))),
        ("geprüft am, von", by, (fact("grounds"), rule("RG-06"))),
        ("wieder zu prüfen", again, (fact("grounds"), rule("RG-06"))),
    )
    return Section(f"Kamera {number}: {camera.name}", (Table(("Frage", "Feststellung"), tuple(((a, b), e) for a, b, e in rows)),))


@dataclass(frozen=True, slots=True)
class Question:
    """One question of the classification: short name, what is asked, what the program does there, and what shows it."""

    id: str
    norm: str
    text: str
    program: str
    evidence: tuple[Evidence, ...]


_NO_BIOMETRY = "Die Software rechnet mit Ort und Bewegung von Körpern; ein Modell für Gesicht, Gang oder Gefühl lässt sie nicht zu."
QUESTIONS = (
    Question(
        "anhang-iii-1",
        "Anhang III Nr. 1",
        "Biometrie: Fernidentifizierung, Kategorisierung, Erkennen von Gefühlen?",
        _NO_BIOMETRY,
        (rule("KI-01"),),
    ),
    Question(
        "anhang-iii-4b",
        "Anhang III Nr. 4 lit. b",
        "Beschäftigung: Überwachung oder Bewertung von Leistung und Verhalten der Beschäftigten im Bild?",
        "Die Software unterscheidet Beschäftigte nicht von anderen und bewertet niemanden.",
        (rule("ZB-04"), rule("KI-01")),
    ),
    Question(
        "anhang-iii-6",
        "Anhang III Nr. 6",
        "Strafverfolgung: Gilt der Vollzugsdienst als Strafverfolgungsbehörde, und dient die Anlage einem der dort genannten Zwecke?",
        "Die Software bewertet weder Beweise noch die Gefahr, dass jemand Täter oder Opfer wird.",
        (rule("KI-02"), words.ENFORCEMENT.evidence),
    ),
    Question(
        "art-5-1-d",
        "Art. 5 Abs. 1 lit. d",
        "Vorhersage von Straftaten einzelner Menschen aus Profilen?",
        "Es gibt keine Profile; jede Meldung beschreibt eine Bewegung in diesem Augenblick.",
        (rule("KI-02"),),
    ),
    Question("art-5-1-h", "Art. 5 Abs. 1 lit. h", "Biometrische Fernidentifizierung in Echtzeit?", _NO_BIOMETRY, (rule("KI-01"),)),
    Question(
        "art-27",
        "Art. 27",
        "Grundrechte-Folgenabschätzung, falls als Hochrisiko eingestuft?",
        "Unabhängig davon gibt es die Datenschutz-Folgenabschätzung.",
        (rule("DF-01"),),
    ),
    Question(
        "art-50",
        "Art. 50",
        "Pflichten zur Transparenz gegenüber denen, die betroffen sind?",
        "Schild und Informationsblatt sagen, dass Software Bewegungen sucht und Menschen entscheiden, was daraus folgt.",
        (rule("TR-02"), rule("KI-03")),
    ),
    Question(
        "art-4",
        "Art. 4",
        "Kenntnisse derer, die damit arbeiten?",
        "Ohne gültige Schulung öffnet niemand eine Aufnahme.",
        (rule("KI-07"), test("tests/unit/test_access.py")),
    ),
    Question(
        "art-14-26",
        "Art. 14 und 26",
        "Aufsicht durch Menschen, Protokoll und Anhalten?",
        "Eine Meldung entscheidet nur ein Mensch; bleibt sie unentschieden, folgt nichts weiter. Jede Rolle kann anhalten. "
        "Beides steht im Protokoll.",
        (rule("KI-03"), rule("KI-04"), rule("KI-08")),
    ),
)


_OF_CAMERAS = Question(
    "kameras-selbst",
    "Art. 5 und Anhang III Nr. 1",
    "Erkennen Kameras, die selbst auswerten, Menschen wieder oder nach Merkmalen (Gesicht, Gang, Kleidung, Alter, Gefühl)?",
    "Die Anlage nimmt solche Ergebnisse nicht an; was in der Kamera geschieht, kann sie nicht prüfen.",
    OWN,
)


def questions(g: Grounds) -> tuple[Question, ...]:
    """What is asked of this site: of cameras only where anything is taken of what they find themselves."""
    return (*QUESTIONS, _OF_CAMERAS) if listens(g) else QUESTIONS


def classification(g: Grounds) -> Document:
    """The AI classification: each question, what the program does, and what named people answered."""
    answered = {one.point: one for one in g.facts.classification}
    rows = []
    for one in questions(g):
        found = answered.get(one.id)
        said = (found.answer, found.reason, f"{found.person}, {found.date:%d.%m.%Y}") if found else (words.OPEN,) * 3
        rows.append(((f"{one.norm}: {one.text}", one.program, *said), (*one.evidence, fact("classification"), words.AI_ACT.evidence)))
    missing_ones = [one.norm for one in questions(g) if one.id not in answered]
    result: Sentence = words.recorded(g, FactKind.AI_CLASSIFICATION, "Unterschriebene Einstufung")
    sections = (
        Section(
            "Gegenstand",
            (
                say(
                    f"Erkennung von Bewegungen mit dem Modell „{g.site.analysis.model}“ auf {len(g.site.cameras)} Kameras.",
                    setting("analysis.model"),
                    setting("cameras"),
                ),
                *own_analysis(g),
                say(
                    "Die Spalte „Programm“ sagt, wie das Programm gemacht ist. Antwort und "
                    "Begründung sind Feststellungen benannter Personen.",
                    test("tests/unit/test_policy.py"),
                ),
            ),
        ),
        Section("Fragen", (Table(("Frage", "Programm", "trifft zu", "Begründung", "durch"), tuple(rows)),)),
        Section(
            "Ergebnis",
            (
                result,
                *((missing(f"Antworten zu {', '.join(missing_ones)}", fact("classification")),) if missing_ones else ()),
                words.recorded(g, FactKind.LEGAL_OPINION_AI, "Rechtsgutachten zur KI-Auswertung"),
            ),
        ),
        Section("Rechtliche Prüfung", words.to_verify(words.AI_ACT, words.ENFORCEMENT)),
        signatures(g, Sheet.CLASSIFICATION),
    )
    return Document(
        "ki-einstufung",
        "Einstufung nach der KI-Verordnung",
        "de",
        "Art. 5, 6, 26 und Anhang III KI-VO",
        sections,
        signers=("Verantwortlicher", "Datenschutzbeauftragte"),
    )
