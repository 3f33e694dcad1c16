"""The key desk as people see it: pages, passphrases, and what the control room makes of what is told there."""

from __future__ import annotations

import asyncio
import html
import re

import httpx
import msgspec
import pytest

from blickschutz.audit.model import Event
from blickschutz.reviewroom import messages as m
from blickschutz.reviewroom.desk import desk_of, taken_at_desk
from blickschutz.reviewroom.keydesk import KeyDesk, make_key_app
from blickschutz.vault import service
from blickschutz.vault.register import key_words, vouched

PASSPHRASE = "Birne Wolke Treppe Kanne"


class Wire:
    """The channel to the control room, whose side answers at once."""

    def __init__(self, enrolment, person):
        self._enrolment, self._person, self.sent = enrolment, person, []

    def send(self, message):
        self.sent.append(message)
        assert taken_at_desk(self._enrolment, self._person, self.over(message)) is None

    async def ask(self, make):
        return taken_at_desk(self._enrolment, self._person, self.over(make(1)))

    @staticmethod
    def over(message):
        """As it comes over the wire."""
        return msgspec.msgpack.decode(msgspec.msgpack.encode(message), type=m.FromRoom)


class Sitting:
    """One person at their desk, for one thing."""

    def __init__(self, house, person, refused=0):
        self.archive = house.records.archive
        members = house.records.office.access.members
        values = {field.name: "" for field in msgspec.structs.fields(m.RoomSettings) if field.type is str}
        values |= {"host": "127.0.0.1", "port": 0, "names": ("desk",), "language": "de", "case": 0, "unmask_s": 60, "held": False}
        settings = m.RoomSettings(**{**values, "installation": self.archive.key.installation, "back": "http://desk/account"})
        desk = desk_of(self.archive.enrolment, members, members[person])
        sealed = self.archive.keys.get(person)
        first = m.OpenKeyDesk(settings=settings, person=person, name=members[person].name, sealed=sealed, ticket="t", desk=desk)
        self.wire = Wire(self.archive.enrolment, person)
        self.desk = KeyDesk(msgspec.structs.replace(first, refused=refused), self.wire)
        self.app = make_key_app(settings, self.desk, "t")

    def request(self, path="", **data):
        async def ask():
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://desk:0") as client:
                return await (client.post(f"/key/t{path}", data=data) if data else client.get(f"/key/t{path}"))

        answer = asyncio.run(ask())
        return answer.status_code, html.unescape(answer.text)

    def make(self, passphrase=PASSPHRASE):
        return self.request(new=passphrase, again=passphrase)


def test_from_the_first_passphrase_to_a_third_who_counts(house):
    for person in ("kvd-1", "kvd-2", "kvd-3"):
        status, page = Sitting(house, person).make()
        assert (status, key_words(vouched(house.records.archive.keys.get(person))) in page) == (200, True)
    first = Sitting(house, "kvd-1")
    assert "Verzeichnis gründen" in first.request()[1]
    assert "mindestens zwei" in first.request("/found", passphrase=PASSPHRASE)[1]
    assert "Ihre Unterschrift ist da" in first.request("/found", people="kvd-2", passphrase=PASSPHRASE)[1]
    second = Sitting(house, "kvd-2")
    page = second.request()[1]
    assert key_words(vouched(house.records.archive.keys.get("kvd-1"))) in page
    status, page = second.request("/found", passphrase=PASSPHRASE)
    root = house.records.archive.enrolment.known_root()
    assert (status, f'root = "{root}"' in page) == (200, True)
    assert house.records.orders.refusal() == "unpinned"
    house.records.archive.enrolment.pin = root
    words = re.search(r'<p class="hash">([a-z-]{35})</p>', Sitting(house, "kvd-3").request()[1])[1]
    for person in ("kvd-1", "kvd-2"):
        assert [one.id for one in house.records.orders.openers()] == ["kvd-1", "kvd-2"]
        sitting = Sitting(house, person)
        assert "Schlüssel anderer bestätigen" in sitting.request()[1]
        assert words not in sitting.request()[1], "they are heard, not read off"
        status, page = sitting.request("/confirm", person="kvd-3", words="babab" + words[5:], passphrase=PASSPHRASE)
        assert (status, "nicht die Wörter" in page) == (422, True)
        assert sitting.request("/confirm", person="kvd-3", words=words, passphrase="etwas ganz anderes")[0] == 403
        assert sitting.request("/confirm", person="kvd-3", words=words.replace("-", " "), passphrase=PASSPHRASE)[0] == 200
        assert sitting.request("/confirm", person="kvd-3", words=words, passphrase=PASSPHRASE)[0] == 404, "a desk is for one thing"
    assert [one.id for one in house.records.orders.openers()] == ["kvd-1", "kvd-2", "kvd-3"]
    assert "Andere haben Ihren Schlüssel bestätigt" in Sitting(house, "kvd-3").request()[1]


def test_a_desk_takes_five_tries_of_any_kind(house):
    Sitting(house, "kvd-1").make()
    desk = Sitting(house, "kvd-1")
    for _ in range(5):
        assert desk.request(old="falsch", new=PASSPHRASE, again=PASSPHRASE)[0] == 403
    status, page = desk.request(old=PASSPHRASE, new=PASSPHRASE, again=PASSPHRASE)
    assert (status, "Zu viele falsche" in page) == (403, True)
    assert desk.request("/present", passphrase=PASSPHRASE)[0] == 403


def test_what_failed_is_told_and_what_failed_before_counts(house):
    Sitting(house, "kvd-1").make()
    desk = Sitting(house, "kvd-1", refused=3)
    for _ in range(2):
        assert desk.request("/present", passphrase="falsch")[0] == 403
    assert [message.reason for message in desk.wire.sent] == ["wrong-passphrase"] * 2
    assert "Zu viele falsche" in desk.request(old=PASSPHRASE, new=PASSPHRASE, again=PASSPHRASE)[1]
    assert len(desk.wire.sent) == 2


def test_a_try_at_a_desk_that_is_closed_meanwhile_counts(house, monkeypatch):
    Sitting(house, "kvd-1").make()
    desk = Sitting(house, "kvd-1")

    async def closed(*_):
        raise asyncio.CancelledError

    monkeypatch.setattr(desk.desk, "present", closed)
    with pytest.raises(asyncio.CancelledError):
        desk.request("/present", passphrase="falsch")
    assert [message.reason for message in desk.wire.sent] == ["interrupted"]


def test_what_is_guessable_short_or_different_is_said(house):
    desk = Sitting(house, "kvd-1")
    assert "leicht zu erraten" in desk.make("111111111111")[1]
    assert "mindestens 12" in desk.make("kurz")[1]
    assert "verschieden" in desk.request(new=PASSPHRASE, again="x")[1]
    assert house.records.archive.keys.get("kvd-1") is None


def test_an_older_key_is_presented_once(house):
    sealed = service.enrol("kvd-1", PASSPHRASE)
    house.records.archive.enrolment.take_key(msgspec.structs.replace(sealed, signing=b""), Event.REVIEWER_ENROLLED)
    desk = Sitting(house, "kvd-1")
    assert "älter als das Verzeichnis" in desk.request()[1]
    assert "Ihr Schlüssel ist vorgelegt" in desk.request("/present", passphrase=PASSPHRASE)[1]
    assert house.records.archive.keys.get("kvd-1").signing == sealed.signing
    assert house.events(Event.KEY_PRESENTED)


def test_nobody_tells_for_another(house):
    """A desk's process is told whose it is; what it says of others' keys changes nothing."""
    other = service.enrol("kvd-2", PASSPHRASE)
    taken_at_desk(house.records.archive.enrolment, "kvd-1", m.KeyMade(sealed=other, changed=False))
    assert house.records.archive.keys.get("kvd-2") is None
