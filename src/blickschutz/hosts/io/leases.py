"""Leases in the broker's key-value store: compare-and-set by revision, and each side's own round. See `rules.lease`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Final

import msgspec
import structlog
from nats.js.api import DiscardPolicy, StorageType, StreamConfig
from nats.js.errors import APIError, NotFoundError

from blickschutz.hosts.io.broker import BROKEN, Broker, words
from blickschutz.hosts.rules import subjects
from blickschutz.hosts.rules.giving import Giving
from blickschutz.hosts.rules.lease import Giver, Holder, Lease
from blickschutz.hosts.rules.placement import Need
from blickschutz.kernel.clock import aging
from blickschutz.kernel.errors import UNREADABLE, DeviceError, ProtocolError

_log = structlog.get_logger(__name__)
_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Lease] = msgspec.json.Decoder(Lease)
_EXPECTED: Final = "Nats-Expected-Last-Subject-Sequence"
_WRONG_REVISION: Final = 10071
_PATIENCE_S: Final = 1.5
# A host writes once a second, and twice where it was nudged.
_TOUCHES: Final = 5
_AT_ONCE: Final = 10


class LeaseStore:
    """One record for each host. Raises `DeviceError` where the broker does not do what it should."""

    def __init__(self, broker: Broker) -> None:
        self._broker, self._bucket = broker, subjects.lease_bucket(broker.installation)

    async def make(self) -> None:
        """By the control room; the form is that of the client's key-value stores."""
        config = StreamConfig(
            name=f"KV_{self._bucket}",
            subjects=[f"$KV.{self._bucket}.>"],
            max_msgs_per_subject=1,
            max_bytes=16 * 1024 * 1024,
            discard=DiscardPolicy.NEW,
            storage=StorageType.FILE,
            allow_direct=True,
            deny_delete=True,
        )
        try:
            await self._broker.stream.add_stream(config)
        except BROKEN as error:
            raise DeviceError(f"the broker keeps no leases: {words(error)}") from error

    async def read(self, host: str) -> tuple[Lease | None, int]:
        """The record, and its revision; (None, 0) where there is none."""
        try:
            found = await self._broker.stream.get_last_msg(f"KV_{self._bucket}", self._key(host), direct=True)
        except NotFoundError:
            return None, 0
        except BROKEN as error:
            raise DeviceError(f"the lease of {host} cannot be read: {words(error)}") from error
        try:
            return _decoder.decode(found.data or b""), found.seq or 0
        except UNREADABLE as error:
            raise ProtocolError(f"the lease of {host} is none: {error}") from error

    async def write(self, host: str, lease: Lease, revision: int) -> int | None:
        """The new revision; None where the record has another one than `revision` (0: where there is one)."""
        headers = {_EXPECTED: str(revision)}
        try:
            told = await self._broker.stream.publish(self._key(host), _encoder.encode(lease), timeout=_PATIENCE_S, headers=headers)
        except APIError as error:
            if error.err_code == _WRONG_REVISION:
                return None
            raise DeviceError(f"the lease of {host} cannot be written: {words(error)}") from error
        except BROKEN as error:
            raise DeviceError(f"the lease of {host} cannot be written: {words(error)}") from error
        return told.seq

    def _key(self, host: str) -> str:
        return f"$KV.{self._bucket}.{subjects.require_name(host)}"


class Connection:
    """Whether the store was lost since somebody last dealt with that: it may be another one."""

    def __init__(self, broker: Broker) -> None:
        self._lost, self._dealt_with = 1, 0
        broker.on_lost(self._was_lost)

    @property
    def anew(self) -> int:
        """A number to be handed to `dealt_with`; 0 where there is nothing to be dealt with."""
        return self._lost if self._lost != self._dealt_with else 0

    def dealt_with(self, number: int) -> None:
        self._dealt_with = number

    def _was_lost(self) -> None:
        self._lost += 1


class HostRounds:
    """A host's side: one renewal after the other. `films` is called with what may be filmed, and until when, whenever that changes;
    `let_go` waits until the cells of these cameras are gone, before anybody hears that they are not held any more. `keep` has on disk what
    this life of the host holds without end, never more than the store has: less before the store is told so, more afterwards.
    """

    def __init__(
        self,
        broker: Broker,
        holder: Holder,
        films: Callable[[Mapping[str, int], float], None],
        clock: Callable[[], float] = aging,
        let_go: Callable[[Collection[str]], Awaitable[object]] | None = None,
        keep: Callable[[str, Mapping[str, int]], Awaitable[object]] | None = None,
    ) -> None:
        self._store, self._host, self._holder, self._films = LeaseStore(broker), broker.name, holder, films
        # What goes on from a process before this one is filmed already, and kept.
        self._kept = dict(holder.films(clock()))
        self._let_go, self._filmed, self._keep = let_go, frozenset(self._kept), keep
        self._clock, self._connection = clock, Connection(broker)

    async def round(self) -> None:
        """Raises `DeviceError` where nobody knows whether it was renewed: then what is filmed ends at its deadline."""
        try:
            if anew := self._connection.anew:
                self._holder.connected(self._clock())
                self._holder.see(*await self._store.read(self._host))
                self._connection.dealt_with(anew)
            if not await self._renewed():
                self._holder.see(*await self._store.read(self._host))
                await self._renewed()
        finally:
            self._films(self._holder.films(self._clock()), self._holder.until)

    async def _renewed(self) -> bool:
        asked = self._clock()
        lease, revision = self._holder.renewal(asked)
        # Before anybody hears that it does not hold it any more, its cell has let go.
        films = self._holder.films(asked)
        self._films({camera: token for camera, token in films.items() if camera in lease.held}, self._holder.until)
        if self._let_go is not None:
            await self._let_go([camera for camera in self._filmed if camera not in lease.held])
        endless = {camera: token for camera, token in lease.held.items() if camera in lease.ever}
        await self._on_disk(lease.run, {camera: token for camera, token in endless.items() if self._kept.get(camera) == token})
        written = await self._store.write(self._host, lease, revision)
        if written is None:
            return False
        self._holder.written(lease, written, asked)
        self._filmed = frozenset(lease.held)
        await self._on_disk(lease.run, endless)
        return True

    async def _on_disk(self, run: str, endless: dict[str, int]) -> None:
        if self._keep is not None and endless != self._kept:
            await self._keep(run, endless)
            self._kept = endless


class GiverRounds:
    """The control room's side. `hosts` are all that were ever let in, `may` those of them that may have a camera now.

    `remember` keeps the highest token, and who may film without end, where it outlasts this process, before anything is given; `nudge`
    tells a host that its lease is another.
    """

    def __init__(
        self,
        broker: Broker,
        giver: Giver,
        hosts: Callable[[], Collection[str]],
        needs: Callable[[], Mapping[str, Need]],
        remember: Callable[[int, Mapping[str, str]], None],
        clock: Callable[[], float] = aging,
        nudge: Callable[[str], Awaitable[object]] | None = None,
        may: Callable[[], Collection[str]] | None = None,
    ) -> None:
        self._nudge, self._may = nudge, may or hosts
        self._store, self._giver, self._hosts, self._needs = LeaseStore(broker), giver, hosts, needs
        self._remember, self._clock, self._connection = remember, clock, Connection(broker)
        self._giving = Giving(giver)
        self._kept = dict(giver.alone)

    async def round(self) -> None:
        """Look, and write what follows. Raises `DeviceError`."""
        while await self._ended_somebody():
            pass  # what that host had is free now, and nobody has to wait for it until the next round

    async def _ended_somebody(self) -> bool:
        giver, ended = self._giver, False
        if anew := self._connection.anew:
            giver.connected(self._clock())
            await self._store.make()
            for host in self._hosts():
                await self._touch(host)
            self._connection.dealt_with(anew)
        # Some at once: one after the other, a hundred hosts would take a hundred ways to the broker and back, and all of them together
        # would keep everybody else in this loop waiting.
        hosts, found = sorted(self._hosts()), []
        for start in range(0, len(hosts), _AT_ONCE):
            found += await asyncio.gather(*(self._store.read(host) for host in hosts[start : start + _AT_ONCE]))
        records = {host: (lease, revision) for host, (lease, revision) in zip(hosts, found, strict=True) if lease is not None}
        now = self._clock()
        giver.see(records, now)
        writes = self._giving.writes(self._needs(), self._may(), now)
        if writes or giver.alone != self._kept:
            alone = dict(giver.alone)
            await asyncio.to_thread(self._remember, giver.newest, alone)
            self._kept = alone
        for write in writes:
            revision_now = await self._store.write(write.host, write.lease, write.revision)
            if revision_now is not None:
                giver.wrote(write, revision_now)
                ended = ended or write.ends
                if self._nudge is not None:
                    await self._nudge(write.host)
        return ended

    async def _touch(self, host: str) -> None:
        """Give a record another revision: what an earlier giver, or an earlier connection, sent and was not answered comes too late."""
        for _ in range(_TOUCHES):
            lease, revision = await self._store.read(host)
            if lease is None or await self._store.write(host, lease, revision) is not None:
                return
        raise DeviceError(f"the lease of {host} changes faster than it can be written")
