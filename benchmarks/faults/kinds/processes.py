"""Processes that are killed, stand still, or are told to end; and a second instance."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from benchmarks.faults import place
from benchmarks.faults.installation import ROOT
from benchmarks.faults.listing import fault
from benchmarks.faults.round import Round

STILL_S = 15.0
_TRIES = 20


@fault("control room killed")
def control_killed(round_: Round) -> None:
    round_.note()
    round_.system.kill()
    round_.up()


@fault("control room killed right after an order")
def control_killed_after_order(round_: Round) -> None:
    round_.life.order()
    round_.note()
    round_.wait(round_.chance.uniform(0.0, 0.4))
    round_.system.kill()
    round_.up()


@fault("control room killed while it starts")
def control_killed_twice(round_: Round) -> None:
    round_.note()
    for _ in range(2):
        round_.system.kill()
        round_.system.start_only()
        round_.wait(round_.chance.uniform(1.0, 3.0))
    round_.system.kill()
    round_.up()


@fault("control room stands still")
def control_stopped(round_: Round) -> None:
    round_.pause([round_.system.pid], STILL_S)


@fault("control room told to end")
def control_ended(round_: Round) -> None:
    round_.down()
    round_.up()


def _a_cell(round_: Round) -> int:
    """The process of one camera; what the round before ended may still be on its way back."""
    for _ in range(_TRIES):
        if found := round_.system.workers():
            return int(round_.chance.choice(found))
        round_.wait(1)
    raise AssertionError("no cell runs")


@fault("cell killed", cells=True)
def cell_killed(round_: Round) -> None:
    round_.signal([_a_cell(round_)], signal.SIGKILL)


@fault("cell killed right after an order", cells=True)
def cell_killed_after_order(round_: Round) -> None:
    round_.life.order()
    round_.wait(round_.chance.uniform(0.0, 0.3))
    round_.signal(round_.system.workers(), signal.SIGKILL)


@fault("cell stands still", cells=True)
def cell_stopped(round_: Round) -> None:
    round_.pause([_a_cell(round_)], STILL_S)


@fault("cell told to end", cells=True)
def cell_ended(round_: Round) -> None:
    round_.signal([_a_cell(round_)], signal.SIGTERM)


@fault("fork server killed", cells=True)
def fork_server_killed(round_: Round) -> None:
    """One of the two launchers: the other one forks what has to start, and a new one."""
    round_.signal(round_.system.fork_servers()[:1], signal.SIGKILL)
    round_.wait(3)


@fault("fork server stands still", cells=True)
def fork_server_stopped(round_: Round) -> None:
    servers = round_.system.fork_servers()
    round_.signal(round_.system.workers()[:1], signal.SIGKILL)
    round_.pause(servers, STILL_S)


@fault("everything stands still", cells=True)
def all_stopped(round_: Round) -> None:
    round_.pause(list(place.family(round_.system.pid)), STILL_S)


@fault("second instance")
def second_instance(round_: Round) -> None:
    """On the same folder, with another port: it must be refused, and the first goes on."""
    other = round_.system.base / "second.toml"
    other.write_text(round_.system.site.read_text().replace("port = 8799", "port = 8798"))
    command = [sys.executable, "-m", "blickschutz.cli.main", "run", "--site", str(other), "--data"]
    command += [str(round_.system.data), "--seconds", "8"]
    environment = {**os.environ, **round_.system.shim.environment, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    found = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=60, check=False)
    if found.returncode == 0:
        round_.ledger.broken("second_instances", "a second instance ran on the same folder")
