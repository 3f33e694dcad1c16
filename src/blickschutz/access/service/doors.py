"""Tries before anybody is signed in: held for a while; nobody is locked out by those of others (OWASP ASVS 5, 6.3.1 and 6.1.1)."""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from blickschutz.access.model import Caller
from blickschutz.access.rules import OF_DEVICE, OF_NAME, OF_PAIR, OF_PLACE, Patience, is_too_many, wait_s
from blickschutz.kernel.clock import Clock

# Of each kind; whoever asks for more names than that makes us forget the oldest.
_MOST_KEPT = 4096
_MOST_TIMES = 64
_MOST_INSIDE = 128


@dataclass(slots=True)
class _Count:
    tries: list[float] = field(default_factory=list)
    inside: int = 0


@dataclass(frozen=True, slots=True)
class Knock:
    """A try that was counted: for how many seconds it is held, and what it counts for."""

    wait_s: float
    counts: tuple[tuple[Patience, str], ...]


class Doors:
    """Counts a try before it is looked at, and holds it: a hundred at once are a hundred tries.

    Nothing here knows which accounts there are: a name that nobody has is held for as long as any other. `sleep` waits in the event loop.
    """

    def __init__(self, clock: Clock, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._clock, self.sleep, self._lock = clock, sleep, threading.Lock()
        self._counts: dict[Patience, OrderedDict[str, _Count]] = {}
        self._inside = 0

    def knock(self, name: str, caller: Caller) -> Knock | None:
        """One more try for the account `name`; None where so many are held, or were looked at within a minute, that this
        one is not; it does not count. `leave` ends a try."""
        if caller.device:
            counted: tuple[tuple[Patience, str], ...] = ((OF_DEVICE, caller.device),)
        else:
            counted = ((OF_PAIR, f"{name} {caller.place}"), (OF_PLACE, caller.place), (OF_NAME, name))
        now = self._clock.monotonic()
        with self._lock:
            counts = [(patience, self._count(patience, key)) for patience, key in counted]
            if any(patience.at_once and one.inside >= patience.at_once for patience, one in counts):
                return None
            if any(is_too_many(patience, one.tries, now) for patience, one in counts):
                return None
            if self._inside >= _MOST_INSIDE and not caller.device:
                return None
            wait = max(wait_s(patience, one.tries, now) for patience, one in counts)
            for _, one in counts:
                one.tries.append(now)
                del one.tries[:-_MOST_TIMES]
                one.inside += 1
            self._inside += 1
        return Knock(wait, counted)

    @asynccontextmanager
    async def held(self, knock: Knock) -> AsyncIterator[None]:
        """Wait for as long as it is held; it counts as inside until it was answered."""
        try:
            await self.sleep(knock.wait_s)
            yield
        finally:
            self.leave(knock)

    def leave(self, knock: Knock) -> None:
        """The try was answered."""
        with self._lock:
            self._inside -= 1
            for patience, key in knock.counts:
                one = self._count(patience, key)
                one.inside = max(0, one.inside - 1)

    def forget(self, knock: Knock) -> None:
        """It was right: what this person mistyped before on this device, or from here, counts no more."""
        with self._lock:
            patience, key = knock.counts[0]
            self._count(patience, key).tries.clear()

    def _count(self, patience: Patience, key: str) -> _Count:
        kept = self._counts.setdefault(patience, OrderedDict())
        if key not in kept and len(kept) >= _MOST_KEPT:
            oldest = next((name for name, one in kept.items() if not one.inside), None)
            if oldest is not None:
                del kept[oldest]
        found = kept.setdefault(key, _Count())
        kept.move_to_end(key)
        return found


class Turns:
    """One at a time; whoever comes with a device that their account knows goes before all others."""

    def __init__(self) -> None:
        self._changed, self._busy, self.first = threading.Condition(), False, 0

    @contextmanager
    def turn(self, *, known: bool) -> Iterator[None]:
        with self._changed:
            self.first += known
            self._changed.wait_for(lambda: not self._busy and (known or not self.first))
            self.first -= known
            self._busy = True
        try:
            yield
        finally:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
