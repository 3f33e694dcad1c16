"""A reviewer's secret in two halves: a passphrase, and what a security key answers. The key is software that speaks CTAP."""

from __future__ import annotations

import asyncio
import html
import json
import re

import httpx
import msgspec
import pytest
from fido2.utils import websafe_encode

from blickschutz.audit.model import Event
from blickschutz.kernel.errors import OperatorError
from blickschutz.recording.io.clipfile import ClipWriter
from blickschutz.recording.model import ClipHeader, ClipMode, CloseReason
from blickschutz.reviewroom import messages as m
from blickschutz.reviewroom.keydesk import KeyDesk, make_key_app
from blickschutz.reviewroom.pages import make_room_app
from blickschutz.reviewroom.release import Release
from blickschutz.reviewroom.room import RoomError
from blickschutz.reviewroom.second import host_of_keys, read, second_of, to_ask, to_make
from blickschutz.vault import service
from blickschutz.vault.model import Reviewer, SecondHalf, VaultProblem
from blickschutz.vault.service import VaultError, change_passphrase, enrol, new_key, seal_key, unlock
from tests.fakes.authenticator import Browser, SoftwareKey
from tests.unit.test_keydesk import Wire
from tests.unit.test_room import CLIP, INSTALLATION, OPENING, PORT, group, make_room

PASSPHRASE, OTHER = "Birne Wolke Treppe Kanne", "Hafen Teller Wiese Komet"
ORIGIN = "https://desk.example"
SECOND = SecondHalf("desk.example", b"credential", b"s" * service.SALT)
HALF = b"h" * service.HALF


def settings(back=f"{ORIGIN}:8710/account"):
    values = {field.name: "" for field in msgspec.structs.fields(m.RoomSettings) if field.type is str}
    values |= {"host": "127.0.0.1", "port": 0, "names": ("desk",), "language": "de", "case": 0, "unmask_s": 60, "held": False}
    return m.RoomSettings(**{**values, "site": "Rathaus", "back": back, "installation": "0" * 16})


class TestVault:
    def test_both_halves_open_and_neither_alone(self):
        sealed = enrol("ada", PASSPHRASE, SECOND, HALF)
        assert bytes(unlock(sealed, PASSPHRASE, HALF).public_key) == sealed.public
        for passphrase, half, problem in (
            (PASSPHRASE, b"", VaultProblem.SECOND_HALF_MISSING),
            (PASSPHRASE, HALF[1:], VaultProblem.SECOND_HALF_MISSING),
            (PASSPHRASE, b"x" * service.HALF, VaultProblem.WRONG_PASSPHRASE),
            (OTHER, HALF, VaultProblem.WRONG_PASSPHRASE),
        ):
            with pytest.raises(VaultError) as caught:
                unlock(sealed, passphrase, half)
            assert caught.value.problem is problem

    def test_taking_the_second_half_off_the_file_opens_nothing(self):
        """Whoever writes the folder of keys cannot make one half enough."""
        sealed = msgspec.structs.replace(enrol("ada", PASSPHRASE, SECOND, HALF), second=None)
        for half in (b"", HALF):
            with pytest.raises(VaultError):
                unlock(sealed, PASSPHRASE, half)

    def test_a_file_from_before_is_read_and_opens_as_before(self):
        sealed = enrol("ada", PASSPHRASE)
        before = json.loads(msgspec.json.encode(sealed))
        del before["second"]
        old = msgspec.json.decode(json.dumps(before), type=type(sealed))
        assert old == sealed
        assert bytes(unlock(old, PASSPHRASE, HALF).public_key) == old.public, "a half that nobody asked for changes nothing"

    def test_it_is_added_changed_and_taken_away_and_the_key_stays(self):
        first = enrol("ada", PASSPHRASE)
        with_key = change_passphrase(first, PASSPHRASE, OTHER, second=SECOND, new_half=HALF)
        other = change_passphrase(with_key, OTHER, PASSPHRASE, HALF, second=SECOND, new_half=b"n" * service.HALF)
        without = change_passphrase(other, PASSPHRASE, OTHER, b"n" * service.HALF)
        assert {one.public for one in (first, with_key, other, without)} == {first.public}
        assert (with_key.second, other.second, without.second) == (SECOND, SECOND, None)
        assert bytes(unlock(without, OTHER).public_key) == first.public
        with pytest.raises(VaultError) as caught:
            change_passphrase(other, PASSPHRASE, OTHER)
        assert caught.value.problem is VaultProblem.SECOND_HALF_MISSING

    def test_none_is_sealed_for_a_half_that_is_none(self):
        with pytest.raises(VaultError):
            enrol("ada", PASSPHRASE, SECOND, b"")
        with pytest.raises(OperatorError):
            enrol("ada", "kurz", SECOND, HALF)


class TestAsked:
    def test_a_key_is_made_for_a_name_not_for_a_number(self):
        assert host_of_keys(settings()) == "desk.example"
        for back in ("https://192.0.2.5:8710/account", "https://[2001:db8::1]:8710/account", ""):
            assert host_of_keys(settings(back)) == ""
            assert to_make(settings(back), "ada", "Ada", b"s" * 32) is None
            assert second_of(settings(back), "Y3JlZGVudGlhbA", b"s" * 32) is None

    def test_the_owner_is_always_verified(self):
        """A security key has two secrets, one for each: asked otherwise it would answer otherwise."""
        made = to_make(settings(), "ada", "Ada", b"s" * 32)
        asked = to_ask(enrol("ada", PASSPHRASE, SECOND, HALF))
        assert made["publicKey"]["authenticatorSelection"]["userVerification"] == asked["publicKey"]["userVerification"] == "required"
        assert to_ask(None) is to_ask(enrol("ada", PASSPHRASE)) is None

    @pytest.mark.parametrize("credential", ["", "€", "====", "A" * 1400])
    def test_what_is_no_credential_is_none(self, credential):
        assert second_of(settings(), credential, b"s" * 32) is None

    def test_what_is_no_text_of_bytes_is_none(self):
        assert read("€") == b""


class Sitting:
    """One person at their desk with a browser and a security key."""

    def __init__(self, house, person, key):
        archive = house.records.archive
        name = house.records.office.access.members[person].name
        sealed = archive.keys.get(person)
        first = m.OpenKeyDesk(settings=settings(), person=person, name=name, sealed=sealed, ticket="t")
        self.app = make_key_app(settings(), KeyDesk(first, Wire(archive.enrolment, person)), "t")
        self.browser = Browser(key, ORIGIN)

    def request(self, path="", **data):
        async def ask():
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://desk:0") as client:
                return await (client.post(f"/key/t{path}", data=data) if data else client.get(f"/key/t{path}"))

        answer = asyncio.run(ask())
        return answer.status_code, html.unescape(answer.text)

    def asked(self, which):
        """What the page has for the browser."""
        found = re.search(rf'data-half-{which}="([^"]*)"', self.raw())
        return json.loads(html.unescape(found[1])) if found else None

    def raw(self):
        async def ask():
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://desk:0") as client:
                return (await client.get("/key/t")).text

        return asyncio.run(ask())

    def made(self):
        """As `half.ts` does it: make, ask, send."""
        options = self.asked("make")
        credential, enabled = self.browser.create(options)
        assert enabled
        request = {"challenge": options["publicKey"]["challenge"], "rpId": options["host"], "userVerification": "required"}
        request["allowCredentials"] = [{"type": "public-key", "id": websafe_encode(credential)}]
        request["extensions"] = {"prf": {"eval": {"first": options["salt"]}}}
        return {
            "second": "yes",
            "credential": websafe_encode(credential),
            "other": websafe_encode(self.browser.half({"publicKey": request})),
        }

    def half(self):
        return {"half": websafe_encode(self.browser.half(self.asked("ask")))}


class TestDesk:
    def test_a_security_key_becomes_the_second_half_and_is_asked_from_then_on(self, house):
        key = SoftwareKey()
        sitting = Sitting(house, "kvd-1", key)
        assert sitting.asked("ask") is None
        status, _ = sitting.request(new=PASSPHRASE, again=PASSPHRASE, **sitting.made())
        sealed = house.records.archive.keys.get("kvd-1")
        assert (status, sealed.second.host) == (200, "desk.example")
        assert house.events(Event.REVIEWER_ENROLLED)[0].facts["second_half"] is True
        changed = {"old": PASSPHRASE, "new": OTHER, "again": OTHER}
        without = Sitting(house, "kvd-1", key)
        status, page = without.request(**changed)
        assert (status, "gehört ein Sicherheitsschlüssel" in page) == (403, True)
        again = Sitting(house, "kvd-1", key)
        assert again.request(**changed, **again.half(), **again.made())[0] == 200
        assert house.records.archive.keys.get("kvd-1").public == sealed.public
        assert house.records.archive.keys.get("kvd-1").second != sealed.second
        last = Sitting(house, "kvd-1", key)
        assert last.request(old=OTHER, new=PASSPHRASE, again=PASSPHRASE, **last.half())[0] == 200
        assert house.records.archive.keys.get("kvd-1").second is None
        assert house.events(Event.PASSPHRASE_CHANGED)[0].facts["second_half"] is False

    def test_another_key_is_a_wrong_half(self, house):
        key = SoftwareKey()
        sitting = Sitting(house, "kvd-1", key)
        assert sitting.request(new=PASSPHRASE, again=PASSPHRASE, **sitting.made())[0] == 200
        foreign = Sitting(house, "kvd-1", SoftwareKey())
        with pytest.raises(Exception, match=r"DEVICE_INELIGIBLE|NO_CREDENTIALS"):
            foreign.half()
        status, _ = foreign.request(old=PASSPHRASE, new=OTHER, again=OTHER, half=websafe_encode(b"x" * 32))
        assert status == 403

    def test_a_key_without_the_extension_changes_nothing(self, house):
        sitting = Sitting(house, "kvd-1", SoftwareKey(has_hmac_secret=False))
        credential, enabled = sitting.browser.create(sitting.asked("make"))
        assert not enabled
        for sent in (
            {"credential": websafe_encode(credential)},
            {"credential": websafe_encode(credential), "other": websafe_encode(b"x")},
            {"other": websafe_encode(HALF)},
        ):
            status, page = sitting.request(new=PASSPHRASE, again=PASSPHRASE, second="yes", **sent)
            assert (status, "keine zweite Hälfte" in page) == (422, True)
        assert house.records.archive.keys.get("kvd-1") is None


@pytest.fixture
def people(house):
    """Three who are enrolled; the first two with a security key each. By name: sealed key and security key."""
    keys = {"kvd-1": SoftwareKey(), "kvd-2": SoftwareKey(), "kvd-3": None}
    for person, key in keys.items():
        sitting = Sitting(house, person, key or SoftwareKey())
        assert sitting.request(new=PASSPHRASE, again=PASSPHRASE, **(sitting.made() if key else {}))[0] == 200
    return {person: (house.records.archive.keys.get(person), key) for person, key in keys.items()}


@pytest.fixture
def room(people, tmp_path):
    key, path = new_key(), tmp_path / f"{CLIP}.clip"
    header = ClipHeader(clip=CLIP, installation=INSTALLATION, camera="nord", mode=ClipMode.SEALED, cause="manual", opened=1.7e9)
    reviewers = [Reviewer(sealed.id, sealed.public) for sealed, _ in people.values()]
    writer = ClipWriter(path, header, seal_key(key, CLIP, reviewers), key, OPENING)
    writer.add(group(1))
    writer.close(CloseReason.OVER, 1.0)
    made = make_room(path)
    for person, (sealed, _) in people.items():
        made.admit(person, m.Guest(id=person, name=person, sealed=sealed, may_judge=True))
    yield made
    made.close_clip()


def half_of(people, person):
    sealed, key = people[person]
    return Browser(key, ORIGIN).half(to_ask(sealed)) if key is not None else b""


class TestRoom:
    def test_two_with_their_keys_open_the_clip(self, room, people):
        for person in ("kvd-1", "kvd-2"):
            asyncio.run(room.enter(person, PASSPHRASE, half=half_of(people, person)))
        assert room.playback is not None

    def test_a_lost_key_leaves_its_owner_outside_and_the_others_open(self, room, people):
        with pytest.raises(RoomError) as caught:
            asyncio.run(room.enter("kvd-1", PASSPHRASE))
        assert caught.value.trouble is m.Trouble.SECOND_HALF_MISSING
        new = SoftwareKey()
        Browser(new, ORIGIN).create(to_make(settings(), "kvd-1", "A", b"s" * 32))
        with pytest.raises(RoomError) as caught:
            asyncio.run(room.enter("kvd-1", PASSPHRASE, half=half_of(people, "kvd-2")))
        assert caught.value.trouble is m.Trouble.WRONG_PASSPHRASE
        for person in ("kvd-2", "kvd-3"):
            asyncio.run(room.enter(person, PASSPHRASE, half=half_of(people, person)))
        assert room.playback is not None
        reasons = [one.reason for one in room.link.sent if isinstance(one, m.SeatRefused)]
        assert reasons == ["second-half-missing", "wrong-passphrase"]

    def test_the_door_asks_whoever_has_one_and_takes_what_the_browser_sends(self, room, people):
        app = make_room_app(room, Release(room, None))

        async def visit(person, **data):
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://localhost:{PORT}") as client:
                page = await client.get(f"/join/{person}")
                answer = await client.post(f"/join/{person}", data={"passphrase": PASSPHRASE, **data})
                return page.text, answer.status_code

        page, status = asyncio.run(visit("kvd-1"))
        assert ("data-half-ask" in page, status) == (True, 403)
        asked = json.loads(html.unescape(re.search(r'data-half-ask="([^"]*)"', page)[1]))
        sent = websafe_encode(Browser(people["kvd-1"][1], ORIGIN).half(asked))
        assert asyncio.run(visit("kvd-1", half=sent))[1] == 303
        page, status = asyncio.run(visit("kvd-3"))
        assert ("data-half-ask" in page, status) == (False, 303)
