"""Legal basis (RG) and documents that must be there before the site runs (DF)."""

from __future__ import annotations

from blickschutz.compliance.facts import FactKind
from blickschutz.compliance.model import Answer, Grounds, Result, broken, holds, unknown
from blickschutz.compliance.policy.base import GATE, LOG, SETTING, YEAR, lacking, log_limit, names, recorded, rule
from blickschutz.compliance.policy.evidence import (
    LEAST_REASON,
    has_agreed,
    is_consultation_needed,
    is_survey,
    offices,
    oldest_incident,
    same_person,
    says_something,
)
from blickschutz.compliance.policy.signed import entered_as, sheet_vouchers, unsigned, vouchers
from blickschutz.compliance.sheets import Sheet


def _without_ground(g: Grounds) -> list[str]:
    known = {ground.camera for ground in g.facts.grounds}
    return [camera.id for camera in g.site.cameras if camera.id not in known]


@rule("RG-01", "§ 21 Abs. 1 LDSG RLP", "Jede Kamera hat Zweck und Begründung", "Each camera has a purpose and a reason", GATE)
def purposes(g: Grounds) -> Answer:
    missing = _without_ground(g)
    if missing:
        return unknown(
            f"Tragen Sie unter Nachweise (Zwecke der Kameras) Zweck und Begründung ein für: {names(missing)}.",
            f"Enter purpose and reason on the page of proofs (purposes of the cameras) for: {names(missing)}.",
        )
    strange = {ground.camera for ground in g.facts.grounds} - {camera.id for camera in g.site.cameras}
    if strange:
        return broken(f"Diese Kameras gibt es nicht: {names(sorted(strange))}.", f"There are no such cameras: {names(sorted(strange))}.")
    mute = sorted({ground.camera for ground in g.facts.grounds if not says_something(ground.reason)})
    if mute:
        return unknown(f"Die Begründung sagt nichts bei: {names(mute)}.", f"The reason says nothing for: {names(mute)}.")
    return unsigned(g, Sheet.PURPOSES) or holds(*sheet_vouchers(g, Sheet.PURPOSES))


@rule(
    "RG-02",
    "§ 21 Abs. 1 LDSG RLP",
    "Für jede Kamera sind Vorfälle belegt, nicht älter als 24 Monate; Umfragen allein genügen nicht",
    "Incidents are recorded for each camera, not older than 24 months; surveys alone are not enough",
    GATE,
)
def incidents(g: Grounds) -> Answer:
    oldest, known = oldest_incident(g.today), {camera.id for camera in g.site.cameras}
    surveys = sorted({one.camera for one in g.facts.incidents if is_survey(one.source)})
    proven = {
        one.camera
        for one in g.facts.incidents
        if one.count > 0 and oldest <= one.first and one.last <= g.today and says_something(one.source) and not is_survey(one.source)
    }
    missing = sorted(known - proven)
    if missing and set(surveys).issuperset(missing):
        return broken(
            f"Eine Umfrage belegt keine Vorfälle; tragen Sie Zahlen der Polizei oder des Ordnungsamts ein für: {names(missing)}.",
            f"A survey proves no incidents; record figures of the police or the public order office for: {names(missing)}.",
        )
    if not missing:
        return unsigned(g, Sheet.INCIDENTS) or holds(*sheet_vouchers(g, Sheet.INCIDENTS))
    recorded_for = {one.camera for one in g.facts.incidents}
    german = (
        "Tragen Sie unter Nachweise (Vorfälle) die der letzten 24 Monate mit ihrer Quelle ein oder nehmen Sie die Kamera weg: "
        f"{names(missing)}."
    )
    english = f"Enter incidents of the last 24 months on the page of proofs, or take the camera away: {names(missing)}."
    return broken(german, english) if recorded_for.issuperset(missing) else unknown(german, english)


@rule("RG-03", "§ 21 Abs. 1 LDSG RLP", "Mildere Mittel sind versucht, mit Ergebnis", "Milder means were tried, with the result", GATE)
def milder_means(g: Grounds) -> Answer:
    answer = recorded(g, FactKind.MILDER_MEANS, document=False)
    fact = g.facts.newest(FactKind.MILDER_MEANS)
    if answer.result is Result.HOLDS and fact is not None and (len(fact.text) < LEAST_REASON or fact.text.lower().startswith("keine")):
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
            f"Tragen Sie unter Nachweise (Zwecke der Kameras) den Bereich ein für: {names(missing)}.",
            f"Enter the area on the page of proofs (purposes of the cameras) for: {names(missing)}.",
        )
    intimate = [zone for camera in g.site.cameras for zone in (camera.name, *(one.name for one in camera.zones)) if _intimate(zone)]
    if intimate:
        return broken(
            f"Intimbereiche werden nie überwacht; entfernen Sie: {names(intimate)}.",
            f"Intimate places are never watched; remove: {names(intimate)}.",
        )
    return unsigned(g, Sheet.PURPOSES) or holds(*sheet_vouchers(g, Sheet.PURPOSES))


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
    for kind in (FactKind.DPIA, FactKind.DPO_ADVICE):
        answer = recorded(g, kind, of_settings=True)
        if answer.result is not Result.HOLDS:
            return answer
    approved, advised, controller = g.facts.newest(FactKind.DPIA), g.facts.newest(FactKind.DPO_ADVICE), g.facts.controller
    assert approved is not None  # `recorded` asked for both
    assert advised is not None
    if advised.date > approved.date:
        return broken(
            f"Die DSFA wurde am {approved.date} freigegeben, der Rat kam erst am {advised.date}; geben Sie sie nach dem Rat neu frei.",
            f"The DPIA was approved on {approved.date}, the advice came on {advised.date} only; approve it anew after the advice.",
        )
    if same_person(approved.person, advised.person) or (controller is not None and same_person(advised.person, controller.name)):
        return broken(
            "Freigabe und Rat kommen von derselben Person; die Datenschutzbeauftragte berät und gibt nicht frei (Art. 38 Abs. 6 DSGVO).",
            "Approval and advice come from the same person; the officer advises and does not approve (Art. 38(6) GDPR).",
        )
    (approver, approver_en), (adviser, adviser_en) = (vouchers(g, entered_as(g, one)) for one in (approved, advised))
    return holds(
        f"dsfa, {approved.date}, {approver}; rat-datenschutz, {advised.date}, {adviser}",
        f"dsfa, {approved.date}, {approver_en}; rat-datenschutz, {advised.date}, {adviser_en}",
    )


@rule(
    "DF-02",
    "Art. 36 DSGVO",
    "Bei hohem Restrisiko ist die Aufsichtsbehörde vorher befragt",
    "With a high residual risk the authority was consulted before",
    GATE,
)
def consultation(g: Grounds) -> Answer:
    answer = recorded(g, FactKind.RESIDUAL_RISK, document=False, of_settings=True)
    if answer.result is not Result.HOLDS:
        return answer
    is_high = is_consultation_needed(g.facts)
    if is_high is None:
        return unknown(
            "Schreiben Sie bei „restrisiko-vertretbar“ unter text, wie hoch das Restrisiko ist: gering, mittel oder hoch.",
            "Write under text of 'restrisiko-vertretbar' how high the residual risk is: low, medium or high.",
        )
    if not is_high:
        return answer
    answer = recorded(g, FactKind.PRIOR_CONSULTATION)
    asked, approved = g.facts.newest(FactKind.PRIOR_CONSULTATION), g.facts.newest(FactKind.DPIA)
    if answer.result is Result.HOLDS and asked is not None and (approved is None or asked.date > approved.date):
        return broken(
            f"Die Aufsichtsbehörde wurde am {asked.date} befragt, nicht vor der Freigabe der DSFA; geben Sie danach neu frei.",
            f"The authority was consulted on {asked.date}, not before the DPIA was approved; approve it anew after that.",
        )
    return answer


@rule(
    "DF-03",
    "Art. 30 Abs. 1 DSGVO",
    "Das Verzeichnis von Verarbeitungstätigkeiten ist vollständig (a bis g)",
    "The record of processing is complete (a to g)",
    GATE,
)
def record_of_processing(g: Grounds) -> Answer:
    missing = lacking(g, "controller", "data_protection_officer", "grounds", "recipients") or offices(g.facts)
    if missing is not None:
        return missing
    without = _without_ground(g)
    if without:
        return unknown(f"Ohne Zweck (b): {names(without)}.", f"Without a purpose (b): {names(without)}.")
    mute = [one for one in g.facts.recipients if not says_something(one)]
    if mute:
        return unknown(f"Diese Empfänger (d) sind keine: {names(mute)}.", f"These are no recipients (d): {names(mute)}.")
    bare = unsigned(g, Sheet.PARTICULARS, Sheet.PURPOSES)
    if bare is not None:
        return bare
    answer = log_limit(g)
    if answer.result is not Result.HOLDS:
        return answer
    return recorded(g, FactKind.PROCESSING_RECORD, document=False, of_settings=True)


@rule(
    "DF-04",
    "LPersVG RLP (zu prüfen)",
    "Der Personalrat hat zugestimmt, oder eine Dienstvereinbarung gilt",
    "The staff council has agreed, or a works agreement is in force",
    GATE,
)
def staff_council(g: Grounds) -> Answer:
    answer, fact = recorded(g, FactKind.STAFF_COUNCIL), g.facts.newest(FactKind.STAFF_COUNCIL)
    if answer.result is Result.HOLDS and fact is not None and not has_agreed(fact.text):
        return unknown(
            "Schreiben Sie bei „personalrat“ als schlichten Satz, was gilt: „Der Personalrat hat am … zugestimmt.“ oder „Die "
            "Dienstvereinbarung vom … gilt.“ Was noch aussteht, abgelehnt oder eingeschränkt ist, genügt nicht.",
            "Write as a plain sentence of 'personalrat' what is so: „Der Personalrat hat am … zugestimmt.“ or „Die Dienstvereinbarung "
            "vom … gilt.“ What is still to come, was refused or is restricted is not enough.",
        )
    return answer


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
