"""What the pages need from the running system."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Literal, Protocol

from blickschutz.access.model import Member
from blickschutz.access.service import Access
from blickschutz.alerts.service import AlertDesk
from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.service import ChainReport
from blickschutz.budget.model import CameraView, NotDone
from blickschutz.compliance.documents.model import Document
from blickschutz.compliance.entered import Entered, NotSigned
from blickschutz.compliance.facts import Facts
from blickschutz.compliance.floorplan import NotTaken
from blickschutz.compliance.io.incoming import Incoming
from blickschutz.compliance.io.press import Papers
from blickschutz.compliance.model import Found
from blickschutz.compliance.reports.model import NotPublic
from blickschutz.compliance.sheets import Sheet
from blickschutz.compliance.tables import Read
from blickschutz.config.model import SiteFile
from blickschutz.control.model import CopyView, CrimeFigures, FactRefused, FloorPlan, Given, Loss, NotAccepted
from blickschutz.control.ports import Rooms
from blickschutz.control.service.trials import TrialDesk
from blickschutz.control.vitals import Vitals
from blickschutz.pipeline.messages import Health
from blickschutz.regime.model import CurrentRegime, Override, OverrideEntry, RegimeName
from blickschutz.retention.model import Basis, Confirmed, Proposal, Stuck, TimeView, Void
from blickschutz.review.model import Case
from blickschutz.review.service import CaseDesk, QuarantineDesk
from blickschutz.rights.model import Duty
from blickschutz.rights.model import Request as DataRequest
from blickschutz.rights.service import RightsDesk
from blickschutz.settings.service import SettingsDesk
from blickschutz.situations.kinds import Kind
from blickschutz.wall.model import TileState
from blickschutz.wall.service import LiveStream


class CameraControl(Protocol):
    """One camera: its state, its figures, its live stream."""

    camera: str
    health: Health | None
    restarts: int
    problem: str
    stopped: bool
    stream: LiveStream

    @property
    def state(self) -> TileState: ...

    @property
    def cause(self) -> str:
        """Why there is no live picture: a key of `texts.CAUSE_WORDS`, or empty."""
        ...

    @property
    def unrecordable(self) -> str:
        """Why what the camera sends cannot be recorded, in words; empty where it can."""
        ...

    async def snapshot(self) -> bytes:
        """A redacted picture as JPEG. Raises `DeviceError` when there is none."""
        ...


class RegimeControl(Protocol):
    """The regime in force, and the override by hand."""

    @property
    def override(self) -> Override | None: ...

    def now(self) -> datetime: ...

    def current(self) -> CurrentRegime: ...

    def set_override(self, name: RegimeName, until: datetime, reason: str, by: str) -> None: ...

    def end_override(self, by: str) -> None: ...

    def entries(self, most: int) -> list[OverrideEntry]:
        """What was set by hand, the newest first."""
        ...


class AuthorityView(Protocol):
    """The certificate authority of this installation; see `vault.io.authority`."""

    @property
    def pem(self) -> bytes: ...

    @property
    def fingerprint(self) -> str: ...

    @property
    def until(self) -> datetime: ...


class FactDesk(Protocol):
    """Facts that people enter and sign: see `control.service.facts`. Reads log and disk, so it is not for the event loop."""

    @property
    def settings(self) -> str:
        """The hash of the settings in force."""
        ...

    def all(self) -> list[Entered]: ...

    def waiting(self, member: Member) -> int:
        """How many facts wait for that person's signature."""
        ...

    def get(self, number: int) -> Entered | None: ...

    @property
    def cameras(self) -> Mapping[str, str]:
        """Names of the cameras by their short names."""
        ...

    def signs(self) -> tuple[str, ...]:
        """Short names of the signs that a photograph may show."""
        ...

    def picture(self, one: Entered) -> bytes | None:
        """A photograph or picture drawn anew as JPEG; None of everything else."""
        ...

    def template(self, sheet: Sheet, language: Literal["de", "en"]) -> bytes:
        """A table as it is in force, as CSV."""
        ...

    def table(self, one: Entered) -> Read | None: ...

    def code(self, one: Entered) -> str:
        """What the picture code on a photograph says."""
        ...

    def begin(self) -> Incoming: ...

    def enter(self, incoming: Incoming, given: Given, by: str, language: Literal["de", "en"]) -> Entered | FactRefused: ...

    def sign(self, number: int, member: Member, seen: str) -> NotSigned | None: ...

    def withdraw(self, number: int, by: str, reason: str) -> NotSigned | None: ...

    def document(self, one: Entered) -> bytes | None: ...

    def crime(self, first: date, last: date, language: Literal["de", "en"]) -> CrimeFigures: ...


class Policy(Protocol):
    """What the policy says, and the documents of the site. All of it may take a second; not for the event loop."""

    def assessed(self) -> tuple[list[Found], float]:
        """Every rule and what it says, and when that was found (POSIX)."""
        ...

    def facts(self) -> Facts:
        """The recorded facts: ways, signs and the like."""
        ...

    def documents(self) -> Papers | None: ...

    def document(self, name: str) -> bytes | None: ...

    def print_documents(self, by: str) -> None: ...

    def report(self, first: date, last: date, *, public: bool) -> Document:
        """The committee's report from `first` to `last`, both days included."""
        ...

    def not_public(self, first: date, last: date) -> tuple[NotPublic, tuple[date, date]] | None:
        """Why that period is not printed for the public, with the period that stands against it."""
        ...

    def print_report(self, first: date, last: date, by: str, *, public: bool) -> bytes | None:
        """The same as PDF, with an entry in the log; None where the public one of that period is gone."""
        ...

    @property
    def desk(self) -> FactDesk:
        """Where facts are entered and signed."""
        ...

    def changed(self) -> None:
        """Something was entered or signed; what the rules say is looked at anew."""
        ...

    def duty_letter(self, duty: Duty, language: Literal["de", "en"]) -> bytes:
        """The letter of a duty to inform as PDF; name and address are open, because nobody keeps them here."""
        ...

    def receipt(self, facts: Mapping[str, object], language: Literal["de", "en"]) -> bytes:
        """The receipt of a destruction as PDF, from the facts of its entry in the log. Raises `FaultError` where they are none."""
        ...

    def letter(self, request: DataRequest, *, extension: bool) -> bytes:
        """The answer to a request of somebody concerned, or the notice that it takes longer, as PDF."""
        ...


class FloorPlans(Protocol):
    """The picture under the site plan; see `control.service.floorplan`. Draws and writes: not for the event loop."""

    def current(self) -> FloorPlan | None: ...

    def proposed(self) -> FloorPlan | None: ...

    def propose(self, data: bytes, metres: float, north: float, by: str) -> NotTaken | None: ...

    def confirm(self, number: int, by: str) -> NotTaken | None: ...

    def picture(self, sha256: str) -> bytes | None: ...


class Office(Protocol):
    """The back office: who may, what was done, what becomes of clips, who asked."""

    @property
    def access(self) -> Access: ...

    @property
    def log(self) -> AuditLog: ...

    @property
    def cases(self) -> CaseDesk: ...

    @property
    def quarantine(self) -> QuarantineDesk: ...

    @property
    def rights(self) -> RightsDesk: ...


class StopControl(Protocol):
    """Stops cameras, or all of them (`all`), and lets them go on; both are in the log. Not for the event loop."""

    def stop(self, camera: str, by: str, reason: str) -> None: ...

    def resume(self, camera: str, by: str, reason: str) -> None:
        """Raises `BlickschutzError` where the entry cannot be written; then nothing is filmed."""
        ...


class Safety(Protocol):
    """What a start found missing, and how two people accept it; see `control.service.safety`. `accept` is not for the event loop."""

    @property
    def losses(self) -> Sequence[Loss]: ...

    @property
    def on(self) -> bool: ...

    @property
    def seen_by(self) -> str: ...

    @property
    def what(self) -> str: ...

    def accept(self, person: str, what: str) -> NotAccepted | None: ...


class Recordings(Protocol):
    """Clips as far as pages need them, the time for deadlines, and what the disk says."""

    def recording_problem(self) -> str:
        """Why nothing can be recorded: a key of `texts.RECORDING_PROBLEMS`, or empty."""
        ...

    def deadline(self, case: Case) -> tuple[float, str]:
        """When (POSIX, of the retention clock) and why a clip ends."""
        ...

    def is_away(self, case: Case) -> bool:
        """Whether its clip stays on a machine that cannot be reached now."""
        ...

    def is_unheard(self, case: Case) -> bool:
        """Whether that machine has not confirmed yet what was decided about the clip."""
        ...

    def copies(self, case: Case) -> Sequence[CopyView]:
        """Its second copies on other machines."""
        ...

    def has_no_place(self, case: Case) -> bool:
        """Whether the site has second copies, and this clip gets none: the control room recorded it itself."""
        ...

    def uncopied(self) -> Sequence[int]:
        """Cases whose clip is to have a second copy and has none for longer than copying takes."""
        ...

    def time(self) -> float:
        """The retention clock."""
        ...

    def record(self, camera: str, by: str, reason: str, alert: int | None) -> str:
        """Order a recording by hand; why not, or empty."""
        ...

    def packages(self) -> list[tuple[str, int, float]]:
        """Packages of evidence: name, bytes, when made (POSIX)."""
        ...

    def package(self, name: str) -> bytes | None: ...

    def enrolled(self) -> frozenset[str]:
        """Who has a key for clips."""
        ...

    @property
    def safety(self) -> Safety:
        """What was lost, and whether everything that destroys or seals waits because of it."""
        ...

    def stuck(self) -> Sequence[Stuck]:
        """Clips whose end was ordered and that do not go."""
        ...

    def chain(self) -> ChainReport:
        """What the last look at the log's chain found."""
        ...

    def forecast(self) -> tuple[int, float | None]:
        """Free bytes, and hours of recording that still fit; None where nothing was recorded yet."""
        ...


class SensitivityControl(Protocol):
    """What each camera costs in false alarms, and the thresholds that people accept; see `budget.service`.

    `views` computes for a while, the others write: not for the event loop. They say why nothing was done, and raise `StoreError`.
    """

    def views(self) -> Sequence[CameraView]: ...

    def drawn(self, camera: str) -> CameraView | None:
        """One camera as it is at this moment, with its curves."""
        ...

    def accept(self, camera: str, kind: Kind, seen: float, by: str) -> NotDone | None: ...

    def undo(self, camera: str, kind: Kind, by: str) -> NotDone | None: ...

    def renew(self, camera: str, by: str) -> NotDone | None: ...


class ClockDesk(Protocol):
    """The time for deadlines, about which two people may have to decide: see `retention.service`.

    `suspended` answers at once; all else may take seconds and writes to the disk, so it is not for the event loop. What is
    proposed and confirmed is in the log.
    """

    @property
    def suspended(self) -> str:
        """Why deadlines are suspended: a key of `texts.SUSPENDED_WORDS`, or empty."""
        ...

    def view(self) -> TimeView: ...

    def propose(self, by: str, basis: Basis) -> Proposal | Void: ...

    def confirm(self, by: str, number: int) -> Confirmed | Void:
        """Raises `DeviceError` where it cannot be kept; nothing changed then."""
        ...


class ControlRoom(Protocol):
    """All cameras, by id."""

    @property
    def cameras(self) -> Mapping[str, CameraControl]: ...

    policy: Policy
    site_path: str
    settings: SettingsDesk
    trials: TrialDesk

    @property
    def site(self) -> SiteFile:
        """The settings in force."""
        ...

    @property
    def authority(self) -> AuthorityView | None: ...

    @property
    def preparing(self) -> bool:
        """Whether the site is only prepared: there are pages, and no camera."""
        ...

    alerts: AlertDesk
    regime: RegimeControl
    sensitivity: SensitivityControl
    office: Office
    recordings: Recordings
    clock: ClockDesk
    floorplan: FloorPlans
    rooms: Rooms
    stops: StopControl

    def vitals(self) -> Vitals:
        """How the control room itself is. Asks databases and disk: not for the event loop."""
        ...

    def later(self, work: Callable[[], object]) -> None:
        """Have something done in the thread of disk and database, as soon as that takes it; never waits."""
        ...

    def models(self) -> Mapping[str, tuple[str, bool]]:
        """Registered detectors: the hash of each, and whether its files are as they were registered."""
        ...

    def certificate_until(self) -> datetime | None:
        """When the server's certificate ends; None without TLS."""
        ...
