"""What the chapters of rules share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

from blickschutz.audit.model import Entry
from blickschutz.compliance.facts import FactKind
from blickschutz.compliance.model import Answer, Check, Grounds, Kind, Result, Rule, broken, holds, unknown
from blickschutz.compliance.policy.evidence import months_named, says_something
from blickschutz.compliance.policy.signed import entered_as, vouched, vouchers, waiting
from blickschutz.compliance.sheets import OFFICES, SINGLE

GATE, SETTING, LOG = Kind.GATE, Kind.SETTING, Kind.LOG
YEAR, HALF_YEAR, QUARTER, MONTH = 365, 182, 90, 31
_GERMAN = {**OFFICES, **SINGLE, "grounds": "Zwecke der Kameras"}
NOT_STARTED = unknown(
    "Die Anlage lief noch nie; nach dem ersten Start ist es bekannt.", "The site never ran; it is known after the first start."
)


def rule(name: str, source: str, german: str, english: str, *kinds: Kind) -> Callable[[Check], Rule]:
    """Make a rule of a check."""
    return lambda check: Rule(name, source, kinds, (german, english), check)


def names(found: Iterable[object]) -> str:
    """The first ten, and how many more there are."""
    every = [str(one) for one in found]
    return ", ".join(every[:10]) + (f" (+{len(every) - 10})" if len(every) > 10 else "")


def two_people(entry: Entry, fact: str = "people") -> bool:
    """Whether the entry names two different people under that name."""
    people = entry.facts.get(fact)
    return isinstance(people, list) and len(set(people)) >= 2


def lacking(g: Grounds, *sections: str) -> Answer | None:
    """Which of these sections of the facts file are empty, if any."""
    missing = [name for name in sections if not getattr(g.facts, name)]
    if not missing:
        return None
    german = names(_GERMAN.get(name, name) for name in missing)
    return unknown(f"Tragen Sie unter Nachweise ein: {german}.", f"Enter on the page of proofs: {names(missing)}.")


def recorded(g: Grounds, kind: FactKind, days: int = 0, *, document: bool = True, of_settings: bool = False) -> Answer:
    """A fact of that kind is signed by two people and its document counts as evidence (see `signed.vouched`), and it is neither too old nor
    about other settings."""
    fact = g.facts.newest(kind)
    if fact is None:
        entered = waiting(g, kind.value)
        if entered is not None:
            return entered
        return unknown(
            f"Tragen Sie „{kind.value}“ unter Nachweise ein, mit seinem Dokument.",
            f"Enter '{kind.value}' on the page of proofs, with its document.",
        )
    if document and not fact.document:
        return unknown(
            f"Tragen Sie „{kind.value}“ unter Nachweise mit seinem Dokument ein.",
            f"Enter '{kind.value}' on the page of proofs with its document.",
        )
    if not says_something(fact.person):
        return unknown(
            f"Wer steht für „{kind.value}“? Unter person steht kein Name.", f"Who stands for '{kind.value}'? There is no name under person."
        )
    if (problem := vouched(g, fact)) is not None:
        return problem
    if fact.date > g.today:
        return broken(f"„{kind.value}“ liegt in der Zukunft ({fact.date}).", f"'{kind.value}' lies in the future ({fact.date}).")
    if days and fact.date + timedelta(days=days) < g.today:
        return broken(
            f"„{kind.value}“ vom {fact.date} ist älter als {days} Tage; wiederholen Sie es und tragen Sie es ein.",
            f"'{kind.value}' of {fact.date} is older than {days} days; repeat it and record it.",
        )
    if of_settings and fact.settings != g.settings:
        return broken(
            f"„{kind.value}“ gilt für andere Einstellungen; prüfen Sie die Änderung und tragen Sie den Hash {g.settings[:12]}… ein.",
            f"'{kind.value}' is about other settings; look at the change and record the hash {g.settings[:12]}….",
        )
    german, english = vouchers(g, entered_as(g, fact))
    return holds(f"{kind.value}, {fact.date}, {german}", f"{kind.value}, {fact.date}, {english}")


def saying(g: Grounds, kind: FactKind, **wanted: str) -> Answer:
    """A recorded fact whose text says what the rule claims: for each German word what its text must have in it."""
    answer, fact = recorded(g, kind, document=False), g.facts.newest(kind)
    text = fact.text.lower() if fact is not None else ""
    unsaid = [word for word, part in wanted.items() if part not in text]
    if answer.result is not Result.HOLDS or not unsaid:
        return answer
    return unknown(
        f"Schreiben Sie bei „{kind.value}“ unter text auch, was geregelt ist zu: {names(unsaid)}.",
        f"Write under text of '{kind.value}' what is laid down about: {names(unsaid)}.",
    )


def log_limit(g: Grounds) -> Answer:
    """The limit of the log is signed, and is the one by which the log is erased."""
    answer, fact, kept = (
        recorded(g, FactKind.LOG_RETENTION, document=False),
        g.facts.newest(FactKind.LOG_RETENTION),
        g.site.audit.keep_months,
    )
    if answer.result is not Result.HOLDS or fact is None or months_named(fact.text) == {kept}:
        return answer
    return unknown(
        f"Gelöscht wird das Protokoll nach {kept} Monaten (audit.keep_months). Schreiben Sie bei „protokollfrist“ unter text dieselbe "
        f"Frist und warum, zum Beispiel „{kept} Monate, weil …“, und keine andere.",
        f"The log is erased after {kept} months (audit.keep_months). Write the same limit under text of 'protokollfrist' and why, "
        f"for example „{kept} Monate, weil …“, and no other.",
    )
