"""Clips that stay on hosts: deadlines, holds, destruction and receipts, with a real control room's records and a real host's folder.

Between them nothing but what would cross the broker is carried, by hand. docs/design/clips-on-hosts.md.
"""

from __future__ import annotations

import hashlib
import itertools
from types import SimpleNamespace

import msgspec
import pytest

from blickschutz.audit.model import Event
from blickschutz.config.lives import limits_of as limits_of_site
from blickschutz.control.model import HostNewsHeard
from blickschutz.control.service.host_clips import AGAIN_S, HostedClips
from blickschutz.hosts.io.agent import OwnNews
from blickschutz.hosts.io.clips import HostClips
from blickschutz.hosts.io.ends import Own
from blickschutz.hosts.io.journal import FileJournal
from blickschutz.hosts.io.pieces import PIECE_BYTES
from blickschutz.hosts.io.records import ClipRecords
from blickschutz.hosts.io.witness import HostWitness, require_signed
from blickschutz.hosts.model import AskPiece, ClipGone, Directive, HostNews, KeptClip, KeptState, SignedDirective
from blickschutz.hosts.rules import clips as rules
from blickschutz.hosts.rules.subjects import user
from blickschutz.kernel.errors import DeviceError, ProtocolError
from blickschutz.pipeline.messages import ClipTold, News
from blickschutz.recording.model import ClipEvent, ClipMode, ClipNews, Keep
from blickschutz.retention.io.shelf import ClipShelf
from blickschutz.retention.io.sources import ClockSources
from blickschutz.retention.io.timefile import TimeFile
from blickschutz.retention.service import RetentionTime
from blickschutz.review.model import CaseState, Ground
from blickschutz.vault.service import new_key
from tests.fakes.clock import ManualClock
from tests.faults.children import group, make_writer
from tests.house import CAMERA, SITE, Boot, House
from tests.peers.authority import ThrowAway

HOST, RUN, CLIP = "north", "7" * 32, "a" * 32
HOUR = 3600.0
_news = msgspec.msgpack.Decoder(News | HostNews)


class Host:
    """What keeps the clips of a host, in a folder of its own; `again` is a start of its agent after a crash."""

    def __init__(self, folder, clock, installation, public, witness):
        self.folder, self.clock, self.installation = folder, clock, installation
        self._public, self._witness = public, witness
        self.life, self.boots, self.booted = RUN, 1, 0.0
        self._numbers = itertools.count(1)
        (folder / "clips").mkdir(parents=True)
        self.start()

    def start(self):
        self.journal = FileJournal(self.folder / "gate.journal")
        self.records = ClipRecords(self.folder / "kept", KeptClip)
        file = TimeFile(self.folder / "retention.clock", lambda text: hashlib.sha256(text).digest(), lambda text, mark: True)
        sources = ClockSources(Boot(self.clock, self.booted), f"boot-{self.boots}")
        time = RetentionTime(sources, file, self.records, self.records, rules.limits_of(rules.LONGEST))
        own = Own(self.installation, HOST, self._public, self._witness)
        news = OwnNews({CAMERA: self.journal}, lambda camera: None)
        self.shelf = ClipShelf(self.folder / "clips")
        self.clips = HostClips(own, self.shelf, self.records, time, self.clock, news, lambda camera: self.life)

    def again(self):
        self.journal.close()
        self.start()

    def record(self, clip=CLIP, *, close=True):
        """What a cell does, and tells."""
        writer = make_writer(self.shelf.folder, self.installation, clip, new_key(), self.clock.now())
        news = {"clip": clip, "mode": ClipMode.SEALED, "cause": "person_down", "orders": (), "opened": self.clock.now()}
        self.told(ClipNews(event=ClipEvent.OPENED, **news))
        writer.add(group(1))
        if close:
            writer.close("over", 1.0)
            self.told(ClipNews(event=ClipEvent.CLOSED, closed=self.clock.now() + 9, seconds=9.0, reason="over", **news))
        else:
            writer.abandon()

    def told(self, news):
        number = next(self._numbers)
        told = self.clips.heard(CAMERA, RUN, ClipTold(news, number=number))
        self.journal.add(RUN, number, 1, msgspec.msgpack.encode(told), 0)

    def passes(self, seconds):
        """Time goes by, looked at often enough that nobody takes it for a jump."""
        self.clock.time += seconds
        self.clips.look()


class Land:
    """A control room, a host, and the way between them; `cut` while nothing crosses."""

    def __init__(self, folder):
        self.house = House(folder / "state", ManualClock())
        archive = self.house.records.archive
        self.installation = archive.key.installation
        self._authority = ThrowAway(folder)
        certificate, key = self._authority.server("host", user(self.installation, HOST, "e1"))
        self.host = Host(folder / HOST, self.house.clock, self.installation, archive.key.public, HostWitness(certificate, key))
        records = self.house.records
        do = records.worker.do
        self.hosted = HostedClips(archive, records.office, records.shredder, self, self.house.clock, do)
        self.cut, self.way = False, []
        self.store = records.office.cases.store
        self.host.records.keep_for(Keep(regular_s=48 * HOUR, hard_s=limits_of_site(SITE).hard_s, zone="Europe/Berlin"))

    # --- as `ClipHosts` ---

    def is_present(self, host):
        return not self.cut

    def direct(self, host, name, data):
        self.way.append((name, data))

    def require_report(self, host, text, signature, certificate):
        require_signed(text, signature, certificate, self._authority.pem.encode(), {user(self.installation, HOST, "e1")})

    # --- the way ---

    def carry(self):
        """All that waits on both sides, until nothing more happens."""
        for _ in range(4):
            if not self.cut:
                self.hosted.look()
            self.house.records.shredder.expire()
            self.house.records.shredder.work()
            if self.cut:
                return
            for _, data in self.way:
                self.host.clips.directed(data)
            self.way.clear()
            self.host.clips.look()
            for told in self.host.journal.waiting():
                self.take(_news.decode(told.data))
                self.host.journal.confirm(told.run, told.number)
            self.house.work()

    def take(self, news):
        if isinstance(news, ClipTold):
            self.house.records.intake.take(CAMERA, news.news, HOST)
        else:
            self.hosted.take(HostNewsHeard(CAMERA, HOST, news))

    def case(self, clip=CLIP):
        return self.store.by_clip(clip)

    def passes(self, seconds):
        self.host.passes(seconds)
        self.house.records.clock.look()
        self.carry()


@pytest.fixture
def land(tmp_path):
    made = Land(tmp_path)
    made.house.enrol()
    made.host.record()
    made.carry()
    yield made
    made.host.journal.close()
    made.house.close()


def file_of(land, clip=CLIP):
    return land.host.shelf.path(clip)


def receipt(land):
    (entry,) = land.house.events(Event.SHREDDED)
    return entry.facts


def held(land, days=10.0):
    desk, case = land.house.records.office.cases, land.case()
    assert desk.propose_hold(case.id, "kvd-1", Ground.CRIMINAL_OFFENCE, "Js 1", land.house.clock.now() + 86_400 * days)
    assert desk.confirm(case.id, "kvd-2", land.case().version) is None


class TestIndex:
    def test_the_control_room_has_an_entry_and_nothing_else(self, land):
        case = land.case()
        data = file_of(land).read_bytes()
        assert (case.host, case.state, case.size, case.sha256) == (HOST, CaseState.WAITING, len(data), hashlib.sha256(data).hexdigest())
        assert case.seconds == 9.0
        assert abs(case.ends - case.opened - 48 * HOUR) < 1
        assert not land.house.records.archive.shelf.clips()

    def test_a_clip_whose_cell_died_ends_with_its_last_group(self, land):
        land.host.record("b" * 32, close=False)
        land.carry()
        assert land.case("b" * 32).state is CaseState.RECORDING
        land.host.life = "another"
        land.host.clips.look()
        land.passes(20)
        case = land.case("b" * 32)
        assert (case.state, case.close_reason) == (CaseState.WAITING, "cut")
        assert case.sha256 == hashlib.sha256(file_of(land, "b" * 32).read_bytes()).hexdigest()

    def test_the_loss_of_a_link_ends_no_clip(self, land):
        land.host.record("b" * 32, close=False)
        land.carry()
        land.house.records.intake.close_cut(CAMERA)
        land.house.again()
        assert land.case("b" * 32).state is CaseState.RECORDING

    def test_a_clip_that_nobody_told_of_is_taken_up(self, land):
        make_writer(land.host.shelf.folder, land.installation, "c" * 32, new_key(), land.house.clock.now()).abandon()
        writer = make_writer(land.host.shelf.folder, land.installation, "d" * 32, new_key(), land.house.clock.now())
        writer.add(group(1))
        writer.abandon()
        land.host.life = ""
        for _ in range(6):
            land.passes(20)
        assert land.case("d" * 32).state is CaseState.WAITING
        assert land.case("c" * 32) is None, "nothing was recorded in it"
        assert not file_of(land, "c" * 32).exists()

    def test_its_ciphertext_comes_in_pieces_as_long_as_it_is_there(self, land):
        data, got = file_of(land).read_bytes(), b""
        while len(got) < len(data):
            piece = land.host.clips.piece(AskPiece(CLIP, len(got)))
            assert piece.size == len(data)
            assert 0 < len(piece.data) <= PIECE_BYTES
            got += piece.data
        assert got == data
        assert land.host.clips.piece(AskPiece("e" * 32, 0)).problem == "gone"


class TestDeadline:
    def test_the_host_keeps_it_alone_and_tells_when_it_is_back(self, land):
        land.cut = True
        land.passes(48 * HOUR - 60)
        assert file_of(land).exists()
        land.passes(120)
        assert not file_of(land).exists()
        assert land.case().state is not CaseState.DESTROYED, "nobody knows it yet"
        assert not land.house.events(Event.SHREDDED)
        land.cut = False
        land.carry()
        case = land.case()
        assert (case.state, case.shred_reason) == (CaseState.DESTROYED, "unreviewed")
        facts = receipt(land)
        assert (facts["host"], facts["ending"], facts["overwritten"]) == (HOST, "overwritten", case.size)
        assert abs(facts["destroyed"] - case.opened - 48 * HOUR) < 180
        land.host.clips.look()
        assert land.host.records.all() == [], "what is confirmed is forgotten"

    def test_a_clock_that_nobody_believes_ends_nothing(self, land):
        land.cut = True
        land.house.clock.time += 90 * 24 * HOUR
        land.host.boots, land.host.booted = 2, land.house.clock.monotonic()
        land.host.again()
        land.host.clips.look()
        assert file_of(land).exists()

    def test_what_people_ordered_is_done_all_the_same(self, land):
        land.house.clock.time += 90 * 24 * HOUR
        land.host.boots, land.host.booted = 2, land.house.clock.monotonic()
        land.host.again()
        land.store.doom(land.case(), "erasure", ("dsb", "aufsicht"))
        land.carry()
        assert land.case().state is CaseState.DESTROYED

    def test_limits_that_were_never_told_are_the_shortest_that_may_be(self, tmp_path):
        assert ClipRecords(tmp_path, KeptClip).keep.regular_s == 72 * HOUR

    def test_an_end_that_is_told_twice_is_one(self, land):
        land.cut = True
        land.passes(48 * HOUR + 60)
        (record,) = land.host.records.all()
        assert record.state is KeptState.GONE
        # A crash between the journal and the record of it.
        land.host.records.put(msgspec.structs.replace(record, told=None))
        land.host.again()
        land.host.clips.look()
        land.cut = False
        land.carry()
        assert len(land.house.events(Event.SHREDDED)) == 1


class TestDecisions:
    def test_a_hold_is_known_to_the_host_and_outlives_the_deadline(self, land):
        held(land)
        assert land.case().heard == ""
        land.carry()
        assert land.case().heard != ""
        land.cut = True
        land.passes(60 * HOUR)
        assert file_of(land).exists()
        land.passes(9 * 24 * HOUR)
        assert not file_of(land).exists(), "and the host ends it, too"
        land.cut = False
        land.carry()
        assert land.case().shred_reason == "hold-expired"

    def test_a_hold_that_the_host_did_not_hear_of_is_not_promised(self, land):
        land.cut = True
        held(land)
        land.carry()
        assert land.case().heard == ""
        land.passes(49 * HOUR)
        assert not file_of(land).exists(), "the deadline is kept in any case"
        land.cut = False
        land.carry()
        assert land.case().state is CaseState.DESTROYED
        assert receipt(land)["reason"] == "unreviewed", "and the receipt says what happened"

    def test_a_request_restricts_a_clip_on_its_host(self, land):
        desk = land.house.records.office.cases
        assert desk.restrict(land.case().id, 7, "dsb")
        land.carry()
        land.passes(80 * HOUR)
        assert file_of(land).exists()
        desk.free(land.case().id, 7, "dsb")
        land.carry()
        land.carry()
        assert land.case().state is CaseState.DESTROYED

    def test_two_who_find_nothing_have_it_destroyed_there(self, land):
        land.store.doom(land.case(), "harmless", ("kvd-1", "kvd-2"))
        land.house.records.shredder.work()
        assert land.case().state is CaseState.DESTROYING, "no receipt before it is gone"
        assert not land.house.events(Event.SHREDDED)
        land.carry()
        assert receipt(land)["people"] == ["kvd-1", "kvd-2"]
        assert not file_of(land).exists()

    def test_while_something_is_lost_no_end_is_ordered_and_holds_are(self, land):
        shredder = land.house.records.shredder
        safety, shredder._safety = shredder._safety, SimpleNamespace(on=True)
        land.host.record("b" * 32)
        land.carry()
        held(land)
        land.store.doom(land.case("b" * 32), "harmless", ("kvd-1", "kvd-2"))
        land.carry()
        assert file_of(land, "b" * 32).exists()
        assert land.case().heard != ""
        shredder._safety = safety
        land.carry()
        assert not file_of(land, "b" * 32).exists()

    def test_a_copy_that_was_fetched_goes_before_there_is_a_receipt(self, land):
        fetched = land.house.records.archive.data / "fetched"
        fetched.mkdir()
        (fetched / f"{CLIP}.clip").write_bytes(b"x")
        land.store.doom(land.case(), "harmless", ("kvd-1", "kvd-2"))
        land.carry()
        assert not list(fetched.iterdir())
        assert receipt(land)["derived"] == 1

    def test_it_is_said_again_until_it_is_confirmed(self, land):
        held(land)
        land.hosted.look()
        assert len(land.way) == 1
        land.hosted.look()
        assert len(land.way) == 1
        land.house.clock.time += AGAIN_S
        land.hosted.look()
        names = {name for name, _ in land.way}
        assert len(names) == 2, "under another name: a broker may have lost the first and know its name"

    def test_a_clip_that_its_host_lost_is_told_of_once_and_never_called_destroyed(self, land):
        land.host.shelf.overwrite(CLIP)
        land.host.shelf.remove(CLIP)
        land.host.records.drop(CLIP)
        land.store.doom(land.case(), "harmless", ("kvd-1", "kvd-2"))
        for _ in range(3):
            land.carry()
            land.house.clock.time += AGAIN_S
        (entry,) = land.house.events(Event.MISSING_FILE)
        assert entry.facts["host"] == HOST
        assert land.case().state is CaseState.DESTROYING

    def test_a_host_that_knows_more_than_rows_out_of_a_backup_obeys_what_is_decided_anew(self, land):
        (record,) = land.host.records.all()
        land.host.records.put(msgspec.structs.replace(record, serial=900))
        held(land)
        for _ in range(2):
            land.carry()
            land.house.clock.time += AGAIN_S
        assert land.case().heard != ""
        assert land.host.records.all()[0].held_until is not None


class TestForgeries:
    def signed(self, land, **changed):
        told = Directive(
            **{"installation": land.installation, "host": HOST, "clip": CLIP, "serial": 50, **changed, "held_until": 9e9, "restricted": ()}
        )
        text = rules.text_of(told)
        return text, land.house.records.archive.key.sign(rules.DIRECTIVE + text)

    def test_a_directive_that_is_not_the_installations_is_refused(self, land):
        text, signature = self.signed(land)
        for data, words in (
            (SignedDirective(text, bytes(64)), "not signed"),
            (SignedDirective(text + b" ", signature), "not signed"),
            (SignedDirective(*self.signed(land, host="south")), "another host"),
            (SignedDirective(*self.signed(land, installation="elsewhere")), "another host"),
        ):
            with pytest.raises(ProtocolError, match=words):
                land.host.clips.directed(msgspec.msgpack.encode(data))
        assert land.host.records.all()[0].held_until is None

    def test_an_older_directive_changes_nothing(self, land):
        land.host.clips.directed(msgspec.msgpack.encode(SignedDirective(*self.signed(land))))
        assert land.host.records.all()[0].held_until == 9e9
        old = Directive(installation=land.installation, host=HOST, clip=CLIP, serial=49)
        text = rules.text_of(old)
        signed = SignedDirective(text, land.house.records.archive.key.sign(rules.DIRECTIVE + text))
        land.host.clips.directed(msgspec.msgpack.encode(signed))
        assert land.host.records.all()[0].held_until == 9e9

    def test_a_receipt_that_the_host_did_not_sign_ends_no_case(self, land):
        land.store.doom(land.case(), "harmless", ("kvd-1", "kvd-2"))
        record = land.host.records.all()[0]
        made = rules.receipt(
            msgspec.structs.replace(record, doom=rules.directive_of(land.case(), land.installation).doom), land.installation, HOST, 1.0, 0
        )
        other, key = ThrowAway(land.house.folder, "other").server("host", user(land.installation, HOST, "e1"))
        stranger = HostWitness(other, key)
        text = rules.text_of(made)
        land.take(ClipGone(receipt=text, signature=stranger.sign(rules.RECEIPT + text), certificate=stranger.certificate))
        assert land.case().state is CaseState.DESTROYING
        (entry,) = land.house.events(Event.SHRED_FAILED)
        assert entry.facts["host"] == HOST

    def test_without_the_installations_key_nothing_is_recorded_there(self, land):
        land.house.order()
        (order,) = land.house.cell.orders
        assert land.host.clips.ordered(CAMERA, order) == ""
        assert land.host.records.keep == order.keep
        land.host._public = b""
        land.host.again()
        assert "enrol it anew" in land.host.clips.ordered(CAMERA, order)
        told = [_news.decode(one.data) for one in land.host.journal.waiting()]
        assert told[-1].news.event is ClipEvent.REFUSED

    def test_a_clip_of_another_camera_is_not_believed(self, land):
        news = ClipNews(event=ClipEvent.CLOSED, clip=CLIP, mode=ClipMode.SEALED, cause="x", orders=(), opened=1.0)
        with pytest.raises(DeviceError, match="none of the camera"):
            land.host.clips.heard("yard", RUN, ClipTold(news))
