"""Processes that write into a data folder, or restore one, to be looked at or killed meanwhile.

python -m tests.faults.writers write FOLDER                 cases, holds, entries without an end; says "READY", then each number
python -m tests.faults.writers restore BACKUP FOLDER OLD    restores with two people's words, brings what is in OLD ("-": nothing)
"""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path

from blickschutz.backup.io.bring import restore
from blickschutz.backup.io.container import look
from blickschutz.backup.io.restore import unseal
from blickschutz.kernel.clock import SystemClock
from blickschutz.vault.io.files import is_signed
from tests.faults.house import WORDS, DataHouse
from tests.faults.movers import say


def write(folder: Path) -> None:
    house = DataHouse(folder, SystemClock())
    say("READY")
    number = 0
    while True:
        number += 1
        case = house.case(held=number % 3 == 0)
        house.note()
        say(str(case.id))


def bring_back(path: Path, folder: Path, old: Path | None) -> None:
    outer = look(path, is_signed, "en")
    key = unseal(outer, {person: WORDS[person] for person in ("kvd-1", "dsb")}, "en")
    manifest, found = restore(outer, key, folder, old, is_signed, SystemClock(), "en")
    told = {"entries": manifest.log_number, "cases": found.cases, "held": found.held, "missing": len(found.missing)}
    say(json.dumps({**told, "host": socket.gethostname(), "home": os.environ.get("HOME")}))


if __name__ == "__main__":
    act, *words = sys.argv[1:]
    if act == "write":
        write(Path(words[0]))
    else:
        bring_back(Path(words[0]), Path(words[1]), None if words[2] == "-" else Path(words[2]))
