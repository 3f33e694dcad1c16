"""`blickschutz users`: passwords and keys of the people in the site file, from the server's own terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from blickschutz.cli.place import beside, place_of, with_site
from blickschutz.installation.io.folder import DataFolder, exists
from blickschutz.kernel.errors import OperatorError

if TYPE_CHECKING:
    from blickschutz.bootstrap.records import Records
    from blickschutz.config.model import SiteFile

_BY = "terminal"
# What a site has that ran before, even where its database is gone.
_LIVED = ("control.db", "witness.json", "clips")


@click.group()
def users() -> None:
    """People: passwords, one-time codes, and the keys with which two open a clip."""


@users.command("list")
@with_site
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on the last line.")
def list_people(path: Path, data: Path | None, as_json: bool) -> None:
    """Everybody with an account: roles, training, whether a password, a key and a second factor are set."""
    records = open_records(path, data)
    enrolled, certified = {reviewer.id for reviewer in records.archive.keys.readable()}, records.archive.enrolment.certified()
    rows: list[dict[str, Any]] = [
        {
            "id": member.id,
            "name": member.name,
            "roles": sorted(role.value for role in member.roles),
            "trained_until": member.trained_until.isoformat() if member.trained_until else None,
            "password": records.office.access.passwords.is_set(member.id),
            "key": member.id in enrolled,
            "key_counts": member.id in certified,
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
        key = "counts" if row["key_counts"] else "waits for two" if row["key"] else "none"
        marks = f"password {set_}, key {key}, factors {row['factors']}, {row['state']}"
        click.echo(f"{row['id']:16} {row['name']!s:28} {','.join(row['roles'])!s:24} trained until {row['trained_until'] or '-'}; {marks}")


@users.command()
@with_site
@click.argument("person")
@click.option("--stdin", is_flag=True, help="Read the password from standard input instead of asking for it.")
def password(path: Path, data: Path | None, person: str, stdin: bool) -> None:
    """Set a password for PERSON that they must change when they sign in."""
    records = open_records(path, data)
    require(records, person)
    records.office.access.people.set_temporary(person, asked("Password", stdin), _BY)
    click.echo(f"The password of {person} is set; they must change it when they sign in.")


@users.command()
@with_site
@click.argument("person")
def invite(path: Path, data: Path | None, person: str) -> None:
    """A one-time code for PERSON, for the first people of a site, or when nobody is left who could confirm one on the pages."""
    records = open_records(path, data)
    require(records, person)
    code = records.office.access.people.issue(person, _BY)
    click.echo(f"One-time code of {person}, good for three days and once: {code}\nIt is typed on the page /welcome.")


@users.command()
@with_site
@click.argument("person")
@click.option("--stdin", is_flag=True, help="Read the passphrase from standard input instead of asking for it.")
def enrol(path: Path, data: Path | None, person: str, stdin: bool) -> None:
    """Make the key of PERSON, who types the passphrase themselves. At a desk the page "Mein Sichtungskennwort" does the same."""
    from blickschutz.audit.model import Event
    from blickschutz.vault.service import enrol as make

    records = open_records(path, data)
    require(records, person)
    if records.archive.keys.get(person) is not None:
        raise OperatorError(f"{person} has a key already; `blickschutz users leave` removes it for good")
    sealed = make(person, asked("Passphrase", stdin))
    records.archive.enrolment.take_key(sealed, Event.REVIEWER_ENROLLED)
    click.echo(f'The key of {person} counts once two others vouched for it at their own desks (page "Mein Sichtungskennwort").')


@users.command()
@with_site
@click.argument("person")
@click.option("--yes", is_flag=True, help="Do not ask.")
def leave(path: Path, data: Path | None, person: str, yes: bool) -> None:
    """Destroy the key of PERSON: they open nothing any more, and nothing new is sealed for them."""
    from blickschutz.audit.model import Event

    records = open_records(path, data)
    require(records, person)
    enrolment = records.archive.enrolment
    if records.archive.keys.get(person) is None and person not in enrolment.certified():
        raise OperatorError(f"{person} has no key")
    left = len({*enrolment.certified()} - {person})
    if not yes:
        click.confirm(f"This cannot be undone. {left} people whose key counts remain. Destroy the key of {person}?", abort=True)
    records.archive.keys.remove(person)
    records.office.log.write(Event.REVIEWER_LEFT, _BY, person)
    enrolment.revoke(person, "left", _BY)
    click.echo(f"The key of {person} is gone." + (" Nothing is recorded until the keys of two people count." if left < 2 else ""))


@users.command()
@with_site
@click.argument("person")
@click.option("--remove", is_flag=True, help="Seal no future backup for PERSON.")
def recovery(path: Path, data: Path | None, person: str, remove: bool) -> None:
    """Recovery words for PERSON, shown once: two people's words open a backup on another machine."""
    import secrets

    from blickschutz.audit.model import Event
    from blickschutz.backup.io.make import RECOVERY
    from blickschutz.backup.model import LEAST_PEOPLE
    from blickschutz.backup.rules import new_words
    from blickschutz.backup.texts import say
    from blickschutz.config.loader import operator_language
    from blickschutz.vault.io.files import KeyFolder
    from blickschutz.vault.service import enrol as make

    records, language = open_records(path, data), operator_language()
    require(records, person)
    log, people = records.office.log, KeyFolder(records.archive.data / RECOVERY)
    if remove:
        if people.get(person) is None:
            raise OperatorError(f"{person} has no recovery words")
        log.write(Event.RECOVERY_REMOVED, _BY, person)
        people.remove(person)
        click.echo(say("words-gone", language, person=person))
    else:
        words = new_words(secrets.randbelow)
        sealed = make(person, words)
        log.write(Event.RECOVERY_MADE, _BY, person, {"public": sealed.public.hex()})
        people.put(sealed)
        click.echo(say("words-are", language, person=person, words=words))
    if (count := len(people.reviewers())) < LEAST_PEOPLE:
        click.echo(say("few-left", language, count=count))


def asked(what: str, stdin: bool) -> str:
    """A secret, typed twice or read from standard input."""
    if stdin:
        return sys.stdin.readline().rstrip("\n")
    return str(click.prompt(what, hide_input=True, confirmation_prompt=True))


def require(records: Records, person: str) -> None:
    if person not in records.office.access.members:
        raise OperatorError(f"{person!r} has no account; known are {', '.join(records.office.access.members)}")


@contextmanager
def if_started(site: SiteFile, path: Path, data: Path | None, language: str | None = None) -> Iterator[Records | None]:
    """The records of a site that ran before, closed again afterwards; None of one that never did. Raises `FolderError`."""
    place = place_of(site, path, data, language)
    if not exists(place) or not any((place.folder / name).exists() for name in _LIVED):
        yield None
        return
    with beside(place, make=False) as folder:
        records = _records(site, path, folder)
        try:
            yield records
        finally:
            records.keeping.close()


def open_records(path: Path, data: Path | None = None) -> Records:
    """The records of a site, without its cameras; its data folder is used until the command ends."""
    from blickschutz.config.loader import load_site

    site = load_site(path)
    folder = beside(place_of(site, path, data), make=True)
    records = _records(site, path, folder)
    context = click.get_current_context(silent=True)
    if context is not None:
        context.call_on_close(lambda: _close(records, folder))
    return records


def _records(site: SiteFile, path: Path, folder: DataFolder) -> Records:
    from blickschutz.bootstrap.databases import server_of
    from blickschutz.bootstrap.records import make_records
    from blickschutz.kernel.clock import SystemClock

    return make_records(site, folder.path, SystemClock(), {}, server=server_of(site, path.parent))


def _close(records: Records, folder: DataFolder) -> None:
    records.keeping.close()
    folder.close()
    # Last: the first line is what was asked for, a one-time code for example.
    for note in folder.notes:
        click.echo(note, err=True)
