"""A backup while the system runs, restored on an empty machine: rows, holds and log are the same. Where there are such commands."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.faults.installation import ROOT
from benchmarks.faults.listing import fault
from benchmarks.faults.round import Round
from benchmarks.faults.seed import Records, public_key

_PEOPLE = ("aufsicht", "aufsicht-2")
_HOW = ("state", "hold", "restricted", "verdicts", "opened", "camera")


@fault("backup while it runs, restored elsewhere")
def backup(round_: Round) -> None:
    system, out, target = round_.system, round_.system.base / "out.backup", round_.system.base / "elsewhere"
    shutil.rmtree(target, ignore_errors=True)
    out.unlink(missing_ok=True)
    where = ("--site", str(system.site), "--data", str(system.data))
    words = [f"{person} {_given(_command(round_, 'users', 'recovery', *where, person))}" for person in _PEOPLE]
    before = system.records.cases()
    _command(round_, "backup", str(out), *where)
    after = system.records.cases()
    given = "\n".join(words) + "\n"
    key = public_key(system.data).hex()
    # Another machine: an empty home, nothing of this environment.
    home = system.base / "home-elsewhere"
    home.mkdir(exist_ok=True)
    _command(round_, "restore", str(out), "--data", str(target), "--stdin", "--public-key", key, given=given, home=home)
    compare(round_, Records(target), before, after)


def compare(round_: Round, restored: Records, before: dict[str, dict[str, object]], after: dict[str, dict[str, object]]) -> None:
    """What did not change while the backup was made is in it as it was; the log is the same, entry for entry."""
    found = restored.cases()
    for clip, case in before.items():
        facts = [{name: one.get(name) for name in _HOW} for one in (case, after[clip], found.get(clip, {}))]
        if facts[0] == facts[1] != facts[2]:
            round_.ledger.broken("backup_unequal", f"case {case['id']} is another after the restore: {facts[2]} for {facts[0]}")
    ours = {entry["number"]: entry["hash"] for entry in round_.system.records.entries()}
    theirs = {entry["number"]: entry["hash"] for entry in restored.entries()}
    common = [number for number in theirs if number in ours]
    # The restore itself is an entry of the restored log alone.
    forks = [number for number in common if ours[number] != theirs[number]]
    if len(common) - len(forks) < max(round_.ledger.entries):
        round_.ledger.broken("backup_unequal", f"of {max(round_.ledger.entries)} entries {len(common) - len(forks)} are restored")
    if set(round_.ledger.alerts) - set(restored.alerts()):
        round_.ledger.broken("backup_unequal", "alerts are missing after the restore")


def _given(said: str) -> str:
    """The words in what the command printed: the only line that is set in."""
    return next((line.strip() for line in said.splitlines() if line.startswith("    ")), "")


def _command(round_: Round, *words: str, given: str = "", home: Path | None = None) -> str:
    environment = {**os.environ, **round_.system.shim.environment, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    if home is not None:
        environment |= {"HOME": str(home), "BLICKSCHUTZ_DATA": str(home)}
    command = [sys.executable, "-m", "blickschutz.cli.main", *words]
    found = subprocess.run(command, input=given, capture_output=True, text=True, env=environment, cwd=ROOT, check=False, timeout=180)
    if found.returncode:
        round_.ledger.broken("backup_unequal", f"{words[0]} failed: {found.stderr[-300:]}")
    return found.stdout
