"""The table of an alert's life; the diagram in the documentation is drawn from it."""

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

_FIRST_WAIT_S, _MOST_WAIT_S = 2.0, 300.0


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
    return float(min(_MOST_WAIT_S, _FIRST_WAIT_S * 2 ** min(tries - 1, 10)))
