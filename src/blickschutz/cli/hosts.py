"""`blickschutz hosts` and `blickschutz cells`: machines beside the cameras, which run their cells."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from blickschutz.cli.codes import SETTINGS_WRONG, ends_with
from blickschutz.cli.place import with_site
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import OperatorError, SettingsError
from blickschutz.pipeline.logs import FORM, JSON, TEXT

if TYPE_CHECKING:
    from blickschutz.access.model import Member
    from blickschutz.bootstrap.hosts import HostOffice
    from blickschutz.bootstrap.records import Records

_FOLDER = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
_STDIN = click.option("--stdin", is_flag=True, help="Read passwords from standard input, one in each line.")


@click.group()
def hosts() -> None:
    """Machines beside the cameras, which run their cells."""


@hosts.command()
@with_site
@click.argument("name")
@click.option("--out", type=_FOLDER, required=True, help="Folder for what the host's machine needs; carried there and deleted here.")
@click.option("--by", "first", required=True, help="Who proposes it (administration).")
@click.option("--with", "second", required=True, help="Who confirms it (supervision or data protection).")
@_STDIN
def enrol(path: Path, data: Path | None, name: str, out: Path, first: str, second: str, stdin: bool) -> None:
    """Let the host NAME in: two people type their passwords at this terminal. An earlier enrolment of NAME counts no more."""
    records, office = _office(path, data)
    people = [_proven(records, person, stdin) for person in (first, second)]
    one = office.enrol(name, people[0], people[1], out, records.office.log, records.office.access.voices)
    click.echo(f"{name} is let in until {_day(one.until)}. Carry {out} to its machine; there: blickschutz cells --join join.toml")
    click.echo(f"The broker takes it once it reads {office.broker_folder / 'nats.conf'} anew (systemctl reload, or SIGHUP).")


@hosts.command()
@with_site
@click.argument("name")
@click.option("--by", "person", required=True, help="Who shuts it out (administration).")
@_STDIN
def revoke(path: Path, data: Path | None, name: str, person: str, stdin: bool) -> None:
    """Shut the host NAME out: the control room gives it nothing from now on, and the broker once it reads its configuration anew."""
    from blickschutz.access.model import Permission
    from blickschutz.access.rules import may

    records, office = _office(path, data)
    member = _proven(records, person, stdin)
    if not may(member, Permission.PROPOSE):
        raise OperatorError(f"{person} may not shut a host out")
    office.revoke(name, member, records.office.log)
    click.echo(f"{name} is shut out. Have the broker read {office.broker_folder / 'nats.conf'} anew (systemctl reload, or SIGHUP).")


@hosts.command("list")
@with_site
def list_hosts(path: Path, data: Path | None) -> None:
    """Every host that was ever let in."""
    _, office = _office(path, data)
    valid = office.register.valid()
    for one in office.register.all():
        state = "in" if valid.get(one.host) == one.enrolment else "out"
        click.echo(f"{one.host:24} {state:4} {one.enrolment}  since {_day(one.at)} until {_day(one.until)}  by {', '.join(one.by)}")


@hosts.command()
@with_site
def broker(path: Path, data: Path | None) -> None:
    """Write the broker's configuration and certificates anew, and say where they are."""
    _, office = _office(path, data)
    click.echo(f"nats-server -c {office.write_broker()}")


@hosts.command()
@click.option("--join", "path", type=_FILE, required=True, help="What `blickschutz hosts enrol` made for this machine.")
def store(path: Path) -> None:
    """Ask the object store that FILE names whether second copies can be destroyed there with proof. Ends with 1 where they cannot."""
    from blickschutz.bootstrap.cellhost import load_join, open_store
    from blickschutz.hosts.rules.stores import unfit

    with ends_with(SETTINGS_WRONG, SettingsError):
        known = open_store(load_join(path), path.resolve().parent)
        if known is None:
            raise SettingsError(f"{path.name} names no store: there is no section [store]")
    reasons = unfit(known.store.facts())
    for _, german, english in reasons:
        click.echo(f"{german}\n{english}")
    if reasons:
        sys.exit(1)
    click.echo(
        f"{known.name}: Zweitkopien lassen sich dort nachweislich vernichten.\n{known.name}: copies can be destroyed there with proof."
    )


@click.command()
@click.option("--join", "path", type=_FILE, required=True, help="What `blickschutz hosts enrol` made for this machine.")
@click.option("--log", type=click.Choice([TEXT, JSON]), default=TEXT, show_default=True, envvar=FORM, help="Form of the log.")
def cells(path: Path, log: str) -> None:
    """Run cells on this machine, beside the cameras, for a control room elsewhere. Ends in order with Ctrl-C and SIGTERM."""
    os.environ[FORM] = log
    try:
        from blickschutz.bootstrap.cellhost import PROGRAM, load_join
    except ModuleNotFoundError as error:
        if error.name != "nats":
            raise
        raise OperatorError("the broker's client is not installed; install blickschutz with the extra 'hosts'") from error
    from blickschutz.cli.models import require_models

    with ends_with(SETTINGS_WRONG, SettingsError):
        load_join(path)
    require_models()
    sys.stdout.flush()
    # The commands' libraries are a third of what an agent would carry for years: it goes on as a small program, under the same number.
    os.execv(sys.executable, [sys.executable, "-m", PROGRAM, str(path)])


def _office(path: Path, data: Path | None) -> tuple[Records, HostOffice]:
    from blickschutz.bootstrap.hosts import HostOffice
    from blickschutz.cli.users import open_records
    from blickschutz.config.loader import load_site

    site, records = load_site(path), open_records(path, data)
    return records, HostOffice(site, records.archive.data, records.archive.key.installation, SystemClock())


def _proven(records: Records, person: str, stdin: bool) -> Member:
    """Whoever types that person's password. Raises `OperatorError`."""
    from blickschutz.access.model import AccountState
    from blickschutz.cli.users import require

    require(records, person)
    typed = sys.stdin.readline().rstrip("\n") if stdin else str(click.prompt(f"Password of {person}", hide_input=True))
    if not records.office.access.passwords.fits(person, typed):
        raise OperatorError(f"that is not the password of {person}")
    member = records.office.access.members[person]
    if member.state is not AccountState.ACTIVE or member.must_change:
        # Whoever set that password knows it: with it they would be two people.
        raise OperatorError(f"{person} signs in and sets a password of their own first")
    return member


def _day(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}"
