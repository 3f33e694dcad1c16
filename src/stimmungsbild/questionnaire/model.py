"""Pages, items, choices and their words. Values that are stored are names; words are looked up by language."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

GERMAN = "de"
# In the order in which they are offered. `de-simple` is Leichte Sprache (IANA variant subtag `simple`).
LANGUAGES: Mapping[str, str] = {
    GERMAN: "Deutsch",
    "de-simple": "Leichte Sprache",
    "en": "English",
    "tr": "Türkçe",
    "ru": "Русский",
    "ar": "العربية",
    "uk": "Українська",
}
RIGHT_TO_LEFT = frozenset({"ar"})
LONGEST_TEXT = 1000
MOST_SQUARES = 3


class Kind(StrEnum):
    """What an item takes: one choice, several, a text of at most `LONGEST_TEXT` characters, or at most `MOST_SQUARES` squares."""

    ONE = "one"
    MANY = "many"
    TEXT = "text"
    SQUARES = "squares"


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One question. `label` is `list.choice` where it is asked in the words of a choice; `relevant` is XLSForm's expression."""

    name: str
    kind: Kind
    source: str
    list: str = ""
    label: str = ""
    relevant: str = ""


class Page(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One topic, asked on one page."""

    name: str
    items: tuple[Item, ...]


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All words of one language. `checked`: a native speaker (or testers of Leichte Sprache) read them."""

    checked: bool
    interface: dict[str, str]
    pages: dict[str, str]
    stems: dict[str, str]
    items: dict[str, str]
    choices: dict[str, dict[str, str]]


class Structure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The definition without its words, as `structure.toml` has it."""

    id: str
    wave: str
    lists: dict[str, tuple[str, ...]]
    page: tuple[Page, ...]


class Questionnaire(msgspec.Struct, frozen=True):
    """The whole definition."""

    id: str
    wave: str
    lists: dict[str, tuple[str, ...]]
    pages: tuple[Page, ...]
    words: dict[str, Words]

    def items(self) -> tuple[Item, ...]:
        """All items in the order in which they are asked."""
        return tuple(item for page in self.pages for item in page.items)


class Wording(msgspec.Struct, frozen=True):
    """What somebody reads of an item in one language: everything a change of which makes another item."""

    stem: str
    label: str
    choices: tuple[str, ...] = ()


class OldItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An item of an earlier wave; without `wording` where nobody has typed it from the questionnaire that was used."""

    name: str
    wording: Wording | None = None
    sha256: str = ""


class Wave(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An earlier wave: how it was asked and in which German words."""

    wave: str
    mode: str
    sample: str
    source: str
    items: tuple[OldItem, ...]


class Standing(StrEnum):
    """How an item stands to an earlier wave."""

    SAME = "same"
    CHANGED = "changed"
    NEW = "new"
    UNKNOWN = "unknown"


class Comparison(msgspec.Struct, frozen=True):
    """One item beside an earlier wave; `words` are those that changed, as (before, now)."""

    item: str
    standing: Standing
    words: tuple[tuple[str, str], ...] = ()


# What somebody answered: a choice, several in the order of the list, or a text. What was left out is absent.
Answers = Mapping[str, str | tuple[str, ...]]
