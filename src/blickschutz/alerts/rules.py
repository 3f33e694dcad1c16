"""The table of an alert's life (the diagram in the documentation is drawn from it), the order of need, when notices are stale."""

from __future__ import annotations

from collections.abc import Mapping

from blickschutz.alerts.model import AlertEvent, AlertState

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
    (State.ACTING, Event.SEEN): State.ACTING,
    (State.ACTING, Event.ACT): State.ACTING,
    (State.ACTING, Event.CLOSE): State.CLOSED,
    (State.CLOSED, Event.SEEN): State.CLOSED,
}

OPEN = frozenset({State.RAISED, State.ESCALATED, State.ACKNOWLEDGED, State.ACTING})
WAITING = frozenset({State.RAISED, State.ESCALATED})

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

_WEIGHTS: Mapping[AlertState, int] = {State.ESCALATED: 0, State.RAISED: 1, State.ACKNOWLEDGED: 2, State.ACTING: 2}


def weight(state: AlertState) -> int:
    """The place of a state in the queue: 0 escalated, 1 raised, 2 somebody sees to it. Within it the oldest comes first."""
    return _WEIGHTS[state]


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
