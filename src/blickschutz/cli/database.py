"""`blickschutz database`: what only the owner of a server's database does."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from blickschutz.cli.place import place_of, with_site
from blickschutz.config.loader import load_site, operator_language
from blickschutz.config.model import SiteFile
from blickschutz.kernel.errors import OperatorError
from blickschutz.storage.engine import prepare as prepare_place
from blickschutz.storage.files import erase_database
from blickschutz.storage.places import Server, ServerPlace
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
    "filled": (
        "{rows} Zeilen aus {folder} stehen jetzt auf dem Server; ihre Dateien wurden überschrieben und entfernt.",
        "{rows} rows from {folder} are on the server now; their files were overwritten and removed.",
    ),
    "no-files": (
        "In {folder} liegen keine Datenbanken, die auf den Server gebracht werden könnten.",
        "There are no databases in {folder} that could be brought to the server.",
    ),
    "lacking": (
        "Der Eigentümerin fehlen Rechte, um das Journal zu kürzen oder Zweitserver zu sehen. Als Administrator des Servers, in dieser "
        "Datenbank: {statements}",
        "The owner lacks rights to clear the journal or to see copies of the server. As the server's administrator, in this database: "
        "{statements}",
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

    del data
    site, language = load_site(path), operator_language()
    as_owner, role = _as_owner(site, path, owner, password_file, language)
    lacking: tuple[str, ...] = ()
    for one in Database:
        place = ServerPlace(as_owner, one)
        lacking = prepare_place(place, role, *TABLES[one])
        click.echo(_say("prepared", language, name=place.name, role=role))
    if lacking:
        click.echo(_say("lacking", language, statements="; ".join(lacking)))


@database.command()
@with_site
@click.option("--owner", required=True, help="Role that owns the database.")
@click.option("--password-file", type=click.Path(path_type=Path, dir_okay=False), help="File that holds the owner's password.")
def fill(path: Path, data: Path | None, owner: str, password_file: Path | None) -> None:
    """Bring the databases that lie as files in the data folder, after a restore or from before there was a server, into the empty
    database on the server; while the system does not run. The files are verified before and destroyed afterwards."""
    from blickschutz.bootstrap.opening import TABLES
    from blickschutz.cli.place import alone
    from blickschutz.storage.engine import check_form
    from blickschutz.storage.engine import fill as fill_places

    site, language = load_site(path), operator_language()
    as_owner, role = _as_owner(site, path, owner, password_file, language)
    with alone(place_of(site, path, data)) as folder:
        sources = {one: folder.path / f"{one.value}.db" for one in Database}
        if not all(source.exists() for source in sources.values()):
            raise OperatorError(_say("no-files", language, folder=folder.path))
        for one, source in sources.items():
            check_form(source, one)
        rows = fill_places(as_owner, role, sources, TABLES)
        for source in sources.values():
            erase_database(source)
    click.echo(_say("filled", language, rows=rows, folder=folder.path))


def _as_owner(site: SiteFile, path: Path, owner: str, password_file: Path | None, language: str) -> tuple[Server, str]:
    """The server for its owner, and the role with which the system works. Raises `OperatorError`."""
    from blickschutz.bootstrap.secrets import read_secret

    server = site.storage.server
    if server is None:
        raise OperatorError(_say("file", language))
    if server.user == owner:
        raise OperatorError(_say("same", language, role=owner))
    password = read_secret("--password-file", str(password_file.absolute()), path.parent) if password_file is not None else ""
    authority = path.parent / site.storage.authority if site.storage.authority is not None else None
    return dataclasses.replace(server, user=owner, password=password, authority=authority), server.user


def _say(what: str, language: str, **values: object) -> str:
    german, english = _TEXTS[what]
    return (german if language == "de" else english).format(**values)
