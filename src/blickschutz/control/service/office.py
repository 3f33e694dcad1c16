"""What a site has, by what somebody needs of it: the back office for people, the archive for files, both for whoever inspects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from blickschutz.access.service import Access
from blickschutz.alerts.io.store import SqlAlertStore
from blickschutz.anchor.service import Anchoring
from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.service import ChainWatch
from blickschutz.budget.io.curves import Curves
from blickschutz.budget.ports import BudgetStore
from blickschutz.control.ports import EndStore
from blickschutz.control.service.enrolment import Enrolment
from blickschutz.control.service.intake import ClipIntake
from blickschutz.control.service.logend import LogEnd
from blickschutz.control.service.orders import RecordingOrders
from blickschutz.control.service.renewal import Renewal
from blickschutz.control.service.safety import SafeMode
from blickschutz.retention.io.shelf import ClipShelf
from blickschutz.retention.model import Limits, Stuck
from blickschutz.retention.service import RetentionTime
from blickschutz.review.ports import BesideClips
from blickschutz.review.service import CaseDesk, QuarantineDesk
from blickschutz.rights.service import RightsDesk
from blickschutz.vault.io.files import InstallationKey, KeyFolder


@dataclass(frozen=True, slots=True)
class BackOffice:
    """Who may, what was done, what becomes of clips, who asked."""

    access: Access
    log: AuditLog
    cases: CaseDesk
    quarantine: QuarantineDesk
    rights: RightsDesk


@dataclass(frozen=True, slots=True)
class Archive:
    """Where clips, packages and keys lie, and the time by which they end. `data` is the installation's folder.

    `notes` are the holds and restrictions that lie beside the clips, `ends` which were overwritten, `enrolment` says whose key counts.
    """

    data: Path
    shelf: ClipShelf
    notes: BesideClips
    exports: Path
    keys: KeyFolder
    enrolment: Enrolment
    key: InstallationKey
    ends: EndStore
    time: RetentionTime
    limits: Limits


@dataclass(frozen=True, slots=True)
class Inspected:
    """What an inspection looks at: the check of a site, the grounds of its policy. `redaction_faults` counts cameras.

    `stuck` are the clips that do not go; `anchoring` hands the log's hashes to its witness. `budget` are the numbers of the alarm
    budget, `curves` the recall that comes with the program. `log_end` erases entries of the log at their limit.
    """

    office: BackOffice
    archive: Archive
    alerts: SqlAlertStore
    chain: ChainWatch
    orders: RecordingOrders
    intake: ClipIntake
    renewal: Renewal
    redaction_faults: Callable[[], int]
    safety: SafeMode
    stuck: Callable[[], Sequence[Stuck]]
    budget: BudgetStore
    curves: Curves
    anchoring: Anchoring
    log_end: LogEnd
