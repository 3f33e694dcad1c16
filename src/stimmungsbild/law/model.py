"""What the town decided and who stands for it, as the facts file (TOML) says."""

from __future__ import annotations

import datetime
from enum import StrEnum

import msgspec


class Role(StrEnum):
    """Who a party is (Art. 4(7), 26, 28 GDPR)."""

    CONTROLLER = "controller"
    JOINT = "joint"
    PROCESSOR = "processor"


class Basis(StrEnum):
    """On what the processing rests."""

    CONSENT = "consent"
    PUBLIC_TASK = "public-task"


class Kept(StrEnum):
    """What is kept for a time and destroyed then."""

    ANSWERS = "answers"
    TEXTS = "texts"
    LOG = "log"
    SCANS = "scans"


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the facts file."""


class Office(_Part, frozen=True):
    """Somebody who can be written to."""

    name: str = ""
    address: str = ""
    email: str = ""
    phone: str = ""


class Paper(_Part, frozen=True):
    """A document beside the facts file, and its SHA-256 in hex."""

    document: str = ""
    sha256: str = ""


class Party(_Part, frozen=True):
    """Who takes part, as what, and by which agreement (Art. 26 or 28); `does` in words."""

    name: str
    role: Role
    does: str
    agreed: datetime.date | None = None
    agreement: Paper = Paper()


class Ground(_Part, frozen=True):
    """A legal basis: its norm as the town's lawyers cite it, and why it carries this."""

    norm: str = ""
    reason: str = ""


class Grounds(_Part, frozen=True):
    """The bases: of the survey itself, of what belongs to Art. 9, of drawing people from the register."""

    kind: Basis | None = None
    ordinary: Ground = Ground()
    special: Ground = Ground()
    register: Ground = Ground()


class Months(_Part, frozen=True):
    """How long what is kept after the last day of the field, in months."""

    answers: int = 12
    texts: int = 3
    log: int = 12
    scans: int = 3


class Risk(_Part, frozen=True):
    """What a named person found of a risk of the catalogue: severity and likelihood from 1 to 4, before and after the measures."""

    id: str
    before: tuple[int, int]
    after: tuple[int, int]
    reason: str
    person: str
    date: datetime.date


class Advice(_Part, frozen=True):
    """What the data protection officer advised (Art. 35(2)), and what the supervisory authority where it was asked (Art. 36)."""

    person: str = ""
    date: datetime.date | None = None
    paper: Paper = Paper()
    consulted: datetime.date | None = None


class Operation(_Part, frozen=True):
    """Who saw that the proxy before the server keeps no address, and that the server's disk is encrypted."""

    person: str = ""
    date: datetime.date | None = None


class Approval(_Part, frozen=True):
    """Two people who signed all of this on paper. `content`: hash of the facts that they signed."""

    first: str = ""
    second: str = ""
    date: datetime.date | None = None
    paper: Paper = Paper()
    content: str = ""


class Facts(_Part, frozen=True):
    """Everything. `demo`: a demonstration, which says so wherever it is read; `begins` and `ends` are the days of the field."""

    wave: str
    purpose: str
    begins: datetime.date
    ends: datetime.date
    controller: Office = Office()
    officer: Office = Office()
    authority: Office = Office()
    parties: tuple[Party, ...] = ()
    grounds: Grounds = Grounds()
    months: Months = Months()
    risks: tuple[Risk, ...] = ()
    advice: Advice = Advice()
    operation: Operation = Operation()
    approval: Approval = Approval()
    demo: bool = False
