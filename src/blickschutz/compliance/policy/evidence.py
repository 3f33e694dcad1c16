"""What counts as evidence: a document that can be opened, stands for one thing, and that two people vouch for; particulars that say
something. A letter "x" is neither a name nor a reason."""

from __future__ import annotations

import re
from datetime import date

from blickschutz.compliance.facts import FactKind, Facts, Office
from blickschutz.compliance.model import Answer, Form, Grounds, Text, broken, unknown
from blickschutz.compliance.sheets import OFFICE_KEYS, OFFICES
from blickschutz.kernel.periods import add_months

LEAST_BYTES, MOST_BYTES = 1024, 100 * 1024 * 1024
LEAST_SIDE = 480
"""Least shorter side of a photograph in pixels: with less nothing on a sign can be read."""
LEAST_REASON = 30
"""Characters below which a text cannot say what was tried and what came of it."""
INCIDENT_MONTHS = 24
_WORD = re.compile(r"[^\W\d_]{3,}")
_MONTHS = re.compile(r"\b(\d+|[a-zäöü]+)[ -]+(monat|jahr|month|year)(?:e[ns]?|s)?\b")
_NUMBERS = (
    "ein|eine|einem|eines|one|a",
    "zwei|zweier|two",
    "drei|dreier|three",
    "vier|four",
    "fünf|five",
    "sechs|six",
    "sieben|seven",
    "acht|eight",
    "neun|nine",
    "zehn|ten",
    "elf|eleven",
    "zwölf|twelve",
)
_SPOKEN = {word: number for number, words in enumerate(_NUMBERS, 1) for word in words.split("|")}
_SPOKEN |= {"achtzehn": 18, "eighteen": 18, "vierundzwanzig": 24, "twenty-four": 24, "dreißig": 30, "thirty": 30, "sechsunddreißig": 36}
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]{2,}")
_LEAST_DIGITS = 3
_HIGH = re.compile(
    r"\b(?:sehr |zu |too |very )?(?:hoch|hohe[mnrs]?|höher(?:e[mnrs]?)?|erheblich(?:e[mnrs]?)?|untragbar|unvertretbar"
    r"|high(?:er)?|unacceptable)\b"
)
_LOW = re.compile(
    r"\b(?:gering|niedrig|vertretbar|tragbar|mittler)(?:e[mnrs]?)?\b|(?<!mildere )(?<!milderer )(?<!milderen )\bmittel\b"
    r"|\b(?:low|medium|acceptable)\b"
)
_DENIED = re.compile(r"\b(?:nicht|nie|kaum|kein(?:e[mnrs]?)?|not|no|never)(?: mehr| als| as)? ?$")
# What the staff council did, or what of an agreement is so; and whatever takes that back or says that it is yet to come.
_HERE = r"(?:[^.,;]|(?<=\d)\.)*"
"""The same part of a sentence; a dot after a number ends none ("am 3. Mai")."""
_AGREED = re.compile(
    rf"\bpersonalrat(?:s|es)?\b{_HERE}\b(?:zugestimmt|zustimmung (?:erteilt|liegt vor))\b"
    rf"|\b(?:zugestimmt|zustimmung)\b{_HERE}\bpersonalrat"
    rf"|\bdienstvereinbarung\b{_HERE}\b(?:gilt|geschlossen|abgeschlossen|unterzeichnet|unterschrieben|in kraft)\b"
)
_TAKEN_BACK = re.compile(
    r"\b(?:nicht|nie|kein(?:e[mnrs]?)?|noch|ohne|statt|trotz|ob|falls|wenn|sofern|erst|sobald|bis|soll(?:te|en|ten)?|will|wollen|wollte"
    r"|w[iü]rden?|werde[nt]?|wird|wäre|hätte|könnte|vielleicht|voraussichtlich|angeblich|mündlich|vorläufig|entwurf\w*|geplant\w*|beantragt\w*"
    r"|verweiger\w*|abgelehnt\w*|lehnt\w*|widerspr\w*|widerruf\w*|widerrief\w*|ausst\w*|steht|offen\w*|fehl\w*|gekündigt\w*|außer"
    r"|\w*ausschuss\w*|stadtrat\w*|gehört|angehört|informiert|unterrichtet"
    r"|ausgelaufen|unwirksam\w*|abgelaufen|endete|not|no)\b"
)
_SURVEY = (
    *("umfrage", "befragung", "fragebogen", "stimmungsbild", "standpunkt", "sicherheitsgefühl", "sicherheitsempfinden"),
    *("survey", "poll", "questionnaire", "data subject"),
)


def says_something(text: str) -> bool:
    """Whether it has a word in it."""
    return bool(_WORD.search(text))


def is_survey(source: str) -> bool:
    """Whether a source asks people what they feel instead of counting what happened (VG Passau, OVG NRW)."""
    return any(word in source.lower() for word in _SURVEY)


def oldest_incident(today: date) -> date:
    """The first day that an incident may be of."""
    return add_months(today, -INCIDENT_MONTHS)


def same_person(first: str, second: str) -> bool:
    """Whether two names are one, whatever their spelling."""
    return " ".join(first.lower().split()) == " ".join(second.lower().split())


def incomplete(who: Office | None) -> list[str]:
    """Which particulars of an office nobody could use to reach it."""
    if who is None:
        return ["name", "address", "phone", "email"]
    wrong = [name for name in ("name", "address") if not says_something(getattr(who, name))]
    wrong += ["phone"] if sum(letter.isdigit() for letter in who.phone) < _LEAST_DIGITS else []
    return wrong + ([] if _MAIL.fullmatch(who.email) else ["email"])


def offices(facts: Facts) -> Answer | None:
    """What is wrong with controller and officer, if anything: each can be reached, and they are not the same."""
    for section, who in (("controller", facts.controller), ("data_protection_officer", facts.data_protection_officer)):
        if wrong := incomplete(who):
            german = ", ".join(OFFICE_KEYS[one] for one in wrong)
            return unknown(
                f"Bei „{OFFICES[section]}“ fehlt, womit man die Stelle erreicht: {german}. Tragen Sie es unter Nachweise (Angaben zur "
                "Anlage) ein.",
                f"{section} lacks what one reaches it by: {', '.join(wrong)}. Enter it on the page of proofs (particulars of the site).",
            )
    controller, officer = facts.controller, facts.data_protection_officer
    assert controller is not None  # asked above
    assert officer is not None
    if same_person(controller.name, officer.name):
        return broken(
            "Verantwortlicher und Datenschutzbeauftragte sind dieselbe Stelle (Art. 38 Abs. 6 DSGVO). Berichtigen Sie die Namen.",
            "Controller and data protection officer are the same (Art. 38(6) GDPR). Put the names right.",
        )
    return None


def unreadable(g: Grounds, name: str) -> Text | None:
    """Why a document cannot be read by anybody."""
    found = g.documents[name]
    if found.form is Form.UNREADABLE:
        return (
            "ist weder PDF noch ODT, DOCX, JPEG oder PNG, die sich öffnen lassen.",
            "is no PDF, ODT, DOCX, JPEG or PNG that can be opened.",
        )
    if not LEAST_BYTES <= found.size <= MOST_BYTES:
        return (
            f"hat {found.size} Bytes; ein Dokument hat mindestens {LEAST_BYTES} und höchstens {MOST_BYTES}.",
            f"has {found.size} bytes; a document has at least {LEAST_BYTES} and at most {MOST_BYTES}.",
        )
    return None


def is_consultation_needed(facts: Facts) -> bool | None:
    """Whether the residual risk was found to be high; None where the fact does not say what it is.

    A high level that is not denied counts, and so does a low one that is ("nicht vertretbar", "untragbar"), whatever else the text says.
    """
    risk = facts.newest(FactKind.RESIDUAL_RISK)
    if risk is None:
        return None
    text = " ".join(risk.text.lower().split())
    if any(not _DENIED.search(text[: found.start()]) for found in _HIGH.finditer(text)):
        return True
    low = list(_LOW.finditer(text))
    if any(_DENIED.search(text[: found.start()]) for found in low):
        return True
    return False if low or _HIGH.search(text) else None


def has_agreed(text: str) -> bool:
    """Whether a text says plainly that the staff council agreed or that an agreement is in force, and takes nothing of it back."""
    plain = " ".join(text.lower().split())
    return bool(_AGREED.search(plain)) and not _TAKEN_BACK.search(plain)


def months_named(text: str) -> set[float]:
    """All periods of months or years that a text names, in months."""
    found = set()
    for number, unit in _MONTHS.findall(text.lower()):
        many = int(number) if number.isdecimal() else _SPOKEN.get(number, 0)
        if many:
            found.add(float(many * (12 if unit in {"jahr", "year"} else 1)))
    return found
