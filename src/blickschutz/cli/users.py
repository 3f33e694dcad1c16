"""`blickschutz users`: passwords and keys of the people in the site file, from the server's own terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from blickschutz.kernel.errors import OperatorError

if TYPE_CHECKING:
    from blickschutz.bootstrap.records import Records
    from blickschutz.config.model import SiteFile

_FILE = click.Path(path_type=Path, dir_okay=False)
_SITE = click.option("--site", "path", type=_FILE, required=True, help="Site file (TOML).")
_BY = "terminal"


@click.group()
def users() -> None:
    """People: passwords, one-time codes, and the keys with which two open a clip."""


@users.command("list")
@_SITE
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on the last line.")
def list_people(path: Path, as_json: bool) -> None:
    """Everybody with an account: roles, training, whether a password, a key and a second factor are set."""
    records = open_records(path)
    enrolled = {reviewer.id for reviewer in records.archive.keys.reviewers()}
    rows: list[dict[str, Any]] = [
        {
            "id": member.id,
            "name": member.name,
            "roles": sorted(role.value for role in member.roles),
            "trained_until": member.trained_until.isoformat() if member.trained_until else None,
            "password": records.office.access.passwords.is_set(member.id),
            "key": member.id in enrolled,
            "state": member.state.value,
            "factors": records.office.access.factors.count(member.id),
        }
        for member in records.office.access.members.values()
    ]
    if as_json:
        click.echo(json.dumps({"users": rows}, ensure_ascii=False))
        return
    for row in rows:
        set_ = {True: "set", False: "MISSING"}[row["password"]]
        marks = f"password {set_}, key {'set' if row['key'] else 'none'}, factors {row['factors']}, {row['state']}"
        click.echo(f"{row['id']:16} {row['name']!s:28} {','.join(row['roles'])!s:24} trained until {row['trained_until'] or '-'}; {marks}")


@users.command()
@_SITE
@click.argument("person")
@click.option("--stdin", is_flag=True, help="Read the password from standard input instead of asking for it.")
def password(path: Path, person: str, stdin: bool) -> None:
    """Set a password for PERSON that they must change when they sign in."""
    records = open_records(path)
    require(records, person)
    records.office.access.people.set_temporary(person, asked("Password", stdin), _BY)
    click.echo(f"The password of {person} is set; they must change it when they sign in.")


@users.command()
@_SITE
@click.argument("person")
def invite(path: Path, person: str) -> None:
    """A one-time code for PERSON, for the first people of a site, or when nobody is left who could confirm one on the pages."""
    records = open_records(path)
    require(records, person)
    code = records.office.access.people.issue(person, _BY)
    click.echo(f"One-time code of {person}, good for three days and once: {code}\nIt is typed on the page /welcome.")


@users.command()
@_SITE
@click.argument("person")
@click.option("--stdin", is_flag=True, help="Read the passphrase from standard input instead of asking for it.")
def enrol(path: Path, person: str, stdin: bool) -> None:
    """Make the key of PERSON, who types the passphrase themselves. At a desk the page "Meine Losung" does the same."""
    from blickschutz.audit.model import Event
    from blickschutz.vault.service import enrol as make

    records = open_records(path)
    require(records, person)
    if records.archive.keys.get(person) is not None:
        raise OperatorError(f"{person} has a key already; `blickschutz users leave` removes it for good")
    sealed = make(person, asked("Passphrase", stdin))
    records.archive.keys.put(sealed)
    records.office.log.write(Event.REVIEWER_ENROLLED, person, person, {"public": sealed.public.hex()})
    click.echo(f"{person} can open clips from now on, together with another.")


@users.command()
@_SITE
@click.argument("person")
@click.option("--yes", is_flag=True, help="Do not ask.")
def leave(path: Path, person: str, yes: bool) -> None:
    """Destroy the key of PERSON: they open nothing any more, and nothing new is sealed for them."""
    from blickschutz.audit.model import Event

    records = open_records(path)
    require(records, person)
    if records.archive.keys.get(person) is None:
        raise OperatorError(f"{person} has no key")
    left = len(records.archive.keys.reviewers()) - 1
    if not yes:
        click.confirm(f"This cannot be undone. {left} people with a key remain. Destroy the key of {person}?", abort=True)
    records.archive.keys.remove(person)
    records.office.log.write(Event.REVIEWER_LEFT, _BY, person)
    click.echo(f"The key of {person} is gone." + (" Nothing is recorded until two people have a key." if left < 2 else ""))


def asked(what: str, stdin: bool) -> str:
    """A secret, typed twice or read from standard input."""
    if stdin:
        return sys.stdin.readline().rstrip("\n")
    return str(click.prompt(what, hide_input=True, confirmation_prompt=True))


def require(records: Records, person: str) -> None:
    if person not in records.office.access.members:
        raise OperatorError(f"{person!r} has no account; known are {', '.join(records.office.access.members)}")


@contextmanager
def if_started(site: SiteFile, path: Path) -> Iterator[Records | None]:
    """The records of a site that ran before, closed again afterwards; None of one that never did."""
    from blickschutz.bootstrap.system import state_folder

    records = open_records(path) if (state_folder(site) / "control.db").exists() else None
    try:
        yield records
    finally:
        if records is not None:
            records.keeping.close()


def open_records(path: Path) -> Records:
    """The records of a site, without its cameras."""
    from blickschutz.bootstrap.records import make_records
    from blickschutz.bootstrap.system import state_folder
    from blickschutz.config.loader import load_site
    from blickschutz.kernel.clock import SystemClock

    site = load_site(path)
    return make_records(site, state_folder(site), SystemClock(), {})
