"""Forms for a breach of personal data: notice to the authority (Art. 33 GDPR) and to those "
"concerned (Art. 34), with the 72 hours reckoned."""

from __future__ import annotations

from datetime import timedelta

from blickschutz.audit.model import Event
from blickschutz.compliance.documents import words
from blickschutz.compliance.documents.model import Document, Section, Sentence, Table, event, fact, law, missing, rule, say
from blickschutz.compliance.facts import FactKind
from blickschutz.compliance.model import Grounds
from blickschutz.compliance.recorded import Breach, Danger

LIMIT = timedelta(hours=72)
_DANGER = {
    Danger.NONE: "voraussichtlich kein Risiko (Art. 33 Abs. 1 Halbsatz 2 DSGVO)",
    Danger.SOME: "Risiko: Meldung an die Aufsichtsbehörde",
    Danger.HIGH: "hohes Risiko: auch Benachrichtigung der Betroffenen",
}


def _newest(g: Grounds) -> list[Breach]:
    return sorted(g.facts.breaches, key=lambda one: one.known, reverse=True)


def notice(g: Grounds) -> Document:
    """The notice to the authority, one section for each recorded breach; an empty form where there is none."""
    authority = g.facts.supervisory_authority
    to = (
        say(f"An: {authority.name}, {authority.address}, {authority.phone}, {authority.email}", fact("supervisory_authority"))
        if authority
        else missing("Aufsichtsbehörde mit Anschrift", fact("supervisory_authority"))
    )
    sections = (
        Section("Empfänger und Absender", (to, words.office(g.facts.controller, "controller"))),
        Section(
            "Anlaufstelle (Art. 33 Abs. 3 lit. b)",
            (words.office(g.facts.data_protection_officer, "data_protection_officer"),),
        ),
        Section(
            "Verfahren",
            (
                words.recorded(g, FactKind.BREACH_PROCESS, "Verfahren für Datenpannen"),
                say(
                    "Die Meldung ergeht unverzüglich und binnen 72 Stunden, nachdem die Verletzung bekannt wurde; was noch fehlt, wird "
                    "nachgereicht.",
                    law("Art. 33 Abs. 1 und 4 DSGVO"),
                    rule("SI-10"),
                ),
            ),
        ),
        *([_notified(g, one) for one in _newest(g)] or [_empty()]),
        Section(
            "Was das Protokoll dazu sagt",
            (
                say(
                    "Störungen der Verpixelung, verlorene oder beschädigte Daten und abgelehnte Zugriffe stehen im Protokoll der Anlage.",
                    event(Event.LOSS_FOUND),
                    event(Event.LOG_BROKEN),
                    event(Event.ACCESS_REFUSED),
                ),
            ),
        ),
    )
    return Document(
        "datenpanne-meldung",
        "Meldung einer Datenpanne",
        "de",
        "Art. 33 DSGVO",
        sections,
        signers=("Verantwortlicher", "Datenschutzbeauftragte"),
        reticent=True,
    )


def _empty() -> Section:
    asked = (
        "Wann bekannt geworden",
        "Was geschah, welche Art von Verletzung",
        "Betroffene und ungefähre Zahl",
        "Datensätze und ungefähre Zahl",
        "Wahrscheinliche Folgen",
        "Ergriffene und vorgeschlagene Maßnahmen",
        "Risiko für die Betroffenen",
    )
    row = (fact("breaches"), law("Art. 33 Abs. 3 DSGVO"))
    return Section(
        "Vordruck; es ist keine Datenpanne eingetragen", (Table(("Angabe", "Wert"), tuple(((one, words.OPEN), row) for one in asked)),)
    )


def _notified(g: Grounds, one: Breach) -> Section:
    limit = one.known + LIMIT
    reported = words.moment(g, one.reported.timestamp()) if one.reported else words.OPEN
    row = (fact("breaches"), law("Art. 33 Abs. 3 DSGVO"), rule("SI-10"))
    found = [
        ("bekannt geworden", words.moment(g, one.known.timestamp())),
        ("Frist von 72 Stunden endet", words.moment(g, limit.timestamp())),
        ("Was geschah", one.what),
        ("Betroffene", words.or_open(one.people)),
        ("Datensätze", words.or_open(one.records)),
        ("Wahrscheinliche Folgen", words.or_open(one.consequences)),
        ("Maßnahmen", words.or_open(one.measures)),
        ("Risiko", f"{_DANGER[one.danger]}; {words.or_open(one.person)}" if one.danger else words.OPEN),
        ("gemeldet", reported),
    ]
    over = one.reported > limit if one.reported else g.now > limit.timestamp() and one.danger is not Danger.NONE
    if over:
        found.append(("Grund der Verzögerung", words.or_open(one.late)))
    return Section(f"Datenpanne {one.id}", (Table(("Angabe", "Wert"), tuple((cells, row) for cells in found)),))


def told(g: Grounds) -> Document:
    """The notice to those concerned, for each breach of high risk; an empty form where there is none."""
    high = [one for one in _newest(g) if one.danger is Danger.HIGH]
    sections = (
        Section(
            "Wann benachrichtigt wird",
            (
                say(
                    "Bei hohem Risiko werden die Betroffenen unverzüglich in klarer und einfacher Sprache benachrichtigt; ist das mit "
                    "unverhältnismäßigem Aufwand verbunden, durch öffentliche Bekanntmachung.",
                    law("Art. 34 Abs. 1 bis 3 DSGVO"),
                ),
            ),
        ),
        *([_letter(g, one) for one in high] or [Section("Vordruck; kein hohes Risiko ist eingetragen", _body(g, None))]),
    )
    return Document(
        "datenpanne-benachrichtigung",
        "Benachrichtigung nach einer Datenpanne",
        "de",
        "Art. 34 DSGVO",
        sections,
        signers=("Verantwortlicher",),
        reticent=True,
    )


def _letter(g: Grounds, one: Breach) -> Section:
    return Section(f"Benachrichtigung zu {one.id}", _body(g, one))


def _body(g: Grounds, one: Breach | None) -> tuple[Sentence, ...]:
    asked = (fact("breaches"), law("Art. 34 Abs. 2 DSGVO"))

    def line(about: str, text: str) -> Sentence:
        return say(f"{about}: {text}", *asked) if text else missing(about, *asked)

    return (
        line("Was geschah", one.what if one else ""),
        line("Was das für Sie bedeuten kann", one.consequences if one else ""),
        line("Was wir getan haben und was Sie tun können", one.measures if one else ""),
        words.office(g.facts.data_protection_officer, "data_protection_officer"),
        line("Benachrichtigt am", words.moment(g, one.told.timestamp()) if one and one.told else ""),
    )
