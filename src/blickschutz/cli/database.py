"""`blickschutz database`: what only the owner of a server's database does."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from blickschutz.cli.place import with_site
from blickschutz.config.loader import load_site, operator_language
from blickschutz.kernel.errors import OperatorError
from blickschutz.storage.engine import prepare as prepare_place
from blickschutz.storage.places import ServerPlace
from blickschutz.storage.ports import Database

_TEXTS = {
    "file": (
        "storage.database: Die Datenbanken dieser Anlage sind Dateien in ihrem Datenordner; es gibt nichts vorzubereiten.",
        "storage.database: this site's databases are files in its data folder; there is nothing to prepare.",
    ),
    "same": (
        "--owner: {role} ist die Rolle, mit der das System arbeitet; die Tabellen müssen einer anderen gehören.",
        "--owner: {role} is the role with which the system works; the tables have to belong to another one.",
    ),
    "prepared": (
        "{name} ist vorbereitet: Tabellen und Wächter sind da, {role} darf Zeilen lesen und schreiben und im Protokoll nur anfügen.",
        "{name} is prepared: tables and guards are there; {role} may read and write rows, and of the log only append.",
    ),
}


@click.group()
def database() -> None:
    """The database on a server, where the site file names one."""


@database.command()
@with_site
@click.option("--owner", required=True, help="Role that owns the database; it makes and alters the tables.")
@click.option("--password-file", type=click.Path(path_type=Path, dir_okay=False), help="File that holds the owner's password.")
def prepare(path: Path, data: Path | None, owner: str, password_file: Path | None) -> None:
    """Make the tables, or bring them up to this version, guard the log, and give the site's role its rights; before each start of a new
    version."""
    from blickschutz.bootstrap.opening import TABLES
    from blickschutz.bootstrap.secrets import read_secret

    del data
    site, language = load_site(path), operator_language()
    server = site.storage.server
    if server is None:
        raise OperatorError(_say("file", language))
    if server.user == owner:
        raise OperatorError(_say("same", language, role=owner))
    password = read_secret("--password-file", str(password_file.absolute()), path.parent) if password_file is not None else ""
    authority = path.parent / site.storage.authority if site.storage.authority is not None else None
    as_owner = dataclasses.replace(server, user=owner, password=password, authority=authority)
    for one in Database:
        place = ServerPlace(as_owner, one)
        prepare_place(place, server.user, *TABLES[one])
        click.echo(_say("prepared", language, name=place.name, role=server.user))


def _say(what: str, language: str, **values: object) -> str:
    german, english = _TEXTS[what]
    return (german if language == "de" else english).format(**values)
