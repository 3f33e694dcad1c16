"""What happens in a review room: two seats, one clip, verdicts, unmasking. Knows no pages."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from blickschutz.guard.service import Guard
from blickschutz.kernel.errors import BlickschutzError
from blickschutz.recording.io.clipfile import ClipError, is_unsafe, read_head
from blickschutz.recording.model import ClipMode
from blickschutz.reviewroom.link import Link
from blickschutz.reviewroom.messages import (
    ClipOpened,
    ClipShown,
    ClipUnreadable,
    Guest,
    RoomSettings,
    SeatLeft,
    SeatRefused,
    SeatTaken,
    Trouble,
    UnmaskAsked,
    UnmaskConsented,
    UnmaskEnded,
    UnmaskRefused,
    VerdictGiven,
)
from blickschutz.reviewroom.playback import Playback
from blickschutz.reviewroom.viewing import Span, Viewing
from blickschutz.vault.model import Share, VaultProblem
from blickschutz.vault.service import VaultError, join_shares, open_share, unlock

_log = structlog.get_logger(__name__)
SEATS = 2
_MOST_TRIES = 5
_TROUBLES = {
    VaultProblem.WRONG_PASSPHRASE: Trouble.WRONG_PASSPHRASE,
    VaultProblem.SECOND_HALF_MISSING: Trouble.SECOND_HALF_MISSING,
    VaultProblem.NOT_FOR_THIS_PERSON: Trouble.NOT_FOR_THIS_PERSON,
}


def new_mark() -> str:
    """What a form of agreement carries: who agrees agrees to the wish that they saw, not to one that was put in its place."""
    return secrets.token_urlsafe(9)


class RoomError(BlickschutzError):
    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble


@dataclass(slots=True)
class Seat:
    """Somebody in the room. `token` is the address of their page, `browser` the mark of the browser that it is good in.

    `share` opens nothing by itself.
    """

    guest: Guest
    token: str
    share: Share
    judged: str = ""
    seen: float = 0.0
    browser: str = ""


@dataclass(slots=True)
class Unmask:
    """A wish to see unredacted pictures, and until when (monotonic) it is granted. `mark` names this wish in the form that agrees.

    `agreed`: the other has agreed and it was granted, or the control room is being asked. One agreement is for one time.
    """

    asked: str
    reason: str
    reference: str
    until: float = 0.0
    mark: str = field(default_factory=new_mark)
    agreed: bool = False


@dataclass(slots=True)
class Room:
    settings: RoomSettings
    link: Link
    guard: Guard
    guests: dict[str, Guest] = field(default_factory=dict)
    seats: dict[str, Seat] = field(default_factory=dict)
    playback: Playback | None = None
    problem: str = ""
    unmask: Unmask | None = None
    tries: dict[str, int] = field(default_factory=dict)
    outcome: str = ""
    version: int = 0
    viewings: dict[str, Viewing] = field(default_factory=dict)
    suspended: str = ""

    def admit(self, ticket: str, guest: Guest) -> None:
        """The control room lets somebody come to the door."""
        self.guests[ticket] = guest

    def expel(self, person: str) -> None:
        """Somebody may not be here any more: as if they had left, and no ticket of theirs lets them in again."""
        self.guests = {ticket: guest for ticket, guest in self.guests.items() if guest.id != person}
        for seat in [seat for seat in self.seats.values() if seat.guest.id == person]:
            self.leave(seat)

    def suspend(self, why: str) -> None:
        """Deadlines are suspended, or go on; whoever sits here sees it."""
        self.version += why != self.suspended
        self.suspended = why

    async def enter(self, ticket: str, passphrase: str, browser: str = "", half: bytes = b"") -> Seat:
        """Take a seat with one's own passphrase, and its second `half` where there is one, in a browser that is nobody else's here.

        Raises `RoomError`.
        """
        guest = self.guests[ticket]
        if any(self._is_shared(seat, guest, browser) for seat in self.seats.values()):
            self._refuse(guest, Trouble.ONE_BROWSER)
        if (tried := self.tries.get(guest.id, 0)) >= _MOST_TRIES:
            self._refuse(guest, Trouble.LOCKED)
        if self._seat_of(guest) is None and len(self.seats) >= SEATS:
            self._refuse(guest, Trouble.FULL)
        # Counted before it is looked at: many tries at once are many tries.
        self.tries[guest.id] = tried + 1
        try:
            # The derivation of the key is slow on purpose and must not hold up the other's picture.
            share = await asyncio.to_thread(self._share, guest, passphrase, half)
        except VaultError as error:
            self._refuse(guest, _TROUBLES.get(error.problem, Trouble.DAMAGED))
        except ClipError as error:
            self.problem = str(error)
            self.link.send(ClipUnreadable(state=error.state.value, text=str(error)))
            self._refuse(guest, Trouble.DAMAGED)
        except RoomError as error:
            self._refuse(guest, error.trouble)
        # Meanwhile somebody may have been expelled, or have come in with the same ticket.
        if self.guests.get(ticket) is not guest:
            self._refuse(guest, Trouble.NOT_ADMITTED)
        if (taken := self._seat_of(guest)) is not None:
            self._remove(taken)
        if len(self.seats) >= SEATS:
            self._refuse(guest, Trouble.FULL)
        if any(self._is_shared(seat, guest, browser) for seat in self.seats.values()):
            self._refuse(guest, Trouble.ONE_BROWSER)
        self.guests.pop(ticket, None)
        self.tries.pop(guest.id, None)
        seat = Seat(guest, secrets.token_urlsafe(24), share, seen=time.monotonic(), browser=browser)
        self.seats[seat.token] = seat
        self.link.send(SeatTaken(person=guest.id))
        self._open_if_two()
        self.version += 1
        return seat

    def _seat_of(self, guest: Guest) -> Seat | None:
        return next((seat for seat in self.seats.values() if seat.guest.id == guest.id), None)

    @staticmethod
    def _is_shared(seat: Seat, guest: Guest, browser: str) -> bool:
        """Whether somebody else sits there whose browser or session it is: that may be one person on two seats."""
        same = (browser and browser == seat.browser) or (guest.session and guest.session == seat.guest.session)
        return seat.guest.id != guest.id and bool(same)

    def _share(self, guest: Guest, passphrase: str, half: bytes) -> Share:
        head = read_head(Path(self.settings.path))
        if is_unsafe(head):
            # Nobody brings a key together for pictures that nobody may see.
            raise RoomError(Trouble.UNSAFE_REDACTION)
        return open_share(head.envelope, guest.id, unlock(guest.sealed, passphrase, half))

    def _refuse(self, guest: Guest, trouble: Trouble) -> None:
        self.link.send(SeatRefused(person=guest.id, reason=trouble.value))
        raise RoomError(trouble)

    def _open_if_two(self) -> None:
        if len(self.seats) < SEATS or self.playback is not None:
            return
        first, second = self.seats.values()
        path = Path(self.settings.path)
        try:
            key = join_shares(read_head(path).envelope, first.share, second.share)
            self.playback = Playback(path, key, self.settings.installation, self.guard)
            self.problem = ""
            self.link.send(ClipOpened(people=(first.guest.id, second.guest.id), state="opened"))
        except (VaultError, ClipError) as error:
            state = error.state.value if isinstance(error, ClipError) else error.problem.value
            self.problem = str(error)
            _log.error("clip_unreadable", state=state)
            self.link.send(ClipUnreadable(state=state, text=str(error)))

    def leave(self, seat: Seat) -> None:
        """Somebody goes: the clip is closed, the key is gone."""
        if self.seats.get(seat.token) is seat:
            self._remove(seat)

    def _remove(self, seat: Seat) -> None:
        self.seats.pop(seat.token, None)
        self.close_clip()
        self.link.send(SeatLeft(person=seat.guest.id))
        self.version += 1

    def close_clip(self) -> None:
        self.end_unmask("system")
        if self.playback is not None:
            self.playback.close()
            self.playback = None

    def other(self, seat: Seat) -> Seat | None:
        return next((one for one in self.seats.values() if one is not seat), None)

    def sit_here(self, *people: str) -> bool:
        """Whether all of them have a seat at this moment."""
        return set(people) <= {seat.guest.id for seat in self.seats.values()}

    def viewing(self, seat: Seat) -> Viewing:
        """What was shown to whoever sits there, in this room; it stays theirs when they leave and come back."""
        now = time.monotonic()
        return self.viewings.setdefault(seat.guest.id, Viewing(now, now))

    def show(self, seat: Seat, spans: Sequence[Span]) -> Viewing:
        """The player of a seat played these seconds. Once it is enough for a verdict the control room writes that down."""
        viewing = self.viewing(seat)
        if self.playback is None:
            return viewing
        length = self.playback.facts.length
        viewing.add(spans, length, time.monotonic())
        if not viewing.told and self.has_seen(seat):
            viewing.told = True
            seconds, took = round(viewing.seconds(), 1), round(time.monotonic() - viewing.begun, 1)
            self.link.send(ClipShown(person=seat.guest.id, seconds=seconds, length=round(length, 1), took=took))
            self.version += 1
        return viewing

    def has_seen(self, seat: Seat) -> bool:
        """Whether enough of the clip was shown to whoever sits there; not before all of it is known."""
        playback, viewing = self.playback, self.viewings.get(seat.guest.id)
        if playback is None or viewing is None or not playback.facts.done:
            return False
        return viewing.is_enough(playback.facts.length, playback.marked())

    async def judge(self, seat: Seat, verdict: str, note: str, ground: str, reference: str) -> str:
        """Give a verdict; returns why it was not taken, empty where it was. Only somebody to whom the clip was shown judges."""
        if self.playback is None:
            raise RoomError(Trouble.ALONE)
        if not self.has_seen(seat):
            raise RoomError(Trouble.NOT_SHOWN)
        answer = await self.link.ask(
            lambda number: VerdictGiven(number=number, person=seat.guest.id, verdict=verdict, note=note, ground=ground, reference=reference)
        )
        if not answer.problem:
            seat.judged, self.outcome = verdict, answer.state
            self.version += 1
            if answer.state == "destroying":
                self.close_clip()
        return answer.problem

    def ask_unmask(self, seat: Seat, reason: str, reference: str) -> None:
        """Ask to see unredacted pictures. Raises `RoomError`."""
        if self.playback is None:
            raise RoomError(Trouble.ALONE)
        if self.playback.mode is ClipMode.ANONYMOUS:
            raise RoomError(Trouble.ANONYMOUS)
        if not reason.strip():
            raise RoomError(Trouble.NO_REASON)
        if not reference.strip():
            raise RoomError(Trouble.NO_REFERENCE)
        self.end_unmask(seat.guest.id)
        self.unmask = Unmask(seat.guest.id, reason.strip(), reference.strip())
        self.link.send(UnmaskAsked(person=seat.guest.id, reason=reason.strip(), reference=reference.strip()))
        self.version += 1

    async def consent(self, seat: Seat, mark: str) -> None:
        """The other agrees to the wish with that `mark`. Nothing is shown before the control room has counted and logged it.

        Raises `RoomError`.
        """
        wish = self.unmask
        if wish is None or wish.agreed or self.playback is None:
            raise RoomError(Trouble.NOTHING_ASKED)
        if wish.asked == seat.guest.id:
            raise RoomError(Trouble.NOT_YOU)
        if wish.mark != mark:
            raise RoomError(Trouble.OTHER_WISH)
        if not self.sit_here(wish.asked, seat.guest.id):
            raise RoomError(Trouble.ALONE)
        wish.agreed = True
        try:
            answer = await self.link.ask(
                lambda number: UnmaskConsented(
                    number=number, asked=wish.asked, person=seat.guest.id, reason=wish.reason, reference=wish.reference
                )
            )
            if answer.problem or self.unmask is not wish:
                raise RoomError(Trouble.REFUSED)
            wish.until = time.monotonic() + self.settings.unmask_s
        finally:
            # What was not granted may be agreed to once more.
            wish.agreed = wish.until > 0
        self.version += 1

    def refuse_unmask(self, seat: Seat) -> None:
        """The other does not agree; to whatever is asked now, because a no does no harm."""
        if self.unmask is not None and not self.unmask.until:
            self.link.send(UnmaskRefused(person=seat.guest.id))
            self.unmask = None
            self.version += 1

    def end_unmask(self, by: str) -> None:
        wish, self.unmask = self.unmask, None
        if wish is not None and wish.until:
            self.link.send(UnmaskEnded(by=by))
        self.version += wish is not None

    def is_unmasked(self) -> bool:
        """Whether unredacted pictures may be shown at this moment; what ran out ends here."""
        if self.unmask is not None and self.unmask.until and time.monotonic() >= self.unmask.until:
            self.end_unmask("system")
        return self.unmask is not None and self.unmask.until > 0
