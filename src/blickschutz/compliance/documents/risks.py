"""Risks of the DSFA: a catalogue of what is to be looked at, and what named people found. The catalogue scores nothing: how grave and how
likely a risk is, why, and what lowers it, are recorded facts, OFFEN until then (Art. 35(7)(c) and (d) GDPR)."""

from __future__ import annotations

from dataclasses import dataclass

from blickschutz.compliance.documents import words
from blickschutz.compliance.documents.model import Evidence, Section, Table, fact, law, rule, say
from blickschutz.compliance.facts import Risk
from blickschutz.compliance.model import Grounds


@dataclass(frozen=True, slots=True)
class Listed:
    """One risk of the catalogue: short name, SDM goal, what may happen, what that does to somebody, and the rule that watches over it."""

    id: str
    goal: str
    risk: str
    harm: str
    rule: str


CATALOGUE = (
    Listed("maske", "Vertraulichkeit", "fehlerhafte Verpixelung", "Eine Person ist unverpixelt zu sehen.", "DM-05"),
    Listed(
        "wiedererkennung",
        "Vertraulichkeit",
        "Wiedererkennen an Gang, Kleidung, Größe oder Begleitung",
        "Wer jemanden kennt, weiß von ihm.",
        "DM-06",
    ),
    Listed("fehlalarm", "Integrität", "Fehlalarm", "Jemand wird ohne Anlass aufgesucht oder angesprochen.", "KI-05"),
    Listed("uebersehen", "Verfügbarkeit", "ein Vorfall wird nicht erkannt", "Hilfe kommt nicht, auf die jemand vertraut.", "SI-07"),
    Listed("bias", "Nichtverkettung", "ungleiche Erkennung", "Gruppen werden häufiger gemeldet oder übersehen als andere.", "KI-05"),
    Listed("einschuechterung", "Transparenz", "Einschüchterung", "Menschen meiden den Ort.", "TR-01"),
    Listed("versammlung", "Transparenz", "Versammlungen vor dem Gebäude (Art. 8 GG)", "Menschen bleiben einer Versammlung fern.", "KI-08"),
    Listed("zweckausweitung", "Nichtverkettung", "Zweckausweitung", "Aufnahmen dienen anderem als dem Zweck.", "ZB-02"),
    Listed(
        "umschalten",
        "Nichtverkettung",
        "Umschalten und Aufzeichnen von Hand",
        "Aufgezeichnet wird ohne Ereignis oder zu anderer Zeit.",
        "DM-07",
    ),
    Listed("innentaeter", "Vertraulichkeit", "Missbrauch durch Berechtigte", "Jemand sieht oder nimmt Aufnahmen ohne Anlass.", "VA-01"),
    Listed("beschaeftigte", "Nichtverkettung", "Beschäftigte im Bild", "Leistung oder Verhalten wird beobachtet.", "ZB-04"),
    Listed("kinder", "Datenminimierung", "Kinder und andere, die besonderen Schutz brauchen", "Ihr Verhalten wird festgehalten.", "RG-01"),
    Listed("speicherung", "Datenminimierung", "zu lange Speicherung", "Aufnahmen bleiben über die Frist.", "VA-05"),
    Listed("loeschung", "Intervenierbarkeit", "Löschung trotz Anfrage", "Eine Aufnahme fehlt, die jemand braucht.", "BR-02"),
    Listed("angriff", "Vertraulichkeit", "Angriff von außen, Diebstahl des Rechners", "Aufnahmen gelangen in fremde Hände.", "SI-01"),
)
_HEAD = ("Gewährleistungsziel", "Risiko und Schaden", "vorher", "Maßnahme", "nachher", "Begründung", "Verantwortlich")


def risks(g: Grounds) -> Section:
    """The catalogue, and whatever else people recorded, with what they found."""
    found = {one.risk: one for one in g.facts.risks}
    rows = [_row(one.goal, f"{one.risk}: {one.harm}", found.get(one.id), rule(one.rule)) for one in CATALOGUE]
    own = [one for one in g.facts.risks if one.risk not in {listed.id for listed in CATALOGUE}]
    rows += [_row(one.goal or words.OPEN, one.title or one.risk, one, fact("risks")) for one in own]
    return Section(
        "Risiken (Schwere × Wahrscheinlichkeit, je 1 bis 4)",
        (
            say(
                "Die Liste ist ein Vorschlag. Zu Schwere, Wahrscheinlichkeit und Wirkung einer Maßnahme steht hier nur, was "
                "benannte Personen festgestellt haben.",
                law("Art. 35 Abs. 7 lit. c und d DSGVO"),
            ),
            Table(_HEAD, tuple(rows)),
        ),
    )


def _row(goal: str, about: str, found: Risk | None, watched: Evidence) -> tuple[tuple[str, ...], tuple[Evidence, ...]]:
    evidence = (fact("risks"), watched, law("Art. 35 Abs. 7 lit. c und d DSGVO"))
    if found is None:
        return (goal, about, *[words.OPEN] * 5), evidence
    before, after = (f"{hard} × {often} = {hard * often}" for hard, often in (found.before, found.after))
    stands = f"{found.owner}; bewertet {found.date:%d.%m.%Y} von {found.person}"
    return (goal, about, before, found.measure, after, found.reason, stands), evidence
