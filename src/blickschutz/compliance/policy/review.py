"""Review under the four-eyes principle (VA)."""

from __future__ import annotations

from blickschutz.access.model import AccountState
from blickschutz.access.rules import SEPARATED
from blickschutz.audit.model import Event
from blickschutz.compliance.model import Answer, Grounds, broken, holds
from blickschutz.compliance.policy.base import LOG, NOT_STARTED, SETTING, YEAR, names, rule, two_people


@rule(
    "VA-01",
    "Auftrag der Stadt, SDM M51.P37",
    "Eine Sichtung öffnet sich nur mit zwei verschiedenen, angemeldeten, geschulten Personen",
    "A review opens only with two different, authenticated, qualified people",
    LOG,
)
def two_open(g: Grounds) -> Answer:
    if not g.started:
        return NOT_STARTED
    alone = [entry.number for entry in g.entries(Event.CLIP_OPENED, YEAR) if not two_people(entry)]
    if alone:
        return broken(
            f"Ohne zwei Personen geöffnet: Einträge {names(alone)}; melden Sie es der Datenschutzbeauftragten.",
            f"Opened without two people: entries {names(alone)}; tell the data protection officer.",
        )
    return holds("Einträge clip-opened; tests/properties/test_four_eyes.py", "entries clip-opened; tests/properties/test_four_eyes.py")


@rule(
    "VA-02",
    "SDM M51",
    "Entpixelung nur mit Grund, Aktenzeichen, zweiter Person, für einen Clip und kurze Zeit",
    "Unmasking only with reason, case number, second person, for one clip and a short time",
    LOG,
)
def unmasking(g: Grounds) -> Answer:
    if not g.started:
        return NOT_STARTED
    wrong = []
    for entry in g.entries(Event.UNMASK_GRANTED, YEAR):
        whole = all(entry.facts.get(name) for name in ("reason", "reference", "seconds"))
        if not (two_people(entry) and whole and entry.subject):
            wrong.append(entry.number)
    if wrong:
        return broken(
            f"Unvollständige Entpixelungen: Einträge {names(wrong)}; melden Sie es der Datenschutzbeauftragten.",
            f"Incomplete unmaskings: entries {names(wrong)}; tell the data protection officer.",
        )
    return holds("Einträge unmask-granted; review.unmask_s", "entries unmask-granted; review.unmask_s")


@rule(
    "VA-03",
    "SDM M51",
    "Über dem Kontingent der Entpixelungen erfährt es die Datenschutzbeauftragte",
    "Above the quota of unmaskings the data protection officer is told",
    LOG,
)
def quota(g: Grounds) -> Answer:
    if not g.started:
        return NOT_STARTED
    count, most = len(g.entries(Event.UNMASK_GRANTED, 30)), g.site.review.unmask_quota
    if count > most and not g.entries(Event.UNMASK_QUOTA_PASSED, 30):
        return broken(
            f"{count} Entpixelungen in 30 Tagen, erlaubt sind {most}, und niemand erfuhr es; sagen Sie es der Datenschutzbeauftragten.",
            f"{count} unmaskings in 30 days, {most} are allowed, and nobody was told; tell the data protection officer.",
        )
    return holds(f"{count} von {most} in 30 Tagen (review.unmask_quota)", f"{count} of {most} in 30 days (review.unmask_quota)")


@rule(
    "VA-04",
    "SDM M51",
    "Wer verwaltet, sieht weder Livebild noch Aufnahmen; wer sichtet, verwaltet nicht",
    "Whoever administers sees neither live picture nor recordings; whoever reviews does not administer",
    SETTING,
)
def separated(g: Grounds) -> Answer:
    roles = {one.id: frozenset(one.roles) for one in g.site.people}
    roles |= {one.id: one.roles for one in g.members if one.state is not AccountState.BLOCKED}
    both = [person for person, held in roles.items() if any(first in held and second in held for first, second in SEPARATED)]
    if both:
        return broken(
            f"Diese Personen haben Rollen, die sich ausschließen; nehmen Sie eine weg: {names(both)}.",
            f"These people hold roles that exclude each other; take one away: {names(both)}.",
        )
    return holds("people.roles; Tabelle der Rechte (docs/permissions.md)", "people.roles; table of permissions (docs/permissions.md)")


@rule("VA-05", "§ 21 Abs. 5 LDSG RLP", "Rechtzeitig gesichtet, sonst vernichtet", "Reviewed in time, else destroyed", LOG)
def in_time(g: Grounds) -> Answer:
    if g.rows is None:
        return NOT_STARTED
    if g.rows.overdue:
        return broken(
            f"Über die Frist hinaus vorhanden: Vorgänge {names(g.rows.overdue)}; starten Sie die Anlage, sie vernichtet sie.",
            f"There beyond their limit: cases {names(g.rows.overdue)}; start the site, it destroys them.",
        )
    return holds("Fristen der Vorgänge", "deadlines of the cases")


RULES = (two_open, unmasking, quota, separated, in_time)
