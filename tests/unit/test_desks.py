"""Key desks as the control room opens them: one a person, and what fails at them is counted with what fails at rooms."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import msgspec
import pytest

from blickschutz.access.model import AccountState
from blickschutz.audit.model import Event
from blickschutz.guard.service import Guard
from blickschutz.kernel.clock import SystemClock
from blickschutz.reviewroom import messages as m
from blickschutz.reviewroom.host import ReviewRooms
from blickschutz.wire.frames import LENGTH, pack, unpack
from tests.house import SITE

TRY = m.PassphraseRefused(reason="wrong-passphrase")


class Desk:
    """Stands for the process of a desk; it is ready at once, or ends without a word. What it says last is said as it ends."""

    pid = None

    def __init__(self, theirs, said=b""):
        self._end, self._said, self.ended = theirs.dup(), said, False

    def is_alive(self):
        return not self.ended

    def join(self, timeout=None):
        if not self.ended:
            self.ended = True
            # It hears everything before it ends, as a desk does: what a socket leaves unread takes what was said with it.
            self._end.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while self._end.recv(65536):
                    pass
            if self._said:
                self._end.sendall(self._said)
            self._end.close()

    kill = join

    def heard(self):
        """What it was told since it was last asked, by kind."""
        self._end.setblocking(False)
        data = b""
        with contextlib.suppress(BlockingIOError):
            while part := self._end.recv(65536):
                data += part
        told = []
        while data:
            (length,) = LENGTH.unpack(data[: LENGTH.size])
            told.append(unpack(data[LENGTH.size : LENGTH.size + length], msgspec.msgpack.Decoder(m.ToRoom)))
            data = data[LENGTH.size + length :]
        return [type(message) for message in told]


class Place:
    """The control room's end. `desks` are those that were started, `said` what each says as it ends."""

    def __init__(self, house):
        self.records, self.desks, self.said, self.ready = house.records, [], b"", pack(m.Ready(port=1))
        archive, office = house.records.archive, house.records.office
        self.rooms = ReviewRooms(SITE, office, archive, house.clock, lambda: ("", ""), self.launch)
        self.members = office.access.members
        # What happens while a process is started.
        self.meanwhile = lambda: None

    def launch(self, theirs, name):
        theirs.sendall(self.ready)
        if not self.ready:
            theirs.shutdown(socket.SHUT_WR)
        self.desks.append(Desk(theirs, self.said))
        self.meanwhile()
        return self.desks[-1]

    async def ask(self, person="kvd-1", times=1):
        call = (self.members[person], "de", "light", "http://desk", "session")
        return await asyncio.gather(*(self.rooms.key_desk(*call) for _ in range(times)))

    def run(self, story):
        async def told():
            self.rooms.start(Guard(SystemClock()))
            try:
                return await story()
            finally:
                await self.rooms.end()

        return asyncio.run(told())


@pytest.fixture
def place(house):
    return Place(house)


def test_a_person_has_one_desk_however_often_they_ask(place):
    async def story():
        many = await place.ask(times=40)
        assert [problem for address, problem in many if not address] == ["asked-again"] * 38, "the first and the last had one"
        assert [desk.ended for desk in place.desks] == [True, False]
        await place.ask("kvd-2")
        ((again, _),) = await place.ask()
        assert again not in dict(many)
        assert [desk.ended for desk in place.desks] == [True, True, False, False]

    place.run(story)
    assert all(desk.ended for desk in place.desks)


def test_tries_are_counted_over_desks_and_rooms(house, place):
    """The last of them is told by a desk while it is ended by the next one."""
    place.said = pack(TRY) * 2
    log = house.records.office.log
    log.write(Event.SEAT_REFUSED, "kvd-1", "clip", {"reason": "wrong-passphrase"})

    async def story():
        assert (await place.ask())[0][1] == ""
        assert (await place.ask())[0][1] == ""
        assert log.count([Event.PASSPHRASE_REFUSED], 0.0, "kvd-1") == 2
        assert await place.ask() == [("", "locked")]
        assert (await place.ask("kvd-2"))[0][1] == "", "another person's are theirs"

    place.run(story)
    assert len(place.desks) == 3
    house.enrol(2)
    case = house.clip("a" * 32)
    assert place.rooms.refusal(place.members["kvd-1"], case) == "locked"
    (facts,) = {entry.facts["reason"] for entry in house.events(Event.PASSPHRASE_REFUSED)}
    assert facts == "wrong-passphrase"


def test_a_desk_that_does_not_open_leaves_no_process(place):
    place.ready = b""

    async def story():
        with pytest.raises(Exception, match="did not open"):
            await place.ask()

    place.run(story)
    assert [desk.ended for desk in place.desks] == [True]


def blocked(place, person="kvd-1"):
    """As the page of people does it."""
    assert place.records.office.access.people.block("technik", person) is None


def blocked_elsewhere(place, person="kvd-1"):
    """As the terminal does it, in another process: nobody tells this one."""
    place.records.office.access.accounts.set_state(person, AccountState.BLOCKED, "terminal")


def signed_out(place, person="kvd-1"):
    access = place.records.office.access
    access.sign_out(access.begin(person))


@pytest.fixture
def case(house):
    house.enrol(2)
    return house.clip("a" * 32)


async def enter(place, case, person="kvd-1"):
    return await place.rooms.enter(case.id, place.members[person], "de", "light", "http://desk", "session")


@pytest.mark.parametrize("happens", [blocked, blocked_elsewhere, signed_out])
def test_whoever_is_blocked_while_the_room_opens_is_not_let_in(place, house, case, happens):
    place.meanwhile = lambda: happens(place)

    async def story():
        assert await enter(place, case) == ("", "expelled")
        assert m.Admit not in place.desks[0].heard()
        place.meanwhile = lambda: None
        address, problem = await enter(place, case, "kvd-2")
        assert (bool(address), problem) == (True, ""), "the other one is"
        assert m.Admit in place.desks[0].heard()

    place.run(story)
    assert house.events(Event.ACCESS_REFUSED)[0].facts["reason"] == "expelled"


@pytest.mark.parametrize("happens", [blocked, blocked_elsewhere])
def test_the_seat_of_whoever_is_blocked_afterwards_ends(place, case, happens):
    async def story():
        assert (await enter(place, case))[1] == ""
        place.desks[0].heard()
        happens(place)
        await place.rooms.close_ended()
        assert m.Expel in place.desks[0].heard()
        await place.rooms.close_ended()
        assert m.Expel not in place.desks[0].heard(), "once"

    place.run(story)


@pytest.mark.parametrize("happens", [blocked, signed_out])
def test_no_key_desk_opens_for_whoever_is_blocked_while_it_opens(place, happens):
    place.meanwhile = lambda: happens(place)

    async def story():
        assert await place.ask() == [("", "expelled")]
        assert m.CloseRoom in place.desks[0].heard()

    place.run(story)


def test_a_key_desk_ends_with_its_persons_account(place):
    async def story():
        assert (await place.ask())[0][1] == ""
        blocked_elsewhere(place)
        await place.rooms.close_ended()
        assert m.Expel in place.desks[0].heard()

    place.run(story)
