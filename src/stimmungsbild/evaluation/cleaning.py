"""Cleans answers by rules that say what they did to which."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from stimmungsbild.collection.model import Answer
from stimmungsbild.evaluation.model import Cleaned, Entry, Opened
from stimmungsbild.questionnaire.model import Questionnaire
from stimmungsbild.questionnaire.rules import TooLongError, UnknownChoiceError, accept

MARGINS = ("district", "age", "sex")
# Choices that stand for none of the others of their list.
_NONE = {"places": "none", "crimes": "nothing"}


def clean(q: Questionnaire, opened: Opened) -> tuple[tuple[Answer, ...], tuple[str, ...], tuple[Entry, ...]]:
    """Answers that stay, the digest of each, and the log. The door's software checked all this; the door is not to be trusted."""
    kept: list[Answer] = []
    digests: list[str] = []
    log: list[Entry] = []
    about = {item.name for item in q.pages[-1].items}
    for answer, digest in zip(opened.answers, opened.digests, strict=True):
        given = {name: [value] if isinstance(value, str) else list(value) for name, value in answer.values.items()}
        try:
            values = accept(q, given)
        except (UnknownChoiceError, TooLongError) as error:
            log.append(Entry(digest, Cleaned.UNKNOWN, str(error)))
            continue
        if not values.keys() - about:
            log.append(Entry(digest, Cleaned.EMPTY))
            continue
        for item in q.items():
            none, chosen = _NONE.get(item.list), values.get(item.name, ())
            if isinstance(chosen, tuple) and none in chosen and len(chosen) > 1:
                values[item.name] = tuple(one for one in chosen if one != none)
                log.append(Entry(digest, Cleaned.CONTRADICTION, item.name))
        missing = [one for one in MARGINS if one not in values]
        log.extend(Entry(digest, Cleaned.NO_MARGIN, one) for one in missing)
        kept.append(msgspec.structs.replace(answer, values=values))
        digests.append(digest)
    return tuple(kept), tuple(digests), tuple(log)


def column(answers: Sequence[Answer], item: str) -> list[str | tuple[str, ...]]:
    """What each person said to an item; an empty text where nothing."""
    return [one.values.get(item, "") for one in answers]
