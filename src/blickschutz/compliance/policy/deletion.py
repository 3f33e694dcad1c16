"""Deletion (LO)."""

from __future__ import annotations

from blickschutz.audit.model import Event
from blickschutz.compliance.facts import FactKind
from blickschutz.compliance.model import Answer, Grounds, broken, holds
from blickschutz.compliance.policy.base import LOG, MONTH, NOT_STARTED, SETTING, YEAR, log_limit, names, recorded, rule, two_people

USUAL_HOURS = 72
MOST_DAYS = 61
_OF_RECEIPT = {"reason", "method", "destroyed", "overwritten", "absent", "signature"}
_NOT_OVERWRITTEN = ("vanished", "interrupted")
_GROUNDS = ("straftat", "rechtsanspruch", "schutzwuerdiges_interesse")


@rule(
    "LO-01",
    "EDPB 3/2019",
    "Was niemand sichtet oder harmlos ist, bleibt höchstens 72 Stunden",
    "What nobody reviews or is harmless stays for at most 72 hours",
    SETTING,
)
def unreviewed(g: Grounds) -> Answer:
    hours = g.site.retention.unreviewed_hours
    if hours > USUAL_HOURS:
        return broken(
            f"{hours} Stunden sind zu lang; schreiben Sie retention.unreviewed_hours = {USUAL_HOURS}.",
            f"{hours} hours are too long; write retention.unreviewed_hours = {USUAL_HOURS}.",
        )
    return holds(f"retention.unreviewed_hours = {hours}", f"retention.unreviewed_hours = {hours}")


@rule(
    "LO-02",
    "§ 21 Abs. 5 LDSG RLP",
    "Spätestens nach zwei Monaten ist alles gelöscht, was nicht gesperrt ist",
    "After two months at the latest everything is gone that is not held",
    SETTING,
)
def hard_limit(g: Grounds) -> Answer:
    days = g.site.retention.hard_limit_days
    if days > MOST_DAYS:
        return broken(
            f"{days} Tage sind mehr als zwei Monate; schreiben Sie retention.hard_limit_days = 60.",
            f"{days} days are more than two months; write retention.hard_limit_days = 60.",
        )
    return holds(
        f"retention.hard_limit_days = {days}; zwei Kalendermonate in jedem Fall (tests/unit/test_periods.py)",
        f"retention.hard_limit_days = {days}; two calendar months in any case (tests/unit/test_periods.py)",
    )


@rule(
    "LO-03",
    "§ 21 Abs. 5 LDSG RLP",
    "Eine Sperre hat Grund, Aktenzeichen, verantwortliche Person, Ende und zwei Personen",
    "A hold has ground, case number, owner, end and two people",
    LOG,
)
def whole_holds(g: Grounds) -> Answer:
    if not g.started:
        return NOT_STARTED
    wrong = [
        entry.number
        for entry in g.entries(Event.HOLD_SET, YEAR)
        if entry.facts.get("ground") not in _GROUNDS
        or not all(entry.facts.get(name) for name in ("reference", "owner", "until"))
        or not two_people(entry, "by")
    ]
    if wrong:
        return broken(
            f"Unvollständige Sperren: Einträge {names(wrong)}; heben Sie sie zu zweit auf oder setzen Sie sie neu.",
            f"Incomplete holds: entries {names(wrong)}; end them by two, or set them anew.",
        )
    return holds("Einträge hold-set", "entries hold-set")


def _receipts(g: Grounds) -> Answer | None:
    """What is wrong with the receipts, if anything."""
    done = {entry.subject for entry in g.log.get(Event.SHREDDED, ())}
    late = [entry.subject[:8] for entry in g.log.get(Event.SHRED_ORDERED, ()) if entry.subject not in done and entry.at < g.now - 3600]
    if late:
        return broken(
            f"Angeordnet und nach einer Stunde nicht vernichtet: {names(late)}; sehen Sie auf der Seite Zustand nach.",
            f"Ordered and not destroyed after an hour: {names(late)}; look at the page of health.",
        )
    return None


@rule(
    "LO-04",
    "§ 21 Abs. 5 LDSG RLP",
    "„Kein Vorfall“ wird sofort vernichtet: Clip, Ausschnitte, Kopien, Schlüssel",
    "“No incident” is destroyed at once: clip, excerpts, copies, key",
    LOG,
)
def at_once(g: Grounds) -> Answer:
    if not g.started:
        return NOT_STARTED
    return _receipts(g) or holds("Einträge shred-ordered, shredded", "entries shred-ordered, shredded")


@rule("LO-05", "SDM M60", "Jede Vernichtung hat ein Löschprotokoll ohne Bild", "Each destruction has a receipt without a picture", LOG)
def receipts(g: Grounds) -> Answer:
    if not g.started:
        return NOT_STARTED
    bare = [entry.number for entry in g.entries(Event.SHREDDED, YEAR) if not _OF_RECEIPT.issubset(entry.facts)]
    if bare:
        return broken(f"Unvollständige Löschprotokolle: Einträge {names(bare)}.", f"Incomplete receipts: entries {names(bare)}.")
    gone = [entry.subject[:8] for entry in g.entries(Event.SHREDDED, MONTH) if entry.facts.get("ending") in _NOT_OVERWRITTEN]
    if gone:
        return broken(
            f"Diese Dateien fehlten, bevor sie vernichtet wurden: {names(gone)}; klären Sie, wo sie geblieben sind, und prüfen Sie mit dem "
            "Datenschutz eine Meldung nach Art. 33 DSGVO.",
            f"These files were missing before they were destroyed: {names(gone)}; find out where they went, and consider a notification "
            "under Art. 33 GDPR with the data protection officer.",
        )
    return holds("Einträge shredded; „blickschutz verify receipt“", "entries shredded; `blickschutz verify receipt`")


@rule(
    "LO-06",
    "SDM M60",
    "Ein Schlüssel je Clip wird vernichtet; dass nichts blieb, wird nachgesehen",
    "A key per clip is destroyed; that nothing stayed is looked at again",
    LOG,
)
def crypto_erase(g: Grounds) -> Answer:
    if g.rows is None:
        return NOT_STARTED
    if g.rows.stray:
        return broken(
            f"Dateien und Vorgänge passen nicht zusammen: {names(g.rows.stray)}; der nächste Start stellt sie in Quarantäne.",
            f"Files and cases do not fit: {names(g.rows.stray)}; the next start puts them into quarantine.",
        )
    if g.rows.undecided:
        return broken(
            f"Seit mehr als drei Tagen in Quarantäne: Vorgänge {names(g.rows.undecided)}; zwei Personen der Aufsicht entscheiden auf der "
            "Seite Vorgänge.",
            f"In quarantine for more than three days: cases {names(g.rows.undecided)}; two people of the supervision decide on the page "
            "of cases.",
        )
    return holds("Abgleich von Dateien und Vorgängen", "comparison of files and cases")


@rule(
    "LO-07",
    "SDM M60",
    "Sicherungen enthalten keine Aufnahmen; eine Wiederherstellung löscht erneut",
    "Backups hold no footage; a restore applies deletions again",
    SETTING,
    LOG,
)
def backups(g: Grounds) -> Answer:
    return recorded(g, FactKind.BACKUP_CONCEPT, document=False)


@rule(
    "LO-08", "SDM M43", "Für das Protokoll gilt eine Frist, und nach ihr wird gelöscht", "The log has a limit, and ends at it", SETTING, LOG
)
def log_retention(g: Grounds) -> Answer:
    if g.rows is not None and g.rows.old_entries:
        return broken(
            f"{g.rows.old_entries} Einträge des Protokolls sind älter als audit.keep_months = {g.site.audit.keep_months}; warum sie nicht "
            "gelöscht werden, sagt die Seite Zustand.",
            f"{g.rows.old_entries} entries of the log are older than audit.keep_months = {g.site.audit.keep_months}; the page of health "
            "says why they are not erased.",
        )
    return log_limit(g)


RULES = (unreviewed, hard_limit, whole_holds, at_once, receipts, crypto_erase, backups, log_retention)
