"""The units of systemd as they are made, under a real systemd: `.venv/bin/python -m benchmarks.services` (root, systemd, unshare).

The service with two drawn cameras, the witness, a backup; then launchers, cell and control room are killed or stopped. Prints JSON;
ends with 1 where something did not hold.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import sys
import time
from pathlib import Path

from benchmarks.systemd import DATA, USERS, give_words, is_live, prepare, shown, systemctl, tried, until

_LONGEST_S = 150


def _processes(*kinds: str) -> list[int]:
    """Processes of the service's user by what they call themselves; the first launcher has the name of its program."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and (entry / "comm").read_text().strip() in kinds:
                uid = next(line for line in (entry / "status").read_text().splitlines() if line.startswith("Uid:")).split()[1]
                found += [int(entry.name)] if int(uid) == USERS["blickschutz"] else []
    return sorted(found)


def _walls(pid: int) -> set[tuple[str, str]]:
    lines = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {(name, lines[name].strip()) for name in ("NoNewPrivs", "Seccomp", "CapBnd")}


def _judge(work: Path) -> None:
    told: dict[str, object] = {"ready": shown("ActiveState") == "active", "live_s": until(is_live)}
    expected = {("NoNewPrivs", "1"), ("Seccomp", "2"), ("CapBnd", "0" * 16)}
    everybody = _processes("blickschutz", "python", "launcher", "cell")
    told["confined"] = len(everybody) >= 5 and all(_walls(pid) == expected for pid in everybody)
    give_words([str(Path(sys.executable).with_name("blickschutz"))], work)
    systemctl("start", "blickschutz-backup")
    told["backup"] = bool(list(Path("/srv/backup").glob("*.backup"))) and shown("Result", "blickschutz-backup") == "success"
    first, cell = _processes("python")[0], _processes("cell")[0]
    os.kill(first, signal.SIGKILL)
    os.kill(cell, signal.SIGKILL)
    told["launcher_replaced_s"] = until(lambda: len(_processes("launcher")) == 2 and len(set(_processes("cell")) - {cell}) == 2)
    for pid in _processes("launcher"):
        os.kill(pid, signal.SIGKILL)
    os.kill(_processes("cell")[0], signal.SIGKILL)
    told["anew_without_launchers_s"] = until(lambda: shown("NRestarts") == "1" and shown("ActiveState") == "active")
    os.kill(int(shown("MainPID")), signal.SIGSTOP)
    told["anew_by_watchdog_s"] = until(lambda: shown("NRestarts") == "2" and shown("ActiveState") == "active", 60)
    began = time.monotonic()
    systemctl("stop", "blickschutz")
    told["stopped_s"] = round(time.monotonic() - began, 1)
    told["exit_code"] = int(shown("ExecMainStatus"))
    told["witness"] = (Path("/var/lib/blickschutz-witness/anchors.jsonl")).stat().st_size > 0
    with contextlib.closing(sqlite3.connect(f"file:{DATA}/control.db?mode=ro", uri=True)) as records:
        starts = [json.loads(text) for (text,) in records.execute("SELECT text FROM log WHERE event = 'system-started'")]
    missing = {one["facts"]["walls_missing"] for one in starts}
    told["starts"], told["walls_missing"] = len(starts), sorted(missing - {""})
    (work / "told.json").write_text(json.dumps(told), encoding="utf-8")


def main() -> None:
    if sys.argv[1:2] == ["--inside"]:
        _judge(Path(sys.argv[2]))
        return
    program = [sys.executable, "-m", "blickschutz.cli.main"]
    told = tried("services", lambda work: prepare(work, program, "benchmarks.services", sources=True), _LONGEST_S)
    print(json.dumps(told))
    wrong = [name for name, value in told.items() if value is False or value == -1.0]
    sys.exit(1 if wrong or told["exit_code"] or told["walls_missing"] else 0)


if __name__ == "__main__":
    main()
