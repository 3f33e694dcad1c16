"""Many alerts at once: which of them are one row of the queue, and when there are more than somebody can look at."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence

from blickschutz.alerts.model import Mark, Priorities, Storm
from blickschutz.alerts.rules import WAITING, weight

# Alerts of one camera and kind that came within two minutes of the first are one row, of as many as one row can name.
GROUP_S = 120.0
MOST_IN_ROW = 10
# An alarm flood begins with more than ten alerts in ten minutes and ends with fewer than five (ISA-18.2, EEMUA 191: what one person
# can look at). Whether it goes on is found by going through the last hour.
STORM_S, STORM_FROM, STORM_UNTIL = 600.0, 10, 5
STORM_LOOK_S = 3600.0
_CAUSES = 3

Key = tuple[str, str, int, str]


def rows_of(marks: Sequence[Mark], priorities: Priorities) -> list[list[Mark]]:
    """Open alerts, given in the order of need, as rows of the queue in that order. Each stands in one row; the first one leads it.

    What waits and what somebody sees to never share a row, nor do two priorities.
    """
    rows: list[list[Mark]] = []
    last: dict[Key, list[Mark]] = {}
    for mark in marks:
        state = "" if mark.state in WAITING else mark.state.value
        key = (mark.camera, mark.kind.value, weight(mark.state, priorities.of(mark.kind, mark.zone)), state)
        row = last.get(key)
        if row is not None and len(row) < MOST_IN_ROW and abs(mark.raised - row[0].raised) <= GROUP_S:
            row.append(mark)
        else:
            last[key] = [mark]
            rows.append(last[key])
    return rows


def storm_of(raised: Sequence[tuple[str, float]], now: float) -> Storm | None:
    """Whether more came than can be looked at: camera and moment (POSIX) of what was raised in the last hour, the oldest first."""
    window: deque[tuple[str, float]] = deque()
    on = False
    for camera, at in (*raised, ("", now)):
        one = (camera, min(at, now))
        while window and window[0][1] <= one[1] - STORM_S:
            window.popleft()
        on = on and len(window) >= STORM_UNTIL
        if camera:
            window.append(one)
            on = on or len(window) > STORM_FROM
    if not on:
        return None
    causes = Counter(camera for camera, _ in window)
    return Storm(len(window), tuple(sorted(causes.items(), key=lambda one: (-one[1], one[0]))[:_CAUSES]))
