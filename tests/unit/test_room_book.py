"""The control room's side of a review room: nothing that takes two is done for one, and nothing is done before it is in the log."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from blickschutz.audit.model import Event
from blickschutz.audit.rules import digest
from blickschutz.evidence.model import Basis
from blickschutz.kernel.errors import DeviceError
from blickschutz.review.model import CaseState, Verdict
from blickschutz.reviewroom import messages as m
from blickschutz.reviewroom.book import RoomBook
from blickschutz.vault.io.files import is_signed
from tests.fakes.rooms import Door
from tests.house import SITE, House

CLIP = "a" * 32
ADA, BERT, CLEO = "aufsicht", "kvd-2", "kvd-3"
KEY = "age1" + "q" * 58
PACKAGE = b'blickschutz-evidence-1:{"manifest":"00"}'


class Desk:
    """A waiting case, and a room's book over a real log; `tell` is what the room says."""

    def __init__(self, folder):
        self.house = House(folder)
        records = self.house.records
        self.log, self.archive = records.office.log, records.archive
        self.case = self.house.clip(CLIP)
        self.book = RoomBook(SITE, records.office, self.archive, self.house.clock)

    def tell(self, door, *messages):
        """The room's newest answer."""
        for message in messages:
            asyncio.run(self.book.take(door, self.case.id, CLIP, message))
        return door.said[-1] if door.said else None

    def events(self, event):
        return self.house.events(event)

    def now(self):
        return self.house.records.office.cases.store.get(self.case.id)


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path)
    yield desk
    desk.house.close()


def consented(asked, person):
    return m.UnmaskConsented(number=7, asked=asked, person=person, reason="Gesicht", reference="KL-1")


def agreed(asked, person):
    about = {"basis": Basis.PROSECUTION.value, "recipient": "Polizei", "reference": "KL-1"}
    return m.ReleaseAgreed(number=7, asked=asked, person=person, **about)


def found(person, verdict=Verdict.NO_INCIDENT, **more):
    return m.VerdictGiven(number=7, person=person, verdict=verdict.value, **{"note": "", "ground": "", "reference": "", **more})


ALONE, NOT_YOU = m.Trouble.ALONE.value, m.Trouble.NOT_YOU.value
# Who sits there, who asked, who agreed, and why it is not done.
TWO_PEOPLE = [
    ((ADA, BERT), ADA, ADA, NOT_YOU),
    ((ADA, ADA), ADA, ADA, NOT_YOU),
    ((ADA, ADA), ADA, BERT, ALONE),
    ((ADA,), ADA, BERT, ALONE),
    ((BERT,), ADA, BERT, ALONE),
    ((ADA, BERT), ADA, CLEO, ALONE),
    ((ADA, BERT), CLEO, BERT, ALONE),
    ((), ADA, BERT, ALONE),
]


class TestUnmask:
    @pytest.mark.parametrize(("present", "asked", "person", "why"), TWO_PEOPLE)
    def test_it_takes_two_who_sit_there(self, desk, present, asked, person, why):
        answer = desk.tell(Door(*present), consented(asked, person))
        assert (answer.number, answer.problem) == (7, why)
        assert desk.events(Event.UNMASK_GRANTED) == []
        refused = desk.events(Event.UNMASK_REFUSED)
        assert [(entry.by, entry.subject, entry.facts["why"]) for entry in refused] == [(person, CLIP, why)]

    def test_it_is_in_the_log_with_both_and_the_reason_before_the_room_is_answered(self, desk):
        class Slow(Door):
            def say(self, message):
                assert len(desk.events(Event.UNMASK_GRANTED)) == 1
                super().say(message)

        answer = desk.tell(Slow(ADA, BERT), consented(ADA, BERT))
        assert answer == m.Answer(number=7)
        (entry,) = desk.events(Event.UNMASK_GRANTED)
        wanted = {"people": [ADA, BERT], "reason": "Gesicht", "reference": "KL-1", "seconds": SITE.review.unmask_s}
        assert (entry.by, entry.subject, entry.facts) == (BERT, CLIP, wanted)

    def test_where_it_cannot_be_logged_it_is_not_granted(self, desk, monkeypatch):
        def full(*_):
            raise DeviceError("the disk is full")

        monkeypatch.setattr(desk.log, "write", full)
        door = Door(ADA, BERT)
        with pytest.raises(DeviceError):
            desk.tell(door, consented(ADA, BERT))
        assert door.said == []

    def test_above_the_quota_of_a_month_data_protection_is_told(self, desk):
        door = Door(ADA, BERT)
        for _ in range(SITE.review.unmask_quota):
            desk.tell(door, consented(ADA, BERT))
        assert desk.events(Event.UNMASK_QUOTA_PASSED) == []
        desk.tell(door, consented(BERT, ADA))
        (entry,) = desk.events(Event.UNMASK_QUOTA_PASSED)
        assert entry.facts == {"count": SITE.review.unmask_quota + 1, "quota": SITE.review.unmask_quota}
        desk.house.clock.time += 31 * 86_400
        desk.tell(door, consented(ADA, BERT))
        assert len(desk.events(Event.UNMASK_QUOTA_PASSED)) == 1


class TestRelease:
    @pytest.mark.parametrize(("present", "asked", "person", "why"), TWO_PEOPLE)
    def test_it_takes_two_who_sit_there(self, desk, present, asked, person, why):
        door = Door(*present)
        answer = desk.tell(door, agreed(asked, person))
        assert (answer.number, answer.problem, answer.data) == (7, why, b"")
        assert [(entry.by, entry.facts["why"]) for entry in desk.events(Event.RELEASE_REFUSED)] == [(person, why)]
        assert desk.tell(door, m.SignThis(number=8, text=PACKAGE)).signature == b""

    def test_the_excerpt_has_each_entry_of_the_clip_with_its_hash(self, desk):
        answer = desk.tell(Door(ADA, BERT), agreed(ADA, BERT))
        state, *lines = answer.data.splitlines()
        assert answer.state == desk.archive.key.public.hex()
        assert msgspec.json.decode(state)["newest"] == desk.log.state()[0]
        assert len(lines) == len(desk.log.find(subject=CLIP)) >= 2
        for line in lines:
            text = line[line.index(b'"entry":') + len(b'"entry":') : -1]
            assert digest(text) == msgspec.json.decode(line)["hash"]

    def test_one_agreement_signs_one_package(self, desk):
        door = Door(ADA, BERT)
        assert desk.tell(door, m.SignThis(number=1, text=PACKAGE)).signature == b""
        desk.tell(door, agreed(ADA, BERT))
        signature = desk.tell(door, m.SignThis(number=2, text=PACKAGE)).signature
        assert is_signed(PACKAGE, signature, desk.archive.key.public)
        assert desk.tell(door, m.SignThis(number=3, text=PACKAGE)).signature == b""

    @pytest.mark.parametrize("text", [b"", b"blickschutz-log-1:9:ff:0.0", b"blickschutz-backup-1:x", b" " + PACKAGE])
    def test_nothing_but_a_package_is_signed(self, desk, text):
        door = Door(ADA, BERT)
        desk.tell(door, agreed(ADA, BERT))
        assert desk.tell(door, m.SignThis(number=2, text=text)).signature == b""

    def test_what_one_of_them_agreed_to_ends_when_somebody_leaves(self, desk):
        door = Door(ADA, BERT)
        desk.tell(door, agreed(ADA, BERT), m.SeatLeft(person=ADA))
        assert desk.tell(door, m.SignThis(number=2, text=PACKAGE)).signature == b""

    @pytest.mark.parametrize(("basis", "duties"), [(Basis.PROSECUTION, 1), (Basis.PERSON_CONCERNED, 0)])
    def test_whoever_is_to_be_seen_in_what_was_given_out_is_to_be_told(self, desk, basis, duties):
        facts = {"recipient": "Polizei", "reference": "KL-1", "file": "x.tar.age", "sha256": "ab", "size": 5, "contents": ("a.mp4",)}
        desk.tell(Door(ADA, BERT), m.Released(people=(ADA, BERT), basis=basis.value, **facts, key=KEY))
        (entry,) = desk.events(Event.RELEASED)
        assert entry.facts["recipient_key"] == KEY
        assert (entry.by, entry.facts["people"], entry.facts["sha256"], entry.facts["bytes"]) == (BERT, [ADA, BERT], "ab", 5)
        assert len(desk.house.records.office.rights.store.duties(settled=False)) == duties


class TestVerdict:
    @pytest.mark.parametrize("present", [(), (ADA,), (BERT, CLEO), (ADA, ADA)])
    def test_only_somebody_who_sits_there_with_another_judges(self, desk, present):
        assert desk.tell(Door(*present), found(ADA)).problem == "not-in-room"
        assert desk.now().verdicts == ()

    def test_nobody_judges_to_whom_the_clip_was_not_shown_and_what_was_shown_is_in_the_log(self, desk):
        door = Door(ADA, BERT)
        door.shown.clear()
        assert desk.tell(door, found(ADA)).problem == "not-shown"
        assert desk.now().verdicts == ()
        shown = m.ClipShown(person=ADA, seconds=17.5, length=17.9, took=21.0)
        assert desk.tell(door, shown, found(ADA)).state == "second"
        (entry,) = desk.events(Event.CLIP_SHOWN)
        assert (entry.by, entry.subject, entry.facts) == (ADA, CLIP, {"seconds": 17.5, "length": 17.9, "took": 21.0})
        assert desk.tell(door, found(BERT)).problem == "not-shown"

    def test_two_who_find_nothing_end_the_clip(self, desk):
        door = Door(ADA, BERT)
        assert desk.tell(door, found(ADA)) == m.Answer(number=7, state="second")
        assert desk.tell(door, found(ADA)).problem == "same-person"
        assert desk.tell(door, found(BERT, Verdict.FALSE_ALARM)) == m.Answer(number=7, state="destroying")
        assert desk.now().state is CaseState.DESTROYING
        assert desk.now().shred_by == (ADA, BERT)

    def test_an_incident_needs_its_ground(self, desk):
        door = Door(ADA, BERT)
        assert desk.tell(door, found(ADA, Verdict.INCIDENT, reference="KL-1")).problem == "no-ground"
        assert desk.tell(door, found(ADA, Verdict.INCIDENT, reference="KL-1", ground="straftat")).state == "second"


class TestSeats:
    def test_who_sits_there_is_known_and_in_the_log(self, desk):
        door = Door()
        desk.tell(door, m.SeatTaken(person=ADA), m.SeatTaken(person=BERT), m.SeatLeft(person=ADA))
        assert door.present == [BERT]
        assert {entry.by for entry in desk.events(Event.SEAT_TAKEN)} == {ADA, BERT}

    @pytest.mark.parametrize(
        ("message", "event", "by"),
        [
            (m.SeatRefused(person=ADA, reason="wrong-passphrase"), Event.SEAT_REFUSED, ADA),
            (m.ClipOpened(people=(ADA, BERT), state="opened"), Event.CLIP_OPENED, BERT),
            (m.ClipUnreadable(state="cut-off", text="x" * 900), Event.CLIP_UNREADABLE, "system"),
            (m.UnmaskAsked(person=ADA, reason="Gesicht", reference="KL-1"), Event.UNMASK_ASKED, ADA),
            (m.UnmaskRefused(person=ADA), Event.UNMASK_REFUSED, ADA),
            (m.UnmaskEnded(by="system"), Event.UNMASK_ENDED, "system"),
            (m.ReleaseAsked(person=ADA, basis="gesetzlich", recipient="Polizei", reference="KL-1"), Event.RELEASE_ASKED, ADA),
            (m.ReleaseAsked(person=ADA, basis="gesetzlich", recipient="x" * 120, reference="KL-1", key=KEY), Event.RELEASE_ASKED, ADA),
            (m.ReleaseRefused(person=ADA, why="not-held"), Event.RELEASE_REFUSED, ADA),
        ],
    )
    def test_what_happens_in_the_room_is_in_the_log(self, desk, message, event, by):
        desk.tell(Door(ADA, BERT), message)
        (entry,) = desk.events(event)
        assert (entry.by, entry.subject) == (by, CLIP)
        assert entry.facts.get("recipient_key", "") == getattr(message, "key", "")
        assert len(str(entry.facts)) < 300
