"""What documents are made of. A statement without evidence cannot be made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from blickschutz.audit.model import Event
from blickschutz.compliance.facts import FactKind
from blickschutz.kernel.errors import FaultError


class Source(StrEnum):
    """Where evidence comes from."""

    SETTING = "Einstellung"
    RULE = "Regel"
    FACT = "Tatsache"
    EVENT = "Protokoll"
    TEST = "Prüfung"
    LAW = "Recht"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One piece of evidence: a setting's path, a rule, a recorded fact, an event of the log, a test, or a norm."""

    source: Source
    name: str

    def __str__(self) -> str:
        return f"{self.source.value} {self.name}"


def setting(path: str) -> Evidence:
    """A setting of the site file, by its path without indices."""
    return Evidence(Source.SETTING, path)


def rule(name: str) -> Evidence:
    """A rule of the policy."""
    return Evidence(Source.RULE, name)


def fact(name: FactKind | str) -> Evidence:
    """A fact of the facts file: its kind, or a section's name."""
    return Evidence(Source.FACT, str(getattr(name, "value", name)))


def event(what: Event) -> Evidence:
    """Entries of the log."""
    return Evidence(Source.EVENT, what.value)


def test(path: str) -> Evidence:
    """A test of the program."""
    return Evidence(Source.TEST, path)


def law(text: str) -> Evidence:
    """A norm that demands or defines what is said."""
    return Evidence(Source.LAW, text)


test.__test__ = False  # type: ignore[attr-defined] # pytest takes it for a test of its own


@dataclass(frozen=True, slots=True)
class Sentence:
    """A statement and what it rests on; `known` is False where the text is the marker OFFEN and what is missing."""

    text: str
    evidence: tuple[Evidence, ...]
    known: bool = True

    def __post_init__(self) -> None:
        if not self.evidence:
            raise FaultError(f"a statement without evidence: {self.text!r}")


def say(text: str, *evidence: Evidence) -> Sentence:
    """A statement."""
    return Sentence(text, evidence)


def missing(what: str, *evidence: Evidence) -> Sentence:
    """What nobody knows yet; it prints as OFFEN."""
    return Sentence(f"OFFEN: {what}", evidence, known=False)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; each row is one statement and has its evidence. The numbers of column `bar` are drawn as bars too."""

    columns: tuple[str, ...]
    rows: tuple[tuple[tuple[str, ...], tuple[Evidence, ...]], ...]
    bar: int | None = None

    def __post_init__(self) -> None:
        for cells, evidence in self.rows:
            if len(cells) != len(self.columns) or not evidence:
                raise FaultError(f"a row without evidence or of another width: {cells!r}")


@dataclass(frozen=True, slots=True)
class Plan:
    """The site plan as a drawing; `caption` says what is to be seen, for those who cannot see it too."""

    caption: Sentence


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture from beside the facts file; `caption` is its alternative text too. Only what has the recorded hash gets here."""

    caption: Sentence
    file: str


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands below it."""

    title: str
    parts: Sequence[Sentence | Table | Plan | Picture]


@dataclass(frozen=True, slots=True)
class Document:
    """One document. `key` names its file; `language` is an ISO 639 code. `signers` are the offices that sign it on its last page.

    `reticent`: its history says how many statements changed and not which ones, because they name people or clips.
    """

    key: str
    title: str
    language: str
    basis: str
    sections: tuple[Section, ...]
    template: str = "office"
    values: dict[str, str] = field(default_factory=dict)
    signers: tuple[str, ...] = ()
    reticent: bool = False

    def sentences(self) -> Iterator[Sentence]:
        """Every statement; a table's row is one too."""
        for section in self.sections:
            for part in section.parts:
                if isinstance(part, Plan | Picture):
                    yield part.caption
                elif isinstance(part, Sentence):
                    yield part
                else:
                    for cells, evidence in part.rows:
                        text = " | ".join(cells)
                        yield Sentence(text, evidence, "OFFEN" not in text)
