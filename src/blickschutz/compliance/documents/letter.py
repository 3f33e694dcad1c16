"""Letters to whoever asked for their rights: the answer, and the notice that it takes longer (Art. 12(3) and (4) GDPR)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from blickschutz.audit.model import Event
from blickschutz.compliance.documents import words
from blickschutz.compliance.documents.model import Document, Evidence, Section, Sentence, Table, event, law, rule, say, setting
from blickschutz.compliance.documents.public import information_sheet
from blickschutz.compliance.model import Grounds
from blickschutz.rights.model import Outcome, Request, RequestState, Restricted, Right
from blickschutz.rights.rules import deadline

_RIGHTS = {
    Right.ACCESS: ("Auskunft (Art. 15 DSGVO)", "access (Art. 15 GDPR)"),
    Right.RECTIFICATION: ("Berichtigung (Art. 16 DSGVO)", "rectification (Art. 16 GDPR)"),
    Right.ERASURE: ("Löschung (Art. 17 DSGVO)", "erasure (Art. 17 GDPR)"),
    Right.RESTRICTION: ("Einschränkung der Verarbeitung (Art. 18 DSGVO)", "restriction of processing (Art. 18 GDPR)"),
    Right.OBJECTION: ("Widerspruch (Art. 21 DSGVO)", "objection (Art. 21 GDPR)"),
}
_ASKED, _ANSWERED = (event(Event.REQUEST_RECORDED),), (event(Event.REQUEST_ANSWERED),)
_GENERAL = (0, 1, 2, 3, 4, 5, 6, 7, 8)
"""Which sections of the information sheet an access is told of (Art. 15(1)): all but where the sheet is to be had."""


def answer_letter(g: Grounds, request: Request) -> Document:
    """The answer to a request that has one; "Entwurf" stands on it until a second person confirmed it."""
    assert request.answer is not None  # asked before
    sections = [Section("", tuple(_body(g, request)))]
    if request.answer.outcome is Outcome.GRANTED and Right.ACCESS in request.rights:
        sheet = information_sheet(g, request.language)
        sections += [sheet.sections[index] for index in _GENERAL]
    sections.append(_remedies(request))
    return _document(g, request, "antwort", request.state is not RequestState.ANSWERED, sections)


def extension_letter(g: Grounds, request: Request) -> Document:
    """The notice that the answer takes longer, with the reason."""
    extension = request.extension
    assert extension is not None  # asked before
    t = words.either(request.language)
    until = words.day(deadline(request), request.language)
    body = (
        _about(request),
        say(
            t(
                f"Die Bearbeitung braucht länger als einen Monat. Sie erhalten die Antwort spätestens am {until}.",
                f"This takes longer than one month. You will have our answer by {until} at the latest.",
            ),
            event(Event.REQUEST_EXTENDED),
            law("Art. 12 Abs. 3 Satz 2 DSGVO"),
        ),
        say(f"{t('Grund', 'Reason')}: {extension.reason}", event(Event.REQUEST_EXTENDED)),
    )
    return _document(g, request, "zwischennachricht", False, [Section("", body), _remedies(request)])


def _document(g: Grounds, request: Request, key: str, draft: bool, sections: Sequence[Section]) -> Document:
    t = words.either(request.language)
    asked = ", ".join(_RIGHTS[one][0 if request.language == "de" else 1] for one in request.rights)
    title = t(f"Ihr Antrag: {asked}", f"Your request: {asked}")
    who = g.facts.controller
    values = {
        "draft": "yes" if draft else "",
        "to": f"{request.name}\n{request.contact}".strip(),
        "number": str(request.id),
        "received": words.day(request.received, request.language),
        "phone": who.phone if who else "",
        "email": who.email if who else "",
        "address": who.address if who else "OFFEN",
    }
    return Document(f"{key}-{request.id}", title, request.language, "Art. 12 DSGVO", tuple(sections), "letter", values)


def _about(request: Request) -> Sentence:
    t = words.either(request.language)
    day = words.day(request.received, request.language)
    return say(t(f"Ihr Antrag ist am {day} bei uns eingegangen.", f"We received your request on {day}."), *_ASKED)


def _body(g: Grounds, request: Request) -> list[Sentence | Table]:
    """What was asked, what was found, what follows."""
    assert request.answer is not None
    t, answer = words.either(request.language), request.answer
    kept = g.site.retention
    said: list[Sentence | Table] = [_about(request)]
    match answer.outcome:
        case Outcome.GRANTED:
            said += _granted(g, request)
        case Outcome.NOTHING_FOUND:
            said.append(
                say(
                    t(
                        "Zu der Zeit und an dem Ort, die Sie nennen, ist keine Aufnahme gespeichert. Aufgezeichnet wird nur bei einem "
                        f"Ereignis; was niemand sichtet, wird nach {kept.unreviewed_hours} Stunden vernichtet, was harmlos ist, sofort.",
                        "No footage of the time and place that you name is stored. Only events are recorded; what nobody reviews is "
                        f"destroyed after {kept.unreviewed_hours} hours, what is harmless at once.",
                    ),
                    setting("retention.unreviewed_hours"),
                    rule("LO-04"),
                    *_ANSWERED,
                )
            )
        case Outcome.NOT_IDENTIFIED:
            said.append(
                say(
                    t(
                        "Wir können keine Aufnahme Ihrer Person zuordnen. Personen sind verpixelt, und Gesichter werden nicht erkannt. "
                        "Es hilft, wenn Sie Tag, Uhrzeit, Ort und Kleidung genauer angeben (Art. 11 Abs. 2 DSGVO).",
                        "We cannot assign any footage to you. People are redacted, and no faces are recognised. It helps to tell us more "
                        "about day, time, place and clothing (Art. 11(2) GDPR).",
                    ),
                    law("Art. 11 Abs. 2 DSGVO"),
                    rule("KI-01"),
                )
            )
        case Outcome.REFUSED:
            said.append(
                say(t("Ihrem Antrag können wir nicht entsprechen.", "We cannot comply with your request."), law("Art. 12 Abs. 4 DSGVO"))
            )
        case Outcome.WITHDRAWN:
            said.append(say(t("Sie haben Ihren Antrag zurückgezogen.", "You have withdrawn your request."), *_ANSWERED))
    if answer.text:
        said.append(say(answer.text, *_ANSWERED))
    return said


def _granted(g: Grounds, request: Request) -> list[Sentence | Table]:
    t = words.either(request.language)
    said: list[Sentence | Table] = []
    if request.restricted:
        said.append(
            say(
                t("Diese Aufnahmen betreffen Sie:", "This footage is about you:"),
                event(Event.REQUEST_RESTRICTED),
                law("Art. 15 Abs. 1 DSGVO"),
            )
        )
        said.append(_footage(g, request.restricted, t))
    if Right.ACCESS in request.rights:
        said.append(
            say(
                t(
                    "Eine Kopie geben wir Ihnen verschlüsselt mit; alle anderen Personen darin sind verpixelt.",
                    "We hand you a copy, encrypted; all other people in it are redacted.",
                ),
                law("Art. 15 Abs. 3 und 4 DSGVO"),
                rule("BR-03"),
            )
        )
    if Right.RECTIFICATION in request.rights:
        said.append(
            say(
                t(
                    "Eine Aufnahme selbst wird nicht verändert; Ihre Angaben sind zu dem Vorgang genommen.",
                    "Footage itself is not altered; what you told us has been added to the file.",
                ),
                law("Art. 16 DSGVO"),
                *_ANSWERED,
            )
        )
    if Right.ERASURE in request.rights:
        said.append(
            say(
                t(
                    "Die genannten Aufnahmen werden mit dieser Antwort vernichtet, soweit sie nicht als Beweis gesperrt sind.",
                    "The footage named is destroyed with this answer, as far as it is not held as evidence.",
                ),
                law("Art. 17 Abs. 1 und 3 DSGVO"),
                event(Event.SHREDDED),
            )
        )
    if Right.RESTRICTION in request.rights:
        said.append(
            say(
                t(
                    "Die genannten Aufnahmen waren bis zu dieser Antwort eingeschränkt: Sie wurden weder gesichtet noch gelöscht.",
                    "The footage named was restricted until this answer: it was neither reviewed nor erased.",
                ),
                law("Art. 18 Abs. 1 und 3 DSGVO"),
                event(Event.CASE_RESTRICTED),
                rule("BR-02"),
            )
        )
    if Right.OBJECTION in request.rights:
        said.append(
            say(t("Ihrem Widerspruch wird entsprochen.", "Your objection is upheld."), law("Art. 21 Abs. 1 DSGVO"), *_ANSWERED),
        )
    return said


def _footage(g: Grounds, found: Sequence[Restricted], t: Callable[[str, str], str]) -> Table:
    zone = ZoneInfo(g.site.site.timezone)
    names = {camera.id: camera.name for camera in g.site.cameras}
    evidence: tuple[Evidence, ...] = (event(Event.CASE_OPENED), event(Event.RECORDING_CLOSED))
    rows = tuple(
        (
            (
                f"{datetime.fromtimestamp(one.opened, zone):%d.%m.%Y, %H:%M}",
                names.get(one.camera, one.camera),
                f"{one.seconds:.0f} s",
            ),
            evidence,
        )
        for one in found
    )
    return Table((t("Beginn", "Begins"), t("Kamera", "Camera"), t("Länge", "Length")), rows)


def _remedies(request: Request) -> Section:
    """What every answer must say (Art. 12(4))."""
    t = words.either(request.language)
    text = t(
        "Sie können sich beim Landesbeauftragten für den Datenschutz und die Informationsfreiheit Rheinland-Pfalz beschweren "
        "(Art. 77 DSGVO) oder vor dem Verwaltungsgericht klagen (Art. 79 DSGVO).",
        "You may complain to the data protection authority of Rhineland-Palatinate (LfDI Rheinland-Pfalz, Art. 77 GDPR) or go to the "
        "administrative court (Art. 79 GDPR).",
    )
    return Section(t("Ihre Rechtsbehelfe", "Your remedies"), (say(text, law("Art. 12 Abs. 4 DSGVO"), law("Art. 77 und 79 DSGVO")),))
