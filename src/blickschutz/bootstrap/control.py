"""Builds the control room of a site: cells, records, alerts, and what joins them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from blickschutz.bootstrap.alerting import make_alerting, make_source
from blickschutz.bootstrap.cells import cell_settings
from blickschutz.bootstrap.records import Records, make_records
from blickschutz.config.lives import alert_lives
from blickschutz.config.model import SiteFile
from blickschutz.control.service.alerting import Alerting
from blickschutz.control.service.housekeeping import Housekeeping
from blickschutz.control.service.keeper import Launch, forkserver_launch
from blickschutz.control.service.moments import AlertMoments
from blickschutz.control.service.outages import OutageWatch
from blickschutz.control.service.regime import RegimeKeeper
from blickschutz.control.service.room import ControlRoom
from blickschutz.control.service.routing import SituationRouting
from blickschutz.control.service.supervisor import Supervisor
from blickschutz.control.service.troubles import Troubles
from blickschutz.guard.service import Guard
from blickschutz.kernel.clock import Clock


@dataclass(frozen=True, slots=True)
class Control:
    """What was built; `room` starts and ends it."""

    supervisor: Supervisor
    records: Records
    alerting: Alerting
    regime: RegimeKeeper
    routing: SituationRouting
    room: ControlRoom
    guard: Guard
    troubles: Troubles


def make_control(site: SiteFile, base: Path, data: Path, clock: Clock, launch: Launch = forkserver_launch) -> Control:
    """The control room of a site whose data lies in the folder `data`. Nothing runs yet."""
    supervisor = Supervisor({camera.id: cell_settings(site, camera, base) for camera in site.cameras}, clock, launch)
    cells = supervisor.keepers
    records = make_records(site, data, clock, cells)
    worker, log = records.worker, records.office.log
    troubles = Troubles(log, worker.do)
    guard = Guard(clock, troubles.heard)
    alerting = make_alerting(site, base, records, clock, guard)
    desk = alerting.desk
    troubles.told.listen(alerting.trouble)
    regime = RegimeKeeper(site, clock, log)
    routing = SituationRouting(site, cells, regime, records.orders, desk, clock, worker.do)
    alerting.source = make_source(site, base, routing.from_camera, guard)
    moments = AlertMoments(cells, site.alerts, desk, worker.do)
    for cell in cells.values():
        cell.situations.listen(routing.seen)
        cell.clips.listen(records.intake.heard)
        cell.lost.listen(records.intake.lost)
        cell.lost.listen(routing.lost)
        cell.ready.listen(records.intake.ready)
    records.orders.unrecorded.listen(routing.unrecorded)
    routing.raised.listen(moments.raised)
    outages = OutageWatch(cells, log, clock, worker.do)
    duties = {
        "orders": records.orders.overdue,
        "deadlines": records.shredder.expire,
        "destruction": records.shredder.work,
        "renewal": records.renewal.again,
        "settling": records.keeping.settle,
        "escalation": desk.escalate_overdue,
        "alert-entries": lambda: desk.enter_owed(log),
        "alert-lives": lambda: desk.expire(records.archive.time.now(), alert_lives(site)),
        "outages": outages.look,
    }
    room = ControlRoom(guard, supervisor, records.keeping, alerting, moments, Housekeeping(duties))
    return Control(supervisor, records, alerting, regime, routing, room, guard, troubles)
