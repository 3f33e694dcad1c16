"""A site's records on a real database and real files, without cameras: what tests of cases, clips and deadlines share."""

from __future__ import annotations

from pathlib import Path

from blickschutz.alerts.service import AlertDesk
from blickschutz.bootstrap.records import make_records
from blickschutz.config.loader import load_site
from blickschutz.control.model import ClipHeard
from blickschutz.control.service.regime import RegimeKeeper
from blickschutz.control.service.routing import SituationRouting
from blickschutz.demo.enrolment import found_with
from blickschutz.recording.model import ClipEvent, ClipMode, ClipNews
from blickschutz.retention.io.sources import ClockSources
from blickschutz.situations.kinds import Kind, Situation
from blickschutz.vault.service import new_key
from tests.conftest import ROOT
from tests.fakes.clock import ManualClock
from tests.faults.children import group, make_writer

_EXAMPLE = load_site(ROOT / "examples/rathaus-kaiserslautern.toml")
# Of the supervision there are two: they decide together what one of them may not.
_SECOND = next(one for one in _EXAMPLE.people if one.id == "aufsicht").model_copy(update={"id": "aufsicht-2", "name": "Zweite Aufsicht"})
SITE = _EXAMPLE.model_copy(update={"people": (*_EXAMPLE.people, _SECOND)})
CAMERA = "vorplatz-nord"


class Cell:
    """Stands for a cell's keeper: takes orders, sends nothing."""

    def __init__(self):
        self.orders, self.ended, self.reachable, self.stopped, self.state = [], [], True, False, None
        self.refusal = ""

    def record(self, order):
        self.orders.append(order)

    def end_order(self, number):
        self.ended.append(number)

    def stop(self, on):
        self.stopped = on


class Boot:
    """The clocks of a machine that was booted `after` seconds of another one's."""

    def __init__(self, clock, after):
        self._clock, self._after = clock, after

    def now(self):
        return self._clock.now()

    def monotonic(self):
        return self._clock.monotonic() - self._after + 1.0

    def sleep(self, seconds):
        self._clock.sleep(seconds)


class House:
    """`records` are those of the site in `folder`; `again` is a start after a crash. No thread runs: `work` does what waits."""

    def __init__(self, folder: Path, clock: ManualClock | None = None):
        self.clock, self.cell, self.folder, self.boots = clock or ManualClock(), Cell(), folder, 1
        self.booted, self.pin = 0.0, ""
        self.start()

    def start(self):
        sources = ClockSources(Boot(self.clock, self.booted), f"boot-{self.boots}")
        self.records = make_records(SITE, self.folder, self.clock, {CAMERA: self.cell}, repair=True, sources=sources)
        self.regime = RegimeKeeper(SITE, self.clock, self.records.office.log)
        self.desk = AlertDesk(self.records.alerts, self.clock)
        self.records.archive.enrolment.pin = self.pin
        orders, do = self.records.orders, self.records.worker.do
        self.routing = SituationRouting(SITE, {CAMERA}, self.regime, orders, self.desk, self.clock, do)
        orders.unrecorded.listen(self.routing.unrecorded)

    def close(self):
        self.records.keeping.close()

    def again(self):
        """The system is started anew after a crash."""
        self.close()
        self.start()
        self.records.keeping.recover()

    def work(self):
        """What the thread of disk and database would do."""
        self.records.worker.work()

    def housekeep(self):
        """A round of the housekeeping."""
        records = self.records
        records.clock.look()
        shredder = records.shredder
        for duty in (records.intake.again, shredder.expire, records.renewal.again, shredder.work, records.quarantine.look):
            records.worker.do(duty)
        for duty in (records.keeping.settle, records.keeping.safety.look):
            records.worker.do(duty)

    def enrol(self, count=2):
        found_with(self.records, {f"kvd-{number}": "eine lange Losung" for number in range(1, count + 1)})
        self.pin = self.records.archive.enrolment.pin

    def order(self, cause="person_down", by="system", **more):
        return self.records.orders.order(CAMERA, ClipMode.SEALED, cause, by, **more)

    def hear(self, news):
        """A cell tells of a clip."""
        self.records.intake.heard(ClipHeard(CAMERA, news))

    def clip(self, name="a" * 32, *, close=True, row=True, orders=()):
        """A clip of the camera, and its case."""
        archive = self.records.archive
        archive.shelf.folder.mkdir(parents=True, exist_ok=True)
        writer = make_writer(archive.shelf.folder, archive.key.installation, name, new_key(), self.clock.now())
        news = {"clip": name, "mode": ClipMode.SEALED, "cause": "person_down", "orders": orders, "opened": self.clock.now()}
        if row:
            self.hear(ClipNews(event=ClipEvent.OPENED, **news))
        writer.add(group(1))
        if close:
            writer.close("over", 1.0)
            self.hear(ClipNews(event=ClipEvent.CLOSED, closed=self.clock.now(), seconds=9.0, reason="over", **news))
        else:
            writer.abandon()
        self.work()
        return self.records.office.cases.store.by_clip(name)

    def situation(self, ended=None, number=3):
        return Situation(number, Kind.PERSON_DOWN, "all", self.clock.monotonic(), self.clock.now(), 0.9, {}, None, ended)

    def events(self, event):
        """Entries of that event, the newest first."""
        return [entry for entry, _ in self.records.office.log.find(event=event)]
