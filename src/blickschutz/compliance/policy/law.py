"""Legal basis (RG) and documents that must be there before the site runs (DF)."""

from __future__ import annotations

from datetime import timedelta

from blickschutz.compliance.facts import FactKind
from blickschutz.compliance.model import Answer, Grounds, Result, broken, holds, unknown
from blickschutz.compliance.policy.base import GATE, LOG, SETTING, YEAR, lacking, names, recorded, rule


def _without_ground(g: Grounds) -> list[str]:
    known = {ground.camera for ground in g.facts.grounds}
    return [camera.id for camera in g.site.cameras if camera.id not in known]


@rule("RG-01", "§ 21 Abs. 1 LDSG RLP", "Jede Kamera hat Zweck und Begründung", "Each camera has a purpose and a reason", GATE)
def purposes(g: Grounds) -> Answer:
    missing = _without_ground(g)
    if missing:
        return unknown(
            f"Tragen Sie unter [[grounds]] Zweck und Begründung ein für: {names(missing)}.",
            f"Record purpose and reason under [[grounds]] for: {names(missing)}.",
        )
    strange = {ground.camera for ground in g.facts.grounds} - {camera.id for camera in g.site.cameras}
    if strange:
        return broken(f"Diese Kameras gibt es nicht: {names(sorted(strange))}.", f"There are no such cameras: {names(sorted(strange))}.")
    return holds("Tatsachen [[grounds]]", "facts [[grounds]]")


@rule(
    "RG-02",
    "§ 21 Abs. 1 LDSG RLP",
    "Für jede Kamera sind Vorfälle belegt, nicht älter als 24 Monate; Umfragen allein genügen nicht",
    "Incidents are recorded for each camera, not older than 24 months; surveys alone are not enough",
    GATE,
)
def incidents(g: Grounds) -> Answer:
    oldest = g.today - timedelta(days=730)
    proven = {one.camera for one in g.facts.incidents if one.count > 0 and one.last >= oldest and one.last <= g.today}
    missing = [camera.id for camera in g.site.cameras if camera.id not in proven]
    if not missing:
        return holds("Tatsachen [[incidents]]", "facts [[incidents]]")
    recorded_for = {one.camera for one in g.facts.incidents}
    german = f"Tragen Sie unter [[incidents]] Vorfälle der letzten 24 Monate ein oder nehmen Sie die Kamera weg: {names(missing)}."
    english = f"Record incidents of the last 24 months under [[incidents]], or take the camera away: {names(missing)}."
    return broken(german, english) if recorded_for.issuperset(missing) else unknown(german, english)


@rule("RG-03", "§ 21 Abs. 1 LDSG RLP", "Mildere Mittel sind versucht, mit Ergebnis", "Milder means were tried, with the result", GATE)
def milder_means(g: Grounds) -> Answer:
    answer = recorded(g, FactKind.MILDER_MEANS, document=False)
    fact = g.facts.newest(FactKind.MILDER_MEANS)
    if answer.result is Result.HOLDS and fact is not None and not fact.text:
        return unknown(
            "Schreiben Sie bei „mildere-mittel“ unter text, was versucht wurde und was es ergab.",
            "Write under text of 'mildere-mittel' what was tried and what came of it.",
        )
    return answer


@rule(
    "RG-04",
    "Gesetzesvorbehalt für KI-Auswertung (in RLP strittig)",
    "Ein Rechtsgutachten zur KI-Auswertung liegt vor",
    "There is a legal opinion on the analysis by AI",
    GATE,
)
def legal_opinion(g: Grounds) -> Answer:
    return recorded(g, FactKind.LEGAL_OPINION_AI)


@rule(
    "RG-05",
    "§ 21 und § 3 LDSG RLP",
    "Jeder Bereich ist öffentlich oder nicht öffentlich; Intimbereiche gibt es nicht",
    "Each place is public or non-public; there are no intimate ones",
    SETTING,
)
def areas(g: Grounds) -> Answer:
    missing = _without_ground(g)
    if missing:
        return unknown(
            f"Tragen Sie unter [[grounds]] area ein für: {names(missing)}.", f"Record area under [[grounds]] for: {names(missing)}."
        )
    intimate = [zone for camera in g.site.cameras for zone in (camera.name, *(one.name for one in camera.zones)) if _intimate(zone)]
    if intimate:
        return broken(
            f"Intimbereiche werden nie überwacht; entfernen Sie: {names(intimate)}.",
            f"Intimate places are never watched; remove: {names(intimate)}.",
        )
    return holds("Tatsachen [[grounds]].area", "facts [[grounds]].area")


def _intimate(name: str) -> bool:
    words = ("toilette", "wc", "umkleide", "dusche", "sanitär", "wickel", "stillraum")
    return any(word in name.lower().replace("-", " ").split() or (len(word) > 2 and word in name.lower()) for word in words)


@rule(
    "RG-06",
    "Art. 35 Abs. 11 DSGVO",
    "Die Erforderlichkeit ist in den letzten zwölf Monaten geprüft",
    "Necessity was reviewed within twelve months",
    LOG,
)
def necessity(g: Grounds) -> Answer:
    return recorded(g, FactKind.NECESSITY_REVIEW, YEAR, document=False)


@rule(
    "DF-01",
    "Art. 35 DSGVO",
    "Die DSFA ist freigegeben, der Rat der Datenschutzbeauftragten liegt vor, beides für diese Einstellungen",
    "The DPIA is approved and the officer's advice is there, both for these settings",
    GATE,
)
def dpia(g: Grounds) -> Answer:
    answer = recorded(g, FactKind.DPIA, of_settings=True)
    return answer if answer.result is not Result.HOLDS else recorded(g, FactKind.DPO_ADVICE, document=False)


@rule(
    "DF-02",
    "Art. 36 DSGVO",
    "Bei hohem Restrisiko ist die Aufsichtsbehörde vorher befragt",
    "With a high residual risk the authority was consulted before",
    GATE,
)
def consultation(g: Grounds) -> Answer:
    if g.facts.newest(FactKind.PRIOR_CONSULTATION) is not None:
        return recorded(g, FactKind.PRIOR_CONSULTATION)
    return recorded(g, FactKind.RESIDUAL_RISK, document=False)


@rule(
    "DF-03",
    "Art. 30 Abs. 1 DSGVO",
    "Das Verzeichnis von Verarbeitungstätigkeiten ist vollständig (a bis g)",
    "The record of processing is complete (a to g)",
    GATE,
)
def record_of_processing(g: Grounds) -> Answer:
    missing = lacking(g, "controller", "data_protection_officer", "grounds", "recipients")
    return missing or recorded(g, FactKind.PROCESSING_RECORD, document=False)


@rule("DF-04", "§ 20 LDSG RLP", "Personalrat oder Dienstvereinbarung ist genannt", "Staff council or works agreement is named", GATE)
def staff_council(g: Grounds) -> Answer:
    return recorded(g, FactKind.STAFF_COUNCIL, document=False)


RULES = (
    purposes,
    incidents,
    milder_means,
    legal_opinion,
    areas,
    necessity,
    dpia,
    consultation,
    record_of_processing,
    staff_council,
)
