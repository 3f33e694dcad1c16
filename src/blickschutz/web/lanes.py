"""Work that waits for disk or database, in threads beside the event loop: in lanes, so that one kind of work cannot hold up another."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import TypeVar

import anyio
import anyio.to_thread

from blickschutz.access.model import Permission
from blickschutz.kernel.errors import DeviceError

T = TypeVar("T")
# With the wait for the database (1.5 s) this stays under two seconds.
TURN_S = 0.25


class Lane(StrEnum):
    """Reading pages; what writes, or writes into the log who reads; pages for whoever is not signed in, so that a flood of strangers
    holds up nobody else; signing in, which waits for its turn to hash; the stop control, which waits for nobody; health, which must
    answer when all others are stuck; rules and documents, which compute.
    """

    READ = "read"
    WRITE = "write"
    PUBLIC = "public"
    SIGN_IN = "sign-in"
    STOP = "stop"
    HEALTH = "health"
    COMPUTE = "compute"


# How many at once. Few readers: each computes for some milliseconds, and the event loop shares the interpreter with all of them.
SIZES = {Lane.READ: 6, Lane.WRITE: 8, Lane.PUBLIC: 2, Lane.SIGN_IN: 12, Lane.STOP: 4, Lane.HEALTH: 3, Lane.COMPUTE: 1}
# Whoever reads waits for others who read; whoever writes is told soon that it does not go now.
_TURNS_S = {Lane.READ: 10.0, Lane.PUBLIC: 10.0, Lane.SIGN_IN: 30.0, Lane.HEALTH: 10.0, Lane.STOP: 10.0, Lane.COMPUTE: 60.0}
_BY_PERMISSION = {
    Permission.STOP: Lane.STOP,
    Permission.HEALTH: Lane.HEALTH,
    Permission.FIGURES: Lane.HEALTH,
    Permission.POLICY: Lane.COMPUTE,
}


class CrowdedError(DeviceError):
    """Too much waits already; the same can be asked again in a moment."""


def lane_of(permission: Permission | None, *, writes: bool) -> Lane:
    """The lane of a route that takes `permission`."""
    if permission in _BY_PERMISSION:
        return _BY_PERMISSION[permission]
    if permission is Permission.PUBLIC:
        return Lane.SIGN_IN if writes else Lane.PUBLIC
    return Lane.WRITE if writes else Lane.READ


class Lanes:
    """The threads of one application."""

    def __init__(self) -> None:
        self._turns = {lane: anyio.Semaphore(size) for lane, size in SIZES.items()}
        self._threads = anyio.CapacityLimiter(sum(SIZES.values()))

    async def run(self, lane: Lane, work: Callable[[], T]) -> T:
        """What `work` gives, done in a thread. Raises `CrowdedError` where there is no turn in time."""
        async with self._turn(lane):
            return await anyio.to_thread.run_sync(work, limiter=self._threads)

    @asynccontextmanager
    async def _turn(self, lane: Lane) -> AsyncIterator[None]:
        turn = self._turns[lane]
        try:
            with anyio.fail_after(_TURNS_S.get(lane, TURN_S)):
                await turn.acquire()
        except TimeoutError:
            raise CrowdedError(f"{SIZES[lane]} others of the lane {lane.value} wait already") from None
        try:
            yield
        finally:
            turn.release()
