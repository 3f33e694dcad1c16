"""A review room without its process: who gets in, and what two people must both want."""

from __future__ import annotations

import asyncio
import re
from types import SimpleNamespace

import httpx
import msgspec
import pyrage
import pytest

from blickschutz.evidence.model import Custody
from blickschutz.guard.service import Guard
from blickschutz.kernel.clock import SystemClock
from blickschutz.recording.io.clipfile import ClipWriter
from blickschutz.recording.model import ClipHeader, ClipMode, CloseReason
from blickschutz.reviewroom import messages as m
from blickschutz.reviewroom import release
from blickschutz.reviewroom.messages import Trouble
from blickschutz.reviewroom.own import fingerprint
from blickschutz.reviewroom.pages import make_room_app
from blickschutz.reviewroom.release import Filled, Release, Wish
from blickschutz.reviewroom.room import Room, RoomError, Seat
from blickschutz.reviewroom.viewing import Viewing
from blickschutz.vault.model import Reviewer, Share
from blickschutz.vault.service import enrol, new_key, seal_key
from tests.fakes.rooms import Clip, Line
from tests.faults.children import OPENING, group

CLIP, INSTALLATION = "a" * 32, "ab"
PASSPHRASE, WRONG = "eine lange Losung", "eine falsche Losung"
ADA, BERT, CLEO = "kvd-1", "kvd-2", "kvd-3"
PORT = 8711
MARK = "this one"
REFUSED = m.Answer(number=1, problem=Trouble.ALONE.value)


def make_room(path="", **more):
    values = dict.fromkeys(("exports", "site", "operator", "camera", "timezone", "theme", "back", "certificate", "certificate_key"), "")
    values |= {"names": ("localhost",), "host": "localhost", "port": PORT, "unmask_s": 60, "held": True, "language": "de"}
    settings = m.RoomSettings(case=1, clip=CLIP, path=str(path), installation=INSTALLATION, **{**values, **more})
    return Room(settings, Line(), Guard(SystemClock()))


def sit(room, *people, mode=ClipMode.SEALED):
    """People who have their seats, and the clip opened for them."""
    for number, person in enumerate(people, 1):
        guest = m.Guest(id=person, name=person, sealed=None, may_release=True)
        room.seats[person] = Seat(guest, person, Share(CLIP, number, b""))
    room.playback = Clip(mode)
    return [room.seats[person] for person in people]


def asked(room, seat):
    room.ask_unmask(seat, "Gesicht", "KL-1")


def agreed(room, seat):
    """Somebody agrees to the wish that there is."""
    return asyncio.run(room.consent(seat, room.unmask.mark))


def wish_on(page):
    """What the form of agreement on a page carries; as a form's fields."""
    return dict(re.findall(r'name="(wish)" value="([^"]+)"', page))


class TestUnmask:
    def test_nobody_agrees_to_their_own_wish(self):
        room = make_room()
        ada, _ = sit(room, ADA, BERT)
        asked(room, ada)
        with pytest.raises(RoomError) as caught:
            agreed(room, ada)
        assert caught.value.trouble is Trouble.NOT_YOU
        assert not room.is_unmasked()
        assert room.link.asked == []

    def test_the_other_agrees_and_the_control_room_is_asked_first(self):
        room = make_room()
        ada, bert = sit(room, ADA, BERT)
        asked(room, ada)
        room.link = Line(meanwhile=lambda: before.append(room.is_unmasked()))
        before = []
        agreed(room, bert)
        assert room.link.asked == [m.UnmaskConsented(number=1, asked=ADA, person=BERT, reason="Gesicht", reference="KL-1")]
        assert before == [False]
        assert room.is_unmasked()

    @pytest.mark.parametrize("answer", [REFUSED, m.Answer(number=1, problem="locked")])
    def test_what_the_control_room_refuses_is_not_shown(self, answer):
        room = make_room()
        ada, bert = sit(room, ADA, BERT)
        asked(room, ada)
        room.link = Line(answer)
        with pytest.raises(RoomError) as caught:
            agreed(room, bert)
        assert caught.value.trouble is Trouble.REFUSED
        assert not room.is_unmasked()

    def test_nobody_agrees_with_somebody_who_is_not_there(self):
        room = make_room()
        ada, bert = sit(room, ADA, BERT)
        asked(room, ada)
        del room.seats[ADA]
        with pytest.raises(RoomError) as caught:
            agreed(room, bert)
        assert caught.value.trouble is Trouble.ALONE
        assert room.link.asked == []

    def test_who_left_meanwhile_sees_nothing_and_neither_does_the_other(self):
        room = make_room()
        ada, bert = sit(room, ADA, BERT)
        asked(room, ada)
        room.link = Line(meanwhile=lambda: room.leave(ada))
        with pytest.raises(RoomError):
            agreed(room, bert)
        assert not room.is_unmasked()
        assert room.playback is None

    def test_it_ends_by_itself_and_the_log_is_told(self):
        room = make_room(unmask_s=0)
        ada, bert = sit(room, ADA, BERT)
        asked(room, ada)
        agreed(room, bert)
        assert not room.is_unmasked()
        assert room.link.sent[-1] == m.UnmaskEnded(by="system")
        assert room.unmask is None

    def test_whoever_agreed_does_not_prolong_it_alone(self):
        room = make_room()
        ada, bert = sit(room, ADA, BERT)
        asked(room, ada)
        agreed(room, bert)
        until = room.unmask.until
        with pytest.raises(RoomError) as caught:
            agreed(room, bert)
        assert caught.value.trouble is Trouble.NOTHING_ASKED
        assert (room.unmask.until, len(room.link.asked)) == (until, 1)

    def test_two_clicks_at_once_are_one_agreement(self):
        room = make_room()
        ada, bert = sit(room, ADA, BERT)
        asked(room, ada)
        room.link = Line(REFUSED, slow=True)

        async def twice():
            return await asyncio.gather(*(room.consent(bert, room.unmask.mark) for _ in range(2)), return_exceptions=True)

        assert {one.trouble for one in asyncio.run(twice())} == {Trouble.REFUSED, Trouble.NOTHING_ASKED}
        assert len(room.link.asked) == 1
        agreed(room, bert)
        assert room.is_unmasked(), "what was refused may be agreed to once more"

    def test_it_ends_when_one_leaves(self):
        room = make_room()
        ada, bert = sit(room, ADA, BERT)
        asked(room, ada)
        agreed(room, bert)
        clip = room.playback
        room.leave(bert)
        assert not room.is_unmasked()
        assert clip.closed
        assert m.UnmaskEnded(by="system") in room.link.sent

    @pytest.mark.parametrize(
        ("reason", "reference", "mode", "trouble"),
        [
            (" ", "KL-1", ClipMode.SEALED, Trouble.NO_REASON),
            ("Gesicht", " ", ClipMode.SEALED, Trouble.NO_REFERENCE),
            ("Gesicht", "KL-1", ClipMode.ANONYMOUS, Trouble.ANONYMOUS),
        ],
    )
    def test_a_wish_needs_its_reason(self, reason, reference, mode, trouble):
        room = make_room()
        ada, _ = sit(room, ADA, BERT, mode=mode)
        with pytest.raises(RoomError) as caught:
            room.ask_unmask(ada, reason, reference)
        assert caught.value.trouble is trouble
        assert room.unmask is None

    def test_another_wish_ends_what_was_granted(self):
        room = make_room()
        ada, bert = sit(room, ADA, BERT)
        asked(room, ada)
        agreed(room, bert)
        asked(room, bert)
        assert not room.is_unmasked()
        room.refuse_unmask(ada)
        assert room.unmask is None
        assert room.link.sent[-1] == m.UnmaskRefused(person=ADA)


class TestRelease:
    def wish(self, room, asked):
        wanted = Release(room)
        wanted.wish = Wish(asked, "strafverfolgung", "Polizei", "KL-1", "age1x", mark=MARK)
        return wanted

    def test_nobody_agrees_to_their_own_release(self):
        room = make_room()
        ada, _ = sit(room, ADA, BERT)
        assert asyncio.run(self.wish(room, ADA).consent(ada, MARK)) == "not-you"
        assert room.link.asked == []

    def test_nobody_agrees_with_somebody_who_has_left(self):
        room = make_room()
        bert, _ = sit(room, BERT, CLEO)
        assert asyncio.run(self.wish(room, ADA).consent(bert, MARK, compared=True)) == "alone"
        assert room.link.asked == []

    def test_what_the_control_room_refuses_is_not_made(self):
        room = make_room()
        _, bert = sit(room, ADA, BERT)
        room.link = Line(REFUSED)
        wanted = self.wish(room, ADA)
        assert asyncio.run(wanted.consent(bert, MARK, compared=True)) == "alone"
        assert wanted.file == ""
        assert [type(one) for one in room.link.asked] == [m.ReleaseAgreed]


class TestKey:
    """The key that opens a package is what one person entered: the other sees it, and it stands wherever the release does."""

    @pytest.fixture
    def key(self):
        return str(pyrage.x25519.Identity.generate().to_public())

    @pytest.fixture
    def pages(self, tmp_path, key, monkeypatch):
        """A room in which Ada entered a key of her own as that of the police."""
        room = make_room(exports=tmp_path, path=__file__)
        sit(room, ADA, BERT)
        room.link = Line(m.Answer(number=1, state="ab"), m.Answer(number=2, signature=b"x"))
        # What is put into the package has its own tests.
        monkeypatch.setattr(Release, "_fill", staticmethod(lambda *_: Filled("whole", 1.0, 2.0)))
        self.browser = Browser(room)
        wish = {"basis": "strafverfolgung", "recipient": "Polizei", "reference": "KL-1", "key": f" {key} "}
        assert self.browser("POST", f"/seat/{ADA}/release", data=wish).status_code == 303
        return room

    def test_whoever_agrees_sees_it_and_says_that_it_is_the_recipients(self, pages, key):
        page = self.browser("GET", f"/seat/{BERT}").text
        assert key in page.replace(" ", "")
        for fields in ({}, {"compared": ""}):
            answer = self.browser("POST", f"/seat/{BERT}/release/consent", data=wish_on(page) | fields)
            assert (answer.status_code, "vom Empfänger selbst nennen" in answer.text) == (409, True)
        assert pages.link.asked == []
        assert self.browser("POST", f"/seat/{BERT}/release/consent", data=wish_on(page) | {"compared": "yes"}).status_code == 303
        assert [type(one) for one in pages.link.asked] == [m.ReleaseAgreed, m.SignThis]

    @pytest.mark.parametrize("other", [{"recipient": "Zeitung"}, {"basis": "gesetzlich"}, {"key": ""}, {}], ids=str)
    def test_nobody_agrees_to_a_wish_that_was_put_in_place_of_the_one_they_saw(self, pages, key, other):
        old = wish_on(self.browser("GET", f"/seat/{BERT}").text)
        again = {"basis": "strafverfolgung", "recipient": "Polizei", "reference": "KL-1", "key": key} | other
        again |= {"opened_by": "key" if again["key"] else "words"}
        assert self.browser("POST", f"/seat/{ADA}/release", data=again).status_code == 303
        for fields in (old, {}):
            answer = self.browser("POST", f"/seat/{BERT}/release/consent", data={**fields, "compared": "yes"})
            assert (answer.status_code, "inzwischen geändert" in answer.text) == (409, True)
        assert pages.link.asked == []
        new = wish_on(answer.text)
        assert new
        assert new != old

    def test_it_is_told_and_in_the_record_of_custody(self, pages, key, monkeypatch):
        records = []
        whole = release.make_bag
        monkeypatch.setattr(release, "make_bag", lambda bag, info: records.append((bag / "custody.json").read_bytes()) or whole(bag, info))
        page = self.browser("GET", f"/seat/{BERT}").text
        self.browser("POST", f"/seat/{BERT}/release/consent", data=wish_on(page) | {"compared": "yes"})
        told = [one.key for one in pages.link.sent if isinstance(one, m.ReleaseAsked | m.Released)]
        assert told == [key, key]
        assert [msgspec.json.decode(one, type=Custody).recipient_key for one in records] == [key]


class TestVerdict:
    def test_nobody_judges_alone(self):
        room = make_room()
        (ada,) = sit(room, ADA)
        room.playback = None
        with pytest.raises(RoomError) as caught:
            asyncio.run(room.judge(ada, "no-incident", "", "", ""))
        assert caught.value.trouble is Trouble.ALONE
        assert room.link.asked == []

    @pytest.mark.parametrize(
        "viewing",
        [None, Viewing(0.0, 0.0, sent=True), Viewing(0.0, 0.0, sent=True, shown=[(0.0, 9.0)]), Viewing(0.0, 0.0, shown=[(0.0, 10.0)])],
        ids=["nothing", "never played", "not to its end", "never sent"],
    )
    def test_nobody_judges_to_whom_the_clip_was_not_shown(self, viewing):
        room = make_room()
        ada, bert = sit(room, ADA, BERT)
        room.viewings[bert.guest.id] = Viewing(0.0, 0.0, sent=True, shown=[(0.0, 10.0)])
        if viewing is not None:
            room.viewings[ada.guest.id] = viewing
        with pytest.raises(RoomError) as caught:
            asyncio.run(room.judge(ada, "no-incident", "", "", ""))
        assert caught.value.trouble is Trouble.NOT_SHOWN
        assert room.link.asked == []

    def test_it_is_told_once_that_the_clip_was_shown(self):
        room = make_room()
        ada, _ = sit(room, ADA, BERT)
        room.viewing(ada).sent, room.viewing(ada).credit = True, 100.0
        for _ in range(2):
            room.show(ada, [(0.0, 10.0)])
        told = [one for one in room.link.sent if isinstance(one, m.ClipShown)]
        assert [(one.person, one.seconds, one.length) for one in told] == [(ADA, 10.0, 10.0)]

    def test_a_clip_that_is_to_be_destroyed_is_closed(self):
        room = make_room()
        ada, bert = sit(room, ADA, BERT)
        clip = room.playback
        room.link = Line(m.Answer(number=1, state="second"), m.Answer(number=2, state="destroying"))
        for seat in (ada, bert):
            room.viewings[seat.guest.id] = Viewing(0.0, 0.0, sent=True, shown=[(0.0, 10.0)])
        assert asyncio.run(room.judge(ada, "no-incident", "", "", "")) == ""
        assert not clip.closed
        assert asyncio.run(room.judge(bert, "no-incident", "", "", "")) == ""
        assert clip.closed
        assert room.playback is None


@pytest.fixture(scope="module")
def keys():
    """Three people with keys."""
    return [enrol(person, PASSPHRASE) for person in (ADA, BERT, CLEO)]


@pytest.fixture
def door(tmp_path, keys):
    """A room with a real clip for three people, each with a ticket of their name; playing it is not what is tested."""
    key, path = new_key(), tmp_path / f"{CLIP}.clip"
    header = ClipHeader(clip=CLIP, installation=INSTALLATION, camera="nord", mode=ClipMode.SEALED, cause="manual", opened=1.7e9)
    writer = ClipWriter(path, header, seal_key(key, CLIP, [Reviewer(one.id, one.public) for one in keys]), key, OPENING)
    writer.add(group(1))
    writer.close(CloseReason.OVER, 1.0)
    room = make_room(path)
    for one in keys:
        room.admit(one.id, m.Guest(id=one.id, name=one.id, sealed=one, may_judge=True))
    yield room
    room.close_clip()


def enter(room, ticket, passphrase=PASSPHRASE):
    return asyncio.run(room.enter(ticket, passphrase))


class TestDoor:
    def test_two_people_open_the_clip_and_one_does_not(self, door):
        enter(door, ADA)
        assert door.playback is None
        enter(door, BERT)
        assert door.playback is not None
        assert m.ClipOpened(people=(ADA, BERT), state="opened") in door.link.sent

    def test_one_person_twice_is_one(self, door, keys):
        first = enter(door, ADA)
        door.admit("again", m.Guest(id=ADA, name=ADA, sealed=keys[0]))
        second = enter(door, "again")
        assert list(door.seats) == [second.token] != [first.token]
        assert door.playback is None
        assert [one.person for one in door.link.sent if isinstance(one, m.SeatLeft)] == [ADA]

    @pytest.mark.parametrize("second", [ADA, "again"], ids=["one ticket", "two tickets"])
    def test_one_person_twice_at_once_is_one(self, door, keys, second):
        door.admit("again", m.Guest(id=ADA, name=ADA, sealed=keys[0]))

        async def twice():
            return await asyncio.gather(door.enter(ADA, PASSPHRASE), door.enter(second, PASSPHRASE), return_exceptions=True)

        found = asyncio.run(twice())
        assert [seat.guest.id for seat in door.seats.values()] == [ADA]
        assert [one.trouble for one in found if isinstance(one, RoomError)] == ([Trouble.NOT_ADMITTED] if second == ADA else [])
        enter(door, BERT)
        assert door.playback is not None

    def test_a_ticket_lets_in_once(self, door):
        enter(door, ADA)
        with pytest.raises(KeyError):
            enter(door, ADA)

    def test_there_is_no_third_seat(self, door):
        enter(door, ADA)
        enter(door, BERT)
        with pytest.raises(RoomError) as caught:
            enter(door, CLEO)
        assert caught.value.trouble is Trouble.FULL

    def test_five_wrong_passphrases_close_the_door(self, door):
        for _ in range(5):
            with pytest.raises(RoomError) as caught:
                enter(door, ADA, WRONG)
            assert caught.value.trouble is Trouble.WRONG_PASSPHRASE
        with pytest.raises(RoomError) as caught:
            enter(door, ADA)
        assert caught.value.trouble is Trouble.LOCKED
        assert door.seats == {}
        enter(door, BERT)

    def test_many_tries_at_once_are_many_tries(self, door):
        async def attack():
            tries = [door.enter(ADA, WRONG) for _ in range(40)]
            return await asyncio.gather(*tries, door.enter(ADA, PASSPHRASE), return_exceptions=True)

        found = [error.trouble for error in asyncio.run(attack())]
        assert found.count(Trouble.WRONG_PASSPHRASE) == 5
        assert found.count(Trouble.LOCKED) == 36
        assert door.seats == {}

    def test_whoever_is_expelled_has_neither_seat_nor_ticket(self, door, keys):
        enter(door, ADA)
        enter(door, BERT)
        door.admit("again", m.Guest(id=ADA, name=ADA, sealed=keys[0]))
        door.expel(ADA)
        assert [seat.guest.id for seat in door.seats.values()] == [BERT]
        assert door.playback is None
        with pytest.raises(KeyError):
            enter(door, "again")

    def test_whoever_is_expelled_at_the_door_does_not_come_in(self, door):
        """While the key is derived from their passphrase, which takes a second on purpose."""

        async def expelled():
            coming = asyncio.create_task(door.enter(ADA, PASSPHRASE))
            await asyncio.sleep(0)
            assert door.tries == {ADA: 1}, "it is being derived"
            door.expel(ADA)
            return await coming

        with pytest.raises(RoomError) as caught:
            asyncio.run(expelled())
        assert caught.value.trouble is Trouble.NOT_ADMITTED
        assert door.seats == {}
        assert door.link.sent[-1] == m.SeatRefused(person=ADA, reason="not-admitted")
        enter(door, BERT)
        assert door.playback is None

    def test_the_key_is_gone_when_one_leaves(self, door):
        ada = enter(door, ADA)
        enter(door, BERT)
        playback = door.playback
        door.leave(ada)
        assert door.playback is None
        assert playback._key == b""
        assert playback.parts == []


class Browser:
    """Asks the pages of a room without a network; with a jar of cookies it is always the same browser."""

    def __init__(self, app_room, **cookies):
        self._app, self.cookies = make_room_app(app_room, Release(app_room)), httpx.Cookies(cookies)

    def __call__(self, method, path, **more):
        async def ask():
            transport = httpx.ASGITransport(app=self._app)
            async with httpx.AsyncClient(transport=transport, base_url=f"http://localhost:{PORT}", cookies=self.cookies) as client:
                answer = await client.request(method, path, **more)
                self.cookies = client.cookies
                return answer

        return asyncio.run(ask())


class TestBrowsers:
    """A seat is good in the session and the browser in which it was taken."""

    @pytest.fixture
    def guarded(self, door, keys):
        """Each has a ticket of their name, bound to a session of their name."""
        for one in keys:
            door.admit(one.id, m.Guest(id=one.id, name=one.id, sealed=one, may_judge=True, session=fingerprint(f"session of {one.id}")))
        return door

    @staticmethod
    def sits(browser, person):
        return browser("POST", f"/join/{person}", data={"passphrase": PASSPHRASE})

    def test_a_ticket_is_good_in_its_own_session_only(self, guarded):
        for session in ("", f"session of {BERT}"):
            browser = Browser(guarded, **({"session": session} if session else {}))
            assert browser("GET", f"/join/{ADA}").status_code == 404
            assert self.sits(browser, ADA).status_code == 404
        assert guarded.seats == {}
        assert self.sits(Browser(guarded, session=f"session of {ADA}"), ADA).status_code == 303

    def test_the_address_of_a_seat_is_nothing_in_another_session_or_browser(self, guarded):
        own = Browser(guarded, session=f"session of {ADA}")
        seat = self.sits(own, ADA).headers["location"]
        assert own("GET", seat).status_code == 200
        assert Browser(guarded)("GET", seat).status_code == 404
        assert Browser(guarded, session=f"session of {ADA}")("GET", seat).status_code == 404, "another browser"
        room = dict(own.cookies)["room"]
        assert Browser(guarded, session=f"session of {BERT}", room=room)("GET", seat).status_code == 404, "another session"
        for path in ("/verdict", "/leave", "/unmask", "/release"):
            assert Browser(guarded, session=f"session of {ADA}")("POST", f"{seat}{path}").status_code == 404
        assert len(guarded.seats) == 1

    def test_two_people_do_not_sit_in_one_browser(self, guarded):
        browser = Browser(guarded, session=f"session of {ADA}")
        assert self.sits(browser, ADA).status_code == 303
        browser.cookies.set("session", f"session of {BERT}")
        answer = self.sits(browser, BERT)
        assert (answer.status_code, "an einem eigenen Gerät" in answer.text) == (403, True)
        assert guarded.link.sent[-1] == m.SeatRefused(person=BERT, reason="one-browser")
        assert guarded.playback is None
        assert self.sits(Browser(guarded, session=f"session of {BERT}"), BERT).status_code == 303
        assert guarded.playback is not None

    def test_two_people_do_not_sit_in_one_session(self, guarded, keys):
        assert self.sits(Browser(guarded, session=f"session of {ADA}"), ADA).status_code == 303
        guarded.admit("x", m.Guest(id=BERT, name=BERT, sealed=keys[1], session=fingerprint(f"session of {ADA}")))
        assert self.sits(Browser(guarded, session=f"session of {ADA}"), "x").status_code == 403


class TestPages:
    @pytest.fixture
    def clear(self):
        """A room whose unredacted clip is one word in three parts."""
        room = make_room()
        sit(room, ADA, BERT)
        room.playback.clear = lambda: iter([b"an ", b"open ", b"face"])
        return room

    def test_unredacted_pictures_are_for_two_who_want_them_and_as_long_as_they_do(self, clear):
        browser = Browser(clear)
        assert browser("GET", f"/seat/{ADA}/clear.mp4").status_code == 403
        assert browser("POST", f"/seat/{ADA}/unmask", data={"reason": "Gesicht", "reference": "KL-1"}).status_code == 303
        assert browser("GET", f"/seat/{BERT}/clear.mp4").status_code == 403
        own = browser("POST", f"/seat/{ADA}/unmask/consent", data={"wish": clear.unmask.mark})
        assert own.status_code == 409
        assert "Das muss die andere Person tun." in own.text
        assert browser("GET", f"/seat/{ADA}/clear.mp4").status_code == 403
        assert browser("POST", f"/seat/{BERT}/unmask/consent", data={"wish": clear.unmask.mark}).status_code == 303
        assert browser("GET", f"/seat/{ADA}/clear.mp4").content == b"an open face"
        assert browser("POST", f"/seat/{BERT}/unmask/end").status_code == 303
        assert browser("GET", f"/seat/{ADA}/clear.mp4").status_code == 403

    def test_nobody_agrees_to_a_reason_that_was_put_in_place_of_the_one_they_saw(self, clear):
        clear.playback.as_json = lambda: {"marks": [], "length": 1.0}
        browser = Browser(clear)
        asked(clear, clear.seats[ADA])
        old = wish_on(browser("GET", f"/seat/{BERT}").text)
        clear.ask_unmask(clear.seats[ADA], "Neugier", "KL-9")
        for fields in (old, {}):
            answer = browser("POST", f"/seat/{BERT}/unmask/consent", data=fields)
            assert (answer.status_code, "inzwischen geändert" in answer.text, "Neugier" in answer.text) == (409, True, True)
        assert clear.link.asked == []
        assert browser("POST", f"/seat/{BERT}/unmask/consent", data=wish_on(answer.text)).status_code == 303
        assert clear.is_unmasked()

    def test_no_byte_comes_after_it_ended(self, clear):
        def parts():
            yield b"an "
            clear.end_unmask("system")
            yield b"open face"

        asked(clear, clear.seats[ADA])
        agreed(clear, clear.seats[BERT])
        clear.playback.clear = parts
        assert Browser(clear)("GET", f"/seat/{ADA}/clear.mp4").content == b"an "

    @pytest.mark.parametrize("path", ["", "/clip.json", "/video.mp4", "/clear.mp4", "/state.json"])
    def test_an_address_that_is_nobodys_seat_shows_nothing(self, clear, path):
        assert Browser(clear)("GET", f"/seat/{CLEO}{path}").status_code == 404

    def test_a_page_of_another_address_does_nothing_here(self, clear):
        foreign = {"origin": "http://localhost:8710"}
        assert Browser(clear)("POST", f"/seat/{BERT}/verdict", headers=foreign, data={"verdict": "no-incident"}).status_code == 403
        assert clear.link.asked == []

    def test_the_page_shows_who_is_there_and_its_video_comes_from_here(self, clear):
        clear.playback.as_json = lambda: {"marks": [], "length": 1.0}
        clear.playback.facts = SimpleNamespace(done=True, problem="", marks=[], start=0.0, length=1.0, state="whole")
        page = Browser(clear)("GET", f"/seat/{ADA}")
        assert page.status_code == 200
        assert f"/seat/{ADA}/video.mp4" in page.text
        assert page.headers["content-security-policy"].startswith("default-src 'none'")
