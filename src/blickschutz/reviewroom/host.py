"""Review rooms and key desks: starts their processes, lets people in, and takes from them what is to be kept.

What comes back is facts: who sat where, verdicts, wishes. No key, no passphrase, no picture passes here.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import structlog

from blickschutz.access.model import AccountState, Member, Role
from blickschutz.access.rules import unfit
from blickschutz.access.voices import Decision
from blickschutz.audit.model import Event
from blickschutz.config.model import SiteFile
from blickschutz.control.service.fetching import ClipFetch
from blickschutz.control.service.launching import LAUNCHER, start_launcher
from blickschutz.control.service.office import Archive, BackOffice
from blickschutz.control.service.renewal import shows_too_much
from blickschutz.evidence.io.package import remove_left
from blickschutz.guard.service import Guard
from blickschutz.guard.work import TaskWork
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import BlickschutzError, DeviceError, ProtocolError
from blickschutz.review.model import Case
from blickschutz.review.rules import OPENABLE, waits_for
from blickschutz.reviewroom import messages as m
from blickschutz.reviewroom.book import RoomBook
from blickschutz.reviewroom.desk import desk_of, taken_at_desk
from blickschutz.reviewroom.own import fingerprint
from blickschutz.wire.frames import pack, read
from blickschutz.zones.launcher import Started

_log = structlog.get_logger(__name__)
_decoder: msgspec.msgpack.Decoder[m.FromRoom] = msgspec.msgpack.Decoder(m.FromRoom)
_START_S = 20.0
_END_S = 3.0
_QUARTER_S = 15 * 60.0
_MOST_REFUSED = 5
_REFUSED = (Event.SEAT_REFUSED, Event.PASSPHRASE_REFUSED)

Launch = Callable[[socket.socket, str], Started]
# The files of the server's certificate and its key as they are now; empty without TLS.
Certificate = Callable[[], tuple[str, str]]


def launch_room(connection: socket.socket, name: str) -> Started:
    """Start a room's process; it shares no memory with this one."""
    del name
    start_launcher()
    return LAUNCHER.launch("room", connection)


class Door:
    """The control room's end of one room's process."""

    def __init__(self, process: Started, writer: asyncio.StreamWriter, port: int) -> None:
        self.process, self._writer, self.port = process, writer, port
        self.present: list[str] = []
        self.shown: set[str] = set()
        # Who was let in, with a ticket or on a seat; whoever may no longer is told to the room.
        self.admitted: set[str] = set()
        self.agreed: tuple[str, ...] = ()
        self._suspended = ""
        self.task: TaskWork | None = None

    def say(self, message: m.ToRoom) -> None:
        if not self._writer.is_closing():
            self._writer.write(pack(message))

    def tell_suspended(self, why: str) -> None:
        """Said when it is another than the room knows."""
        if why != self._suspended:
            self._suspended = why
            self.say(m.Suspended(why=why))

    async def end(self) -> None:
        self.say(m.CloseRoom())
        await asyncio.to_thread(self.process.join, 5.0)
        if self.process.is_alive():
            self.process.kill()
        await asyncio.to_thread(self.process.join, 2.0)
        if self.process.pid is not None:
            # A room that was killed in the middle of a release leaves nothing in the open.
            await asyncio.to_thread(remove_left, self.process.pid)
        self._writer.close()


class ReviewRooms:
    """All rooms that are open."""

    def __init__(
        self,
        site: SiteFile,
        office: BackOffice,
        archive: Archive,
        clock: Clock,
        certificates: Certificate,
        launch: Launch = launch_room,
        fetch: ClipFetch | None = None,
    ) -> None:
        """`fetch` brings clips here that stay on hosts."""
        self._fetch = fetch
        self._site, self._office, self._archive = site, office, archive
        self._clock, self._certificates, self._launch = clock, certificates, launch
        self._book = RoomBook(site, office, archive, clock)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._guard: Guard | None = None
        office.access.lost.listen(self.expel)
        self._rooms: dict[int, Door] = {}
        self._desks: dict[str, Door] = {}
        # One desk a person: who asks again while theirs is being opened gets the last one.
        self._asked: dict[str, tuple[asyncio.Lock, object]] = {}
        self._opening = asyncio.Lock()
        # How often somebody's rights or session ended: while a room opens for them that must not go unseen.
        self._expelled: Counter[str] = Counter()

    def settle(self, site: SiteFile) -> None:
        """Other settings are in force: rooms that are opened from now on know them."""
        self._site = site

    def start(self, guard: Guard) -> None:
        """From now on somebody may come in."""
        self._loop, self._guard = asyncio.get_running_loop(), guard
        if self._fetch is not None:
            self._fetch.start(guard)

    def present(self, case: int) -> list[str]:
        """Who sits in the room of a case."""
        door = self._rooms.get(case)
        return list(door.present) if door is not None else []

    def refusal(self, member: Member, case: Case) -> str:
        """Why somebody may not go into the room of a case; empty where they may."""
        if not self._office.access.voices.counts(Decision.UNMASK, member.id):
            return "expelled"
        today = datetime.fromtimestamp(self._clock.now(), ZoneInfo(self._site.site.timezone)).date()
        reason = unfit(member, today)
        if reason is not None:
            return reason.value
        if self._archive.keys.get(member.id) is None:
            return "no-key"
        if case.state not in OPENABLE:
            return "not-openable"
        if case.host and self._fetch is not None:
            if problem := self._fetch.refusal(case):
                return problem
        elif not self._path(case).exists():
            return "missing"
        if shows_too_much(case, self._path(case)):
            return "unsafe-redaction"
        return "locked" if self._refused(member.id) >= _MOST_REFUSED else ""

    def _path(self, case: Case) -> Path:
        """Where its ciphertext lies, or will lie once it was fetched."""
        return self._fetch.path(case) if case.host and self._fetch is not None else self._archive.shelf.path(case.clip)

    def share(self, case: Case) -> float | None:
        """How much of a clip is here that is being fetched; None where nothing is on its way."""
        return self._fetch.share(case) if self._fetch is not None else None

    def _refused(self, person: str) -> int:
        """How often somebody's passphrase was refused within a quarter of an hour, at rooms and desks together."""
        return self._office.log.count(_REFUSED, self._clock.now() - _QUARTER_S, person)

    async def enter(self, number: int, member: Member, language: str, theme: str, origin: str, session: str) -> tuple[str, str]:
        """The address of the door for this person in this `session` (its secret), or why they may not come in (empty address)."""
        expelled = self._expelled[member.id]
        case, problem = await asyncio.to_thread(self._looked, number, member)
        if case is None or problem:
            return "", await self._turned_away(case, member, problem)
        if case.host and self._fetch is not None and (problem := await self._fetch.wait(case)):
            return "", problem
        try:
            async with self._opening:
                door = self._rooms.get(number) or await self._open(case, language, theme, origin)
        except (BlickschutzError, OSError, TimeoutError) as error:
            _log.error("room_failed", case=number, problem=str(error))
            return "", "room-failed"
        sealed = await asyncio.to_thread(self._archive.keys.get, member.id)
        # A room takes seconds to open: in them somebody may have been blocked, signed out, or lost a role.
        case, problem = await asyncio.to_thread(self._looked, number, member)
        if self._expelled[member.id] != expelled:
            problem = "expelled"
        if case is None or problem or sealed is None:
            return "", await self._turned_away(case, member, problem or "no-key")
        member = self._office.access.members[member.id]
        guest = m.Guest(
            id=member.id,
            name=member.name,
            sealed=sealed,
            session=fingerprint(session),
            may_judge=waits_for(case, member.id),
            may_release=member.may(Role.SUPERVISION),
        )
        ticket = secrets.token_urlsafe(24)
        # Nothing is waited for from the last look on: whoever is blocked from here on is expelled after this.
        door.admitted.add(member.id)
        door.say(m.Admit(ticket=ticket, guest=guest))
        return f"{origin}:{door.port}/join/{ticket}", ""

    def _looked(self, number: int, member: Member) -> tuple[Case | None, str]:
        """The case as it is now, and why somebody as they are now may not go into its room."""
        case = self._office.cases.store.get(number)
        now = self._office.access.members.get(member.id)
        return (case, self.refusal(now, case) if now is not None else "expelled") if case is not None else (None, "not-openable")

    async def _turned_away(self, case: Case | None, member: Member, problem: str) -> str:
        if case is None:
            return "not-openable"
        await self._book.write(Event.ACCESS_REFUSED, member.id, case.clip, {"reason": problem})
        return problem

    async def key_desk(self, member: Member, language: str, theme: str, origin: str, session: str) -> tuple[str, str]:
        """The address of a desk at which somebody makes or changes their own key, in this `session`; or why not (empty address).

        A person has one desk: the one before ends first. Raises `BlickschutzError`.
        """
        opening, call = self._asked.setdefault(member.id, (asyncio.Lock(), None))[0], object()
        self._asked[member.id] = opening, call
        async with opening:
            if self._asked[member.id][1] is not call:
                return "", "asked-again"
            before = self._desks.get(member.id)
            if before is not None:
                await before.end()
                # What it still told, a refused try among it, is written before anything is counted.
                if before.task is not None:
                    await before.task.finished(_END_S)
            refused = await asyncio.to_thread(self._refused, member.id)
            if refused >= _MOST_REFUSED:
                return "", "locked"
            expelled = self._expelled[member.id]
            address = await self._open_desk(member, language, theme, origin, session, refused)
            if self._expelled[member.id] != expelled:
                if member.id in self._desks:
                    self._desks[member.id].say(m.CloseRoom())
                return "", "expelled"
            return address, ""

    async def _open_desk(self, member: Member, language: str, theme: str, origin: str, session: str, refused: int) -> str:
        ticket = secrets.token_urlsafe(24)
        settings = self._settings(None, language, theme, origin)
        sealed = await asyncio.to_thread(self._archive.keys.get, member.id)
        desk = await asyncio.to_thread(desk_of, self._archive.enrolment, self._office.access.members, member)
        first = m.OpenKeyDesk(
            settings=settings,
            person=member.id,
            name=member.name,
            sealed=sealed,
            ticket=ticket,
            session=fingerprint(session),
            desk=desk,
            refused=refused,
        )
        door, reader = await self._start(first, f"keys-{member.id}")
        self._desks[member.id] = door
        door.task = self._begin("key-desk", lambda: self._hear_desk(door, reader, member.id))
        return f"{origin}:{door.port}/key/{ticket}"

    def expel(self, person: str) -> None:
        """Somebody signed out or has other rights than before: no seat and no ticket of theirs is good any more."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._expel, person)

    def _expel(self, person: str) -> None:
        self._expelled[person] += 1
        for door in (*self._rooms.values(), *self._desks.values()):
            door.say(m.Expel(person=person))

    async def close_ended(self) -> None:
        """Close rooms of cases that are no longer to be opened: their time is up, or they were decided. The others hear of the clock."""
        reviewed = set[str]()
        for number, door in list(self._rooms.items()):
            door.tell_suspended(self._archive.time.suspended)
            # What another program changes (the terminal) nobody tells: whoever may no longer is seen here.
            for person in await asyncio.to_thread(self._who_may_not, tuple(door.admitted)):
                door.admitted.discard(person)
                self._expel(person)
            case = await asyncio.to_thread(self._office.cases.store.get, number)
            if case is None or case.state not in OPENABLE:
                door.say(m.CloseRoom())
            reviewed |= {case.clip} if case is not None else set()
        if self._fetch is not None:
            await asyncio.to_thread(self._fetch.tidy, reviewed)
        for person in await asyncio.to_thread(self._who_is_blocked, tuple(self._desks)):
            self._expel(person)

    def _who_is_blocked(self, people: Iterable[str]) -> list[str]:
        members = self._office.access.members
        return [one for one in people if one not in members or members[one].state is AccountState.BLOCKED]

    def _who_may_not(self, people: Iterable[str]) -> list[str]:
        return [one for one in people if not self._office.access.voices.counts(Decision.UNMASK, one)]

    async def end(self) -> None:
        doors = [*self._rooms.values(), *self._desks.values()]
        await asyncio.gather(*(door.end() for door in doors))
        for task in [door.task for door in doors if door.task is not None]:
            task.end()
            await task.finished(_END_S)

    def _begin(self, name: str, work: Callable[[], Awaitable[None]]) -> TaskWork:
        if self._guard is None:
            raise DeviceError("the review rooms are not open yet")
        return self._guard.once_task(name, work)

    def _settings(self, case: Case | None, language: str, theme: str, origin: str) -> m.RoomSettings:
        archive, site = self._archive, self._site
        certificate, certificate_key = self._certificates()
        return m.RoomSettings(
            case=case.id if case is not None else 0,
            clip=case.clip if case is not None else "",
            path=str(self._path(case)) if case is not None else "",
            exports=str(archive.exports),
            installation=archive.key.installation,
            site=site.site.name,
            operator=site.site.operator,
            camera=next((camera.name for camera in site.cameras if case is not None and camera.id == case.camera), ""),
            timezone=site.site.timezone,
            language=language,
            theme=theme,
            back=f"{origin}:{site.server.port}/{'cases' if case is not None else 'account'}",
            host=site.server.host,
            names=site.server.known_names,
            port=site.review.port if case is not None else 0,
            certificate=certificate,
            certificate_key=certificate_key,
            unmask_s=site.review.unmask_s,
            held=case is not None and case.state.value == "held",
            restricted=case is not None and bool(case.restricted),
        )

    async def _open(self, case: Case, language: str, theme: str, origin: str) -> Door:
        door, reader = await self._start(m.OpenRoom(settings=self._settings(case, language, theme, origin)), f"room-{case.id}")
        self._rooms[case.id] = door
        door.tell_suspended(self._archive.time.suspended)
        door.task = self._begin("review-room", lambda: self._hear(door, reader, case.id, case.clip))
        await self._book.write(Event.ROOM_OPENED, "system", case.clip, {"case": case.id})
        return door

    async def _start(self, first: m.ToRoom, name: str) -> tuple[Door, asyncio.StreamReader]:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            process = await asyncio.to_thread(self._launch, theirs, name)
        reader, writer = await asyncio.open_connection(sock=ours, limit=2**20)
        door = Door(process, writer, 0)
        door.say(first)
        try:
            async with asyncio.timeout(_START_S):
                ready = await read(reader, _decoder)
        except (BlickschutzError, OSError, TimeoutError):
            # Whoever asks again must not leave one process more each time.
            await door.end()
            raise
        if not isinstance(ready, m.Ready):
            await door.end()
            raise ProtocolError("the room did not open")
        door.port = ready.port
        return door, reader

    async def _hear(self, door: Door, reader: asyncio.StreamReader, number: int, clip: str) -> None:
        try:
            while (message := await read(reader, _decoder)) is not None:
                await self._book.take(door, number, clip, message)
        except ProtocolError as error:
            _log.error("room_ended", case=number, problem=str(error))
        finally:
            self._rooms.pop(number, None)
            await asyncio.shield(self._book.write(Event.ROOM_CLOSED, "system", clip, {"case": number}))
            await asyncio.shield(door.end())
            if self._fetch is not None:
                await asyncio.to_thread(self._fetch.drop, clip)

    async def _hear_desk(self, door: Door, reader: asyncio.StreamReader, person: str) -> None:
        try:
            while (message := await read(reader, _decoder)) is not None:
                if isinstance(message, m.PassphraseRefused):
                    await self._book.write(Event.PASSPHRASE_REFUSED, person, person, {"reason": message.reason})
                    continue
                answer = await asyncio.to_thread(taken_at_desk, self._archive.enrolment, person, message)
                if answer is not None:
                    door.say(answer)
        except ProtocolError as error:
            _log.error("key_desk_ended", person=person, problem=str(error))
        finally:
            if self._desks.get(person) is door:
                self._desks.pop(person)
            await asyncio.shield(door.end())
