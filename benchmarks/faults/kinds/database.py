"""Databases that are locked, damaged, gone, or older than they should be."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
from benchmarks.faults.installation import ADDRESS
from benchmarks.faults.life import Reader
from benchmarks.faults.listing import fault
from benchmarks.faults.round import Round
from benchmarks.faults.steps import accept_loss, confirm_clock

LOCKED_S = 15.0
_PAGE = 4096
CONTROL, ALERTS = "control.db", "alerts.db"


def locked(round_: Round, *names: str) -> None:
    """Another process holds the right to write, as a backup or a shell does; meanwhile pages are read and decisions made."""
    round_.note()
    reader = Reader(round_.system, round_.ledger)
    reader.begin()
    known, life = len(round_.ledger.decisions), round_.life
    asked = [threading.Thread(target=work) for work in (life.stop, life.regime, life.acknowledge, life.order)]
    holders = [sqlite3.connect(round_.system.data / name, isolation_level=None, timeout=5) for name in names]
    for holder in holders:
        holder.execute("BEGIN IMMEDIATE")
    # What was read before is no figure of this.
    round_.ledger.reads.clear()
    try:
        round_.wait(1)
        for one in asked:
            one.start()
        round_.wait(LOCKED_S - 1)
    finally:
        for holder in holders:
            holder.execute("ROLLBACK")
            holder.close()
        reader.end()
    for one in asked:
        one.join(45)
    for decision in round_.ledger.decisions[known:]:
        if decision.seconds:
            round_.ledger.writes.append((decision.seconds, f"{decision.what} {decision.answer}"))


@fault("control.db locked")
def control_locked(round_: Round) -> None:
    locked(round_, CONTROL)


@fault("alerts.db locked")
def alerts_locked(round_: Round) -> None:
    locked(round_, ALERTS)


@fault("both databases locked")
def both_locked(round_: Round) -> None:
    locked(round_, CONTROL, ALERTS)


def harmed(round_: Round, name: str, harm: Callable[[Path], None]) -> None:
    """Something happens to a database while the system is off. It may start and wait, or refuse in words; then it is put back."""
    round_.down()
    round_.keep_safe([name])
    lost = {"rows", "log"} if name == CONTROL else {"alerts"}
    round_.ledger.lost |= lost
    harm(round_.system.data / name)
    if round_.up_or_words():
        round_.wait(12)
        with_words(round_)
        round_.system.stop()
    round_.referee.judge()
    round_.ledger.lost -= lost
    round_.put_back([name])
    round_.up()
    confirm_clock(round_)


def with_words(round_: Round) -> None:
    """The pages are there at least."""
    try:
        httpx.get(f"{ADDRESS}/sign-in", timeout=5)
    except httpx.HTTPError as error:
        round_.ledger.broken("work_not_running", f"the pages are away: {error}")


def _remove(path: Path) -> None:
    for one in path.parent.glob(f"{path.name}*"):
        one.unlink()


def _empty(path: Path) -> None:
    _remove(path)
    path.write_bytes(b"")


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 // _PAGE * _PAGE)


def _noise(first: int) -> Callable[[Path], None]:
    def harm(path: Path) -> None:
        with path.open("r+b") as file:
            file.seek(_PAGE * first)
            file.write(os.urandom(_PAGE))

    return harm


for _name in (CONTROL, ALERTS):
    for _what, _harm in (("missing", _remove), ("of 0 bytes", _empty), ("cut in half", _cut), ("with a damaged head", _noise(0))):

        def _play(round_: Round, name: str = _name, harm: Callable[[Path], None] = _harm) -> None:
            harmed(round_, name, harm)

        fault(f"{_name} {_what}")(_play)

    def _any_page(round_: Round, name: str = _name) -> None:
        pages = (round_.system.data / name).stat().st_size // _PAGE
        harmed(round_, name, _noise(round_.chance.randrange(1, max(2, pages))))

    fault(f"{_name} with a damaged page")(_any_page)


@fault("control.db put back from an older copy")
def control_older(round_: Round) -> None:
    """From before the holds: what is held now has no row in it."""

    def older(path: Path) -> None:
        _remove(path)
        for one in round_.template.older.glob(f"{CONTROL}*"):
            shutil.copy2(one, path.parent / one.name)

    harmed(round_, CONTROL, older)


@fault("control.db without its WAL")
def control_without_wal(round_: Round) -> None:
    """The power goes, and the journal is not there any more: what was not yet in the main file is lost, nothing else is."""
    round_.system.kill(cells=True)
    round_.ledger.lost |= {"log"}
    # They stand in the database of the alerts, which lost nothing.
    round_.ledger.unentered |= round_.referee.acknowledged()
    for name in (f"{CONTROL}-wal", f"{CONTROL}-shm"):
        (round_.system.data / name).unlink(missing_ok=True)
    round_.ledger.decisions.clear()
    round_.up()
    accept_loss(round_)
    confirm_clock(round_)
