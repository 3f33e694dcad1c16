"""Where the databases are, if they are no files in the data folder."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from blickschutz.config.about import Setting
from blickschutz.config.parts import Part, require_no_password
from blickschutz.config.texts import SiteError
from blickschutz.ingest.rules.address import without_secrets
from blickschutz.storage.places import Server, read_server

_File = Annotated[str, Field(max_length=400)]


def _database(value: str) -> str:
    require_no_password(value)
    if read_server(value) is None:
        raise SiteError("database", value=without_secrets(value))
    return value


class Storage(Part):
    database: Annotated[
        Annotated[str, Field(max_length=400), AfterValidator(_database)] | None,
        Setting("Datenbank eines PostgreSQL-Servers; ohne sie liegen die Datenbanken im Datenordner."),
    ] = None
    """Database of a PostgreSQL server: `postgresql://role@host/name`, `postgresql://role@/name?host=/folder` for its Unix socket."""
    password_file: Annotated[_File, Setting("Datei mit dem Kennwort der Rolle am Datenbankserver.")] = ""
    """File that holds the role's password, relative to this file or in the credentials of systemd; a Unix socket may need none."""
    authority: Annotated[
        Annotated[str, Field(min_length=1, max_length=400)] | None,
        Setting("Datei mit dem Zertifikat der Stelle, die das des Datenbankservers ausgestellt hat."),
    ] = None
    """File (PEM) of the authority of the server's certificate, as seen from this file; else those that the system knows."""

    @property
    def server(self) -> Server | None:
        """Without its password; None where the databases are files in the data folder."""
        return read_server(self.database) if self.database is not None else None
