"""What a site has, by what somebody needs of it: the back office for people, the archive for files, both for whoever inspects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from blickschutz.access.service import Access
from blickschutz.alerts.io.store import SqlAlertStore
from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.service import ChainWatch
from blickschutz.control.service.intake import ClipIntake
from blickschutz.control.service.orders import RecordingOrders
from blickschutz.control.service.renewal import Renewal
from blickschutz.retention.io.clock import RetentionClock
from blickschutz.retention.io.shelf import ClipShelf
from blickschutz.retention.model import Limits
from blickschutz.review.service import CaseDesk
from blickschutz.rights.service import RightsDesk
from blickschutz.vault.io.files import InstallationKey, KeyFolder


@dataclass(frozen=True, slots=True)
class BackOffice:
    """Who may, what was done, what becomes of clips, who asked."""

    access: Access
    log: AuditLog
    cases: CaseDesk
    rights: RightsDesk


@dataclass(frozen=True, slots=True)
class Archive:
    """Where clips, packages and keys lie, and the time by which they end. `data` is the installation's folder."""

    data: Path
    shelf: ClipShelf
    exports: Path
    keys: KeyFolder
    key: InstallationKey
    time: RetentionClock
    limits: Limits


@dataclass(frozen=True, slots=True)
class Inspected:
    """What an inspection looks at: the check of a site, the grounds of its policy. `redaction_faults` counts cameras."""

    office: BackOffice
    archive: Archive
    alerts: SqlAlertStore
    chain: ChainWatch
    orders: RecordingOrders
    intake: ClipIntake
    renewal: Renewal
    redaction_faults: Callable[[], int]
