"""What people hand in as a table, which section of the facts file it stands for, and what its columns are called."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pydantic import BaseModel

from blickschutz.compliance.facts import Ground, Incidents, Risk, Sign, Way
from blickschutz.compliance.recorded import (
    Acceptance,
    Assignment,
    Breach,
    Classified,
    Clause,
    Commitment,
    Restart,
    Training,
    Translation,
    Visit,
)


class Sheet(StrEnum):
    """What is handed in as a table."""

    PARTICULARS = "angaben-anlage"
    PURPOSES = "zwecke"
    INCIDENTS = "vorfaelle"
    WAYS = "wege"
    SIGNS = "schilder"
    RISKS = "risiken"
    ASSIGNMENTS = "zustaendigkeiten"
    COMMITMENTS = "verpflichtungen"
    TRAININGS = "schulungen"
    CONTRACT = "wartung-pruefliste"
    VISITS = "wartungsbesuche"
    CLASSIFICATION = "ki-fragen"
    BREACHES = "datenpannen-liste"
    TRANSLATIONS = "uebersetzungen"
    ACCEPTANCES = "abnahmen"
    RESTART = "wiederanlauf"


SECTIONS: Mapping[Sheet, tuple[str, type[BaseModel]]] = {
    Sheet.PURPOSES: ("grounds", Ground),
    Sheet.INCIDENTS: ("incidents", Incidents),
    Sheet.WAYS: ("ways", Way),
    Sheet.SIGNS: ("signs", Sign),
    Sheet.RISKS: ("risks", Risk),
    Sheet.ASSIGNMENTS: ("assignments", Assignment),
    Sheet.COMMITMENTS: ("commitments", Commitment),
    Sheet.TRAININGS: ("trainings", Training),
    Sheet.CONTRACT: ("contract", Clause),
    Sheet.VISITS: ("visits", Visit),
    Sheet.CLASSIFICATION: ("classification", Classified),
    Sheet.BREACHES: ("breaches", Breach),
    Sheet.TRANSLATIONS: ("translations", Translation),
    Sheet.ACCEPTANCES: ("acceptances", Acceptance),
    Sheet.RESTART: ("restart", Restart),
}
"""The section of the facts file that a table stands for, and what a row of it is."""
# A sign's photograph is a document of its own, and so is a picture of an acceptance; the day of the former is that on which it was seen.
ELSEWHERE = frozenset({"photo", "sha256", "checked", "picture"})
ALONE = frozenset({Sheet.RESTART})
"""Tables with one row: the section is that row."""
# Of these a table has one row each.
ONCE = frozenset({(Sheet.PURPOSES, "camera"), (Sheet.WAYS, "id"), (Sheet.SIGNS, "id"), (Sheet.RISKS, "risk"), (Sheet.BREACHES, "id")})
GERMAN = {
    "camera": "Kamera",
    "purpose": "Zweck",
    "reason": "Begründung",
    "area": "Bereich",
    "density_reason": "Begründung der Pixeldichte",
    "no_privacy_zone": "Warum kein Privatbereich",
    "conclusion": "Ergebnis der letzten Prüfung",
    "suitable": "Warum geeignet",
    "milder": "Mildere Mittel",
    "proportionate": "Warum angemessen",
    "assessed": "Geprüft am",
    "assessor": "Geprüft von",
    "first": "Von",
    "last": "Bis",
    "count": "Anzahl",
    "source": "Quelle",
    "id": "Kurzname",
    "name": "Name",
    "points": "Punkte auf dem Lageplan",
    "x": "Von links",
    "y": "Von oben",
    "risk": "Risiko",
    "title": "Bezeichnung",
    "goal": "Gewährleistungsziel",
    "before": "Schwere und Eintritt vorher",
    "measure": "Maßnahme",
    "after": "Schwere und Eintritt nachher",
    "owner": "Verantwortlich",
    "person": "Person",
    "date": "Tag",
    "role": "Rolle",
    "deputy": "Vertretung",
    "reviewed": "Zuletzt geprüft",
    "by": "Durch",
    "trainer": "Geschult von",
    "content": "Inhalt",
    "examined": "Erfolg geprüft",
    "point": "Punkt",
    "met": "Erfüllt",
    "where": "Fundstelle",
    "firm": "Firma",
    "escort": "Begleitet von",
    "work": "Arbeiten",
    "media": "Datenträger",
    "answer": "Antwort",
    "known": "Bekannt seit",
    "what": "Was geschah",
    "people": "Betroffene",
    "records": "Datensätze",
    "consequences": "Folgen",
    "measures": "Maßnahmen",
    "danger": "Gefahr",
    "reported": "Gemeldet",
    "late": "Grund der Verspätung",
    "told": "Betroffene benachrichtigt",
    "language": "Sprache",
    "confirmed": "Zweite Person",
    "px_per_metre": "Gemessene Pixel je Meter",
    "view": "Sichtfeld wie freigegeben",
    "private": "Privatzonen decken",
    "light": "Verpixelung bei Tag",
    "dark": "Verpixelung bei Dunkelheit",
    "alarm": "Ereignis gemeldet",
    "stop": "Anhalten wirkt",
    "longest_hours": "Längster Ausfall in Stunden",
    "instead": "Betrieb ohne die Anlage",
    "spare": "Ersatz",
    "contacts": "Zu verständigen, in dieser Reihenfolge",
    "tried": "Zuletzt geübt",
}
OFFICES = {
    "controller": "Verantwortlicher",
    "data_protection_officer": "Datenschutzbeauftragte",
    "supervisory_authority": "Aufsichtsbehörde",
}
OFFICE_KEYS = {"name": "Name", "address": "Anschrift", "phone": "Telefon", "email": "E-Mail"}
SINGLE = {
    "file_reference": "Aktenzeichen",
    "north": "Norden auf dem Lageplan",
    "full_information": "Aushang des Informationsblatts",
    "information_address": "Internetadresse des Informationsblatts",
    "recipients": "Empfänger",
}
PARTICULARS = {
    **{f"{office}.{key}": f"{german}: {word}" for office, german in OFFICES.items() for key, word in OFFICE_KEYS.items()},
    **SINGLE,
}
PARTICULARS_HEAD = (("Angabe", "Wert"), ("particular", "value"))


def covered(sheet: Sheet) -> tuple[str, ...]:
    """The sections of the facts file that a table stands for."""
    return (*OFFICES, *SINGLE) if sheet is Sheet.PARTICULARS else (SECTIONS[sheet][0],)


def columns(sheet: Sheet) -> Mapping[str, str]:
    """The keys of a table and what they are called in German."""
    if sheet is Sheet.PARTICULARS:
        return dict(zip(PARTICULARS_HEAD[1], PARTICULARS_HEAD[0], strict=True))
    return {name: GERMAN[name] for name in SECTIONS[sheet][1].model_fields if name not in ELSEWHERE}
