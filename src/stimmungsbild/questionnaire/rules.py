"""What a definition must hold, what an item says, whether two waves ask the same, what may be asked and accepted."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from stimmungsbild.errors import DefinitionError
from stimmungsbild.questionnaire.model import (
    GERMAN,
    LONGEST_TEXT,
    MOST_SQUARES,
    Answers,
    Comparison,
    Item,
    Kind,
    OldItem,
    Page,
    Questionnaire,
    Standing,
    Wave,
    Wording,
    Words,
)

# What a page's form says of itself.
RESERVED = frozenset({"lang", "ticket", "code", "at", "go", "altcha", "form"})
# Name of a 100 m square of the INSPIRE grid; nothing finer is taken.
_SQUARE = re.compile(r"100mN[0-9]{5}E[0-9]{5}")
_TERM = re.compile(r"(?:selected\(\$\{(\w+)\}, '(\w+)'\)|\$\{(\w+)\} = '(\w+)')")


def label(q: Questionnaire, item: Item, language: str) -> str:
    """What an item is called."""
    words = q.words[language]
    if item.label:
        of, choice = item.label.split(".")
        return choice_label(q, of, choice, language)
    return words.items[item.name]


def choice_label(q: Questionnaire, of: str, choice: str, language: str) -> str:
    """What a choice is called; names that are the same in every language stand in the German file alone."""
    found = q.words[language].choices.get(of) or q.words[GERMAN].choices[of]
    return found[choice]


def stem(q: Questionnaire, page: Page, language: str) -> str:
    """The sentence above the items of a page; empty where each item is a question of its own."""
    return q.words[language].stems.get(page.name, "")


def wording(q: Questionnaire, item: Item, language: str = GERMAN) -> Wording:
    """Everything that is read of an item."""
    page = next(one for one in q.pages if item in one.items)
    choices = tuple(choice_label(q, item.list, one, language) for one in q.lists.get(item.list, ()))
    return Wording(stem(q, page, language), label(q, item, language), choices)


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def digest(words: Wording) -> str:
    """SHA-256 over the words, in hex; spaces and the Unicode form do not count, everything else does."""
    said = [_plain(words.stem), _plain(words.label), [_plain(one) for one in words.choices]]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


def as_wave(q: Questionnaire, mode: str, sample: str) -> Wave:
    """This questionnaire as the next wave will compare with it."""
    items = tuple(OldItem(item.name, wording(q, item), digest(wording(q, item))) for item in q.items())
    return Wave(q.wave, mode, sample, q.id, items)


def compare(q: Questionnaire, earlier: Wave) -> tuple[Comparison, ...]:
    """Each item beside an earlier wave. An item whose old words nobody knows is not called the same."""
    known = {one.name: one for one in earlier.items}
    return tuple(_compare(wording(q, item), item.name, known.get(item.name)) for item in q.items())


def _compare(now: Wording, name: str, old: OldItem | None) -> Comparison:
    if old is None:
        return Comparison(name, Standing.NEW)
    if old.wording is None:
        same = old.sha256 and old.sha256 == digest(now)
        return Comparison(name, Standing.SAME if same else Standing.CHANGED if old.sha256 else Standing.UNKNOWN)
    if digest(old.wording) == digest(now):
        return Comparison(name, Standing.SAME)
    return Comparison(name, Standing.CHANGED, tuple(_changed(_said(old.wording), _said(now))))


def _said(words: Wording) -> list[str]:
    return _plain(" | ".join((words.stem, words.label, *words.choices))).split(" ")


def _changed(before: Sequence[str], now: Sequence[str]) -> Iterable[tuple[str, str]]:
    for what, a, b, c, d in difflib.SequenceMatcher(a=before, b=now, autojunk=False).get_opcodes():
        if what != "equal":
            yield " ".join(before[a:b]), " ".join(now[c:d])


def relevant(expression: str, answers: Answers) -> bool:
    """Whether an item is asked. Of XLSForm's expressions: terms joined by `or`, or by `and`; an empty one is always true."""
    if not expression:
        return True
    joined, every = (expression.split(" and "), True) if " and " in expression else (expression.split(" or "), False)
    values = [_term(one, answers) for one in joined]
    return all(values) if every else any(values)


def _term(term: str, answers: Answers) -> bool:
    found = _TERM.fullmatch(term.strip())
    if found is None:
        raise DefinitionError(f"this condition is not understood: {term}; use ${{item}} = 'choice' or selected(${{item}}, 'choice')")
    many, chosen, one, value = found.groups()
    return chosen in answers.get(many, ()) if many else answers.get(one) == value


def asked(page: Page, answers: Answers) -> tuple[Item, ...]:
    """The items of a page that are asked of somebody who answered `answers` so far; none: the page is passed over."""
    return tuple(item for item in page.items if relevant(item.relevant, answers))


class UnknownChoiceError(Exception):
    """A form holds what the questionnaire does not know: it was altered, or made for another wave."""


class TooLongError(Exception):
    """A text is longer than `LONGEST_TEXT`; carries the item's name."""


def accept(q: Questionnaire, given: Mapping[str, Sequence[str]]) -> dict[str, str | tuple[str, ...]]:
    """The answers in a form of names and values. What is left out or empty is absent; what is not asked is not taken."""
    answers: dict[str, str | tuple[str, ...]] = {}
    for item in q.items():
        values = [one for one in given.get(item.name, ()) if one]
        if not values or not relevant(item.relevant, answers):
            continue
        if item.kind is Kind.TEXT:
            answers[item.name] = _text(item, values[0])
            continue
        if item.kind is Kind.SQUARES:
            answers[item.name] = _squares(item, values)
            continue
        known = q.lists[item.list]
        if not set(values) <= set(known) or (item.kind is Kind.ONE and len(values) > 1):
            raise UnknownChoiceError(item.name)
        answers[item.name] = values[0] if item.kind is Kind.ONE else tuple(one for one in known if one in values)
    return answers


def _squares(item: Item, values: Sequence[str]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(values))
    if len(found) > MOST_SQUARES or not all(_SQUARE.fullmatch(one) for one in found):
        raise UnknownChoiceError(item.name)
    return found


def _text(item: Item, value: str) -> str:
    # Control and format characters (bidirectional overrides, zero width) carry nothing that a reader of the answers should meet.
    cleaned = "".join(c for c in value.replace("\r\n", "\n") if c == "\n" or unicodedata.category(c) not in {"Cc", "Cf", "Cs"})
    if len(cleaned) > LONGEST_TEXT:
        raise TooLongError(item.name)
    return cleaned.strip()


def check(q: Questionnaire) -> Questionnaire:
    """The same questionnaire. Raises `DefinitionError` with everything that is wrong with it."""
    wrong = [*_structure(q), *(line for language, words in q.words.items() for line in _missing(q, language, words))]
    if wrong:
        raise DefinitionError("the questionnaire is not whole:\n" + "\n".join(wrong))
    return q


def _structure(q: Questionnaire) -> Iterable[str]:
    if GERMAN not in q.words:
        yield "it has no German"
    before: set[str] = set()
    pages = {page.name for page in q.pages}
    for item in q.items():
        # XLSForm has one room for the names of groups and items.
        if item.name in before | pages:
            yield f"{item.name} is there twice"
        if item.name in RESERVED:
            yield f"{item.name} is a name that the pages use themselves"
        if not item.source:
            yield f"{item.name} has no source"
        if item.kind in {Kind.ONE, Kind.MANY} and not q.lists.get(item.list):
            yield f"{item.name} has no list of choices"
        for many, _, one, _ in _TERM.findall(item.relevant):
            if (many or one) not in before:
                yield f"{item.name} depends on {many or one}, which is not asked before it"
        before.add(item.name)


def _missing(q: Questionnaire, language: str, words: Words) -> Iterable[str]:
    for page in q.pages:
        if not words.pages.get(page.name):
            yield f"{language}: the page {page.name} has no title"
        for item in page.items:
            if not item.label and not words.items.get(item.name):
                yield f"{language}: {item.name} has no words"
    german = q.words.get(GERMAN, words)
    for of, names in q.lists.items():
        known = words.choices.get(of) or german.choices.get(of, {})
        yield from (f"{language}: {of}.{one} has no words" for one in names if not known.get(one))
    yield from (f"{language}: interface.{one} is missing" for one in german.interface.keys() - words.interface.keys())
