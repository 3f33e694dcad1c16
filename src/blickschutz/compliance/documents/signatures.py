"""Who stands for what the site cannot know by itself: two people with accounts, two on paper, or nobody yet."""

from __future__ import annotations

from blickschutz.audit.model import Event
from blickschutz.compliance.documents.model import Section, Table, event, fact, rule
from blickschutz.compliance.model import Grounds
from blickschutz.compliance.policy.signed import sheet_in_force, unsigned, vouchers
from blickschutz.compliance.sheets import Sheet, covered

_TITLES = {
    Sheet.PARTICULARS: ("Verantwortlicher, Datenschutzbeauftragte, Empfänger und Aushang", "TR-02"),
    Sheet.PURPOSES: ("Zwecke und Begründung der Kameras", "RG-01"),
    Sheet.INCIDENTS: ("Vorfälle", "RG-02"),
    Sheet.WAYS: ("Wege zur Anlage", "TR-01"),
    Sheet.SIGNS: ("Orte der Schilder", "TR-01"),
    Sheet.RISKS: ("Bewertung der Risiken", "DF-01"),
    Sheet.ASSIGNMENTS: ("Zuständigkeiten und Vertretung", "SI-09"),
    Sheet.COMMITMENTS: ("Verpflichtungen auf Vertraulichkeit", "KI-07"),
    Sheet.TRAININGS: ("Schulungen", "KI-07"),
    Sheet.CONTRACT: ("Prüfliste des Vertrags", "AP-01"),
    Sheet.VISITS: ("Besuche der Wartung", "AP-01"),
    Sheet.CLASSIFICATION: ("Antworten der Einstufung", "KI-07"),
    Sheet.BREACHES: ("Liste der Datenpannen", "SI-10"),
    Sheet.ACCEPTANCES: ("Abnahmen", "DM-03"),
    Sheet.RESTART: ("Angaben zum Wiederanlauf", "SI-09"),
}
_ASSESSED = (Sheet.PARTICULARS, Sheet.PURPOSES, Sheet.INCIDENTS, Sheet.WAYS, Sheet.SIGNS, Sheet.RISKS)


def signatures(g: Grounds, *sheets: Sheet) -> Section:
    """Of each table that a paper rests on (without any: those of gates and DPIA), who signed it; OFFEN where nobody did."""
    rows = []
    for sheet in sheets or _ASSESSED:
        title, name = _TITLES[sheet]
        is_signed = unsigned(g, sheet) is None
        told = vouchers(g, sheet_in_force(g, sheet))[0] if is_signed else "OFFEN: nicht von zwei Personen unterschrieben"
        rows.append(((title, told), (fact(covered(sheet)[0]), rule(name), event(Event.FACT_SIGNED))))
    return Section("Wer für die Angaben einsteht", (Table(("Angabe", "Unterschriften"), tuple(rows)),))
