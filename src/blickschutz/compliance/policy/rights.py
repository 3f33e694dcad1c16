"""Release to others (ZB) and rights of those concerned (BR)."""

from __future__ import annotations

from blickschutz.audit.model import Event
from blickschutz.compliance.facts import FactKind
from blickschutz.compliance.model import Answer, Grounds, broken, holds
from blickschutz.compliance.policy.base import LOG, NOT_STARTED, YEAR, names, recorded, rule, two_people

BASES = ("strafverfolgung", "gefahrenabwehr", "gesetzlich", "betroffener")


@rule(
    "ZB-01",
    "§ 21 Abs. 3 LDSG RLP",
    "Eine Herausgabe hat Empfänger, Rechtsgrundlage und zwei Personen",
    "A release has recipient, legal basis and two people",
    LOG,
)
def whole_releases(g: Grounds) -> Answer:
    if not g.started:
        return NOT_STARTED
    wrong = [
        entry.number
        for entry in g.entries(Event.RELEASED, YEAR)
        if not (two_people(entry) and entry.facts.get("recipient") and entry.facts.get("basis") in BASES)
    ]
    if wrong:
        return broken(
            f"Unvollständige Herausgaben: Einträge {names(wrong)}; melden Sie es der Datenschutzbeauftragten.",
            f"Incomplete releases: entries {names(wrong)}; tell the data protection officer.",
        )
    return holds("Einträge released", "entries released")


@rule(
    "ZB-02",
    "§ 21 Abs. 3 LDSG RLP",
    "Eine Ordnungswidrigkeit ist kein Grund für eine Herausgabe",
    "A regulatory offence is no reason for a release",
    LOG,
)
def no_offence(g: Grounds) -> Answer:
    if not g.started:
        return NOT_STARTED
    wrong = [entry.number for entry in g.entries(Event.RELEASED, YEAR) if entry.facts.get("basis") == "ordnungswidrigkeit"]
    if wrong:
        return broken(
            f"Wegen einer Ordnungswidrigkeit herausgegeben: Einträge {names(wrong)}; lassen Sie es rechtlich prüfen.",
            f"Released for a regulatory offence: entries {names(wrong)}; have it checked by lawyers.",
        )
    return holds("Einträge release-refused, released", "entries release-refused, released")


@rule(
    "ZB-03",
    "§ 21 Abs. 4 LDSG RLP",
    "Wem eine Aufnahme zugeordnet wird, erfährt es, oder der Aufschub ist festgehalten",
    "Whoever footage is assigned to is told, or the deferral is recorded",
    LOG,
)
def told(g: Grounds) -> Answer:
    if g.rows is not None and g.rows.unmet_duties:
        late = names(g.rows.unmet_duties)
        return broken(
            f"Nicht rechtzeitig informiert: Informationspflichten {late}; informieren Sie oder halten Sie den Aufschub fest.",
            f"Not told in time: duties to inform {late}; tell them, or record the deferral.",
        )
    known = {entry.subject for entry in g.log.get(Event.DUTY_OPENED, ())}
    # The entry about a duty can end, with its clip, before the one about a later release.
    there = g.rows.with_duty if g.rows is not None else ()
    released = [entry for entry in g.entries(Event.RELEASED, YEAR) if entry.facts.get("basis") != BASES[-1]]
    untold = [entry.number for entry in released if entry.subject not in known and entry.subject not in there]
    if untold:
        return broken(
            f"Herausgegeben, ohne dass jemand informiert werden soll: Einträge {names(untold)}; legen Sie die Informationspflicht an.",
            f"Released without a duty to inform: entries {names(untold)}; open the duty.",
        )
    return recorded(g, FactKind.REQUESTS_PROCESS, document=False)


@rule(
    "ZB-04",
    "§ 20 LDSG RLP",
    "Keine Kontrolle von Leistung oder Verhalten der Beschäftigten",
    "No control of the performance or conduct of staff",
    LOG,
)
def no_staff_control(g: Grounds) -> Answer:
    return recorded(g, FactKind.STAFF_CONTROL, document=False)


@rule(
    "BR-01",
    "Art. 12 Abs. 3, Art. 15–18 und 21 DSGVO",
    "Anfragen Betroffener werden binnen eines Monats beantwortet",
    "Requests of those concerned are answered within a month",
    LOG,
)
def requests(g: Grounds) -> Answer:
    if g.rows is not None and g.rows.late_requests:
        late = names(g.rows.late_requests)
        return broken(
            f"Nicht rechtzeitig beantwortet: Anfragen {late}; antworten Sie und nennen Sie den Grund der Verspätung.",
            f"Not answered in time: requests {late}; answer, and give the reason for the delay.",
        )
    return recorded(g, FactKind.REQUESTS_PROCESS, document=False)


@rule(
    "BR-02",
    "Art. 18 DSGVO",
    "Aufnahmen in einer offenen Anfrage werden eingeschränkt, nicht gelöscht",
    "Footage in an open request is restricted, not deleted",
    LOG,
)
def restricted(g: Grounds) -> Answer:
    if not g.started:
        return NOT_STARTED
    freed = _pairs(g, Event.CASE_FREED)
    kept = {clip for (clip, request), number in _pairs(g, Event.CASE_RESTRICTED).items() if number > freed.get((clip, request), 0)}
    lost = sorted({entry.subject[:8] for entry in g.log.get(Event.SHREDDED, ()) if entry.subject in kept})
    if lost:
        return broken(
            f"Trotz offener Anfrage einer betroffenen Person vernichtet: {names(lost)}; melden Sie es der Datenschutzbeauftragten.",
            f"Destroyed in spite of an open request of somebody concerned: {names(lost)}; tell the data protection officer.",
        )
    return holds("Einträge case-restricted, case-freed, shredded", "entries case-restricted, case-freed, shredded")


def _pairs(g: Grounds, event: Event) -> dict[tuple[str, object], int]:
    """Clip and request of entries of that event, and the newest entry of each."""
    found: dict[tuple[str, object], int] = {}
    for entry in g.log.get(event, ()):
        key = (entry.subject, entry.facts.get("request"))
        found[key] = max(entry.number, found.get(key, 0))
    return found


@rule(
    "BR-03",
    "Art. 15 Abs. 4 DSGVO",
    "In der Kopie für eine Person sind alle anderen verpixelt",
    "In the copy for one person all others are redacted",
    LOG,
)
def copies(g: Grounds) -> Answer:
    wrong = [
        entry.number
        for entry in g.entries(Event.RELEASED, YEAR)
        if entry.facts.get("basis") == "betroffener" and "original.mp4" in _contents(entry.facts.get("contents"))
    ]
    if wrong:
        return broken(
            "Eine betroffene Person bekam das Original mit anderen darin: Einträge "
            f"{names(wrong)}; melden Sie es der Datenschutzbeauftragten.",
            f"Somebody concerned was given the original with others in it: entries {names(wrong)}; tell the data protection officer.",
        )
    return holds("Einträge released; tests/unit/test_evidence.py", "entries released; tests/unit/test_evidence.py")


def _contents(value: object) -> list[str]:
    return value if isinstance(value, list) else []


RULES = (whole_releases, no_offence, told, no_staff_control, requests, restricted, copies)
