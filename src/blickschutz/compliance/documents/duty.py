"""The letter to whoever footage was assigned to (§ 21(4) LDSG RLP, Art. 14 GDPR), and its draft without a case for the pack."""

from __future__ import annotations

from blickschutz.audit.model import Event
from blickschutz.compliance.documents import words
from blickschutz.compliance.documents.model import Document, Section, Sentence, event, law, missing, rule, say, setting
from blickschutz.compliance.documents.public import information_sheet
from blickschutz.compliance.model import Grounds
from blickschutz.rights.model import Duty, DutySource

_GENERAL = (1, 2, 3, 4, 5, 6, 7, 8)
"""Sections of the information sheet that the letter has: all but what happens there and where the sheet is to be had."""


def duty_letter(g: Grounds, duty: Duty | None, language: str) -> Document:
    """The letter for a duty; None gives the draft that stands in the pack."""
    english, t = language == "en", words.either(language)
    sheet = information_sheet(g, language)
    sections = [Section("", _body(g, duty, english)), *(sheet.sections[index] for index in _GENERAL)]
    if duty is None and not english:
        sections.append(Section("Rechtliche Prüfung", words.to_verify(words.TELL)))
    who = g.facts.controller
    values = {
        "draft": "form" if duty is None else "",
        "to": t("OFFEN: Name und Anschrift", "OFFEN: name and address"),
        "number": str(duty.case) if duty else "OFFEN",
        "received": "",
        "phone": who.phone if who else "",
        "email": who.email if who else "",
        "address": who.address if who else "OFFEN",
    }
    key = f"information-{duty.id}-{language}" if duty else f"brief-information-{language}"
    title = t("Sie sind auf einer Aufnahme zu sehen", "You are in a recording")
    return Document(key, title, language, "§ 21 Abs. 4 LDSG RLP", tuple(sections), "letter", values)


def _body(g: Grounds, duty: Duty | None, english: bool) -> tuple[Sentence, ...]:
    t = words.either("en" if english else "de")
    evidence = (event(Event.DUTY_OPENED), words.TELL.evidence)
    if duty is None:
        when = missing(t("Tag, an dem die Aufnahme zugeordnet wurde", "day on which the footage was assigned"), *evidence)
    else:
        day = words.day(duty.since, "en" if english else "de")
        released = duty.source is DutySource.RELEASE
        german = "Eine Aufnahme, auf der Sie zu sehen sind, wurde herausgegeben." if released else "Eine Aufnahme wurde Ihnen zugeordnet."
        spoken = "Footage that shows you was released." if released else "Footage was assigned to you."
        when = say(t(f"Am {day}: {german}", f"On {day}: {spoken}"), *evidence)
    return (
        say(
            t(
                f"an {g.site.site.name} gibt es Videoschutz. Sie erhalten diesen Brief, weil wir Sie darüber informieren müssen.",
                f"there is video protection at {g.site.site.name}. You receive this letter because we must inform you.",
            ),
            setting("site.name"),
            words.TELL.evidence,
        ),
        when,
        missing(
            t("wem und wozu, soweit es den Zweck nicht gefährdet", "to whom and what for, as far as it does not endanger the purpose"),
            *evidence,
        ),
        say(
            t(
                "Die Daten stammen von den Kameras, nicht von Ihnen oder anderen Menschen.",
                "The data come from the cameras, not from you or other people.",
            ),
            law("Art. 14 Abs. 2 lit. f DSGVO"),
            rule("ZB-03"),
        ),
    )
