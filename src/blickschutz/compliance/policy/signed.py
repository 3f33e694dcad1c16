"""Who signed what a rule rests on: two accounts in the application, or two people on paper, which the facts file must say. What merely
stands in the facts file opens no gate, whoever it names."""

from __future__ import annotations

from blickschutz.compliance.entered import PHOTOGRAPH, Entered, Standing, counting, in_order
from blickschutz.compliance.facts import Fact, Sign
from blickschutz.compliance.model import Answer, Form, Grounds, Text, broken, unknown
from blickschutz.compliance.policy.evidence import same_person, says_something, unreadable
from blickschutz.compliance.sheets import Sheet


def entered_as(g: Grounds, fact: Fact) -> Entered | None:
    """What was entered in the application for that fact; None where it comes from the facts file."""
    return next((one for one in counting(g.entered, g.settings) if one.kind == fact.kind.value and one.sha256 == fact.sha256), None)


def on_paper(g: Grounds) -> Answer | None:
    """What is wrong with the signatures on paper, if anything."""
    paper = g.facts.on_paper
    if paper is None:
        return unknown(
            "Es steht nur in der Tatsachendatei. Tragen Sie es unter Nachweise ein, wo zwei Personen es unterschreiben.",
            "It merely stands in the facts file. Enter it on the page of proofs, where two people sign it.",
        )
    if paper.content != g.content or paper.settings != g.settings:
        return broken(
            f"Auf Papier unterschrieben wurde am {paper.date} ein anderer Stand der Tatsachendatei oder der Einstellungen. Unterschreiben "
            f"Sie neu und tragen Sie unter on_paper ein: content = {g.content}, settings = {g.settings}.",
            f"What was signed on paper on {paper.date} was another state of the facts file or the settings. Sign anew and record under "
            f"on_paper: content = {g.content}, settings = {g.settings}.",
        )
    if not says_something(paper.stands) or not says_something(paper.confirms) or same_person(paper.stands, paper.confirms):
        return unknown("Unter on_paper stehen keine zwei Personen.", "There are no two people under on_paper.")
    found = g.documents.get(paper.document)
    if found is None or found.sha256 != paper.sha256 or found.form not in {Form.PDF, Form.PICTURE} or unreadable(g, paper.document):
        return unknown(
            f"Der Scan der Unterschriften {paper.document} fehlt, ist ein anderer oder lässt sich nicht öffnen.",
            f"The scan of the signatures {paper.document} is missing, is another one, or cannot be opened.",
        )
    return None if paper.date <= g.today else broken("Die Unterschriften liegen in der Zukunft.", "The signatures lie in the future.")


def is_signed(g: Grounds, fact: Fact) -> bool:
    """Whether two people signed that fact, whatever became of its document."""
    one = entered_as(g, fact)
    return on_paper(g) is None if one is None else one.standing(g.settings) is Standing.SIGNED


def vouchers(g: Grounds, one: Entered | None) -> Text:
    """Who stands for it: by a signature in the application, or on paper."""
    paper = g.facts.on_paper
    if one is not None:
        people = [f"{signature.name} ({signature.role.value})" for signature in in_order(one, g.settings)]
        return f"unterschrieben von {' und '.join(people)}", f"signed by {' and '.join(people)}"
    assert paper is not None  # nothing counts that nobody signed
    return (
        f"auf Papier unterschrieben von {paper.stands} und {paper.confirms} am {paper.date} ({paper.document})",
        f"signed on paper by {paper.stands} and {paper.confirms} on {paper.date} ({paper.document})",
    )


def void(g: Grounds, one: Entered) -> Answer:
    """Its signatures are for other settings."""
    signed = [signature.name for signature in one.signatures if signature.settings != g.settings]
    return broken(
        f"Die Unterschriften von {' und '.join(signed)} unter {one.name} („{one.kind}“) gelten nicht mehr: Die Einstellungen haben sich "
        "geändert. Prüfen Sie die Änderung und unterschreiben Sie unter Nachweise neu.",
        f"The signatures of {' and '.join(signed)} under {one.name} ('{one.kind}') are void: the settings have changed. "
        "Look at the change and sign anew on the page of proofs.",
    )


def waiting(g: Grounds, kind: str) -> Answer | None:
    """That something of that kind is entered and not signed yet, where it is so."""
    one = next((one for one in g.entered if one.kind == kind and one.standing(g.settings) is Standing.WAITING), None)
    if one is None:
        return None
    return unknown(
        f"{one.name} („{kind}“) ist eingetragen und wartet noch auf zwei Unterschriften.",
        f"{one.name} ('{kind}') is entered, and not signed by two people yet.",
    )


def sheet_in_force(g: Grounds, sheet: Sheet) -> Entered | None:
    """The table that stands for a section of the facts file now."""
    return next((one for one in counting(g.entered, g.settings) if one.kind == sheet.value), None)


def unsigned(g: Grounds, *sheets: Sheet) -> Answer | None:
    """Which of these nobody signed as they are, if any."""
    for sheet in sheets:
        one = sheet_in_force(g, sheet)
        if one is None:
            if (problem := on_paper(g)) is not None:
                return waiting(g, sheet.value) or Answer(problem.result, _about(sheet.value, problem.text))
        elif one.standing(g.settings) is Standing.VOID:
            return void(g, one)
        elif one.name not in g.documents:
            return broken(
                f"Die Tabelle {one.name} („{sheet.value}“) fehlt im Datenordner oder ist eine andere; tragen Sie sie neu ein.",
                f"The table {one.name} ('{sheet.value}') is missing in the data folder, or is another one; enter it anew.",
            )
    return None


def sheet_vouchers(g: Grounds, *sheets: Sheet) -> Text:
    """The tables that a rule rests on, and who signed them."""
    told = [vouchers(g, sheet_in_force(g, sheet)) for sheet in sheets]
    german, english = zip(
        *((f"{sheet.value}, {one[0]}", f"{sheet.value}, {one[1]}") for sheet, one in zip(sheets, told, strict=True)), strict=True
    )
    return "; ".join(german), "; ".join(english)


def is_photograph_signed(g: Grounds, sign: Sign) -> bool:
    """Whether two people say that the photograph shows that sign."""
    there = [one for one in g.entered if one.kind == PHOTOGRAPH and one.subject == sign.id and one.sha256 == sign.sha256]
    return any(one.standing(g.settings) is Standing.SIGNED for one in there) if there else on_paper(g) is None


def _about(kind: str, text: Text) -> Text:
    return f"„{kind}“: {text[0]}", f"'{kind}': {text[1]}"


def vouched(g: Grounds, fact: Fact) -> Answer | None:
    """What is wrong with a fact's signatures and its document, if anything."""
    kind, one = fact.kind.value, entered_as(g, fact)
    if one is None:
        if (problem := on_paper(g)) is not None:
            return waiting(g, kind) or Answer(problem.result, _about(kind, problem.text))
        if not says_something(fact.confirmed) or same_person(fact.person, fact.confirmed):
            return unknown(
                f"„{kind}“ bestätigt noch keine zweite Person; tragen Sie sie unter confirmed ein (nicht {fact.person}).",
                f"No second person confirms '{kind}' yet; record them under confirmed (not {fact.person}).",
            )
    elif one.standing(g.settings) is not Standing.SIGNED:
        return void(g, one)
    return _document_problem(g, fact) if fact.document else None


def _document_problem(g: Grounds, fact: Fact) -> Answer | None:
    kind, found = fact.kind.value, g.documents.get(fact.document)
    if found is None or found.sha256 != fact.sha256:
        there, gone = ("fehlt", "is missing") if found is None else ("ist ein anderes", "is another one")
        return broken(
            f"Das Dokument {fact.document} {there}; legen Sie das richtige hin oder tragen Sie den neuen Stand ein.",
            f"The document {fact.document} {gone}; put the right one there, or record the new state.",
        )
    if problem := unreadable(g, fact.document):
        return broken(f"{fact.document} ({kind}) {problem[0]}", f"{fact.document} ({kind}) {problem[1]}")
    others = sorted(g.facts.uses(found.sha256) - {kind})
    if others:
        return broken(
            f"{fact.document} steht zugleich für {', '.join(others)}; jede Tatsache braucht ihr eigenes Dokument.",
            f"{fact.document} also stands for {', '.join(others)}; each fact needs a document of its own.",
        )
    return None
