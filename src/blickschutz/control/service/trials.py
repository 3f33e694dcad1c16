"""Cameras found and tried for somebody at a browser: each by a process of its own, bounded in time and number, each in the log first."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import msgspec
import structlog

from blickschutz.audit.io.log import AuditLog, Facts
from blickschutz.audit.model import Event
from blickschutz.config.model import SiteFile
from blickschutz.control.service.launching import Launch, launch_trial
from blickschutz.control.trials import NotTried, Turns, Wanted, device_of, networks_of, read_wanted, refusal
from blickschutz.guard.service import Guard
from blickschutz.ingest.model import Cause, NoticeSettings, Step
from blickschutz.ingest.rules.address import CameraAddress, read_address
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import DeviceError, ProtocolError, StoreError
from blickschutz.pipeline.credentials import Credentials, parted
from blickschutz.pipeline.messages import CellSettings
from blickschutz.pipeline.trials import (
    AskDevice,
    CameraAnswered,
    FromTrial,
    Order,
    PictureTold,
    Seek,
    StepTold,
    StreamOffered,
    TryStream,
    read_from_trial,
    say_order,
)
from blickschutz.zones.launcher import Started

_log = structlog.get_logger(__name__)
MOST_S = 30.0
LOOK_S, SEEK_S = 12.0, 4.0
_MOST_WAITING = 2 * 1024 * 1024
_END_S = 2.0

# What a trial tells whoever wanted it; a text is the address of the stream that is tried now.
Said: TypeAlias = StepTold | PictureTold | CameraAnswered | NotTried | str


class Camera(Protocol):
    """A camera of the site, as far as a trial has to know it."""

    @property
    def stopped(self) -> bool: ...


class TrialDesk:
    """In the event loop. Nothing is kept of a trial but its entry in the log."""

    def __init__(
        self,
        site: Callable[[], SiteFile],
        cameras: Mapping[str, Camera],
        settings: Callable[[SiteFile, str, str, str], CellSettings],
        log: AuditLog,
        clock: Clock,
        guard: Guard,
        launch: Launch = launch_trial,
        *,
        preparing: bool = False,
        most_s: float = MOST_S,
    ) -> None:
        """`settings` gives what is tried of a site, an address, a user and a password."""
        self._site, self._cameras, self._settings, self._log = site, cameras, settings, log
        self._clock, self._guard, self._launch, self._preparing = clock, guard, launch, preparing
        self.most_s, self.look_s, self.seek_s = most_s, LOOK_S, SEEK_S
        self._turns = Turns()

    @property
    def networks(self) -> tuple[str, ...]:
        """Where cameras may be tried."""
        return tuple(map(str, networks_of(self._site())))

    def held(self, address: str) -> NotTried | None:
        """Why that may not go on, or begin: somebody pressed stop. For a search `address` is empty."""
        wanted = read_wanted(address)
        return self._held() or (self._stopped(wanted.address.host) if isinstance(wanted, Wanted) else None)

    async def tried(self, person: str, address: str, user: str, password: str) -> AsyncGenerator[Said, None]:
        """Try an address: each step as it is known, then a picture. To be closed by whoever asks; that ends it at once."""
        wanted = read_wanted(address)
        if isinstance(wanted, NotTried):
            yield wanted
            return
        with self._turn(person) as refused:
            why = refused or self._refused(wanted)
            facts: Facts = {"address": wanted.shown, **({"not_tried": why.value} if why is not None else {})}
            if refused is None and not await self._entered(Event.CAMERA_TRIED, person, facts):
                why = NotTried.LOG
            if why is not None:
                yield why
                return
            until = self._clock.monotonic() + self.most_s
            async with contextlib.aclosing(self._steps(wanted, user, password, until)) as steps:
                async for one in steps:
                    if isinstance(one, PictureTold) and one.data and not await self._entered(Event.SETUP_LOOKED, person, facts):
                        yield NotTried.LOG
                        return
                    yield one

    async def sought(self, person: str) -> AsyncGenerator[Said, None]:
        """Ask the cameras' networks who is there."""
        networks = networks_of(self._site())
        with self._turn(person) as refused:
            why = refused or self._held() or (None if networks else NotTried.NO_NETWORK)
            if why is None and not await self._entered(Event.CAMERAS_SOUGHT, person, {"networks": list(map(str, networks))}):
                why = NotTried.LOG
            if why is not None:
                yield why
                return
            order = Seek(tuple(str(one) for one in networks if one.version == 4), self.seek_s)
            until = self._clock.monotonic() + self.most_s
            async with contextlib.aclosing(self._asked(order, Credentials(), until)) as answers:
                async for one in answers:
                    if isinstance(one, NotTried) or (isinstance(one, CameraAnswered) and self._is_plausible(one)):
                        yield one

    async def _steps(self, wanted: Wanted, user: str, password: str, until: float) -> AsyncGenerator[Said, None]:
        if wanted.device:
            stream: list[Wanted] = []
            async with contextlib.aclosing(self._offered(wanted, user, password, until, stream)) as steps:
                async for one in steps:
                    yield one
        else:
            stream = [wanted]
        failed = not stream
        for known in stream:
            async with contextlib.aclosing(self._stream(known, user, password, until)) as steps:
                async for one in steps:
                    failed = failed or isinstance(one, NotTried) or (isinstance(one, StepTold) and one.cause is not None)
                    yield one
        beside = device_of(wanted.address)
        if wanted.device or failed or refusal(beside.address, self._site()) is not None:
            return
        # Without the account, which was typed for another port: the time is told to everybody.
        async with contextlib.aclosing(self._device(beside, "", "", until, streams=False)) as clock:
            async for said in clock:
                if isinstance(said, StepTold):
                    yield said

    async def _offered(self, wanted: Wanted, user: str, password: str, until: float, stream: list[Wanted]) -> AsyncGenerator[Said, None]:
        """What a camera's service says; the best stream that it names goes into `stream`."""
        offers: list[StreamOffered] = []
        failed = False
        async with contextlib.aclosing(self._device(wanted, user, password, until, streams=True)) as answers:
            async for one in answers:
                if isinstance(one, StreamOffered):
                    offers.append(one)
                else:
                    failed = failed or isinstance(one, NotTried) or one.cause is not None
                    yield one
        best = self._best(wanted, offers)
        if best is not None:
            stream.append(best)
            yield best.plain
        elif not failed:
            yield StepTold(Step.PROFILE, Cause.REDIRECTED if offers else Cause.ADDRESS)

    async def _stream(self, wanted: Wanted, user: str, password: str, until: float) -> AsyncGenerator[Said, None]:
        settings = self._settings(self._site(), wanted.plain, user, password)
        plain, secret = parted(settings)
        async with contextlib.aclosing(self._asked(TryStream(plain, self.look_s), secret, until)) as answers:
            async for one in answers:
                # A stream offers no streams and finds no cameras.
                if isinstance(one, StepTold | PictureTold | NotTried):
                    yield one

    async def _device(
        self, wanted: Wanted, user: str, password: str, until: float, *, streams: bool
    ) -> AsyncGenerator[StepTold | StreamOffered | NotTried, None]:
        found = self._settings(self._site(), wanted.plain, user, password).source.address
        order = AskDevice(NoticeSettings(wanted.shown), streams)
        async with contextlib.aclosing(self._asked(order, Credentials(notices=found), until)) as answers:
            async for one in answers:
                if isinstance(one, StreamOffered | NotTried) or (isinstance(one, StepTold) and one.step in {Step.CLOCK, Step.PROFILE}):
                    yield one

    def _best(self, wanted: Wanted, offers: list[StreamOffered]) -> Wanted | None:
        """The largest stream of the same camera that may be tried."""
        for one in sorted(offers, key=lambda one: one.width * one.height, reverse=True):
            found = read_address(one.address)
            if found is None:
                continue
            # What a camera calls itself behind a router is another network's address; the path is what it alone knows.
            there = Wanted(CameraAddress(found.scheme, wanted.address.host, found.port, found.path), False)
            if self._refused(there) is None:
                return there
        return None

    def _is_plausible(self, one: CameraAnswered) -> bool:
        """Whether what somebody says of themselves is an address of the host that said it, where cameras may be tried."""
        found = read_wanted(one.address)
        return isinstance(found, Wanted) and found.address.host == one.host and refusal(found.address, self._site()) is None

    @contextlib.contextmanager
    def _turn(self, person: str) -> Iterator[NotTried | None]:
        refused = self._turns.begin(person, self._clock.monotonic())
        try:
            yield refused
        finally:
            if refused is None:
                self._turns.end(person)

    def _refused(self, wanted: Wanted) -> NotTried | None:
        return self._held() or refusal(wanted.address, self._site()) or self._stopped(wanted.address.host)

    def _held(self) -> NotTried | None:
        """Why nothing at all is tried now."""
        if self._preparing:
            return NotTried.PREPARING
        cells = list(self._cameras.values())
        return NotTried.STOPPED if cells and all(one.stopped for one in cells) else None

    def _stopped(self, host: str) -> NotTried | None:
        """Whether the stop control holds a camera at that host."""
        for camera in self._site().cameras:
            cell = self._cameras.get(camera.id)
            hosts = {found.host for found in map(read_address, camera.addresses) if found is not None}
            if cell is not None and cell.stopped and host in hosts:
                return NotTried.STOPPED
        return None

    async def _entered(self, event: Event, person: str, facts: Facts) -> bool:
        """Whether the log took the entry."""
        try:
            await asyncio.to_thread(self._log.write, event, person, "", facts)
        except StoreError as error:
            _log.error("trial_not_logged", problem=str(error))
            return False
        return True

    async def _asked(self, order: Order, secret: Credentials, until: float) -> AsyncGenerator[FromTrial | NotTried, None]:
        """What a process of its own answers to one order; it is ended with this, and at `until` (monotonic)."""
        started: _Started | None = None
        writer: asyncio.StreamWriter | None = None
        try:
            left = max(0.0, until - self._clock.monotonic())
            started = await self._begun(msgspec.structs.replace(order, within_s=left), secret)
            reader, writer = await asyncio.open_connection(sock=started.line, limit=_MOST_WAITING)
            while True:
                async with asyncio.timeout(max(0.0, until - self._clock.monotonic())):
                    answer = await read_from_trial(reader)
                if answer is None:
                    if await asyncio.to_thread(started.failed):
                        yield NotTried.GONE
                    return
                yield answer
        except TimeoutError:
            yield NotTried.GONE
        except (OSError, ProtocolError, DeviceError) as error:
            _log.error("trial_ended", problem=str(error))
            yield NotTried.GONE
        finally:
            # None of it waits: whoever closes this is on their way out.
            if writer is not None:
                writer.close()
            if started is not None:
                started.end()

    async def _begun(self, order: Order, secret: Credentials) -> _Started:
        """Its process, told what to do. One that begins although nobody waits for it any more is ended when it has begun.

        Raises `OSError`, `ProtocolError`, `DeviceError`.
        """
        loop = asyncio.get_running_loop()
        begun: asyncio.Future[_Started] = loop.create_future()

        def settle(outcome: _Started | Exception) -> None:
            if isinstance(outcome, _Started):
                if begun.done():
                    outcome.end()
                else:
                    begun.set_result(outcome)
            elif not begun.done():
                begun.set_exception(outcome)

        def begin() -> None:
            # What nobody foresaw is the guard's to tell; whoever waits here hears that nothing came of it.
            outcome: _Started | Exception = DeviceError("the process of a trial did not begin")
            try:
                outcome = self._launched(order, secret)
            except (OSError, ProtocolError, DeviceError) as error:
                outcome = error
            finally:
                try:
                    loop.call_soon_threadsafe(settle, outcome)
                except RuntimeError:
                    # The loop is over, and with it whoever wanted to know.
                    if isinstance(outcome, _Started):
                        outcome.end()

        try:
            self._guard.once_thread("trial-begins", begin)
        except RuntimeError as error:
            raise DeviceError(f"no thread is left for a trial: {error}") from error
        return await begun

    def _launched(self, order: Order, secret: Credentials) -> _Started:
        with contextlib.ExitStack() as held:
            ours, theirs = (held.enter_context(one) for one in socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM))
            process = self._launch(theirs, "trial")
            say_order(ours, order, secret)
            theirs.close()
            held.pop_all()
        return _Started(ours, process)


@dataclass(frozen=True, slots=True)
class _Started:
    """The process of a trial, and the line to it."""

    line: socket.socket
    process: Started

    def failed(self) -> bool:
        """Whether it ended otherwise than by having said all; waits for its end."""
        self.process.join(_END_S)
        return self.process.exitcode not in {0, None}

    def end(self) -> None:
        self.line.close()
        if self.process.is_alive():
            self.process.kill()
