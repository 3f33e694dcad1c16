"""Evaluation after two years: effects beside a comparison area, displacement, false alarms, costs, and an end for what is not needed."""

from __future__ import annotations

from blickschutz.audit.model import Event
from blickschutz.compliance.documents import words
from blickschutz.compliance.documents.model import Document, Section, Sentence, Table, event, fact, law, missing, rule, say
from blickschutz.compliance.facts import FactKind
from blickschutz.compliance.model import Grounds
from blickschutz.kernel.periods import add_months
from blickschutz.situations.kinds import Kind, name

MONTHS = 24


def evaluation(g: Grounds) -> Document:
    """What is known after two years, camera by camera. Rates and ratios come with the report of "
    "the same period, which has the police's figures."""
    first = add_months(g.today, -MONTHS)
    sections = (
        Section(
            "Zeitraum und Maßstab",
            (
                say(f"{first:%d.%m.%Y} bis {g.today:%d.%m.%Y}.", law("§ 21 Abs. 1 LDSG RLP"), rule("RG-06")),
                say(
                    "Eine Kamera bleibt nur, wo sie weiter erforderlich ist. Zahlen zeigen eine Entwicklung und belegen keine Ursache; "
                    "Umfragen werden nur zur Einordnung genannt.",
                    law("§ 21 Abs. 1 LDSG RLP"),
                    rule("RG-02"),
                ),
            ),
        ),
        Section(
            "Wirkung mit Vergleichsraum",
            (
                words.recorded(g, FactKind.COMPARISON_AREA, "Vergleichsraum und warum er vergleichbar ist"),
                words.recorded(g, FactKind.DISPLACEMENT, "Verdrängung in andere Bereiche"),
                say(
                    "Raten, Verhältnisse mit Vertrauensbereich und Vergleich stehen im Bericht für denselben Zeitraum, der aus den Zahlen "
                    "der Polizei gerechnet ist.",
                    fact("incidents"),
                    law("Art. 5 Abs. 2 DSGVO"),
                ),
            ),
        ),
        Section("Meldungen der letzten 30 Tage und Fehlalarme", (_false_alarms(g),)),
        Section("Aufzeichnungen und Entscheidungen", tuple(_counts(g))),
        Section(
            "Beschwerden, Datenpannen, Kosten",
            (
                words.recorded(g, FactKind.COMPLAINTS, "Beschwerden"),
                words.recorded(g, FactKind.BREACHES, "Datenpannen"),
                words.recorded(g, FactKind.COSTS, "Kosten"),
                words.recorded(g, FactKind.DATA_SUBJECTS_VIEWS, "Standpunkt der Betroffenen"),
            ),
        ),
        Section("Empfehlung je Kamera", (_cameras(g),)),
        Section(
            "Ergebnis und Ende",
            (
                words.recorded(g, FactKind.EVALUATION, "Ergebnis der Evaluation"),
                say(
                    "Vorschlag: Eine Kamera ohne Empfehlung oder mit der Empfehlung, sie abzubauen, anhalten, bis entschieden ist.",
                    event(Event.CAMERA_STOPPED),
                    rule("RG-06"),
                ),
            ),
        ),
        Section("Rechtliche Prüfung", words.to_verify(words.WORDING)),
    )
    return Document(
        "evaluation",
        "Evaluation nach zwei Jahren",
        "de",
        "§ 21 Abs. 1 LDSG RLP, Art. 35 Abs. 11 DSGVO",
        sections,
        signers=("Verantwortlicher", "Datenschutzbeauftragte", "Lenkungskreis"),
    )


def _false_alarms(g: Grounds) -> Sentence | Table:
    evidence = (event(Event.ALERT_DECIDED), rule("KI-05"))
    if g.rows is None:
        return missing("Fehlalarme; die Anlage lief noch nicht", *evidence)
    if not g.rows.false_alarms:
        return say("In den letzten 30 Tagen wurde keine Meldung entschieden.", *evidence)
    names = {camera.id: camera.name for camera in g.site.cameras}
    rows = tuple(
        ((names.get(one.camera, one.camera), name(Kind(one.kind), "de"), str(one.alerts), str(one.false)), evidence)
        for one in g.rows.false_alarms
    )
    return Table(("Kamera", "Art", "entschiedene Meldungen", "davon Fehlalarme"), rows)


def _counts(g: Grounds) -> list[Sentence | Table]:
    evidence = (event(Event.CASE_DECIDED), event(Event.SHREDDED), event(Event.RELEASED), event(Event.UNMASK_GRANTED))
    if not g.started:
        return [missing("Aufzeichnungen; die Anlage lief noch nicht", *evidence)]
    days = (g.today - add_months(g.today, -MONTHS)).days
    is_erased = g.site.audit.keep_months < MONTHS
    asked = (
        ("als Vorfall bewertet", Event.CASE_DECIDED, "incident"),
        ("als kein Vorfall bewertet", Event.CASE_DECIDED, "harmless"),
        ("vernichtet", Event.SHREDDED, ""),
        ("herausgegeben", Event.RELEASED, ""),
        ("entpixelt", Event.UNMASK_GRANTED, ""),
    )
    rows = []
    for about, what, outcome in asked:
        found = [one for one in g.entries(what, days) if not outcome or one.facts.get("outcome") == outcome]
        # The newest entries alone are read; where the log has or had more, the number is a least one.
        most = is_erased or len(g.log.get(what, ())) >= g.most_entries
        rows.append(((about, f"mindestens {len(found)}" if most else str(len(found))), (event(what),)))
    return [Table(("Aufzeichnungen", "Anzahl in zwei Jahren"), tuple(rows))]


def _cameras(g: Grounds) -> Table:
    grounds = {one.camera: one for one in g.facts.grounds}
    rows = []
    for camera in g.site.cameras:
        counted = [one for one in g.facts.incidents if one.camera == camera.id]
        found = grounds.get(camera.id)
        shown = str(sum(one.count for one in counted)) if counted else words.OPEN
        cells = (camera.name, shown, words.or_open(found.conclusion if found else ""))
        rows.append((cells, (fact("incidents"), fact("grounds"), rule("RG-06"))))
    return Table(("Kamera", "erfasste Vorfälle", "Empfehlung"), tuple(rows))
