"""Second copies of clips on another host: ordered, compared, held, ended by their own deadline, proven. docs/design/clips-on-hosts.md.

The keeper's rules with a real folder; then a control room's records, the host that made the clip and its keeper, with nothing between them
but what would cross the broker.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import secrets
from dataclasses import replace

import msgspec
import pytest

from blickschutz.audit.model import Event
from blickschutz.control.model import HostNewsHeard
from blickschutz.control.service.copies import LOST_AGAIN_S
from blickschutz.control.service.fetching import ClipFetch
from blickschutz.control.service.host_clips import HostedClips
from blickschutz.guard.service import Guard
from blickschutz.hosts.io.agent import OwnNews
from blickschutz.hosts.io.clips import HostClips
from blickschutz.hosts.io.copies import COMPARED_EVERY_S, HostCopies
from blickschutz.hosts.io.ends import Own
from blickschutz.hosts.io.journal import FileJournal
from blickschutz.hosts.io.pieces import PIECE_BYTES
from blickschutz.hosts.io.records import AllRecords, ClipRecords
from blickschutz.hosts.io.witness import HostWitness, require_signed
from blickschutz.hosts.model import (
    AskCopy,
    AskPiece,
    ClipGone,
    CopyOrder,
    DirectiveHeard,
    Doom,
    HostNews,
    HostReceipt,
    KeptClip,
    KeptCopy,
    KeptState,
    Piece,
    SignedDirective,
)
from blickschutz.hosts.rules import clips as clip_rules
from blickschutz.hosts.rules.copies import AWAY_S, MOST_COPIES, copy_on, uncopied
from blickschutz.hosts.rules.subjects import user
from blickschutz.kernel.errors import DeviceError, ProtocolError
from blickschutz.pipeline.messages import News
from blickschutz.retention.io.shelf import ClipShelf
from blickschutz.retention.io.sources import ClockSources
from blickschutz.retention.io.timefile import TimeFile
from blickschutz.retention.model import Receipt
from blickschutz.retention.rules import proofs_of, receipt_text
from blickschutz.retention.service import RetentionTime
from blickschutz.review.model import CaseState, CopyState, Ground
from blickschutz.vault.io.files import is_signed
from tests.fakes.clock import ManualClock
from tests.house import CAMERA, Boot
from tests.keepers import KEEPER, SITE, Signer, signer, witness
from tests.unit.test_host_clips import CLIP, HOST, HOUR, Land

__all__ = ["signer", "witness"]
WEST = "west"
DATA = os.urandom(PIECE_BYTES + 4711)
_news = msgspec.msgpack.Decoder(News | HostNews)


class Keeper:
    """A host that keeps copies, in a folder of its own; `again` is a start of its agent after a crash."""

    def __init__(self, folder, clock, installation, public, witness, reserve=0, name=KEEPER):
        self.folder, self.clock, self.reserve = folder, clock, reserve
        self.own = Own(installation, name, public, witness)
        self.boots, self.booted = 1, 0.0
        folder.mkdir(parents=True, exist_ok=True)
        self.start()

    def start(self):
        self.journal = FileJournal(self.folder / "gate.journal")
        file = TimeFile(self.folder / "retention.clock", lambda text: hashlib.sha256(text).digest(), lambda text, mark: True)
        sources = ClockSources(Boot(self.clock, self.booted), f"boot-{self.boots}")
        kept, self.records = ClipRecords(self.folder / "kept", KeptClip), ClipRecords(self.folder / "copied", KeptCopy)
        time = RetentionTime(sources, file, AllRecords(kept, self.records), kept, clip_rules.limits_of(clip_rules.LONGEST))
        news = OwnNews({CAMERA: self.journal}, lambda camera: None)
        self.shelf = ClipShelf(self.folder / "copies")
        self.shelf.folder.mkdir(exist_ok=True)
        self.copies = HostCopies(self.own, self.shelf, self.records, time, self.clock, news, self.reserve)
        self.clips = HostClips(self.own, ClipShelf(self.folder / "clips"), kept, time, self.clock, news, lambda camera: "", self.copies)

    def again(self):
        self.journal.close()
        self.start()

    @property
    def file(self):
        return self.shelf.path(CLIP)

    def pulls(self, give):
        """As `CopyPull` does, from whoever gives."""
        while (record := self.copies.next()) is not None:
            try:
                start = self.copies.begin(record)
                while start is not None:
                    piece = give(AskCopy(record.order, start))
                    if piece.problem:
                        raise DeviceError(piece.problem)
                    whole = self.copies.add(record.clip, start, piece.data)
                    start = None if whole else start + len(piece.data)
            except DeviceError as error:
                self.copies.put_off(record.clip, str(error))

    def passes(self, seconds):
        self.clock.time += seconds
        self.copies.look()

    def told(self):
        return [_news.decode(one.data) for one in self.journal.waiting()]


def giving(data=DATA):
    return lambda asked: Piece(asked.start, len(data), data[asked.start : asked.start + PIECE_BYTES])


@pytest.fixture
def keeper(tmp_path, signer, witness):
    made = Keeper(tmp_path / KEEPER, ManualClock(), SITE, signer.public, witness)
    yield made
    made.journal.close()


def order(keeper, **changed):
    now = keeper.clock.now()
    made = CopyOrder(
        installation=SITE,
        host=KEEPER,
        origin=HOST,
        clip=CLIP,
        serial=1,
        opened=now - HOUR,
        size=len(DATA),
        sha256=hashlib.sha256(DATA).hexdigest(),
        ends=now + 47 * HOUR,
        left_s=47 * HOUR,
    )
    return msgspec.structs.replace(made, **changed)


def there(keeper, signer):
    keeper.copies.ordered(signer.sign(order(keeper)))
    keeper.pulls(giving())
    assert keeper.records.get(CLIP).state is KeptState.THERE


def report_of(keeper):
    (gone,) = [one for one in keeper.told() if isinstance(one, ClipGone)]
    return msgspec.json.decode(gone.receipt, type=HostReceipt)


class TestOrder:
    def test_what_it_orders_comes_is_compared_and_confirmed(self, keeper, signer):
        keeper.copies.ordered(signer.sign(order(keeper)))
        assert keeper.told() == [], "nothing is confirmed before it is whole"
        keeper.pulls(giving())
        assert keeper.file.read_bytes() == DATA
        assert keeper.file.stat().st_mode & 0o077 == 0
        assert keeper.told() == [DirectiveHeard(clip=CLIP, serial=1, known=True, number=1)]
        assert keeper.clips.piece(AskPiece(CLIP, 0)).data == DATA[:PIECE_BYTES], "the review room asks for it as for any clip"

    @pytest.mark.parametrize("changed", [{"installation": "another"}, {"host": "west"}, {"clip": "../x"}, {"size": 0}])
    def test_one_that_is_not_for_this_host_is_refused(self, keeper, signer, changed):
        with pytest.raises(ProtocolError):
            keeper.clips.directed(msgspec.msgpack.encode(signer.sign(order(keeper, **changed))))
        assert keeper.records.all() == []

    def test_one_that_is_not_signed_by_the_installation_is_refused(self, keeper):
        with pytest.raises(ProtocolError):
            keeper.clips.directed(msgspec.msgpack.encode(Signer().sign(order(keeper))))
        assert keeper.records.all() == []

    def test_a_directive_for_a_clip_is_no_order_for_a_copy(self, keeper, signer):
        with pytest.raises(ProtocolError):
            keeper.clips.directed(msgspec.msgpack.encode(signer.sign(order(keeper), clip_rules.DIRECTIVE)))

    def test_an_old_one_changes_nothing_and_hears_what_is_known(self, keeper, signer):
        there(keeper, signer)
        hold = order(keeper, serial=9, held_until=keeper.clock.now() + 240 * HOUR)
        keeper.copies.ordered(signer.sign(hold))
        keeper.copies.ordered(signer.sign(order(keeper, serial=5)))
        assert keeper.records.get(CLIP).held_until == hold.held_until
        assert [one.serial for one in keeper.told()] == [1, 9, 9]

    def test_one_for_another_file_changes_nothing(self, keeper, signer):
        there(keeper, signer)
        keeper.copies.ordered(signer.sign(order(keeper, serial=9, sha256="0" * 64, held_until=1e12)))
        assert keeper.records.get(CLIP).held_until is None

    def test_a_copy_that_was_confirmed_and_is_not_known_proves_nothing(self, keeper, signer):
        keeper.copies.ordered(signer.sign(order(keeper, had=True, doom=Doom(reason="harmless", people=("a", "b")))))
        keeper.copies.look()
        assert keeper.told() == [DirectiveHeard(clip=CLIP, serial=1, known=False, number=1)]

    def test_the_end_of_one_that_never_came_is_proven_as_that(self, keeper, signer):
        keeper.copies.ordered(signer.sign(order(keeper, doom=Doom(reason="harmless", people=("a", "b")))))
        keeper.copies.look()
        report = report_of(keeper)
        assert (report.host, report.ending, report.overwritten, report.absent) == (KEEPER, "vanished", 0, True)


class TestCopying:
    def test_a_cut_in_the_midst_goes_on_where_it_stopped(self, keeper, signer):
        keeper.copies.ordered(signer.sign(order(keeper)))
        asked = []

        def cut(ask):
            asked.append(ask.start)
            return giving()(ask) if not ask.start else Piece(0, 0, b"", "the link is cut")

        keeper.pulls(cut)
        assert keeper.file.stat().st_size == PIECE_BYTES
        keeper.again()
        keeper.pulls(lambda ask: asked.append(ask.start) or giving()(ask))
        assert asked == [0, PIECE_BYTES, PIECE_BYTES]
        assert keeper.records.get(CLIP).state is KeptState.THERE

    def test_another_file_is_no_copy(self, keeper, signer):
        keeper.copies.ordered(signer.sign(order(keeper)))
        keeper.pulls(giving(bytes(len(DATA))))
        assert not keeper.file.exists()
        assert keeper.told() == []
        assert keeper.copies.next() is None, "it is tried again later"
        keeper.clock.time += 10
        keeper.pulls(giving())
        assert keeper.records.get(CLIP).state is KeptState.THERE

    def test_no_room_leaves_the_disk_to_recording(self, keeper, signer):
        keeper.reserve = 1 << 62
        keeper.again()
        keeper.copies.ordered(signer.sign(order(keeper)))
        keeper.pulls(giving())
        assert not keeper.file.exists()
        assert keeper.records.get(CLIP).state is KeptState.COMING

    def test_a_disk_that_gets_full_ends_nothing_and_it_comes_later(self, keeper, signer, monkeypatch):
        keeper.copies.ordered(signer.sign(order(keeper)))

        def full(handle):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr("blickschutz.hosts.io.copies.os.fsync", full)
        keeper.pulls(giving())
        assert keeper.told() == []
        monkeypatch.undo()
        keeper.clock.time += 10
        keeper.pulls(giving())
        assert keeper.records.get(CLIP).state is KeptState.THERE

    def test_a_full_disk_at_the_order_holds_up_no_order_to_cameras(self, keeper, signer, monkeypatch):
        def full(path, data):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr("blickschutz.hosts.io.copies.write_private", full)
        keeper.clips.directed(msgspec.msgpack.encode(signer.sign(order(keeper))))
        assert keeper.records.all() == []


class TestDeadline:
    def test_the_keeper_needs_nobody_for_it(self, keeper, signer):
        there(keeper, signer)
        keeper.passes(47 * HOUR - 60)
        assert keeper.file.exists()
        keeper.passes(120)
        assert not keeper.file.exists()
        assert not list(keeper.shelf.folder.iterdir()), "nor anything beside it"
        report = report_of(keeper)
        assert (report.reason, report.ending, report.overwritten) == ("unreviewed", "overwritten", len(DATA))

    def test_one_that_passed_while_it_was_switched_off_is_kept_at_the_start(self, keeper, signer):
        there(keeper, signer)
        keeper.journal.close()
        keeper.clock.time += 50 * HOUR
        keeper.start()
        keeper.copies.look()
        assert not keeper.file.exists()

    @pytest.mark.parametrize(("ends", "left"), [(2 * HOUR, 47 * HOUR), (90 * HOUR, 2 * HOUR)])
    def test_of_its_date_and_its_seconds_the_first_counts(self, keeper, signer, ends, left):
        """A keeper whose clock is behind, or an order that lay with the broker: neither lengthens it."""
        keeper.copies.ordered(signer.sign(order(keeper, ends=keeper.clock.now() + ends, left_s=left)))
        keeper.pulls(giving())
        keeper.passes(2 * HOUR - 30)
        assert keeper.file.exists()
        keeper.passes(60)
        assert not keeper.file.exists()

    def test_what_is_half_there_ends_with_it(self, keeper, signer):
        keeper.copies.ordered(signer.sign(order(keeper)))
        keeper.pulls(lambda ask: giving()(ask) if not ask.start else Piece(0, 0, b"", "away"))
        keeper.passes(48 * HOUR)
        assert not keeper.file.exists()
        assert report_of(keeper).overwritten == PIECE_BYTES

    def test_a_held_copy_outlives_it_until_the_date_of_the_hold(self, keeper, signer):
        there(keeper, signer)
        keeper.copies.ordered(signer.sign(order(keeper, serial=2, held_until=keeper.clock.now() + 200 * HOUR)))
        keeper.passes(100 * HOUR)
        assert keeper.file.exists()
        keeper.passes(101 * HOUR)
        assert not keeper.file.exists()
        assert report_of(keeper).reason == "hold-expired"

    def test_a_clock_that_nobody_believes_ends_nothing_but_what_is_ordered(self, keeper, signer):
        there(keeper, signer)
        keeper.clock.time += 90 * 24 * HOUR
        keeper.boots, keeper.booted = 2, keeper.clock.monotonic()
        keeper.again()
        keeper.copies.look()
        assert keeper.file.exists()
        keeper.copies.ordered(signer.sign(order(keeper, serial=2, doom=Doom(reason="erasure", people=("dsb", "aufsicht")))))
        keeper.copies.look()
        assert not keeper.file.exists()

    def test_the_signed_order_beside_it_is_enough(self, keeper, signer):
        """The records are lost: the deadline lies with the ciphertext, and is that of the order."""
        there(keeper, signer)
        (keeper.folder / "copied" / f"{CLIP}.json").unlink()
        keeper.again()
        keeper.passes(1)
        keeper.passes(70)
        record = keeper.records.get(CLIP)
        assert (record.state, record.doom) == (KeptState.COMING, None)
        keeper.pulls(giving())
        assert keeper.records.get(CLIP).state is KeptState.THERE, "compared anew, and not brought anew"
        keeper.passes(47 * HOUR)
        assert not keeper.file.exists()

    @pytest.mark.parametrize("forged", [b"", b"nothing"])
    def test_ciphertext_without_an_order_is_destroyed(self, keeper, signer, forged):
        there(keeper, signer)
        (keeper.folder / "copied" / f"{CLIP}.json").unlink()
        keeper.file.with_suffix(".hold").write_bytes(forged)
        keeper.again()
        for _ in range(4):
            keeper.passes(40)
        assert not list(keeper.shelf.folder.iterdir())
        assert report_of(keeper).reason == "no-order"

    def test_a_disk_that_does_not_let_go_is_tried_again_and_nothing_is_reported(self, keeper, signer, monkeypatch):
        there(keeper, signer)

        def refuse(clip):
            raise DeviceError("the disk refuses")

        monkeypatch.setattr(keeper.shelf, "remove", refuse)
        keeper.passes(48 * HOUR)
        assert not [one for one in keeper.told() if isinstance(one, ClipGone)]
        monkeypatch.undo()
        keeper.passes(2)
        assert report_of(keeper).ending in {"overwritten", "interrupted"}
        assert not keeper.file.exists()


class TestAltered:
    def test_one_that_was_altered_is_told_of_once_and_ends_as_any_other(self, keeper, signer):
        there(keeper, signer)
        data = bytearray(DATA)
        data[4711] ^= 1
        keeper.file.write_bytes(data)
        keeper.passes(COMPARED_EVERY_S + 1)
        keeper.passes(COMPARED_EVERY_S + 1)
        assert [one.known for one in keeper.told()] == [True, False]
        keeper.passes(47 * HOUR)
        assert not keeper.file.exists()


class TwoHosts(Land):
    """A control room that wants copies, the host that makes clips, those that keep copies, and the ways between them.

    `away` are hosts that nobody reaches now.
    """

    def __init__(self, folder, keepers=(KEEPER,)):
        super().__init__(folder)
        records = self.house.records
        self.keepers = {name: self._keeper(folder / name, name) for name in keepers}
        self.keeper = self.keepers[KEEPER]
        wanted = dict.fromkeys((HOST, *keepers), "")
        self.hosted = HostedClips(records.archive, records.office, records.shredder, self, self.house.clock, records.worker.do, wanted)
        self.away, self.said, self.told_to_keeper = set(), [], []
        self.names, self.flaps = set(), False

    def _keeper(self, folder, name):
        witness = HostWitness(*self._authority.server(name, user(self.installation, name, "e1")))
        return Keeper(folder, self.house.clock, self.installation, self.house.records.archive.key.public, witness, name=name)

    def is_present(self, host):
        return host not in self.away

    def direct(self, host, name, data):
        """As a broker does: what is said twice under one name is said once."""
        if (host, name) in self.names:
            return
        self.names.add((host, name))
        self.said.append((host, data))
        if host == KEEPER:
            self.told_to_keeper.append(name)

    def require_report(self, host, text, signature, certificate):
        require_signed(text, signature, certificate, self._authority.pem.encode(), {user(self.installation, host, "e1")})

    async def piece(self, host, asked):
        if host in self.away:
            raise DeviceError("away")
        return self._clips(host).piece(asked)

    def _clips(self, host):
        return (self.host if host == HOST else self.keepers[host]).clips

    def carry(self):
        for _ in range(5):
            self.hosted.look()
            self.house.records.shredder.expire()
            self.house.records.shredder.work()
            for host, data in self.said:
                if host not in self.away:
                    self._clips(host).directed(data)
            self.said.clear()
            if self.flaps:
                self.away.add(KEEPER)
                self.hosted.look()
                self.away.discard(KEEPER)
            self.host.clips.look()
            for name, keeper in self.keepers.items():
                keeper.copies.look()
                if not {HOST, name} & self.away:
                    keeper.pulls(self.host.clips.copied)
            for name, side in {HOST: self.host, **self.keepers}.items():
                for told in side.journal.waiting() if name not in self.away else ():
                    news = _news.decode(told.data)
                    if isinstance(news, HostNews):
                        self.hosted.take(told_by(name, news))
                    else:
                        self.take(news)
                    side.journal.confirm(told.run, told.number)
            self.house.work()

    def passes(self, seconds):
        self.house.clock.time += seconds
        self.house.records.clock.look()
        self.carry()

    def fresh(self):
        """A clip that was just recorded, by its name; all hosts are there."""
        self.away.clear()
        clip = secrets.token_hex(16)
        self.host.record(clip)
        return clip

    def copied(self):
        clip = self.fresh()
        self.carry()
        assert self.copy(clip).state is CopyState.THERE
        return clip

    def copy(self, clip):
        (found,) = self.case(clip).copies
        return found

    def copies(self, clip):
        return [(one.host, one.state) for one in self.case(clip).copies]

    def forget(self, clip, name=KEEPER):
        """A keeper's disk is another one; what was on it, so that it can be put back."""
        keeper = self.keepers[name]
        paths = [keeper.folder / "copied" / f"{clip}.json", *keeper.shelf.folder.glob(f"{clip}*")]
        kept = {path: path.read_bytes() for path in paths}
        for path in paths:
            path.unlink()
        self.restart(name)
        return kept

    def restart(self, name=KEEPER):
        self.keepers[name].again()
        self.away.add(name)
        self.hosted.look()
        self.away.discard(name)

    def end(self):
        for side in (self.host, *self.keepers.values()):
            side.journal.close()
        self.house.close()

    def files(self, clip):
        """Whether original and copy are on their disks."""
        return self.host.shelf.path(clip).exists(), self.keeper.shelf.path(clip).exists()

    def again_later(self):
        """What nobody answered is said again after a while."""
        self.passes(25)

    def receipt(self, clip):
        ((entry, _),) = self.house.records.office.log.find(event=Event.SHREDDED, subject=clip)
        return msgspec.convert(entry.facts, Receipt)

    def doom(self, clip):
        self.store.doom(self.case(clip), "harmless", ("kvd-1", "kvd-2"))


def told_by(host, news):
    return HostNewsHeard(CAMERA, host, news)


def fetched(land, clip, folder):
    """What the review room would get, or a word for its door."""

    async def run():
        fetch = ClipFetch(folder, land, lambda: 1 << 40, 0)
        guard = Guard(land.house.clock)
        fetch.start(guard)
        case = land.case(clip)
        problem = fetch.refusal(case) or await fetch.wait(case)
        await guard.finish()
        return problem or await asyncio.to_thread(fetch.path(case).read_bytes)

    return asyncio.run(run())


@pytest.fixture(scope="module")
def land(tmp_path_factory):
    """One for all: to set one up costs more than what is tried with it. Each test has a clip of its own."""
    made = TwoHosts(tmp_path_factory.mktemp("land"))
    made.house.enrol()
    yield made
    made.end()


class TestTogether:
    def test_a_finished_clip_gets_one_copy_and_nothing_but_its_ciphertext(self, land):
        clip = land.copied()
        case, there = land.case(clip), land.keeper.shelf.path(clip).read_bytes()
        assert hashlib.sha256(there).hexdigest() == case.sha256
        assert there == land.host.shelf.path(clip).read_bytes()
        assert (land.copy(clip).host, land.copy(clip).heard != "") == (KEEPER, True)
        assert {path.name for path in land.keeper.shelf.folder.iterdir() if path.name.startswith(clip)} == {f"{clip}.clip", f"{clip}.hold"}
        assert abs(land.keeper.records.get(clip).stamped - land.host.records.get(clip).stamped + 24 * HOUR) < 60, "one deadline"

    def test_one_that_records_still_has_none(self, land):
        clip = secrets.token_hex(16)
        land.host.record(clip, close=False)
        land.carry()
        assert land.case(clip).copies == ()

    def test_only_whoever_shows_the_order_of_the_installation_gets_pieces(self, land):
        clip = land.copied()
        right = land.keeper.records.get(clip).order
        assert land.host.clips.copied(AskCopy(right, 0)).data
        with pytest.raises(ProtocolError):
            land.host.clips.copied(AskCopy(SignedDirective(right.text, bytes(64)), 0))
        with pytest.raises(ProtocolError):
            land.host.clips.copied(AskCopy(Signer().sign(msgspec.json.decode(right.text, type=CopyOrder)), 0))

    def test_the_receipt_waits_for_the_copy_and_names_it_with_its_proof(self, land):
        clip = land.copied()
        land.away.add(KEEPER)
        land.doom(clip)
        land.carry()
        assert land.files(clip) == (False, True)
        assert land.case(clip).state is CaseState.DESTROYING, "no receipt before all of it is gone"
        assert not land.house.records.office.log.find(event=Event.SHREDDED, subject=clip)
        land.away.clear()
        land.again_later()
        assert land.files(clip) == (False, False)
        receipt, case = land.receipt(clip), land.case(clip)
        assert case.state is CaseState.DESTROYED
        (proof,) = proofs_of(receipt)
        assert (proof.host, proof.ending, proof.overwritten, proof.sha256) == (KEEPER, "overwritten", case.size, case.sha256)
        assert proof.reported == land.copy(clip).digest
        assert land.copy(clip).report == "", "what names people stays in the log"
        assert is_signed(receipt_text(receipt), bytes.fromhex(receipt.signature), land.house.records.archive.key.public)
        forged = msgspec.structs.replace(receipt, copies=[])
        assert not is_signed(receipt_text(forged), bytes.fromhex(receipt.signature), land.house.records.archive.key.public)

    def test_the_original_that_is_away_is_waited_for_too(self, land):
        clip = land.copied()
        land.away.add(HOST)
        land.doom(clip)
        land.carry()
        assert (land.files(clip), land.case(clip).state, land.copy(clip).state) == ((True, False), CaseState.DESTROYING, CopyState.GONE)
        land.away.clear()
        land.again_later()
        assert land.case(clip).state is CaseState.DESTROYED
        assert len(land.receipt(clip).copies) == 1

    def test_a_crash_between_report_and_receipt_is_made_good(self, land):
        clip = land.copied()
        land.away.add(KEEPER)
        land.doom(clip)
        land.carry()
        case = land.case(clip)
        report = msgspec.json.encode(msgspec.structs.replace(msgspec.json.decode(case.reported, type=HostReceipt), host=KEEPER)).decode()
        assert land.store.copied(replace(case, copies=(replace(land.copy(clip), state=CopyState.GONE, report=report, digest="0"),)))
        land.again_later()
        assert land.case(clip).state is CaseState.DESTROYED

    def test_a_deadline_ends_both_though_nobody_reaches_anybody(self, land):
        clip = land.copied()
        land.away.update((HOST, KEEPER))
        land.passes(48 * HOUR + 60)
        assert land.files(clip) == (False, False)
        land.away.clear()
        land.again_later()
        assert land.case(clip).state is CaseState.DESTROYED
        assert [one.reason for one in proofs_of(land.receipt(clip))] == ["unreviewed"]

    def test_a_hold_is_told_to_both_and_promised_when_both_confirmed(self, land):
        clip = land.copied()
        desk, before = land.house.records.office.cases, land.copy(clip).heard
        land.away.add(KEEPER)
        until = land.house.clock.now() + 240 * HOUR
        assert desk.propose_hold(land.case(clip).id, "kvd-1", Ground.CRIMINAL_OFFENCE, "Js 1", until)
        assert desk.confirm(land.case(clip).id, "kvd-2", land.case(clip).version) is None
        land.carry()
        assert land.copy(clip).heard == before
        land.away.clear()
        land.again_later()
        assert land.copy(clip).heard != before
        land.passes(60 * HOUR)
        assert land.files(clip) == (True, True)
        assert desk.propose_end(land.case(clip).id, "kvd-2")
        assert desk.confirm(land.case(clip).id, "kvd-1", land.case(clip).version) is None
        land.again_later()
        assert land.files(clip) == (False, False)
        assert land.case(clip).state is CaseState.DESTROYED

    def test_a_copy_whose_keeper_forgot_it_is_never_called_destroyed(self, land):
        clip = land.copied()
        (land.keeper.folder / "copied" / f"{clip}.json").unlink()
        for path in land.keeper.shelf.folder.glob(f"{clip}*"):
            path.unlink()
        land.keeper.again()
        land.doom(clip)
        land.carry()
        land.again_later()
        land.again_later()
        assert (land.case(clip).state, land.copy(clip).state) == (CaseState.DESTROYING, CopyState.LOST)
        assert not land.house.records.office.log.find(event=Event.SHREDDED, subject=clip)
        assert len(land.house.records.office.log.find(event=Event.MISSING_FILE, subject=clip)) == 1
        asked = len(land.told_to_keeper)
        land.again_later()
        assert len(land.told_to_keeper) == asked, "it is not asked every few seconds for ever"
        land.passes(LOST_AGAIN_S)
        assert len(land.told_to_keeper) > asked

    def test_rows_out_of_a_backup_are_heard_by_the_keeper_again(self, land):
        clip = land.copied()
        case = land.case(clip)
        land.keeper.records.put(msgspec.structs.replace(land.keeper.records.get(clip), serial=case.version + 50))
        land.doom(clip)
        land.carry()
        land.again_later()
        assert land.files(clip) == (False, False)
        assert land.case(clip).state is CaseState.DESTROYED

    def test_a_report_that_another_host_signed_is_none(self, land):
        clip = land.copied()
        land.host.records.put(msgspec.structs.replace(land.host.records.get(clip), doom=Doom(reason="harmless")))
        land.host.clips.look()
        (gone,) = [one for one in map(_news.decode, (one.data for one in land.host.journal.waiting())) if isinstance(one, ClipGone)]
        land.hosted.take(told_by(KEEPER, gone))
        assert land.copy(clip).state is CopyState.THERE
        land.carry()


class TestDamaged:
    """A copy that its keeper has, and that is not what was ordered: brought once more, on the same host, and counted as one."""

    @pytest.fixture(params=["altered", "cut short", "gone"])
    def clip(self, land, request):
        clip = land.copied()
        path = land.keeper.shelf.path(clip)
        data = path.read_bytes()
        if request.param == "gone":
            path.unlink()
        else:
            path.write_bytes(data[:-1] + (bytes([data[-1] ^ 1]) if request.param == "altered" else b""))
        land.passes(COMPARED_EVERY_S + 1 if request.param == "altered" else 1)
        land.passes(5)
        return clip

    def test_it_is_brought_once_more_from_the_original(self, land, clip):
        assert land.copies(clip) == [(KEEPER, CopyState.THERE)]
        assert land.keeper.shelf.path(clip).read_bytes() == land.host.shelf.path(clip).read_bytes()
        assert len(land.house.records.office.log.find(event=Event.MISSING_FILE, subject=clip)) == 1
        land.doom(clip)
        land.carry()
        land.again_later()
        assert land.case(clip).state is CaseState.DESTROYED
        assert [one.host for one in proofs_of(land.receipt(clip))] == [KEEPER]

    def test_a_keeper_that_is_not_there_for_a_moment_before_each_answer_is_heard(self, land):
        clip = land.copied()
        land.keeper.shelf.path(clip).unlink()
        land.flaps = True
        land.carry()
        land.carry()
        land.flaps = False
        land.passes(5)
        assert land.copies(clip) == [(KEEPER, CopyState.THERE)]

    def test_not_once_its_end_is_ordered(self, land):
        clip = land.copied()
        land.away.add(HOST)
        land.keeper.shelf.path(clip).unlink()
        land.carry()
        assert land.copies(clip) == [(KEEPER, CopyState.LOST)]
        assert uncopied([land.case(clip)], land.house.clock.now() + HOUR), "missing until it is there again"
        land.doom(clip)
        land.away.clear()
        land.carry()
        land.again_later()
        assert land.files(clip) == (False, False)
        assert land.case(clip).state is CaseState.DESTROYED
        (proof,) = proofs_of(land.receipt(clip))
        assert (proof.ending, proof.overwritten) == ("vanished", 0), "what was gone by itself is not called overwritten"

    def test_a_keeper_that_crashes_meanwhile_goes_on(self, land):
        clip = land.copied()
        land.keeper.shelf.path(clip).unlink()
        gives, land.host.clips.copied = land.host.clips.copied, lambda asked: Piece(0, 0, b"", "away")
        land.carry()
        assert land.keeper.records.get(clip).state is KeptState.COMING
        assert land.copies(clip) == [(KEEPER, CopyState.LOST)], "it counts once it was compared"
        land.host.clips.copied = gives
        land.restart()
        land.again_later()
        assert land.copies(clip) == [(KEEPER, CopyState.THERE)]

    def test_an_order_of_before_this_version_is_what_it_was(self, keeper, signer):
        """Whoever does not know the word reads the same text as before."""
        plain = clip_rules.text_of(order(keeper))
        assert b"anew" not in plain
        assert b"anew" in clip_rules.text_of(order(keeper, anew=True))


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    made = TwoHosts(tmp_path_factory.mktemp("three"), (KEEPER, WEST))
    made.house.enrol()
    yield made
    made.end()


class TestAnotherCopy:
    """Three hosts: what a host lost, or keeps while nobody reaches it, is made anew elsewhere, and the receipt waits for each of them."""

    def ends(self, three, clip):
        three.doom(clip)
        three.carry()
        three.again_later()
        return three.case(clip).state

    def test_one_that_a_host_lost_goes_to_another_and_is_never_called_destroyed(self, three):
        clip = three.copied()
        disk = three.forget(clip)
        three.carry()
        assert three.copies(clip) == [(KEEPER, CopyState.LOST), (WEST, CopyState.THERE)]
        assert three.keepers[WEST].shelf.path(clip).read_bytes() == three.host.shelf.path(clip).read_bytes()
        assert self.ends(three, clip) is CaseState.DESTROYING, "nobody knows what became of the first one"
        assert not three.keepers[WEST].shelf.path(clip).exists()
        assert not three.house.records.office.log.find(event=Event.SHREDDED, subject=clip)
        for path, data in disk.items():
            path.write_bytes(data)
        three.restart()
        three.again_later()
        assert three.case(clip).state is CaseState.DESTROYED
        assert [(one.host, one.ending) for one in proofs_of(three.receipt(clip))] == [(KEEPER, "overwritten"), (WEST, "overwritten")]
        assert len(three.house.records.office.log.find(event=Event.SHREDDED, subject=clip)) == 1

    def test_where_there_is_no_other_host_the_same_one_gets_another_and_each_needs_a_proof_of_its_own(self, three):
        clip = three.copied()
        three.away.add(WEST)
        disk = three.forget(clip)
        three.away.add(WEST)
        three.carry()
        assert three.copies(clip) == [(KEEPER, CopyState.LOST), (KEEPER, CopyState.THERE)]
        reports = []
        three.hosted._copies.gone, gone = lambda *told: (reports.append(told), gone(*told)), three.hosted._copies.gone
        assert self.ends(three, clip) is CaseState.DESTROYING
        assert three.copies(clip) == [(KEEPER, CopyState.LOST), (KEEPER, CopyState.GONE)]
        ((_, _, text, digest),) = reports
        three.hosted._copies.gone = gone
        case = three.case(clip)
        gone(case, copy_on(case, KEEPER), text, digest)
        assert three.copies(clip)[0] == (KEEPER, CopyState.LOST), "the same report twice is one proof"
        for path, data in disk.items():
            path.write_bytes(data)
        three.restart()
        three.again_later()
        assert three.case(clip).state is CaseState.DESTROYED
        assert len(proofs_of(three.receipt(clip))) == 2

    def test_one_whose_host_is_away_for_long_gets_another_and_both_are_waited_for(self, three):
        clip = three.copied()
        three.away.add(KEEPER)
        three.carry()
        three.passes(AWAY_S - 60)
        assert three.copies(clip) == [(KEEPER, CopyState.THERE)], "a machine that is started anew is not lost"
        three.passes(120)
        assert three.copies(clip) == [(KEEPER, CopyState.THERE), (WEST, CopyState.THERE)]
        assert self.ends(three, clip) is CaseState.DESTROYING
        three.away.clear()
        three.again_later()
        assert three.case(clip).state is CaseState.DESTROYED
        assert sorted(one.host for one in proofs_of(three.receipt(clip))) == [KEEPER, WEST]

    def test_none_is_made_after_the_end_was_ordered(self, three):
        clip = three.copied()
        three.away.add(KEEPER)
        three.doom(clip)
        three.carry()
        three.passes(2 * AWAY_S)
        assert three.copies(clip) == [(KEEPER, CopyState.THERE)]
        assert not three.keepers[WEST].shelf.path(clip).exists()
        three.away.clear()
        three.again_later()
        assert three.case(clip).state is CaseState.DESTROYED

    def test_none_where_nobody_is_reached_for_then_the_broker_is_away(self, three):
        clip = three.copied()
        three.away.update((HOST, KEEPER, WEST))
        three.carry()
        three.passes(2 * AWAY_S)
        three.away.discard(WEST)
        three.away.discard(HOST)
        three.carry()
        assert three.copies(clip) == [(KEEPER, CopyState.THERE)]

    def test_none_for_less_than_an_hour(self, three):
        clip = three.copied()
        three.passes(47 * HOUR + 60)
        three.away.add(KEEPER)
        three.carry()
        three.away.clear()
        three.forget(clip)
        three.carry()
        assert three.copies(clip) == [(KEEPER, CopyState.LOST)]

    def test_one_that_ended_before_a_hold_was_heard_is_made_anew_and_named_twice(self, three):
        clip = three.copied()
        desk = three.house.records.office.cases
        three.away.update((KEEPER, WEST))
        assert desk.propose_hold(three.case(clip).id, "kvd-1", Ground.CRIMINAL_OFFENCE, "Js 1", three.house.clock.now() + 240 * HOUR)
        assert desk.confirm(three.case(clip).id, "kvd-2", three.case(clip).version) is None
        three.carry()
        three.passes(49 * HOUR)
        assert three.files(clip) == (True, False)
        three.away.discard(KEEPER)
        three.again_later()
        three.again_later()
        assert three.copies(clip) == [(KEEPER, CopyState.GONE), (KEEPER, CopyState.THERE)]
        assert desk.propose_end(three.case(clip).id, "kvd-2")
        assert desk.confirm(three.case(clip).id, "kvd-1", three.case(clip).version) is None
        three.again_later()
        assert three.case(clip).state is CaseState.DESTROYED
        first, second = proofs_of(three.receipt(clip))
        assert (first.reason, second.reason) == ("unreviewed", "hold-released")

    def test_what_a_host_said_of_an_earlier_copy_is_not_of_the_later_one(self, three):
        clip = three.copied()
        three.away.add(WEST)
        three.forget(clip)
        three.away.add(WEST)
        three.carry()
        case = three.case(clip)
        late = DirectiveHeard(clip=clip, serial=case.copies[-1].since - 1, known=False)
        three.hosted.take(told_by(KEEPER, late))
        assert three.copies(clip) == [(KEEPER, CopyState.LOST), (KEEPER, CopyState.THERE)]

    def test_not_more_than_a_few(self, three):
        clip = three.copied()
        for _ in range(MOST_COPIES + 1):
            for name in (KEEPER, WEST):
                if three.keepers[name].records.get(clip) is not None:
                    three.forget(clip, name)
                    three.carry()
        assert len(three.case(clip).copies) == MOST_COPIES


class TestReview:
    def test_the_copy_is_opened_where_the_original_is_away(self, land, tmp_path):
        clip = land.copied()
        land.away.add(HOST)
        assert hashlib.sha256(fetched(land, clip, tmp_path)).hexdigest() == land.case(clip).sha256
        land.away.add(KEEPER)
        assert fetched(land, clip, tmp_path / "other") == "away"

    def test_and_where_the_original_is_altered(self, land, tmp_path):
        clip = land.copied()
        file = land.host.shelf.path(clip)
        file.write_bytes(file.read_bytes()[:-1] + b"x")
        assert hashlib.sha256(fetched(land, clip, tmp_path)).hexdigest() == land.case(clip).sha256

    def test_a_copy_that_was_altered_is_not_opened(self, land, tmp_path):
        clip = land.copied()
        file = land.keeper.shelf.path(clip)
        file.write_bytes(b"x" + file.read_bytes()[1:])
        land.away.add(HOST)
        assert fetched(land, clip, tmp_path) == "not-fetched"
        assert not list(tmp_path.iterdir())
