"""Leases: what a host may film, and for how long, by its own clock; what may be given to another, by the giver's. Knows no store.

Each host has one record in a store with compare-and-set. The giver writes what is granted, the host what it holds and a beat; each on
exactly the revision that it saw. So whoever writes knows that nobody wrote in between. Compare Gray and Cheriton, "Leases" (1989);
clocks are those of each side alone, by which a machine that sleeps ages (`CLOCK_BOOTTIME`), and differ in speed by `DRIFT` at most.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from blickschutz.hosts.model import Placed
from blickschutz.wire.times import DRIFT

# A host that renews films for so long; a host that died is replaced so much later.
LEASE_S: Final = 4.0
RENEW_S: Final = 1.0
# Beyond the drift: what a host's own threads may take to let go of a camera.
MARGIN_S: Final = 1.0
# What the giver waits for, from when it saw something last.
FULL_S: Final = LEASE_S * (1 + DRIFT) + MARGIN_S


class Capacity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a host can carry: cores, memory in MB, networks whose cameras it reaches, cameras whose secrets it has (none: all). A spare one
    gets what no other can take.
    """

    cores: float = 0.0
    memory_mb: float = 0.0
    networks: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()
    spare: bool = False


# As good as without end: what a cell is told must be a number.
FOREVER_S: Final = 1e9


class Lease(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The record of one host: `run` is its life, `grants` and `held` are tokens by camera, `beat` counts what the host wrote; of the
    cameras `waiting` it has something to tell that nobody has confirmed. Those `ever` no other host may have: their lease has no end.
    """

    run: str
    beat: int = 0
    grants: dict[str, int] = {}
    held: dict[str, int] = {}
    capacity: Capacity = Capacity()
    waiting: tuple[str, ...] = ()
    ever: tuple[str, ...] = ()


class Holder:
    """The host's side. `now` is its own clock. What films must ask `films` with the time at which it films."""

    def __init__(self, run: str, capacity: Capacity, lease_s: float = LEASE_S) -> None:
        self._run, self._capacity, self._lasts_s = run, capacity, lease_s * (1 - DRIFT)
        self._seen: Lease | None = None
        self._revision = 0
        self._until = self._quiet = float("-inf")
        self._held: dict[str, int] = {}
        # What was granted without end, as the store took it last.
        self._ever: frozenset[str] = frozenset()
        self.waiting: tuple[str, ...] = ()
        # By camera the highest token that is over: it is never taken up again.
        self._over: dict[str, int] = {}
        self._resumed = False

    def resume(self, held: Mapping[str, int]) -> None:
        """Another process of the same life goes on with what the store had as held without end. Everything else that was granted is over;
        its cells film until their deadline, so nothing is written before `FULL_S` have passed."""
        self._held, self._ever, self._resumed = dict(held), frozenset(held), True

    def connected(self, now: float) -> None:
        """The store was lost, and is there again: it may have gone back in time. Nothing new is taken up until whoever films by what it
        had forgotten has stopped."""
        self._quiet = now + FULL_S

    @property
    def until(self) -> float:
        """When the cells have to let go, unless it is renewed; by the host's clock."""
        return self._until

    def films(self, now: float) -> Mapping[str, int]:
        """Tokens by camera."""
        if now >= self._until:
            self._let_go([camera for camera in self._held if camera not in self._ever])
        return dict(self._held)

    def until_of(self, camera: str, now: float) -> float:
        """When its cell has to let go, unless it is renewed."""
        return now + FOREVER_S if camera in self._ever and camera in self._held else self._until

    def see(self, lease: Lease | None, revision: int) -> None:
        """What the store has now. What is not granted any more ends at once."""
        self._seen, self._revision = lease, revision
        granted = self._granted()
        if self._resumed:
            self._over |= {camera: token for camera, token in granted.items() if camera not in self._held}
            self._resumed = False
        self._let_go([camera for camera, token in self._held.items() if granted.get(camera) != token])

    def renewal(self, now: float) -> tuple[Lease, int]:
        """What is to be written, and on which revision (0: there is none). Whatever it does not hold any more is let go before."""
        self.films(now)
        granted = self._granted() if now >= self._quiet else {one: token for one, token in self._granted().items() if one in self._held}
        held = {camera: token for camera, token in granted.items() if token > self._over.get(camera, 0)}
        seen = self._seen
        grants = dict(seen.grants) if seen is not None and seen.run == self._run else {}
        ever = seen.ever if seen is not None and seen.run == self._run else ()
        beat = seen.beat + 1 if seen is not None else 1
        lease = Lease(run=self._run, beat=beat, grants=grants, held=held, capacity=self._capacity, waiting=self.waiting, ever=ever)
        return lease, self._revision

    def leave(self) -> None:
        """This host ends: from the next renewal on it holds nothing, and takes nothing more."""
        self._capacity, self._quiet = Capacity(), float("inf")
        self._let_go(list(self._held))

    def written(self, lease: Lease, revision: int, asked: float) -> None:
        """The store took it. `asked` is when it was made, before it was sent. An answer that another one overtook says nothing."""
        if revision <= self._revision:
            return
        self._seen, self._revision = lease, revision
        self._let_go([camera for camera in self._held if camera not in lease.held])
        self._held = {camera: token for camera, token in lease.held.items() if token > self._over.get(camera, 0)}
        self._until, self._ever = asked + self._lasts_s, frozenset(lease.ever)

    def _granted(self) -> Mapping[str, int]:
        return self._seen.grants if self._seen is not None and self._seen.run == self._run else {}

    def _let_go(self, cameras: Iterable[str]) -> None:
        for camera in list(cameras):
            self._over[camera] = max(self._held.pop(camera), self._over.get(camera, 0))


@dataclass(slots=True)
class _Seen:
    """A host's record, and when it was last seen to have written (giver's clock)."""

    lease: Lease
    revision: int
    at: float
    # By camera the beat that the host had when it was granted.
    since: dict[str, int] = field(default_factory=dict)
    # Cameras of grants that were sent on this revision: without an answer each may still come to be.
    sent: set[str] = field(default_factory=set)
    # Whether the host itself wrote since this connection to the store: what was there before may be older than what it holds.
    wrote: bool = False

    def take(self, lease: Lease, revision: int) -> None:
        if lease.grants != self.lease.grants:
            known = {camera: beat for camera, beat in self.since.items() if lease.grants.get(camera) == self.lease.grants.get(camera)}
            self.since = {camera: known.get(camera, lease.beat) for camera in lease.grants}
        self.lease, self.revision = lease, revision
        self.sent = set()


@dataclass(frozen=True, slots=True)
class Write:
    """To be written on exactly this revision. `ends`: the host is over, and with it all that it held."""

    host: str
    lease: Lease
    revision: int
    ends: bool = False


class Giver:
    """The control room's side; there is one. `now` is its own clock; `newest` is the highest token that it ever knew, `alone` the hosts by
    camera that may film it without end. Both outlast this process, and are kept before what follows from them is written.
    """

    def __init__(self, now: float, newest: int = 0, alone: Mapping[str, str] | None = None) -> None:
        self.newest = newest
        # Counts what is another one than at the last look, but for beats.
        self.version = 0
        # Whatever the store has, which may be emptied: until that host has written that it let go.
        self.alone = dict(alone or {})
        self._hosts: dict[str, _Seen] = {}
        self._resting: dict[str, float] = {}
        self._settled = now + FULL_S
        # By camera and host the highest token that it had.
        self._had: dict[str, dict[str, int]] = {}

    def connected(self, now: float) -> None:
        """The store was lost, and is there again: it may have gone back in time, or be another one."""
        self._hosts.clear()
        self._resting.clear()
        self._settled = now + FULL_S
        self.version += 1

    def is_calm(self, now: float) -> bool:
        """Whether time alone changes nothing: each host is alive and holds what it is granted, nothing rests or is waited for, and
        nothing was sent that may still come to be."""
        if now < self._settled or any(now < until for until in self._resting.values()):
            return False
        soon = min(LEASE_S, FULL_S)
        return all(now - seen.at < soon and seen.lease.grants == seen.lease.held and not seen.sent for seen in self._hosts.values())

    def see(self, records: Mapping[str, tuple[Lease, int]], now: float) -> None:
        """All records, as they were read at one time or one after the other."""
        back = any(seen.revision > records[host][1] if host in records else True for host, seen in self._hosts.items())
        if back:
            self.connected(now)  # the store went back in time
        before = dict(self.alone)
        for host, (lease, revision) in records.items():
            self._see(host, lease, revision, now)
            for camera in _only({**lease.grants, **lease.held}, lease.ever):
                self.alone.setdefault(camera, host)
        self.alone = {camera: host for camera, host in self.alone.items() if not self._has_let_go(camera, host)}
        self.version += self.alone != before

    def _has_let_go(self, camera: str, host: str) -> bool:
        seen = self._hosts.get(host)
        return seen is not None and seen.wrote and not (camera in seen.lease.grants or camera in seen.lease.held or camera in seen.sent)

    def alive(self, now: float) -> dict[str, Capacity]:
        """Hosts that may be given something."""
        return {host: seen.lease.capacity for host, seen in self._hosts.items() if now - seen.at < LEASE_S}

    def where(self) -> dict[str, str]:
        """By camera the host that it is granted to."""
        return {camera: host for host, seen in self._hosts.items() for camera in seen.lease.grants}

    def placed(self) -> dict[str, Placed]:
        """By camera where it is granted, and under which token."""
        found = {}
        for host, seen in self._hosts.items():
            for camera, token in seen.lease.grants.items():
                others = (had for name, had in self._had.get(camera, {}).items() if name != host and had < token)
                found[camera] = Placed(host, token, max(others, default=0))
        return found

    def untold(self, now: float) -> dict[str, list[str]]:
        """By camera the hosts that do not film it now, and have something to tell of it."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for host in self.alive(now):
            lease = self._hosts[host].lease
            for camera in lease.waiting:
                if camera not in lease.grants:
                    found[camera].append(host)
        return dict(found)

    def is_free(self, camera: str, now: float, host: str = "") -> bool:
        """Whether nobody but `host` films it or may do so, whatever became of whom."""
        if now < self._settled or now < self._resting.get(camera, float("-inf")) or self.alone.get(camera, host) != host:
            return False
        return not any(
            camera in seen.lease.grants or camera in seen.lease.held or (name != host and camera in seen.sent)
            for name, seen in self._hosts.items()
        )

    def writes(self, wanted: Mapping[str, str], now: float, ever: Collection[str] = ()) -> list[Write]:
        """What follows from where each camera is wanted: silent hosts are ended, what is elsewhere is taken back, what is free given.

        Those `ever` have one host alone that may film them: it keeps them while it is silent, because there is nobody to give them to.
        What it holds without end stays so in its record until it has written that it let go: it may be cut off, and know of nothing else.
        """
        found, only = [], set(ever)
        # Most are somebody's, and are not asked about again: with a hundred hosts each question looks at all of them.
        taken = {camera for seen in self._hosts.values() for camera in (*seen.lease.grants, *seen.lease.held)}
        untaken: defaultdict[str, list[str]] = defaultdict(list)
        for camera, place in wanted.items():
            if camera not in taken:
                untaken[place].append(camera)
        for host, seen in self._hosts.items():
            lease = seen.lease
            if now - seen.at >= FULL_S:
                kept, held = _only(lease.grants, lease.ever), _only(lease.held, lease.ever)
                if (kept, held) != (lease.grants, lease.held):
                    ended = msgspec.structs.replace(lease, grants=kept, held=held)
                    found.append(Write(host, ended, seen.revision, ends=True))
                continue
            endless = set(_only(lease.held, lease.ever))
            # Which is given with an end from now on is taken back first.
            stays = (one for one in lease.grants if (one in only or one not in endless) and self.alone.get(one, host) == host)
            grants = {camera: lease.grants[camera] for camera in stays if wanted.get(camera, host) == host}
            for camera, token in list(grants.items()):
                if lease.held.get(camera) != token and lease.beat >= seen.since.get(camera, lease.beat) + 2:
                    grants[camera] = self._token()  # the host let it go, and does not take up the old one again
            for camera in (camera for camera in untaken[host] if self.is_free(camera, now, host)):
                grants[camera] = self._token()
            lasting = tuple(sorted((grants.keys() & only) | endless))
            if (grants, lasting) != (lease.grants, lease.ever) and now - seen.at < LEASE_S:
                seen.sent |= grants.keys()
                self.alone |= {camera: self.alone.get(camera, host) for camera in lasting}
                found.append(Write(host, msgspec.structs.replace(lease, grants=grants, ever=lasting), seen.revision))
        return found

    def wrote(self, write: Write, revision: int) -> None:
        """The store took it."""
        seen = self._hosts.get(write.host)
        if seen is None or seen.revision != write.revision:
            return  # what is known of it is not what it was written on: the next look says what is
        self.version += 1
        self._note(write.host, write.lease)
        seen.take(write.lease, revision)

    def _see(self, host: str, lease: Lease, revision: int, now: float) -> None:
        seen = self._hosts.get(host)
        # Of a beat that says nothing else, which is nearly each, nothing is to be noted.
        if seen is None or _without_beat(lease) != _without_beat(seen.lease):
            self.version += 1
            self.newest = max(self.newest, *lease.grants.values(), *lease.held.values(), 0)
            self._note(host, lease)
        if seen is None:
            self._hosts[host] = _Seen(lease, revision, now, dict.fromkeys(lease.grants, lease.beat))
            return
        if revision == seen.revision:
            return
        if lease.run != seen.lease.run:
            # Another life of that host: cells of the one before may film until their time is up.
            self._resting.update(dict.fromkeys((*seen.lease.grants, *seen.lease.held), now + FULL_S))
        if lease.run != seen.lease.run or lease.beat != seen.lease.beat:
            seen.at, seen.wrote = now, True
        seen.take(lease, revision)

    def _note(self, host: str, lease: Lease) -> None:
        for camera, token in (*lease.grants.items(), *lease.held.items()):
            had = self._had.setdefault(camera, {})
            had[host] = max(token, had.get(host, 0))

    def _token(self) -> int:
        self.newest += 1
        return self.newest


def _without_beat(lease: Lease) -> tuple[object, ...]:
    return lease.run, lease.grants, lease.held, lease.capacity, lease.waiting, lease.ever


def _only(tokens: Mapping[str, int], cameras: Collection[str]) -> dict[str, int]:
    return {camera: token for camera, token in tokens.items() if camera in cameras}
