"""`blickschutz upgrade`: another version from a bundle, and back by itself where it does not become ready."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import click

from blickschutz import __version__
from blickschutz.audit.io.log import Facts
from blickschutz.audit.model import Event
from blickschutz.bootstrap.databases import server_of
from blickschutz.cli.logbook import log_of
from blickschutz.cli.place import beside, place_of, require_started, with_site
from blickschutz.config.loader import load_site, operator_language
from blickschutz.installation.io.folder import locked_alone
from blickschutz.kernel.clock import SystemClock
from blickschutz.upgrade.io.bundle import unpacked
from blickschutz.upgrade.io.copies import bring_back, copy_into, erase_in, try_in
from blickschutz.upgrade.io.programs import Environments, called
from blickschutz.upgrade.io.records import SiteRecords
from blickschutz.upgrade.io.systemd import SystemdService
from blickschutz.upgrade.model import Fate, Outcome, UpgradeError
from blickschutz.upgrade.rules import is_older
from blickschutz.upgrade.service import Upgrade
from blickschutz.upgrade.texts import say

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
_FOLDER = click.Path(path_type=Path, file_okay=False)
_LONGEST = 300


@click.command()
@with_site
@click.option("--bundle", "file", type=_FILE, required=True, help="Made by `blickschutz bundle`.")
@click.option("--backups", type=_FOLDER, help="Folder for the backup that is made before; the data's owner must be able to write there.")
@click.option("--no-backup", is_flag=True, help="Make none: what only a backup brings back is lost where the disk fails meanwhile.")
@click.option("--service", "unit", default="blickschutz.service", show_default=True, help="The unit of systemd.")
@click.option("--wait", "limit_s", type=click.FloatRange(5, 3600), default=120, show_default=True, help="Seconds for all cameras.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def upgrade(path: Path, data: Path | None, file: Path, backups: Path | None, no_backup: bool, unit: str, limit_s: float, yes: bool) -> None:
    """Install the version in a bundle: backup, rehearsal on copies, switch, start, look; back by itself if it does not become ready."""
    language = operator_language()
    if (backups is None) is not no_backup:
        raise click.UsageError("name a folder with --backups, or say --no-backup")
    if not SystemdService.is_there():
        raise UpgradeError(say("no-manager", language))
    service, target = SystemdService(unit), called(Path(sys.prefix))
    if os.geteuid() or not os.access(target.parent, os.W_OK):
        raise UpgradeError(say("not-root", language, folder=target.parent))
    if (started := service.program()) is None or started.parent.parent.resolve() != target.resolve():
        raise UpgradeError(say("other-program", language, unit=unit, program=started, here=target))
    # What the unit calls, whatever other names there are.
    target = started.parent.parent
    place = place_of(load_site(path), path, data)
    require_started(place)

    def steps_to(version: str) -> Upgrade:
        environments = Environments(target, language, version)
        return Upgrade(
            service=service,
            programs=environments,
            records=SiteRecords(target, environments.new, path.resolve(), place.folder, backups.resolve() if backups else None),
            clock=SystemClock(),
            before=__version__,
            limit_s=limit_s,
            say=lambda step: click.echo(say(step, language)),
            listen=_listen,
        )

    _listen(True)
    if (begun := Environments(target, language, __version__).begun()) is not None:
        click.echo(say("cut-off", language, before=begun.before, now=begun.now))
        _told(steps_to(begun.now).finish(begun), language)
        return
    with unpacked(file.resolve(), target.parent) as bundle:
        if bundle.version == __version__ or is_older(bundle.version, __version__):
            raise UpgradeError(say("not-newer", language, there=bundle.version, here=__version__))
        if not yes:
            click.confirm(say("asked", language, before=__version__, now=bundle.version, seconds=f"{limit_s:.0f}"), abort=True)
        outcome = steps_to(bundle.version).run(bundle)
    _told(outcome, language)


def _listen(on: bool) -> None:
    """An interrupt, an end and a lost terminal mean going back, until that is under way."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler if on else _heard)


def _heard(number: int, frame: object) -> None:
    """Not ignored, which every program that is started would inherit."""


def _told(outcome: Outcome, language: str) -> None:
    words = {"before": outcome.before, "now": outcome.now, "dark": f"{outcome.dark_s:.0f}", "reason": outcome.reason}
    if outcome.unnoted:
        click.echo(say("unnoted", language, problem=outcome.unnoted), err=True)
    if outcome.fate is Fate.TAKEN_BACK:
        raise UpgradeError(say("taken-back", language, **words))
    click.echo(say("done", language, **words))


@click.group("upgrade-records", hidden=True)
def upgrade_records() -> None:
    """What `blickschutz upgrade` does with a site's data, as their owner; not for people."""


@upgrade_records.command("copy")
@with_site
@click.option("--into", type=_FOLDER, required=True)
def _copy(path: Path, data: Path | None, into: Path) -> None:
    """Copies of the databases."""
    with beside(place_of(load_site(path), path, data), make=False) as folder:
        copy_into(folder.path, into)


@upgrade_records.command("try")
@click.argument("place", type=_FOLDER)
def _try(place: Path) -> None:
    """Bring copies up to this version's form."""
    click.echo(" ".join(f"{name}: {rows}" for name, rows in try_in(place).items()))


@upgrade_records.command("erase")
@click.argument("place", type=_FOLDER)
def _erase(place: Path) -> None:
    """Remove copies."""
    erase_in(place)


@upgrade_records.command("take-back")
@with_site
def _take_back(path: Path, data: Path | None) -> None:
    """Give databases that a newer version brought up this version's form again."""
    place = place_of(load_site(path), path, data)
    lock = locked_alone(place.folder, "blickschutz upgrade", SystemClock(), place.language)
    try:
        left = bring_back(place.folder)
    finally:
        lock.release()
    for table, rows in left.items():
        click.echo(say("left", place.language, table=table, rows=rows))


@upgrade_records.command("note")
@with_site
@click.option("--before", required=True)
@click.option("--now", required=True)
@click.option("--reason", default="")
def _note(path: Path, data: Path | None, before: str, now: str, reason: str) -> None:
    """An entry in the log."""
    site = load_site(path)
    server = server_of(site, path.parent)
    with beside(place_of(site, path, data), make=False) as folder, log_of(folder.path, SystemClock(), server) as log:
        if log is not None:
            # Taken back, it is the old version that runs.
            facts: Facts = {"version": before, "before": now, "reason": reason[:_LONGEST]} if reason else {"version": now, "before": before}
            log.write(Event.PROGRAMS_CHANGED, "terminal", facts=facts)
