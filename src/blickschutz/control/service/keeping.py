"""What joins cells, cases and retention: orders become clips, clips become cases, and what is due is destroyed.

Everything that touches disk or database runs in one thread of its own; cells and pages never wait for it.
"""

from __future__ import annotations

import hashlib
import itertools
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from blickschutz import __version__
from blickschutz.access.io.accounts import METADATA as ACCOUNT_TABLES
from blickschutz.access.io.accounts import AccountStore
from blickschutz.access.io.factors import METADATA as FACTOR_TABLES
from blickschutz.access.io.factors import FactorStore, TokenStore
from blickschutz.access.io.store import METADATA as PASSWORD_TABLES
from blickschutz.access.io.store import PasswordStore
from blickschutz.access.model import Member
from blickschutz.access.service import Access
from blickschutz.audit.io.log import METADATA as LOG_TABLES
from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.model import Event
from blickschutz.audit.service import ChainWatch
from blickschutz.config.loader import settings_hash
from blickschutz.config.model import SiteFile
from blickschutz.control.service.renewal import Renewal
from blickschutz.control.service.requests import CaseRecordings
from blickschutz.control.service.shredding import Shredder
from blickschutz.control.service.supervisor import CellKeeper
from blickschutz.evidence.io.package import remove_left
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import BlickschutzError, DeviceError
from blickschutz.recording.io.clipfile import ClipError, read_head
from blickschutz.recording.model import ClipEvent, ClipMode, ClipNews, ClipState, CloseReason, Order, Sealing
from blickschutz.regime.model import Action
from blickschutz.retention.io.clock import RetentionClock
from blickschutz.retention.io.shelf import ClipShelf
from blickschutz.retention.model import ClockJump
from blickschutz.review.io.store import METADATA as CASE_TABLES
from blickschutz.review.io.store import SqlCaseStore
from blickschutz.review.model import Case, CaseState
from blickschutz.review.rules import THERE
from blickschutz.review.service import CaseDesk
from blickschutz.rights.io.store import METADATA as RIGHTS_TABLES
from blickschutz.rights.io.store import SqlRightsStore
from blickschutz.rights.service import RightsDesk
from blickschutz.storage.sqlite import open_engine
from blickschutz.vault.io.files import InstallationKey, KeyFolder, is_signed
from blickschutz.wall.model import TileState

_log = structlog.get_logger(__name__)
_MB = 1024 * 1024
LEAST_REVIEWERS = 2


class Keeping:
    """Recordings of a running site. `drop_alert_clip` removes the redacted seconds of an alert."""

    def __init__(
        self,
        site: SiteFile,
        data: Path,
        clock: Clock,
        keepers: Mapping[str, CellKeeper],
        drop_alert_clip: Callable[[int], None] = lambda alert: None,
    ) -> None:
        self._site, self._clock, self._keepers, self.data = site, clock, keepers, data
        self._zone = ZoneInfo(site.site.timezone)
        tables = (LOG_TABLES, ACCOUNT_TABLES, FACTOR_TABLES, PASSWORD_TABLES, CASE_TABLES, RIGHTS_TABLES)
        self.engine = open_engine(data / "control.db", *tables)
        self.key = InstallationKey(data / "keys" / "installation.key")
        self.log = AuditLog(self.engine, clock, self.key.sign, self.key.public)
        self.chain = ChainWatch(self.log, clock, is_signed)
        self.keys = KeyFolder(data / "keys" / "reviewers")
        self.exports = data / "exports"
        self.shelf = ClipShelf(data / "clips", (self.exports,))
        self.time = RetentionClock(data / "retention.clock", clock, self._jumped)
        self.store = SqlCaseStore(self.engine, self.log)
        self.desk = CaseDesk(self.store, clock, site.retention.hard_limit_days, lambda: self.do(self.shredder.work))
        self.rights = RightsDesk(SqlRightsStore(self.engine, self.log), CaseRecordings(self.store, self.desk), clock, self.today)
        self.shredder = Shredder(site, self.store, self.desk, self.shelf, self.time, self.log, self.key, drop_alert_clip)
        self.renewal = Renewal(data, self.store, self.desk, self.shelf, self.log, clock)
        accounts = AccountStore(self.engine, self.log, clock)
        accounts.take_over([Member(p.id, p.name, frozenset(p.roles), p.trained_until) for p in site.people])
        factors = FactorStore(self.engine, self.log, clock, data / "keys" / "factors.key")
        passwords, tokens = PasswordStore(self.engine, self.log, clock), TokenStore(self.engine, self.log, clock)
        self.access = Access(accounts, passwords, factors, tokens, self.log, clock)
        self.problem, self._settled_on = "", self.today()
        self.on_unrecorded: Callable[[int], None] = lambda order: None
        self._numbers = itertools.count(1)
        self._alert_of: dict[int, int] = {}
        self._refused: set[str] = set()
        self._work: queue.SimpleQueue[Callable[[], Any] | None] = queue.SimpleQueue()
        self._worker = threading.Thread(target=self._run, name="keeping", daemon=True)
        for keeper in keepers.values():
            keeper.on_clip, keeper.on_lost = self.heard, self.lost

    def start(self) -> None:
        self._log_start()
        self.recover()
        self._worker.start()
        self.chain.start()

    def _log_start(self) -> None:
        """The start, and whether the settings are others than at the last one (Art. 12 AI Act: settings' hash)."""
        settings = settings_hash(self._site)
        before = self.log.find(event=Event.SYSTEM_STARTED, most=1)
        if before and before[0][0].facts.get("settings") != settings:
            self.log.write(Event.SETTINGS_CHANGED, "system", facts={"before": str(before[0][0].facts.get("settings")), "now": settings})
        facts: dict[str, Any] = {"cameras": len(self._site.cameras), "demo": self._site.site.demo, "settings": settings}
        self.log.write(Event.SYSTEM_STARTED, "system", facts={**facts, "version": __version__, "model": self._site.analysis.model})

    def end(self) -> None:
        """Finish what waits; to be called in a thread of its own."""
        self._work.put(None)
        if self._worker.is_alive():
            self._worker.join(10.0)
        self.chain.end()
        self.log.write(Event.SYSTEM_ENDED, "system")
        self.log.checkpoint()
        self.engine.dispose()

    def today(self) -> date:
        """The day at the site."""
        return datetime.fromtimestamp(self._clock.now(), self._zone).date()

    def do(self, work: Callable[[], Any]) -> None:
        """Have something done in the thread of disk and database."""
        self._work.put(work)

    def housekeep(self) -> None:
        """Deadlines, shredding, the disk; called every few seconds."""
        self.do(self.shredder.expire)
        self.do(self.renewal.again)
        self.do(self.shredder.work)
        if self.today() != self._settled_on:
            self._settled_on = self.today()
            self.do(self.rights.settle)

    # --- orders ---

    @property
    def records(self) -> bool:
        """Whether anything in the site file orders recordings."""
        regimes = (self._site.regimes.day, self._site.regimes.night)
        return any(action in {Action.RECORD, Action.BOTH} for one in regimes for action in (one.on_situation, *one.kinds.values()))

    def refusal(self) -> str:
        """Why nothing can be recorded now: "reviewers", "disk", or what is broken in words; empty where it can."""
        try:
            if len(self.keys.reviewers()) < LEAST_REVIEWERS:
                return "reviewers"
            return "disk" if self.shelf.free() < self._site.recording.reserve_mb * _MB else ""
        except (BlickschutzError, OSError) as error:
            return str(error)

    def order(self, camera: str, mode: ClipMode, cause: str, by: str, reason: str = "", for_s: float | None = None) -> int | None:
        """Order a recording; the number of the order, or None where it was refused, which is logged and shown."""
        keeper = self._keepers[camera]
        why = "camera" if not keeper.reachable else self.refusal()
        facts: dict[str, Any] = {"mode": mode.value, "cause": cause, "reason": reason}
        if why:
            self._refuse(camera, by, why, facts)
            return None
        number = next(self._numbers)
        sealing = Sealing(self.key.installation, str(self.shelf.folder), self.keys.reviewers())
        keeper.record(Order(number=number, mode=mode, cause=cause, sealing=sealing, for_s=for_s))
        self.do(lambda: self.log.write(Event.RECORDING_ORDERED, by, camera, {"order": number, **facts}))
        return number

    def end_order(self, camera: str, number: int) -> None:
        self._keepers[camera].end_order(number)

    def belongs_to(self, order: int, alert: int) -> None:
        """An alert was raised for the same situation."""
        self._alert_of[order] = alert

    def _refuse(self, camera: str, by: str, why: str, facts: dict[str, Any]) -> None:
        self.problem = why
        if (key := f"{camera}:{why}") not in self._refused:
            # Told once until it works again: a night without reviewers is one problem, not a thousand.
            self._refused.add(key)
            _log.error("recording_refused", camera=camera, reason=why)
            self.do(lambda: self.log.write(Event.RECORDING_REFUSED, by, camera, {"why": why, **facts}))

    # --- news of clips ---

    def heard(self, camera: str, news: ClipNews) -> None:
        """A cell tells of a clip. Never waits."""
        self.do(lambda: self._take(camera, news))

    def lost(self, camera: str) -> None:
        """A cell is gone: what it was writing is cut off."""
        self.do(lambda: self._close_cut(self.store.find(states=[CaseState.RECORDING], camera=camera)))

    def _take(self, camera: str, news: ClipNews) -> None:
        if news.event is ClipEvent.REFUSED:
            why = "disk" if "free" in news.reason else "reviewers" if "reviewers" in news.reason else news.reason
            self._refuse(camera, "system", why, {"mode": news.mode.value, "cause": news.cause, "reason": ""})
            for order in news.orders:
                self.on_unrecorded(order)
            return
        case = self.desk.opened(Case(0, news.clip, camera, news.mode.value, news.cause, news.opened, CaseState.RECORDING))
        if news.event is ClipEvent.OPENED:
            self.problem, self._refused = "", set()
            return
        if news.reason.startswith(CloseReason.DISK.value):
            self.problem = "disk"
            self.log.write(Event.DISK_FULL, "system", news.clip, {"camera": camera, "text": news.reason})
            for order in news.orders:
                self.on_unrecorded(order)
        alerts = tuple(self._alert_of.pop(order) for order in news.orders if order in self._alert_of)
        self._close(replace(case, closed=news.closed, seconds=news.seconds, close_reason=news.reason, alerts=alerts))

    def _close(self, case: Case) -> None:
        path = self.shelf.path(case.clip)
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = path.stat().st_size
        except OSError as error:
            raise DeviceError(f"{path.name} cannot be read: {error.strerror}") from error
        self.desk.closed(replace(case, size=size, sha256=digest))

    def _close_cut(self, cases: list[Case]) -> None:
        for case in cases:
            if self.shelf.path(case.clip).exists():
                self._close(replace(case, closed=self._clock.now(), close_reason=CloseReason.CUT.value))

    # --- after a start ---

    def recover(self) -> None:
        """Bring files and rows together again after a crash: every file has a case, what was being destroyed is gone."""
        remove_left()
        for folder in (self.exports, self.data / "keys" / "reviewers"):
            for left in folder.glob(".*"):
                left.unlink()
        self._close_cut(self.store.find(states=[CaseState.RECORDING]))
        for clip in sorted(self.shelf.clips()):
            if self.store.by_clip(clip) is None:
                self._adopt(clip)
        for case in self.missing():
            self.log.write(Event.MISSING_FILE, "system", case.clip, {"case": case.id})
        self.rights.settle()
        self.renewal.run()
        try:
            self.shredder.work()
        except DeviceError as error:
            # A file that does not go stops no start: every page says so, and it is tried again every few seconds.
            self.problem = str(error)

    def redaction_faults(self) -> int:
        """How many cameras say now that their redaction is at fault (their pictures are wholly covered)."""
        return sum(keeper.state is TileState.REDACTION_FAULT for keeper in self._keepers.values())

    def missing(self) -> list[Case]:
        """Cases whose file is not there, though nobody ordered its end."""
        there = self.shelf.clips()
        return [case for case in self.store.find(states=sorted(THERE), most=100_000) if case.clip not in there]

    def _adopt(self, clip: str) -> None:
        """A file without a case: its head says what it is. What is no clip of ours is told of and left alone."""
        try:
            header = read_head(self.shelf.path(clip)).header
        except (ClipError, DeviceError) as error:
            begun = isinstance(error, ClipError) and error.state is ClipState.HEAD_CUT_OFF
            self.log.write(Event.MISSING_ROW, "system", clip, {"problem": str(error), "removed": begun})
            if begun:
                self.shelf.destroy(clip)
            return
        if header.installation != self.key.installation or header.clip != clip:
            self.log.write(Event.MISSING_ROW, "system", clip, {"problem": "the clip belongs to another installation or has another name"})
            return
        self.log.write(Event.MISSING_ROW, "system", clip, {"problem": ""})
        case = self.desk.opened(Case(0, clip, header.camera, header.mode.value, header.cause, header.opened, CaseState.RECORDING))
        self._close_cut([case])

    def _jumped(self, jump: ClockJump) -> None:
        self.do(lambda: self.log.write(Event.CLOCK_CHANGED, "system", facts={"seconds": round(jump.seconds, 1)}))

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            try:
                work()
            except BlickschutzError as error:
                self.problem = str(error)
                _log.error("keeping_failed", problem=self.problem)
            # One clip's fault must not end the keeping of all others; the log and every page say what failed.
            except Exception as error:  # noqa: BLE001 - goes on, and shows the fault on every page
                self.problem = f"{type(error).__name__}: {error}"
                _log.exception("keeping_failed")
