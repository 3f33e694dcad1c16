"""The table of an alert's life (the diagram in the documentation is drawn from it), priorities and the order of need, stale notices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from blickschutz.alerts.model import RANKS, AlertEvent, AlertState, HistoryEntry, Priority

State, Event = AlertState, AlertEvent

TRANSITIONS: Mapping[tuple[AlertState, AlertEvent], AlertState] = {
    (State.RAISED, Event.SEEN): State.RAISED,
    (State.RAISED, Event.ESCALATE): State.ESCALATED,
    (State.RAISED, Event.ACKNOWLEDGE): State.ACKNOWLEDGED,
    (State.RAISED, Event.CLOSE): State.CLOSED,
    (State.ESCALATED, Event.SEEN): State.ESCALATED,
    (State.ESCALATED, Event.ACKNOWLEDGE): State.ACKNOWLEDGED,
    (State.ESCALATED, Event.CLOSE): State.CLOSED,
    (State.ACKNOWLEDGED, Event.SEEN): State.ACKNOWLEDGED,
    (State.ACKNOWLEDGED, Event.ACT): State.ACTING,
    (State.ACKNOWLEDGED, Event.CLOSE): State.CLOSED,
    (State.ACKNOWLEDGED, Event.UNDO): State.RAISED,
    (State.ACTING, Event.SEEN): State.ACTING,
    (State.ACTING, Event.ACT): State.ACTING,
    (State.ACTING, Event.CLOSE): State.CLOSED,
    (State.CLOSED, Event.SEEN): State.CLOSED,
    # Whoever takes back that they closed it has it in hand.
    (State.CLOSED, Event.UNDO): State.ACKNOWLEDGED,
}

OPEN = frozenset({State.RAISED, State.ESCALATED, State.ACKNOWLEDGED, State.ACTING})
WAITING = frozenset({State.RAISED, State.ESCALATED})

# For so long whoever acknowledged or closed an alert can take that back; a page may say so a little later than it happened.
UNDO_S, UNDO_SLACK_S = 10.0, 2.0
FIRST_WAIT_S, MOST_WAIT_S = 2.0, 300.0
# What is said a quarter of an hour late sends nobody anywhere any more: the desk has escalated it long ago, by default after
# two minutes. It is told together, so that what is new can be seen among it.
STALE_S = 900.0
FEWEST_IN_DIGEST = 2
# So many notices that fail in a row say that the channel is down; it then rests.
PROBES = 2
# A notice that failed so often while the channel told others is itself what is wrong.
MOST_REJECTED = 5
# A wall clock that goes back leaves times that lie ahead; nothing waits for those.
AHEAD_S = 60.0
# A camera that never says that its situation is over: after a day its end counts as not seen.
UNENDED_S = 86_400.0

# What happens to an alert beside the decisions about it.
_BESIDE = frozenset({Event.SEEN.value, "record", "unrecorded", "lost", "outdated"})
_UNDONE = frozenset({Event.ACKNOWLEDGE.value, Event.CLOSE.value})
# What somebody sees to stands behind all that waits.
SEEN_TO = len(RANKS)


def weight(state: AlertState, priority: Priority) -> int:
    """The place in the queue: what waits by its priority, then what somebody sees to. Within it the oldest comes first."""
    return RANKS[priority] + (0 if state in WAITING else SEEN_TO)


def may_undo(history: Sequence[HistoryEntry], by: str, now: float) -> bool:
    """Whether `by` can take back what was done last: that they acknowledged or closed it, just now."""
    decided = [entry for entry in history if entry.event not in _BESIDE]
    last = decided[-1] if decided else None
    return last is not None and last.event in _UNDONE and last.by == by and 0 <= now - last.at <= UNDO_S + UNDO_SLACK_S


def next_state(state: AlertState, event: AlertEvent) -> AlertState | None:
    """The state after `event`, or None where that cannot happen any more: somebody else was faster."""
    return TRANSITIONS.get((state, event))


def as_mermaid() -> str:
    """The table as a state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.RAISED}: raise"]
    lines += [f"    {start} --> {end}: {event}" for (start, event), end in TRANSITIONS.items() if event is not Event.SEEN]
    return "\n".join([*lines, f"    {State.CLOSED} --> [*]"])


def wait_before_retry(tries: int) -> float:
    """Seconds to wait after that many failed tries to tell a channel."""
    return float(min(MOST_WAIT_S, FIRST_WAIT_S * 2 ** min(tries - 1, 10)))
