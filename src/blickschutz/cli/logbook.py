"""The log of a data folder, for commands that write one entry and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from blickschutz.audit.io.log import METADATA, AuditLog
from blickschutz.kernel.clock import Clock
from blickschutz.storage.engine import open_engine
from blickschutz.vault.io.files import InstallationKey


@contextmanager
def log_of(folder: Path, clock: Clock) -> Iterator[AuditLog | None]:
    """The log in `folder`; None where it or the key that signs it is not there: neither is made here."""
    database, key = folder / "control.db", folder / "keys" / "installation.key"
    if not (database.exists() and key.exists()):
        yield None
        return
    signing, engine = InstallationKey(key), open_engine(database, METADATA)
    try:
        yield AuditLog(engine, clock, signing.sign, signing.public)
    finally:
        engine.dispose()
