"""A rule that nobody knows: what the guide for contributors builds, as a module that is found like any other of `situations.rules`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from blickschutz.situations.declare import bound, rule
from blickschutz.situations.model import FLOOR, Area, Declaration, Finding, Seconds, graded
from blickschutz.situations.rules.history import History

LANE_BLOCKED = Declaration(
    id="lane_blocked",
    order=140,
    name=("Radweg verstellt", "Lane blocked"),
    explanation=(
        "seit {seconds:.0f} s steht etwas auf {metres:.1f} {m} des Weges",
        "{metres:.1f} {m} of the lane blocked for {seconds:.0f} s",
    ),
    start=0.6,
    release_s=5.0,
    same_place=0.1,
    priority="low",
    must_not_wait=True,
    device_class="problem",
    onvif=("RuleEngine/LaneDetector",),
)


@dataclass(frozen=True)
class LaneBlocked:
    """How long something stands in the way."""

    lane_s: Seconds = bound(30.0, "Radweg verstellt: Dauer.", "lane_blocked: how long.")


@rule(130, LANE_BLOCKED, bounds=LaneBlocked, true_when="something stands in the lane for 30 s", slow=True)
def lane_blocked(history: History, zone: Area, asked: LaneBlocked) -> Iterator[Finding]:
    """Something that changed stays where it is."""
    for change in history.now.changes:
        score = graded((change.since_s, asked.lane_s))
        if score >= FLOOR and history.inside(zone, change.box.centre):
            figures = {"seconds": change.since_s, "metres": history.metres(change.box.width, change.box)}
            yield Finding(LANE_BLOCKED, zone.id, "lane", score, change.box, figures)
