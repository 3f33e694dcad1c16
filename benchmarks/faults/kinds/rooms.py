"""A review room that is killed or stands still, and verdicts that are given while something dies."""

from __future__ import annotations

import signal

from benchmarks.faults.listing import fault
from benchmarks.faults.review import Review
from benchmarks.faults.round import Round

_STILL_S = 15.0


def opened(round_: Round) -> tuple[Review, list[int]]:
    """Two people in a room; its processes."""
    before = set(round_.system.workers())
    review = Review(round_, round_.pick("recorded"))
    if not review.enter():
        round_.ledger.broken("work_not_running", f"nobody can enter the room of case {review.planted.case}")
    return review, [pid for pid in round_.system.workers() if pid not in before]


@fault("review room killed after a verdict")
def room_killed(round_: Round) -> None:
    review, pids = opened(round_)
    review.judge("kvd-1")
    round_.signal(pids, signal.SIGKILL)
    round_.wait(2)


@fault("review room stands still")
def room_stopped(round_: Round) -> None:
    review, pids = opened(round_)
    review.judge("kvd-2")
    round_.pause(pids, _STILL_S)


@fault("control room killed after both verdicts")
def control_killed(round_: Round) -> None:
    """What both said is carried out, however the machine ends."""
    review, _ = opened(round_)
    for person in ("kvd-1", "kvd-2"):
        review.judge(person)
    round_.wait(round_.chance.uniform(0, 0.3))
    round_.system.kill()
    round_.up()


@fault("control room killed in the middle of a review")
def control_killed_early(round_: Round) -> None:
    review, _ = opened(round_)
    review.judge("kvd-1", "incident")
    round_.system.kill()
    round_.up()
