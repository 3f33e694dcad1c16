"""The log of a data folder, for commands that write one entry and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from blickschutz.audit.io.log import METADATA, AuditLog
from blickschutz.kernel.clock import Clock
from blickschutz.storage.engine import open_engine
from blickschutz.storage.places import Server, place_in
from blickschutz.storage.ports import Database
from blickschutz.vault.io.files import InstallationKey


@contextmanager
def log_of(folder: Path, clock: Clock, server: Server | None = None) -> Iterator[AuditLog | None]:
    """The log of the installation in `folder`; None where it or the key that signs it is not there: neither is made here."""
    database, key = place_in(folder, server, Database.CONTROL), folder / "keys" / "installation.key"
    if not key.exists() or (isinstance(database, Path) and not database.exists()):
        yield None
        return
    signing, engine = InstallationKey(key), open_engine(database, METADATA)
    try:
        yield AuditLog(engine, clock, signing.sign, signing.public)
    finally:
        engine.dispose()
