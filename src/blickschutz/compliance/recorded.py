"""Sections of the facts file for the papers of an office: who stands in for whom, training, visits, acceptance, breaches, restart."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from blickschutz.access.model import Role
from blickschutz.config.parts import Identifier, Part
from blickschutz.config.texts import SiteError

Line = Annotated[str, Field(min_length=1, max_length=300)]
Note = Annotated[str, Field(max_length=600)]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Translation(Part):
    language: Literal["ls", "tr", "ru", "ar", "uk"]
    """Which text for citizens: `ls` is Leichte Sprache."""
    person: Line
    """Who checked it: a translator, for Leichte Sprache a group of readers."""
    date: date
    """Day of it."""


class Assignment(Part):
    role: Annotated[Role, Field(strict=False)]
    """Which role of the system."""
    person: Line
    """Who has it."""
    deputy: Annotated[str, Field(max_length=300)] = ""
    """Who stands in."""
    reviewed: date | None = None
    """Last day on which somebody looked whether the right is still needed."""


class Commitment(Part):
    person: Line
    """Who was committed to confidentiality."""
    date: date
    """Day of it."""
    by: Line
    """Who instructed them."""


class Training(Part):
    person: Line
    """Who was trained."""
    date: date
    """Day of it."""
    trainer: Line
    """Who trained them."""
    content: Line
    """What it was about."""
    examined: Annotated[str, Field(max_length=300)] = ""
    """How what was learned was examined, and with which result."""


class Visit(Part):
    date: date
    """Day of the visit."""
    firm: Line
    """Who sent the technician."""
    person: Line
    """Who came."""
    escort: Line
    """Who of the office was there all the time."""
    work: Line
    """What was done."""
    media: Annotated[str, Field(max_length=300)] = ""
    """What became of disks and other media; they stay in the house."""


class Clause(Part):
    point: Identifier
    """Short name of the point in the check list of the contract."""
    met: bool
    """Whether the contract has it."""
    where: Line
    """Where in the contract, or what is missing."""
    person: Line
    """Who looked."""
    date: date
    """Day of it."""


class Classified(Part):
    point: Identifier
    """Short name of the question in the classification."""
    answer: Literal["ja", "nein"]
    """Whether it applies to this installation."""
    reason: Note
    """Why."""
    person: Line
    """Who answered."""
    date: date
    """Day of it."""


class Acceptance(Part):
    camera: Identifier
    """Short name of the camera."""
    date: date
    """Day of the acceptance."""
    person: Line
    """Who tested."""
    confirmed: Line
    """Who was there as the second person."""
    px_per_metre: Annotated[float, Field(gt=0, le=5000)] | None = None
    """Density measured on the picture with a known length in the field of view."""
    view: bool | None = None
    """Whether the field of view is the approved one."""
    private: bool | None = None
    """Whether every privacy zone covers what it is for."""
    light: bool | None = None
    """Whether people are redacted by day."""
    dark: bool | None = None
    """Whether people are redacted in the dark."""
    alarm: bool | None = None
    """Whether a staged event was reported."""
    stop: bool | None = None
    """Whether the stop control stopped it."""
    picture: Annotated[str, Field(max_length=300)] = ""
    """File with the redacted picture, as seen from the facts file."""
    sha256: Hash | None = None
    """SHA-256 of the picture."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.picture) != (self.sha256 is not None):
            raise SiteError("document_hash", where=("picture",))
        return self


class Danger(StrEnum):
    """What a breach means for those concerned (Art. 33(1), 34(1) GDPR)."""

    NONE = "kein"
    SOME = "risiko"
    HIGH = "hoch"


class Breach(Part):
    id: Identifier
    """Short name of the breach."""
    known: datetime
    """When the office learned of it, with the offset of its time zone; the 72 hours run from then."""
    what: Note
    """What happened (Art. 33(3)(a))."""
    people: Annotated[str, Field(max_length=300)] = ""
    """Who is concerned and about how many (Art. 33(3)(a))."""
    records: Annotated[str, Field(max_length=300)] = ""
    """Which records and about how many (Art. 33(3)(a))."""
    consequences: Note = ""
    """Likely consequences (Art. 33(3)(c))."""
    measures: Note = ""
    """What was done and is proposed (Art. 33(3)(d))."""
    danger: Annotated[Danger, Field(strict=False)] | None = None
    """`kein`, `risiko` or `hoch`."""
    person: Annotated[str, Field(max_length=300)] = ""
    """Who found that."""
    reported: datetime | None = None
    """When the authority was told."""
    late: Annotated[str, Field(max_length=300)] = ""
    """Why it was told after more than 72 hours, where it was."""
    told: datetime | None = None
    """When those concerned were told (Art. 34)."""

    @model_validator(mode="after")
    def _with_offset(self) -> Self:
        for key in ("known", "reported", "told"):
            at = getattr(self, key)
            if at is not None and at.tzinfo is None:
                raise SiteError("no_offset", value=at.isoformat(), where=(key,))
        return self


class Restart(Part):
    person: Line
    """Who answers for the plan."""
    reviewed: date
    """Last day on which it was looked at."""
    longest_hours: Annotated[int, Field(ge=1, le=8760)] | None = None
    """How long the installation may be out at most."""
    instead: Note = ""
    """What is done while it is out."""
    spare: Annotated[str, Field(max_length=300)] = ""
    """Spare machine, disks and cameras, and where they lie."""
    contacts: tuple[Line, ...] = ()
    """Whom to call, in this order."""
    tried: date | None = None
    """Last day on which a restart was practised."""


class OnPaper(Part):
    """Two people signed the facts file on paper instead of in the application."""

    stands: Line
    """Who stands for it."""
    confirms: Line
    """Another person who confirms it."""
    date: date
    """Day of the signatures."""
    document: Line
    """File with the scan of the signed print, as seen from the facts file."""
    sha256: Hash
    """SHA-256 of the scan."""
    content: Hash
    """Hash of what was signed (`blickschutz check` shows it): everything else in the facts file."""
    settings: Hash
    """Hash of the settings it was signed for (`blickschutz check` shows it)."""
