"""Watches the copies of the database server: whether each is there, how far it is behind, and whether commits wait for one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from blickschutz.control.replicas import ReplicaState, ReplicationState
from blickschutz.guard.model import Backoff, Change, Trouble
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.events import Topic
from blickschutz.storage.replicas import Replica, Replication

WORK = "database-copies"
# As for guarded work: one look that finds something is no reason to call anybody.
LOOKS = Backoff().trouble_after
# For how long positions are remembered, and a copy that somebody took away without a word.
_HOUR_S, _DAY_S = 3600.0, 86_400.0


class ReplicaWatch:
    """`ask` is what the storage says; None where it keeps no copies. `look` is called every few seconds, in a thread of its own.

    `trouble` tells what was wrong in `LOOKS` looks in a row, and that it is over.
    """

    def __init__(self, ask: Callable[[], Replication | None], clock: Clock) -> None:
        self._ask, self._clock = ask, clock
        # When (monotonic) the server was seen at which position.
        self._seen: deque[tuple[float, int]] = deque()
        # By name: when (monotonic) a copy was last there, and since when (POSIX) it is not.
        self._there: dict[str, tuple[float, Replica]] = {}
        self._gone: dict[str, float] = {}
        self._wrong, self._open = 0, False
        self.state: ReplicationState | None = None
        self.trouble: Topic[Trouble] = Topic()

    def look(self) -> None:
        """Raises `StoreError`; then nothing is known."""
        self.state = None
        found = self._ask()
        if found is None:
            return
        now = self._clock.monotonic()
        if not self._seen or found.position > self._seen[-1][1]:
            self._seen.append((now, found.position))
        # The oldest is kept: whatever lacks something from before it lacks it for an hour at least.
        while len(self._seen) > 1 and now - self._seen[1][0] > _HOUR_S:
            self._seen.popleft()
        self.state = state = ReplicationState(found.awaits, self._states(found, now), found.problem)
        self._told(state)

    def _states(self, found: Replication, now: float) -> list[ReplicaState]:
        named = {one.name: one for one in found.replicas}
        for name, (at, last) in list(self._there.items()):
            if now - at > _DAY_S:
                del self._there[name]
            elif name not in named and not found.problem:
                named[name] = Replica(name, False, last.awaited)
        out = []
        for name, one in sorted(named.items()):
            if one.there:
                self._there[name] = now, one
                self._gone.pop(name, None)
            else:
                self._gone.setdefault(name, self._clock.now())
            reached = one.stored if one.there else one.kept
            unstored = max(0, found.position - reached) if reached is not None else None
            behind = self._behind(one.replayed, now) if one.replayed is not None else 0.0
            out.append(ReplicaState(name, one.there, one.awaited, behind, unstored, self._gone.get(name, 0.0)))
        return out

    def _behind(self, replayed: int, now: float) -> float:
        """For how long at least: since the first look at which the server was beyond what the copy shows."""
        return next((now - at for at, position in self._seen if position > replayed), 0.0)

    def _told(self, state: ReplicationState) -> None:
        self._wrong = self._wrong + 1 if state.wrong else 0
        if self._wrong == LOOKS:
            self.trouble.tell(Trouble(WORK, Change.FAILING, state.wrong, self._wrong))
            self._open = True
        elif not state.wrong and self._open:
            self._open = False
            self.trouble.tell(Trouble(WORK, Change.RECOVERED, "", 0))
