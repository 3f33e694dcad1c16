"""Kill an upgrade at random moments and look at what the next start makes of it. Prints how many were killed, as JSON.

`python -m tests.faults.upgrades FOLDER ROUNDS`: the rounds are forked from one process, so that each costs an upgrade and no more.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

from blickschutz.storage.engine import check, open_engine
from blickschutz.storage.upgrade import row_counts
from tests.unit.test_golden_folders import FOLDERS, TABLES, unpack


def round_of(folder: Path, chance: random.Random) -> bool:
    """Whether the upgrade was killed before its end. What was there before is there in any case."""
    golden = chance.choice(FOLDERS)
    known = json.loads((golden / "expected.json").read_text(encoding="utf-8"))["rows"]
    data = unpack(golden, folder)
    child = os.fork()
    if child == 0:
        for name, tables in TABLES.items():
            open_engine(data / name, *tables).dispose()
        os._exit(0)
    time.sleep(chance.uniform(0.0, 0.4))
    os.kill(child, signal.SIGKILL)
    killed = os.WIFSIGNALED(os.waitpid(child, 0)[1])
    for name, tables in TABLES.items():
        engine = open_engine(data / name, *tables)
        with engine.connect() as connection:
            counts = row_counts(connection)
        assert {table: counts[table] for table in known[name]} == known[name], (golden.name, name)
        assert check(engine, *tables, deep=True) == []
        engine.dispose()
    left = [path.name for path in data.iterdir() if ".before-" in path.name]
    assert left == [], left
    shutil.rmtree(data)
    return killed


def main() -> None:
    folder, rounds = Path(sys.argv[1]), int(sys.argv[2])
    chance = random.Random()
    print(json.dumps({"rounds": rounds, "killed": sum(round_of(folder, chance) for _ in range(rounds))}))


if __name__ == "__main__":
    main()
