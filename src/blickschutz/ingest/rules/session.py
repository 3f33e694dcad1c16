"""The state table of a camera session, and how long to wait between tries."""

from __future__ import annotations

from collections.abc import Mapping

from blickschutz.ingest.model import BackoffSettings, SessionEvent, SessionState
from blickschutz.kernel.errors import FaultError

_S, _E = SessionState, SessionEvent

TRANSITIONS: Mapping[tuple[SessionState, SessionEvent], SessionState] = {
    (_S.STOPPED, _E.START): _S.CONNECTING,
    (_S.CONNECTING, _E.CONNECTED): _S.LIVE,
    (_S.CONNECTING, _E.REFUSED): _S.WAITING,
    (_S.CONNECTING, _E.STALLED): _S.WAITING,
    (_S.CONNECTING, _E.UNREADABLE): _S.WAITING,
    (_S.CONNECTING, _E.STOP): _S.STOPPED,
    (_S.LIVE, _E.STALLED): _S.WAITING,
    (_S.LIVE, _E.ENDED): _S.WAITING,
    (_S.LIVE, _E.UNREADABLE): _S.WAITING,
    (_S.LIVE, _E.STOP): _S.STOPPED,
    (_S.WAITING, _E.WAITED): _S.CONNECTING,
    (_S.WAITING, _E.STOP): _S.STOPPED,
}


def next_state(state: SessionState, event: SessionEvent) -> SessionState:
    """The state after `event`; an event that the table does not know in this state is a `FaultError`."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise FaultError(f"a camera session in state {state} cannot take the event {event}") from None


def wait_before_try(attempt: int, settings: BackoffSettings, chance: float) -> float:
    """Seconds to wait before try number `attempt` (from 1) after a failure; `chance` is uniform in 0..1."""
    wait = min(settings.most, settings.first * settings.factor ** min(attempt - 1, 32))
    return wait * (1 + settings.jitter * (2 * chance - 1))


def as_mermaid() -> str:
    """The state table as a Mermaid diagram, for the documentation."""
    rows = [f"    {start} --> {end}: {event}" for (start, event), end in TRANSITIONS.items()]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {SessionState.STOPPED}", *rows])
