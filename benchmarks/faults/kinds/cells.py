"""Cells that answer twice, late, never, or say what nobody understands."""

from __future__ import annotations

import os

from benchmarks.faults.installation import COMMAND
from benchmarks.faults.listing import fault
from benchmarks.faults.odd_cells import KINDS
from benchmarks.faults.round import Round

_ODD_S = 14.0
# After these the camera runs all the time: it is the answer to one question that is odd.
_LIVE = {"twice", "late", "never"}


def odd(round_: Round, kind: str) -> None:
    """Run with odd cells for a while and ask them for pictures; then with ordinary ones again."""
    round_.down()
    round_.system.command = ("benchmarks.faults.odd_cells",)
    os.environ["ODD_CELL"] = kind
    try:
        round_.up()
        round_.wait(4)
        for _ in range(3):
            round_.life.picture()
            round_.life.tell()
        if kind in _LIVE:
            round_.life.order()
        round_.wait(_ODD_S)
        if kind in _LIVE:
            round_.cameras_run(f"with cells that answer {kind}")
        round_.down()
    finally:
        round_.system.command = COMMAND
    round_.up()


def _add(kind: str) -> None:
    def play(round_: Round) -> None:
        odd(round_, kind)

    fault(f"cell answers {kind}", cells=True)(play)


for _kind in KINDS:
    _add(_kind)
