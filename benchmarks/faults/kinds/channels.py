"""Broker, mail server and webhook that are gone, hang, or answer with errors for a while."""

from __future__ import annotations

from benchmarks.faults.listing import fault
from benchmarks.faults.round import Round

AWAY_S = 9.0


def away(round_: Round, which: str, mode: str) -> None:
    peer = getattr(round_.peers, which)
    peer.set(mode)
    try:
        round_.wait(AWAY_S)
    finally:
        peer.set("")


def _add(which: str, mode: str) -> None:
    def play(round_: Round) -> None:
        away(round_, which, mode)

    fault(f"{which} {mode}")(play)


for _mode in ("gone", "hangs"):
    for _which in ("broker", "mail", "hook"):
        _add(_which, _mode)
for _which in ("mail", "hook"):
    _add(_which, "errors")


@fault("all channels gone, over a restart")
def all_gone(round_: Round) -> None:
    for peer in (round_.peers.mail, round_.peers.hook):
        peer.set("gone")
    round_.wait(3)
    round_.down()
    round_.peers.broker.set("gone")
    round_.up()
    round_.wait(4)
    round_.peers.heal()
