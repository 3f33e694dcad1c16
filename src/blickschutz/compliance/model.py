"""Rules, what they look at, and what they say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path

from blickschutz.access.model import Member
from blickschutz.audit.model import Entry, Event
from blickschutz.compliance.entered import Entered
from blickschutz.compliance.facts import Facts
from blickschutz.config.model import SiteFile

Text = tuple[str, str]
"""A sentence in German and in English."""


class Kind(StrEnum):
    """How a rule is held: before the site runs, by its settings, or by what happened."""

    GATE = "gate"
    SETTING = "setting"
    LOG = "log"


class Result(StrEnum):
    """What a rule says."""

    HOLDS = "holds"
    BROKEN = "broken"
    UNKNOWN = "not yet known"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a rule found: the mend where it does not hold, the evidence where it does."""

    result: Result
    text: Text


@dataclass(frozen=True, slots=True)
class Machine:
    """What the machine says of its network and clock. Addresses are "host:port"; `drift_s` is None where nobody keeps time.

    `walls_missing`: names of `zones.model.Wall`, what it lacks to keep processes apart.
    """

    default_routes: tuple[str, ...] = ()
    resolvers: tuple[str, ...] = ()
    listening: tuple[str, ...] = ()
    connections: tuple[str, ...] = ()
    drift_s: float | None = None
    walls_missing: tuple[str, ...] = ()


class Form(StrEnum):
    """What a document's bytes are. A text file, an empty one and what nobody can open are no evidence."""

    PDF = "PDF"
    OFFICE = "ODT, DOCX"
    PICTURE = "JPEG, PNG"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Paper:
    """A document as it was found: hash, form, bytes. Of a picture its shorter side in pixels, and what its picture code says."""

    sha256: str
    form: Form = Form.UNREADABLE
    size: int = 0
    side: int = 0
    code: str = ""


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """Alerts of one camera and kind in the last 30 days, and how many of them were false."""

    camera: str
    kind: str
    alerts: int
    false: int


@dataclass(frozen=True, slots=True)
class Rows:
    """What the rows say now. `overdue`: recordings past their deadline; `untriggered`: recordings without a cause;
    `unanswered`: alerts that were closed and that no person decided; `stray`: files or rows without their other half;
    `undecided`: recordings that have been in quarantine for too long;
    `late_requests`: requests of those concerned that were or are not answered in time, `unmet_duties`: people not told in time;
    `with_duty`: clips for which a duty to inform was opened, however long ago;
    `anchored_at`: when (POSIX) the log's witness confirmed it last, `anchor_problem` why it does not (a word);
    `old_seconds`, `old_clips`: alerts and cases with redacted pictures of an older version, whose redaction could leave people visible;
    `old_entries`: entries of the log that outlived their limit.
    """

    overdue: tuple[int, ...] = ()
    untriggered: tuple[int, ...] = ()
    unanswered: tuple[int, ...] = ()
    stray: tuple[str, ...] = ()
    false_alarms: tuple[FalseAlarms, ...] = ()
    without_factor: tuple[str, ...] = ()
    chain_faults: tuple[str, ...] = ()
    anchored_at: float = 0.0
    anchor_problem: str = ""
    redaction_faults: int = 0
    old_seconds: int = 0
    old_entries: int = 0
    old_clips: tuple[int, ...] = ()
    undecided: tuple[int, ...] = ()
    late_requests: tuple[int, ...] = ()
    unmet_duties: tuple[int, ...] = ()
    with_duty: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Grounds:
    """All that rules look at. `documents` is what was found of each document that a fact names; what is not there is left out.

    `content` is the hash of the facts file as it lies there. `entered` is what people entered in the application; what counts of it is
    among `facts` too, its document among `documents`. `log` holds the newest entries of each event, at most `most_entries`, `models` the
    name and kind of each registered model whose file is intact.
    `cells_per_metre` is what the mosaic leaves of a person. `rows` and `machine` are None where the site was
    never started, or the machine was not looked at. `folder` is where the documents of the facts file lie, `cabinet` where those lie
    that were handed in, by their hash.
    """

    site: SiteFile
    settings: str
    facts: Facts
    today: date
    now: float
    documents: Mapping[str, Paper] = field(default_factory=dict)
    content: str = ""
    entered: tuple[Entered, ...] = ()
    log: Mapping[Event, tuple[Entry, ...]] = field(default_factory=dict)
    members: tuple[Member, ...] = ()
    models: Mapping[str, str] = field(default_factory=dict)
    cells_per_metre: float = 0.0
    rows: Rows | None = None
    machine: Machine | None = None
    most_entries: int = 5000
    folder: Path | None = None
    cabinet: Path | None = None

    @property
    def started(self) -> bool:
        """Whether the site ever ran."""
        return self.rows is not None

    def entries(self, event: Event, days: float) -> tuple[Entry, ...]:
        """Entries of that event of the last `days`."""
        return tuple(entry for entry in self.log.get(event, ()) if entry.at >= self.now - days * 86_400)


Check = Callable[[Grounds], Answer]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the table of rules: short name, source, kinds, what it asks in both languages, and its check."""

    id: str
    source: str
    kinds: tuple[Kind, ...]
    title: Text
    check: Check


@dataclass(frozen=True, slots=True)
class Found:
    """A rule and what it says of a site."""

    rule: Rule
    answer: Answer

    @property
    def closed_gate(self) -> bool:
        """Whether the site may not run because of it."""
        return Kind.GATE in self.rule.kinds and self.answer.result is not Result.HOLDS


def holds(german: str, english: str) -> Answer:
    """The rule holds, and this is the evidence."""
    return Answer(Result.HOLDS, (german, english))


def broken(german: str, english: str) -> Answer:
    """The rule is broken, and this is the mend."""
    return Answer(Result.BROKEN, (german, english))


def unknown(german: str, english: str) -> Answer:
    """Nobody knows yet whether the rule holds, and this is how it becomes known."""
    return Answer(Result.UNKNOWN, (german, english))
