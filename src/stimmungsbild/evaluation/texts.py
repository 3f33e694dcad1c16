"""Open text: names removed first, coded by two people, and how far they agree.

Cohen, Educational and Psychological Measurement 20, 1960.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from stimmungsbild.errors import CodingError

# What a text about what would help may say; several may hold, and `none` stands alone.
CATEGORIES = ("light", "presence", "clean", "drugs", "people", "design", "transport", "cameras", "other", "none")
NONE = "none"
# Under this a category is not printed: two people did not mean the same by it. (Substantial from 0.61 on: Landis and Koch, Biometrics
# 33, 1977.)
LEAST_KAPPA = 0.7
_NAME = r"[A-ZÄÖÜÀ-Þ\u0410-\u042f\u0404\u0406\u0407\u0490][\w'’-]+"
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("[Adresse im Netz]", re.compile(r"\b(?:https?://|www\.)\S+|\b[\w.+-]+@[\w-]+\.[\w.]+", re.IGNORECASE)),
    ("[Kennzeichen]", re.compile(r"\b[A-ZÄÖÜ]{1,3}\s?[-–· ]\s?[A-Z]{1,2}\s?[-–·]?\s?\d{1,4}[HE]?\b")),
    ("[Nummer]", re.compile(r"(?<!\d)\+?\d(?:[\s/()-]{0,3}\d){5,}(?!\d)")),
    ("[Hausnummer]", re.compile(r"(?:(?<=straße )|(?<=strasse )|(?<=str\. )|(?<=weg )|(?<=platz ))\d+\s?[a-z]?\b")),
    (
        "[Name]",
        re.compile(
            rf"(?:\b(?:Herrn?|Frau|Familie|Fam\.|Dr\.|Prof\.|Mr\.?|Mrs\.?|Ms\.?|Bay|Bayan|Господин|Госпожа|г-н|г-жа|пан|пані)"
            rf"|\b[Ss]eñora?)(?:\s+(?:Dr\.|Prof\.))*\s+{_NAME}(?:\s+{_NAME})?|(?:السيد|السيدة)\s+\S+"
        ),
    ),
    ("[Name]", re.compile(rf"(?<=Nachbar ){_NAME}|(?<=Nachbarin ){_NAME}|(?<=heißt ){_NAME}|(?<=[Nn]amens ){_NAME}")),
)


def without_names(text: str, names: Collection[str] = ()) -> str:
    """The text with names, numbers, plates and addresses taken out, as far as their form shows them; a person looks at each after it.

    `names`: words (in lower case) that are names in this town.
    """
    for instead, pattern in _PATTERNS:
        text = pattern.sub(instead, text)
    return re.sub(r"[^\W\d_]+", lambda one: "[Name]" if one[0].casefold() in names else one[0], text) if names else text


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two people agree about a category: kappa, and of how many of `texts` each said it holds. None: nothing to tell apart."""

    kappa: float | None
    first: int
    second: int
    texts: int

    @property
    def printed(self) -> bool:
        """Whether what they found may be printed."""
        return self.kappa is not None and self.kappa >= LEAST_KAPPA


Codes = Mapping[str, frozenset[str]]


def kappa(pairs: Iterable[tuple[bool, bool]]) -> float | None:
    """Cohen's kappa of two people's yes and no; None where both said the same of everything, so that chance explains all of it."""
    counted = list(pairs)
    n = len(counted)
    both = sum(a == b for a, b in counted) / n if n else 1.0
    yes = sum(a for a, _ in counted) / n * sum(b for _, b in counted) / n if n else 0.0
    no = sum(not a for a, _ in counted) / n * sum(not b for _, b in counted) / n if n else 0.0
    return (both - yes - no) / (1 - yes - no) if n and yes + no < 1 else None


def agreements(first: Codes, second: Codes) -> dict[str, Agreement]:
    """Of each category. Raises `CodingError` where they did not code the same texts, or with what there is not."""
    for codes in (first, second):
        for text, found in codes.items():
            unknown = sorted(found - set(CATEGORIES))
            if unknown:
                raise CodingError(f"text {text}: {', '.join(unknown)} is no category; there are {', '.join(CATEGORIES)}")
            if not found:
                raise CodingError(f"text {text} is not coded; {NONE} says that it holds nothing")
            if NONE in found and len(found) > 1:
                raise CodingError(f"text {text}: {NONE} stands alone")
    if first.keys() != second.keys():
        raise CodingError(f"both people code every text; {len(first.keys() ^ second.keys())} were coded by one alone")
    return {
        one: Agreement(
            kappa((one in first[text], one in second[text]) for text in first),
            sum(one in found for found in first.values()),
            sum(one in found for found in second.values()),
            len(first),
        )
        for one in CATEGORIES
    }


def decided(first: Codes, second: Codes, third: Codes) -> dict[str, frozenset[str]]:
    """What holds: what both say, and of the others what a third decided, or both together. Raises `CodingError` with what is open."""
    unequal = [text for text in first if first[text] != second[text]]
    open_ = [text for text in unequal if text not in third]
    if open_:
        raise CodingError(f"{len(open_)} texts were coded differently and nobody decided them: {', '.join(open_[:20])}")
    return {text: third[text] if text in unequal else first[text] for text in first}


def shuffled(ids: Sequence[str], key: str) -> list[str]:
    """An order of a person's own, so that both do not tire at the same texts."""
    return sorted(ids, key=lambda one: hashlib.sha256(f"{key} {one}".encode()).digest())
