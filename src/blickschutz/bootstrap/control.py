"""Builds the control room of a site: cells, records, alerts, and what joins them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from blickschutz.anchor.model import Problem
from blickschutz.bootstrap.alerting import make_alerting, make_source, make_states
from blickschutz.bootstrap.budget import make_budget
from blickschutz.bootstrap.cells import cell_settings, trial_settings
from blickschutz.bootstrap.databases import server_of
from blickschutz.bootstrap.hosts import keepers_of, make_host_room
from blickschutz.bootstrap.records import Records, make_records
from blickschutz.config.budgets import budget_settings
from blickschutz.config.lives import alert_lives
from blickschutz.config.model import SiteFile
from blickschutz.control.io.doors import DoorFolder
from blickschutz.control.model import CameraFound, Loss, NewsTold
from blickschutz.control.ports import Do
from blickschutz.control.service.alerting import Alerting
from blickschutz.control.service.grounds import gather
from blickschutz.control.service.host_clips import HostedClips
from blickschutz.control.service.host_keeper import HostKeeper
from blickschutz.control.service.housekeeping import Housekeeping
from blickschutz.control.service.inforce import SettingsInForce
from blickschutz.control.service.keeper import CellKeeper
from blickschutz.control.service.launching import Launch, launch_cell
from blickschutz.control.service.moments import AlertMoments
from blickschutz.control.service.notices import PublishedNotices
from blickschutz.control.service.outages import OutageWatch
from blickschutz.control.service.regime import RegimeKeeper
from blickschutz.control.service.room import ControlRoom
from blickschutz.control.service.routing import SituationRouting
from blickschutz.control.service.sensitivity import Sensitivity
from blickschutz.control.service.shared import Shared
from blickschutz.control.service.standing import STAND_S, Standing
from blickschutz.control.service.supervisor import Keepers, Supervisor
from blickschutz.control.service.trials import TrialDesk
from blickschutz.control.service.troubles import Troubles
from blickschutz.guard.model import Change, Trouble
from blickschutz.guard.service import Guard
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import SettingsError
from blickschutz.pipeline.messages import CellSettings
from blickschutz.retention.model import Stuck
from blickschutz.review.model import Case
from blickschutz.settings.io.file import SettingsFile
from blickschutz.settings.service import SettingsDesk, site_of
from blickschutz.situations.kinds import Kind
from blickschutz.vault.io.files import InstallationKey
from blickschutz.zones.profiles import doors_of

if TYPE_CHECKING:
    from blickschutz.bootstrap.leading import Leading
    from blickschutz.hosts.io.room import HostRoom

_DOOR = b"blickschutz-cell-door-1 "
# Seconds for which what hosts are to do while nobody can be asked is told as it was looked up.
STANDS_S = 5.0


@dataclass(frozen=True, slots=True)
class Source:
    """The site file as it was read: its text, and where it lies."""

    text: str = ""
    path: str = ""

    def says(self, site: SiteFile) -> bool:
        """Whether that site is what the file says; a demonstration on other footage is not, and cannot be changed by the file."""
        try:
            return bool(self.path) and site_of(self.text, self.path, site.site.language) == site
        except SettingsError:
            return False


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
    sensitivity: Sensitivity
    settings: SettingsInForce
    desk: SettingsDesk
    hosts: HostRoom | None
    trials: TrialDesk


def make_control(
    site: SiteFile,
    base: Path,
    data: Path,
    clock: Clock,
    launch: Launch = launch_cell,
    *,
    preparing: bool = False,
    file: Source | None = None,
    leading: Leading | None = None,
) -> Control:
    """The control room of a site whose data lies in the folder `data`. Nothing runs yet; one that is `preparing` starts no camera and
    hears no broker. Of a site on a server `leading` is the lead under which it decides."""
    path = Path(file.path) if file is not None and file.path else None

    def cells_of(wanted: SiteFile) -> dict[str, CellSettings]:
        return {camera.id: cell_settings(wanted, camera, base, data / "clips") for camera in wanted.cameras}

    cells, told = Keepers(), cells_of(site)
    server = leading.server if leading is not None else server_of(site, base)
    records = make_records(site, data, clock, cells, repair=True, server=server)
    doors = make_doors(data, records.archive.key)
    hosts = make_host_room(site, data, records.archive.key.installation, clock, leading) if not preparing else None
    hosted = [one.id for one in site.hosts.cameras] if site.hosts is not None else []
    supervisor = Supervisor(told, clock, launch, preparing=preparing, doors=doors, keepers=cells, hosts=hosts, hosted=hosted)
    worker, log = records.worker, records.office.log
    troubles = Troubles(log, worker.do)
    guard = Guard(clock, troubles.heard)
    # What cameras are called in messages; a camera that was taken away keeps its name for what is still told of it.
    names = {camera.id: camera.name for camera in site.cameras}
    alerting = make_alerting(site, base, records, clock, guard, names)
    desk = alerting.desk
    troubles.told.listen(alerting.trouble)
    regime = RegimeKeeper(site, clock, log, records.archive.time)
    routing = SituationRouting(site, cells, regime, records.orders, desk, clock, worker.do)
    published = PublishedNotices(motion_of(site), lambda told: routing.found(CameraFound(*told)), clock)
    if not preparing:
        installation = records.archive.key.installation
        alerting.source = make_source(site, base, installation, cells, routing.from_camera, guard, published)
        alerting.states = make_states(site, base, installation, desk, cells, regime, guard, clock, names)
    moments = AlertMoments(cells, site.alerts, desk, worker.do)
    sensitivity = Sensitivity(cells, make_budget(site, records, regime, clock), clock)
    sensitivity.begin()
    desk.closed.listen(sensitivity.closed)
    desk.reopened.listen(sensitivity.reopened)
    records.office.cases.decided.listen(sensitivity.reviewed)

    clips = HostedClips(records.archive, records.office, records.shredder, hosts, clock, worker.do, keepers_of(site))

    # Many links open at one time: register, keys and accounts are compared once for all of them.
    standing = Shared(lambda: regime.standing(records.orders.standing(), records.orders.keep), clock, STANDS_S, STAND_S)

    def joined(cell: CellKeeper) -> None:
        """Have everybody hear of a cell who has to."""
        if isinstance(cell, HostKeeper):
            cell.host_news.listen(clips.heard)
            cell.standing = standing
        cell.episodes.listen(sensitivity.heard)
        cell.situations.listen(routing.seen)
        cell.found.listen(routing.found)
        cell.clips.listen(records.intake.heard)
        cell.lost.listen(records.intake.lost)
        cell.lost.listen(routing.lost)
        cell.ready.listen(records.intake.ready)
        cell.lived_on.listen(routing.lived_on)
        cell.resumed.listen(records.intake.resumed)
        cell.news.listen(partial(_confirm, cell, worker.do))

    for cell in cells.values():
        joined(cell)
    records.orders.unrecorded.listen(routing.unrecorded)
    routing.raised.listen(moments.raised)
    outages = OutageWatch(cells, log, clock, worker.do)
    _tell(records, troubles)

    def expire_alerts() -> None:
        reading = records.archive.time.reading()
        if not (records.keeping.safety.on or reading.suspended):
            desk.expire(reading.now, alert_lives(site))

    records.clock.trouble.listen(troubles.heard)
    records.copies.trouble.listen(troubles.heard)
    duties = {
        "turned-away": records.office.access.turned.look,
        "anchor": records.inspected.anchoring.look,
        "clock": records.clock.look,
        "orders": records.orders.overdue,
        "cut-clips": records.intake.again,
        "clips-on-hosts": clips.look,
        "deadlines": records.shredder.expire,
        "destruction": records.shredder.work,
        "renewal": records.renewal.again,
        "settling": records.keeping.settle,
        "quarantine": records.quarantine.look,
        "register": records.archive.enrolment.look_again,
        "witness": records.keeping.safety.look,
        "soundness": records.soundness.look,
        "database-copies": records.copies.look,
        "reserve": records.keeping.reserve.hold,
        "escalation": desk.escalate_overdue,
        "alert-entries": lambda: desk.enter_owed(log),
        "alert-lives": expire_alerts,
        "log-limit": records.inspected.log_end.look,
        "outages": outages.look,
        "alarm-budget": sensitivity.look,
    }
    if hosts is not None:
        duties["standing-orders"] = Standing(standing, cells, clock).look

    def came(cell: CellKeeper) -> None:
        joined(cell)
        records.stops.joined(cell.camera, cell)

    settings = SettingsInForce(site, cells_of, lambda wanted, seen: gather(wanted, path, records.inspected, clock, seen), supervisor, came)
    settings.changed.listen(lambda wanted: names.update({camera.id: camera.name for camera in wanted.cameras}))
    settings.changed.listen(lambda wanted: sensitivity.settle(budget_settings(wanted, records.inspected.curves.evidence)))
    settings.changed.listen(lambda wanted: published.settle(motion_of(wanted)))
    changes = make_desk(site, file or Source(), data, records, settings)
    room = ControlRoom(guard, supervisor, records.keeping, alerting, moments, Housekeeping(duties), sensitivity, changes.begin)
    trials = TrialDesk(lambda: settings.site, cells, trial_settings, log, clock, guard, preparing=preparing)
    return Control(supervisor, records, alerting, regime, routing, room, guard, troubles, sensitivity, settings, changes, hosts, trials)


def motion_of(site: SiteFile) -> dict[str, Kind | None]:
    """By camera what a plain alarm of motion counts as."""
    return {camera.id: camera.onvif.motion if camera.onvif is not None else None for camera in site.cameras}


def make_desk(site: SiteFile, file: Source, data: Path, records: Records, running: SettingsInForce) -> SettingsDesk:
    """Where settings are changed."""
    known = SettingsFile(Path(file.path), data) if file.says(site) else None
    return SettingsDesk(known, file.text, records.settings, running, records.office.access.voices)


def make_doors(data: Path, key: InstallationKey) -> DoorFolder:
    """The doors of the cells. A secret is a signature that is made for nothing else; who has the key alone can make it again."""
    return DoorFolder(doors_of(data), lambda: key.installation, lambda run: key.try_sign(_DOOR + run.encode()))


def _confirm(cell: CellKeeper, do: Do, told: NewsTold) -> None:
    """Once what others do with it is done: they were told before, and have their work done under the same key."""
    do(lambda: cell.heard(told), told.camera)


def _tell(records: Records, troubles: Troubles) -> None:
    """What wants people besides guarded work that fails: on the pages, in the log, and by every channel."""

    def stuck(one: Stuck) -> None:
        troubles.heard(Trouble("destruction-of-a-clip", Change.SET_ASIDE, f"case {one.case}: {one.problem}", one.tries))

    def undecided(cases: Sequence[Case]) -> None:
        numbers = ", ".join(str(case.id) for case in cases)
        troubles.heard(Trouble("quarantine-undecided", Change.SET_ASIDE, f"cases {numbers} wait for two people", len(cases)))

    def strayed(fault: str) -> None:
        troubles.heard(Trouble("register-of-reviewers", Change.SET_ASIDE, fault, 1))

    def lost(loss: Loss) -> None:
        troubles.heard(Trouble("safe-mode", Change.SET_ASIDE, f"{loss.kind.value}: page /loss says what to do", 1))

    def unanchored(problem: Problem) -> None:
        troubles.heard(Trouble("log-anchor", Change.SET_ASIDE, f"{problem.value}: the log and its witness do not agree", 1))

    records.inspected.anchoring.wrong.listen(unanchored)
    records.shredder.set_aside.listen(stuck)
    records.quarantine.overdue.listen(undecided)
    records.keeping.safety.found.listen(lost)
    records.archive.enrolment.found.listen(strayed)
