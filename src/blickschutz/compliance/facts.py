"""The facts file: what software cannot know, written down with date, person and the hash of a document."""

from __future__ import annotations

import hashlib
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from blickschutz.compliance.recorded import (
    Acceptance,
    Assignment,
    Breach,
    Classified,
    Clause,
    Commitment,
    OnPaper,
    Restart,
    Training,
    Translation,
    Visit,
)
from blickschutz.config.parts import Identifier, Part, Point, Share
from blickschutz.config.texts import SiteError

Line = Annotated[str, Field(min_length=1, max_length=300)]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class FactKind(StrEnum):
    """All that is ever recorded as a fact. There are no others."""

    LEGAL_OPINION_AI = "rechtsgutachten-ki"
    MILDER_MEANS = "mildere-mittel"
    NECESSITY_REVIEW = "erforderlichkeit-geprueft"
    DPIA = "dsfa"
    DPO_ADVICE = "rat-datenschutz"
    RESIDUAL_RISK = "restrisiko-vertretbar"
    PROPORTIONALITY = "verhaeltnismaessigkeit"
    DATA_SUBJECTS_VIEWS = "standpunkt-betroffene"
    PRIOR_CONSULTATION = "vorherige-konsultation"
    PROCESSING_RECORD = "verarbeitungsverzeichnis"
    STAFF_COUNCIL = "personalrat"
    INFORMATION_SHEET = "informationsblatt"
    PUBLISHED_HOURS = "zeiten-veroeffentlicht"
    PRIVACY_ZONES = "privatzonen-freigegeben"
    AI_CLASSIFICATION = "ki-einstufung"
    OPERATOR_TRAINING = "schulung-bediener"
    LOG_RETENTION = "protokollfrist"
    BACKUP_CONCEPT = "sicherungskonzept"
    CAMERA_LINK = "kameranetz"
    MEDIA_CONTROL = "wechseldatentraeger"
    RESTORE_TEST = "wiederherstellung-geprueft"
    RIGHTS_REVIEW = "rechte-geprueft"
    BREACH_PROCESS = "verfahren-datenpanne"
    MAINTENANCE_CONTRACT = "wartungsvertrag"
    REQUESTS_PROCESS = "verfahren-betroffene"
    STAFF_CONTROL = "keine-leistungskontrolle"
    APPROVAL = "dokumente-freigegeben"
    COMPLAINTS = "beschwerden"
    BREACHES = "datenpannen"
    COSTS = "kosten"
    COMPARISON_AREA = "vergleichsraum"
    DISPLACEMENT = "verdraengung"
    EVALUATION = "evaluation"
    NIS2 = "nis2-einordnung"
    HUMAN_REVIEW = "meldungen-pruefen"
    ASSEMBLIES = "versammlungslage"
    COUNCIL = "ratsbeschluss"


class Office(Part):
    name: Line
    """Name of the office or person."""
    address: Line
    """Postal address."""
    phone: Line
    """Telephone number."""
    email: Line
    """Address for electronic mail."""


class Fact(Part):
    kind: Annotated[FactKind, Field(strict=False)]
    """What is recorded."""
    date: date
    """Day on which it was so."""
    person: Line
    """Who stands for it."""
    confirmed: Annotated[str, Field(max_length=300)] = ""
    """Another person who saw the document and confirms it; a fact with a document counts only with two."""
    text: Annotated[str, Field(max_length=2000)] = ""
    """What was found, in one or two sentences."""
    document: Annotated[str, Field(max_length=300)] = ""
    """File with the document, as seen from the facts file."""
    sha256: Hash | None = None
    """SHA-256 of the document (`sha256sum FILE`)."""
    settings: Hash | None = None
    """Hash of the settings it was made for (`blickschutz check` shows it)."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.document) != (self.sha256 is not None):
            raise SiteError("document_hash", where=("document",))
        return self


class Purpose(StrEnum):
    """What a camera may be for (§ 21 Abs. 1 LDSG RLP)."""

    PUBLIC_TASK = "oeffentliche_aufgabe"
    HOUSE_RIGHT = "hausrecht"
    PROPERTY = "eigentum_zugang"


class Ground(Part):
    camera: Identifier
    """Short name of the camera in the site file."""
    purpose: Annotated[Purpose, Field(strict=False)]
    """What it is for: `oeffentliche_aufgabe`, `hausrecht` or `eigentum_zugang`."""
    reason: Line
    """Why it is needed there."""
    area: Literal["oeffentlich", "nicht-oeffentlich"]
    """Whether the place it sees is public (§ 21 LDSG RLP) or not (§ 3)."""
    density_reason: Annotated[str, Field(max_length=300)] = ""
    """Why 250 px/m or more are needed, where they are (DIN EN 62676-4: identify)."""
    no_privacy_zone: Annotated[str, Field(max_length=300)] = ""
    """Why it needs no privacy zone, where it has none."""
    conclusion: Annotated[str, Field(max_length=300)] = ""
    """What the last review of necessity found for this camera; for the committee's report."""
    suitable: Annotated[str, Field(max_length=600)] = ""
    """Why it helps there, for the form of necessity."""
    milder: Annotated[str, Field(max_length=600)] = ""
    """Which milder means were tried there, and what came of it."""
    proportionate: Annotated[str, Field(max_length=600)] = ""
    """Why it weighs more than the interests of those who are seen."""
    assessed: date | None = None
    """Day on which this was assessed."""
    assessor: Annotated[str, Field(max_length=300)] = ""
    """Who assessed it."""


class Incidents(Part):
    camera: Identifier
    """Short name of the camera in the site file."""
    first: date
    """First day of the period."""
    last: date
    """Last day of the period."""
    count: Annotated[int, Field(ge=0, le=100_000)]
    """Incidents in the camera's field in that time."""
    source: Line
    """Where the number comes from, for example the police's statistics. A survey is none."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise SiteError("period_order", first=self.first, last=self.last, where=("last",))
        return self

    def shares(self, other: Incidents) -> bool:
        """Whether both count days of one camera from one source: the same incidents would count twice."""
        is_same = (self.camera, self.source.casefold()) == (other.camera, other.source.casefold())
        return is_same and self.first <= other.last and other.first <= self.last


class Sign(Part):
    id: Identifier
    """Short name of the sign."""
    x: Share
    """Place on the site plan, from the left."""
    y: Share
    """Place on the site plan, from the top."""
    photo: Annotated[str, Field(max_length=300)] = ""
    """File with a photograph of the sign, as seen from the facts file."""
    sha256: Hash | None = None
    """SHA-256 of the photograph."""
    checked: date | None = None
    """Last day on which somebody saw it hang there, readable."""


Score = Annotated[int, Field(ge=1, le=4)]


class Risk(Part):
    risk: Identifier
    """Short name of the risk in the catalogue of the DSFA, or one of your own."""
    title: Annotated[str, Field(max_length=300)] = ""
    """What may happen and what harm it does, for a risk of your own."""
    goal: Annotated[str, Field(max_length=60)] = ""
    """SDM goal that it is about, for a risk of your own."""
    before: tuple[Score, Score]
    """Severity and likelihood without the measure, 1 to 4 each."""
    measure: Line
    """What lowers it."""
    after: tuple[Score, Score]
    """Severity and likelihood with the measure, 1 to 4 each."""
    reason: Line
    """Why it is scored so."""
    owner: Line
    """Who answers for the measure."""
    person: Line
    """Who scored it."""
    date: date
    """Day on which it was scored."""


class Way(Part):
    id: Identifier
    """Short name of the way in."""
    name: Line
    """What it is called."""
    points: Annotated[tuple[Point, ...], Field(min_length=2, max_length=50)]
    """Points on the site plan from outside towards the building."""


class Facts(Part):
    format: Literal[1] = 1
    """Version of this format."""
    controller: Office | None = None
    """The controller (Verantwortlicher), as signs and information sheet name it."""
    data_protection_officer: Office | None = None
    """The data protection officer and how to reach them."""
    supervisory_authority: Office | None = None
    """The authority to complain to (LfDI), with address, for information sheet and letters."""
    file_reference: Annotated[str, Field(max_length=80)] = ""
    """The office's file reference (Aktenzeichen) of the whole file."""
    north: Annotated[float, Field(ge=0, lt=360)] | None = None
    """Where north is on the site plan, in degrees clockwise from its top."""
    recipients: tuple[Line, ...] = ()
    """Who may receive recordings, for the record of processing and the information sheet."""
    full_information: Annotated[str, Field(max_length=300)] = ""
    """Where the full information sheet is to be had: desk and printed address."""
    information_address: Annotated[str, Field(max_length=200, pattern=r"^(https?://[!-~]+)?$")] = ""
    """Address of the information sheet on the authority's own pages, for the picture code on the sign."""
    grounds: tuple[Ground, ...] = ()
    """Purpose and reason of each camera."""
    incidents: tuple[Incidents, ...] = ()
    """Incidents in the field of each camera."""
    risks: tuple[Risk, ...] = ()
    """What people found of each risk; for the DSFA."""
    ways: tuple[Way, ...] = ()
    """Ways on which people come to the place."""
    signs: tuple[Sign, ...] = ()
    """Signs and where they hang."""
    assignments: tuple[Assignment, ...] = ()
    """Who has which role, who stands in, and when that was reviewed."""
    commitments: tuple[Commitment, ...] = ()
    """Who was committed to confidentiality."""
    trainings: tuple[Training, ...] = ()
    """Who was trained, by person."""
    visits: tuple[Visit, ...] = ()
    """Visits of technicians."""
    contract: tuple[Clause, ...] = ()
    """What the maintenance contract has of its check list."""
    classification: tuple[Classified, ...] = ()
    """Answers of the AI classification."""
    acceptances: tuple[Acceptance, ...] = ()
    """What was tested of each camera before it went into service."""
    breaches: tuple[Breach, ...] = ()
    """Breaches of personal data."""
    translations: tuple[Translation, ...] = ()
    """Who checked which text for citizens; until then it says that nobody did."""
    restart: Restart | None = None
    """What is done when the installation is out."""
    facts: tuple[Fact, ...] = ()
    """Everything else that somebody stands for."""
    on_paper: OnPaper | None = None
    """That the file was signed on paper; without it nothing here opens a gate that is not signed in the application too."""

    @model_validator(mode="after")
    def _told_once(self) -> Self:
        """As in the tables that are handed in: nobody should have to guess which of two counts."""
        told = {
            ("grounds", "camera"): [one.camera for one in self.grounds],
            ("ways", "id"): [one.id for one in self.ways],
            ("signs", "id"): [one.id for one in self.signs],
            ("risks", "risk"): [one.risk for one in self.risks],
            ("breaches", "id"): [one.id for one in self.breaches],
        }
        for (section, key), values in told.items():
            for index, value in enumerate(values):
                if value in values[:index]:
                    raise SiteError("twice", what=key, value=value, where=(section, index, key))
        for index, one in enumerate(self.incidents):
            if any(one.shares(before) for before in self.incidents[:index]):
                raise SiteError("incidents_twice", value=one.camera, where=("incidents", index, "first"))
        return self

    @property
    def content(self) -> str:
        """Hash of everything that the file says, without the signatures on paper (hex)."""
        return hashlib.sha256(self.model_dump_json(exclude={"on_paper"}).encode()).hexdigest()

    def newest(self, kind: FactKind) -> Fact | None:
        """The newest fact of that kind."""
        return max((fact for fact in self.facts if fact.kind is kind), key=lambda fact: fact.date, default=None)

    @property
    def documents(self) -> dict[str, str]:
        """Every document that is named, and the hash that it must have."""
        named = [(fact.document, fact.sha256) for fact in self.facts] + [(sign.photo, sign.sha256) for sign in self.signs]
        named += [(one.picture, one.sha256) for one in self.acceptances]
        named += [(self.on_paper.document, self.on_paper.sha256)] if self.on_paper is not None else []
        return {name: expected for name, expected in named if name and expected is not None}

    def uses(self, sha256: str) -> set[str]:
        """What a document with that content stands for: kinds of facts, and signs."""
        return (
            {fact.kind.value for fact in self.facts if fact.sha256 == sha256}
            | {sign.id for sign in self.signs if sign.sha256 == sha256}
            | {one.camera for one in self.acceptances if one.sha256 == sha256}
            | ({"on_paper"} if self.on_paper is not None and self.on_paper.sha256 == sha256 else set())
        )
