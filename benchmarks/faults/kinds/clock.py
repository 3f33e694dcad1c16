"""Clocks that are wrong: while the system runs, and at its start; later they are right again."""

from __future__ import annotations

from benchmarks.faults.listing import fault
from benchmarks.faults.round import Round
from benchmarks.faults.steps import confirm_clock

_DAY_S = 86_400.0
_WRONG_S = 12.0
_EPOCH = 100.0


def ahead(round_: Round, which: str) -> float:
    days = {"four days behind": -4, "five days ahead": 5, "ninety days ahead": 90}
    return days[which] * _DAY_S if which in days else _EPOCH - round_.system.now()


def running(round_: Round, which: str) -> None:
    """Set wrong while the system runs, and right again."""
    round_.system.set_wrong(ahead(round_, which))
    round_.wait(_WRONG_S)
    round_.referee.judge()
    round_.system.set_wrong(0)
    confirm_clock(round_)


def at_start(round_: Round, which: str, *, reboot: bool) -> None:
    """The system starts with a wrong clock, after a boot (an empty battery) or by itself; a little later the clock is set right."""
    round_.down()
    if reboot:
        round_.system.reboot()
    round_.system.set_wrong(ahead(round_, which))
    if round_.up_or_words():
        # What is recorded now is stamped by the wrong clock, and is there when the right one comes.
        round_.cameras_run("with a wrong clock")
        round_.life.order()
        round_.wait(_WRONG_S + 2)
        round_.system.set_wrong(0)
        round_.wait(6)
        round_.referee.judge()
    round_.system.stop()
    round_.system.set_wrong(0)
    round_.up()
    confirm_clock(round_)


@fault("machine off for ten minutes")
def switched_off(round_: Round) -> None:
    """An orderly end, a boot with the right time."""
    round_.down()
    round_.system.shift += 600
    round_.system.reboot()
    round_.system.set_wrong(0)
    round_.up()


for _which in ("four days behind", "five days ahead", "ninety days ahead", "in 1970"):

    def _running(round_: Round, which: str = _which) -> None:
        running(round_, which)

    def _at_start(round_: Round, which: str = _which) -> None:
        at_start(round_, which, reboot=False)

    def _at_boot(round_: Round, which: str = _which) -> None:
        at_start(round_, which, reboot=True)

    fault(f"clock {_which} while it runs")(_running)
    fault(f"clock {_which} at the start")(_at_start)
    fault(f"clock {_which} at a boot")(_at_boot)
