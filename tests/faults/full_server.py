"""Run in a mount namespace of its own: a database server whose disk is full, and how soon who writes is told. Prints it as JSON.

`python -m tests.faults.full_server FOLDER {tables|journal}` mounts a small disk of memory there: for the tables alone, with room for the
journal elsewhere, or for both. With the end of the process the namespace and the disk are gone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psycopg

from blickschutz.audit.io.log import METADATA, AuditLog
from blickschutz.audit.model import Event
from blickschutz.audit.rules import verify
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import StoreError
from blickschutz.storage.engine import open_engine
from blickschutz.vault.io.files import InstallationKey, is_signed
from tests.faults.full_disk import fill
from tests.postgres import Cluster

SIZE_MB, WRITES, PATIENCE_S = 160, 40, 120.0


def look(folder: Path, only_tables: bool) -> dict[str, object]:
    tempfile.tempdir = str(folder / "disk")
    cluster = Cluster()
    if only_tables:
        cluster.stop()
        journal = folder / "journal"
        (cluster.data / "pg_wal").rename(cluster.folder / "old")
        subprocess.run(["cp", "-a", str(cluster.folder / "old"), str(journal)], check=True)
        subprocess.run(["rm", "-r", str(cluster.folder / "old")], check=True)
        (cluster.data / "pg_wal").symlink_to(journal)
        cluster.start()
    key = InstallationKey(folder / "key")
    engine = open_engine(cluster.place(cluster.fresh()), METADATA)
    log = AuditLog(engine, SystemClock(), key.sign, key.public)
    log.write(Event.CASE_SEEN, "kvd-1", "before")
    ballast = folder / "disk" / "ballast"
    fill(ballast)
    if not only_tables:
        # Room for rows, and none for the next part of the journal, which the server begins now.
        os.truncate(ballast, ballast.stat().st_size - (4 << 20))
        with suppress(psycopg.Error):
            while True:
                cluster.sql("SELECT pg_logical_emit_message(false, 'x', 'y')", "SELECT pg_switch_wal()")
    took: list[float] = []
    words: set[str] = set()
    written = ["before"]
    for number in range(WRITES * 50):
        began = time.monotonic()
        try:
            log.write(Event.CASE_SEEN, "kvd-1", f"{number}", {"text": "x" * 4000})
            written.append(f"{number}")
        except StoreError as error:
            took.append(time.monotonic() - began)
            words.add(f"{type(error).__name__}: {error}")
        if len(took) >= WRITES:
            break
    began, readable = time.monotonic(), False
    with suppress(StoreError):
        readable = log.state()[0] >= len(written)
    read_s = time.monotonic() - began
    ballast.unlink()
    if cluster._process is not None and cluster._process.poll() is not None:
        # As the service manager of a server does it.
        cluster.start()
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        with suppress(StoreError):
            log.write(Event.CASE_SEEN, "kvd-1", "after")
            written.append("after")
            break
        time.sleep(0.2)
    there = {entry.subject for entry, _ in log.find(most=100_000)}
    faults = [fault.text for fault in verify(log.export(), is_signed, key.public)]
    engine.dispose()
    cluster.end()
    return {
        "told": len(took),
        "most_s": round(max(took, default=-1.0), 3),
        "words": sorted(words),
        "readable": readable,
        "read_s": round(read_s, 3),
        "missing": sorted(set(written) - there),
        "goes_on": "after" in written,
        "faults": faults,
    }


def main() -> None:
    folder = Path(sys.argv[1])
    (folder / "disk").mkdir()
    size = f"size={SIZE_MB}m,mode=1777"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder / "disk")], check=True)
    os.chmod(folder, 0o755)
    print(json.dumps(look(folder, sys.argv[2] == "tables")))


if __name__ == "__main__":
    main()
