"""What no row explains is never destroyed without two people, and what somebody held stays held. Real files, real rows."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

import pytest

from blickschutz.audit.model import Event
from blickschutz.compliance.policy import assess
from blickschutz.control.service.grounds import gather
from blickschutz.kernel.errors import DeviceError
from blickschutz.recording.io.clipfile import read_head
from blickschutz.recording.io.emptiness import is_empty
from blickschutz.review.model import CaseState, Fate, Ground, QuarantineReason, Refusal, Verdict
from blickschutz.review.rules import DECIDE_WITHIN_S
from blickschutz.vault.service import new_key
from tests.databases import by_hand
from tests.faults.children import group, make_writer
from tests.house import SITE, House

pytestmark = pytest.mark.both_databases

HOUR, DAY = 3600.0, 86_400.0
NAME = "a" * 32
GROUND = Ground.CRIMINAL_OFFENCE


class Lossy(House):
    """A house whose database can be lost, or be put back as it was."""

    def __init__(self, folder):
        super().__init__(folder / "site")
        self.aside = folder / "backup"

    def back_up(self):
        """A copy of the database as of now, as a restored backup would be."""
        self.aside.mkdir(exist_ok=True)
        for path in self.folder.glob("control.db*"):
            shutil.copy(path, self.aside)

    def older(self):
        """The database of the backup is put back in place of today's, and the system started."""
        self.close()
        for path in self.folder.glob("control.db*"):
            path.unlink()
        for path in self.aside.glob("control.db*"):
            shutil.copy(path, self.folder)
        self.start()
        self.records.keeping.recover()
        if self.records.keeping.safety.on:
            # The witness knows that it is older; whoever sits at the machine goes on with it.
            assert self.records.keeping.safety.accept_here("terminal") is None
            self.work()

    def case(self, clip=NAME):
        return self.records.office.cases.store.by_clip(clip)

    def path(self, clip=NAME):
        return self.records.archive.shelf.path(clip)

    def note(self, clip=NAME):
        return self.path(clip).with_suffix(".hold")

    def hold(self, clip=NAME):
        for person in ("kvd-1", "kvd-2"):
            self.records.office.cases.verdict(self.case(clip).id, person, Verdict.INCIDENT, "", GROUND, "KL-1")
        assert self.case(clip).state is CaseState.HELD
        return self.case(clip)

    def extend(self, days, clip=NAME):
        desk, number = self.records.office.cases, self.case(clip).id
        assert desk.propose_hold(number, "kvd-1", GROUND, "KL-2", self.clock.now() + days * DAY)
        assert desk.confirm(number, "kvd-2", self.case(clip).version) is None

    def let_go(self, clip=NAME):
        desk, number = self.records.office.cases, self.case(clip).id
        assert desk.propose_end(number, "kvd-1")
        assert desk.confirm(number, "kvd-2", self.case(clip).version) is None

    def days(self, days):
        self.clock.sleep(days * DAY)
        self.round()

    def round(self):
        self.housekeep()
        self.work()

    def stray(self, clip=NAME, installation=None, name=None):
        """A file that no row knows."""
        shelf = self.records.archive.shelf
        shelf.folder.mkdir(parents=True, exist_ok=True)
        writer = make_writer(shelf.folder, installation or self.records.archive.key.installation, clip, new_key())
        writer.add(group(1))
        writer.close("over", 1.0)
        if name is not None:
            shelf.path(clip).rename(shelf.path(name))
        return shelf.path(name or clip)

    def found(self, **more):
        self.stray(**more)
        self.again()
        return self.case()


@pytest.fixture
def house(tmp_path):
    house = Lossy(tmp_path)
    yield house
    house.close()


class TestFound:
    def test_a_file_that_no_row_knows_waits_for_two_people_for_ever(self, house):
        case = house.found()
        assert (case.state, case.quarantine.reason) == (CaseState.QUARANTINED, QuarantineReason.NO_ROW)
        assert (case.camera, case.opened, case.size) == ("vorplatz-nord", 1.7e9, house.path().stat().st_size)
        (entry,) = house.events(Event.QUARANTINED)
        assert (entry.subject, entry.facts["reason"], entry.facts["sha256"]) == (NAME, "no-row", case.sha256)
        for _ in range(10):
            house.days(100)
        house.again()
        assert house.case().state is CaseState.QUARANTINED
        assert house.path().exists()
        assert len(house.events(Event.QUARANTINED)) == 1

    def test_a_copy_under_another_name_is_not_ours_to_judge(self, house):
        house.stray(name="a copy")
        house.again()
        case = house.case("a copy")
        assert (case.state, case.quarantine.reason) == (CaseState.QUARANTINED, QuarantineReason.RENAMED)
        desk = house.records.office.quarantine
        assert desk.propose(case.id, "aufsicht", Fate.RELEASE) is Refusal.NOT_THIS_FATE
        assert desk.propose(case.id, "aufsicht", Fate.DESTROY) is None

    def test_a_name_that_is_no_text_stops_no_start_and_gets_one(self, house):
        content = house.stray().read_bytes()
        folder = os.fsencode(house.path().parent)
        os.rename(os.fsencode(house.path()), os.path.join(folder, b"Kopie von \xe4.clip"))
        Path(os.fsdecode(os.path.join(folder, b"x\xff.hold"))).write_bytes(b"y")
        house.again()
        (renamed,) = house.path().parent.glob("Kopie von _-*.clip")
        assert renamed.read_bytes() == content
        case = house.case(renamed.stem)
        assert (case.state, case.quarantine.reason) == (CaseState.QUARANTINED, QuarantineReason.RENAMED)

    def test_a_damaged_head_is_kept_and_told(self, house):
        path = house.stray()
        data = bytearray(path.read_bytes())
        data[20] ^= 255
        path.write_bytes(data)
        house.again()
        assert (house.case().quarantine.reason, house.case().camera) == (QuarantineReason.HEAD_DAMAGED, "")
        house.days(100)
        assert path.exists()

    def test_foreign_clips_and_rubbish_are_named_and_left_alone(self, house):
        foreign, rubbish = house.stray(installation="another"), house.path("rubbish")
        rubbish.write_bytes(b"RIFF")
        house.again()
        assert {entry.subject for entry in house.events(Event.MISSING_ROW)} == {NAME, "rubbish"}
        assert house.records.office.cases.store.find(states=list(CaseState)) == []
        assert foreign.exists()
        assert rubbish.exists()

    def test_a_clip_that_a_cell_just_began_is_none(self, house):
        house.enrol()
        house.stray()
        house.records.recovery.look_again()
        assert house.case() is None
        house.records.recovery.look_again()
        assert house.case().state is CaseState.QUARANTINED

    def test_a_row_that_cannot_be_read_is_a_row(self, house):
        house.clip(NAME)
        by_hand(house.records.office.cases.store._engine, "update cases set facts = '{'")
        house.again()
        assert house.events(Event.QUARANTINED) == []
        assert house.path().exists()


class TestEmpty:
    """A file is removed without anybody's word only where there can be no picture in it."""

    def whole(self, house):
        path = house.stray()
        return path, path.read_bytes(), read_head(path).start

    def test_what_ends_in_its_head_or_with_its_first_message_is_removed(self, house):
        path, data, start = self.whole(house)
        first = start + 16 + int.from_bytes(data[start : start + 4], "big")
        for end in (0, 3, 9, 12, 60, start // 2, start - 5, start, start + 7, first):
            path.write_bytes(data[:end])
            assert is_empty(path), end
        house.again()
        assert not path.exists()
        (entry,) = house.events(Event.MISSING_ROW)
        assert entry.facts["removed"] is True

    def test_what_could_hold_a_picture_is_not(self, house):
        path, data, start = self.whole(house)
        first = start + 16 + int.from_bytes(data[start : start + 4], "big")
        for end in (first - 1, first + 1, first + 16, len(data)):
            path.write_bytes(data[:end])
            assert not is_empty(path), end
        house.again()
        assert house.case().state is CaseState.QUARANTINED

    @pytest.mark.parametrize("seed", range(30))
    def test_a_damaged_length_takes_nothing_with_it(self, house, seed):
        """A bit in one of the length fields made a clip look as if it had been cut off in its head: it was removed at the start."""
        path, data, start = self.whole(house)
        header = int.from_bytes(data[10:14], "big")
        field = [10, 14 + header, start][seed % 3]
        altered = bytearray(data)
        altered[field + (seed // 3) % 4] ^= 1 << seed % 8
        path.write_bytes(altered)
        assert not is_empty(path)
        house.again()
        assert path.exists()

    def test_noise_zeros_and_newer_versions_are_not(self, house):
        path, data, _ = self.whole(house)
        for content in (data[:14] + bytes(500), data[:14] + secrets.token_bytes(500), data[:8] + b"\0\7" + data[10:60], b"RIFF"):
            path.write_bytes(content)
            assert not is_empty(path)

    def test_what_is_held_is_not_removed_though_it_is_empty(self, house):
        path, data, start = self.whole(house)
        house.records.archive.notes.keep(NAME, None, (5,))
        path.write_bytes(data[:start])
        house.again()
        assert path.exists()
        assert house.case().state is CaseState.QUARANTINED


class TestDecided:
    def desk(self, house):
        return house.records.office.quarantine

    def confirm(self, house, person="aufsicht-2"):
        return self.desk(house).confirm(house.case().id, person, house.case().version)

    def test_two_people_release_it_with_its_right_age(self, house):
        case = house.found()
        assert self.desk(house).propose(case.id, "aufsicht", Fate.RELEASE) is None
        house.round()
        assert house.case().state is CaseState.QUARANTINED, "one person decides nothing"
        assert self.confirm(house, "aufsicht") is Refusal.SAME_PERSON
        assert self.confirm(house) is None
        assert (house.case().state, house.case().opened) == (CaseState.WAITING, 1.7e9)
        assert house.events(Event.QUARANTINE_RELEASED)[0].facts["by"] == ["aufsicht", "aufsicht-2"]
        house.days(3.1)
        assert house.case().state is CaseState.DESTROYED

    def test_two_people_destroy_it_and_the_receipt_names_them(self, house):
        case = house.found()
        self.desk(house).propose(case.id, "aufsicht", Fate.DESTROY)
        assert self.confirm(house) is None
        house.work()
        assert house.case().state is CaseState.DESTROYED
        facts = house.events(Event.SHREDDED)[0].facts
        assert (facts["reason"], facts["people"], facts["ending"]) == ("discarded", ["aufsicht", "aufsicht-2"], "overwritten")

    def test_two_people_hold_it(self, house):
        case, desk = house.found(), self.desk(house)
        soon = house.clock.now() + DAY
        assert desk.propose(case.id, "aufsicht", Fate.HOLD, None, "KL-1", soon) is Refusal.NO_GROUND
        assert desk.propose(case.id, "aufsicht", Fate.HOLD, GROUND, "KL-1", house.clock.now()) is Refusal.NO_GROUND
        assert desk.propose(case.id, "aufsicht", Fate.HOLD, GROUND, " ", soon) is Refusal.NO_REFERENCE
        assert desk.propose(case.id, "aufsicht", Fate.HOLD, GROUND, "KL-1", soon) is None
        assert self.confirm(house) is None
        assert (house.case().state, house.case().hold.by) == (CaseState.HELD, ("aufsicht", "aufsicht-2"))
        assert house.note().exists()
        house.days(1.1)
        assert house.case().state is CaseState.DESTROYED

    def test_the_second_decides_what_they_saw(self, house):
        case, desk = house.found(), self.desk(house)
        desk.propose(case.id, "aufsicht", Fate.RELEASE)
        seen = house.case().version
        desk.propose(case.id, "aufsicht-3", Fate.DESTROY)
        assert desk.confirm(case.id, "aufsicht-2", seen) is Refusal.NOT_NOW
        assert house.case().state is CaseState.QUARANTINED

    def test_nothing_else_decides(self, house):
        case, cases = house.found(), house.records.office.cases
        assert cases.verdict(case.id, "kvd-1", Verdict.NO_INCIDENT, "") is Refusal.NOT_NOW
        assert not cases.propose_hold(case.id, "kvd-1", GROUND, "KL-1", house.clock.now() + DAY)
        assert cases.confirm(case.id, "kvd-2", case.version) is not None
        assert not cases.erase(case.id, ("a", "b"))
        assert not cases.outdated(case)
        assert not cases.expire(case, "unreviewed")
        assert house.case() == case

    def test_what_a_request_restricts_is_not_discarded(self, house):
        case = house.found()
        assert house.records.office.cases.restrict(case.id, 7, "aufsicht")
        self.desk(house).propose(case.id, "aufsicht", Fate.DESTROY)
        assert self.confirm(house) is Refusal.RESTRICTED

    def test_whoever_is_to_decide_is_told_every_day_and_a_rule_is_broken(self, house):
        told = []
        house.found()
        house.records.quarantine.overdue.listen(told.append)

        def rule():
            found = assess(gather(SITE, None, house.records.inspected, house.clock))
            return next(one.answer.result.value for one in found if one.rule.id == "LO-06")

        house.days(2)
        assert (rule(), told) == ("holds", [])
        house.clock.sleep(DECIDE_WITHIN_S)
        for _ in range(40):
            house.round()
            house.clock.sleep(HOUR)
        assert rule() == "broken"
        assert [[case.clip for case in cases] for cases in told] == [[NAME], [NAME]]
        house.again()
        house.round()
        assert len(house.events(Event.QUARANTINE_OVERDUE)) == 2, "a restart tells nobody twice"
        assert house.path().exists()


class TestHoldBeside:
    def test_it_is_there_with_the_hold_and_goes_with_the_clip(self, house):
        house.clip()
        assert not house.note().exists()
        case = house.hold()
        note = house.records.archive.notes.read(NAME)
        assert (note.hold.until, note.hold.by, note.hold.reference) == (case.hold.until, ("kvd-1", "kvd-2"), "")
        assert "KL-1" not in house.note().read_text()
        assert house.note().stat().st_mode & 0o777 == 0o600
        house.let_go()
        assert house.note().exists(), "it keeps the clip until that is gone"
        house.work()
        assert house.case().state is CaseState.DESTROYED
        assert list(house.folder.rglob(f"{NAME}*")) == []

    @pytest.mark.files_alone
    def test_an_older_database_lets_nothing_go_that_was_held_since(self, house):
        house.clip()
        house.back_up()
        house.hold()
        house.days(10)
        house.older()
        assert (house.case().state, house.case().hold.by) == (CaseState.HELD, ("kvd-1", "kvd-2"))
        (entry,) = house.events(Event.HOLD_RESTORED)
        assert (entry.subject, entry.facts["row"]) == (NAME, "waiting")
        house.round()
        assert house.path().exists()
        house.days(51)
        assert house.case().state is CaseState.DESTROYED, "the hold ends when it was to end"
        assert house.events(Event.HOLD_RELEASED)[0].facts["reason"] == "hold-expired"

    @pytest.mark.files_alone
    def test_a_longer_hold_since_then_stays_longer(self, house):
        house.clip()
        house.hold()
        house.back_up()
        house.extend(300)
        house.older()
        assert house.case().hold.until == pytest.approx(house.clock.now() + 300 * DAY)
        assert house.case().hold.reference == "KL-1"
        house.days(100)
        assert house.path().exists()

    @pytest.mark.files_alone
    def test_a_shorter_one_is_not_believed_against_the_row(self, house):
        house.clip()
        case = house.hold()
        house.back_up()
        house.extend(5)
        house.older()
        assert house.case().hold == case.hold
        assert house.records.archive.notes.read(NAME).hold.until == case.hold.until

    @pytest.mark.parametrize("loss", ["missing", "empty"])
    @pytest.mark.files_alone
    def test_without_a_database_it_waits_with_its_hold_for_two_people(self, house, loss):
        house.clip()
        case = house.hold()
        house.close()
        for path in house.folder.glob("control.db*"):
            path.unlink()
        if loss == "empty":
            (house.folder / "control.db").write_bytes(b"")
        house.start()
        house.records.recovery.files()
        house.days(100)
        found = house.case()
        assert (found.state, found.hold.until) == (CaseState.QUARANTINED, case.hold.until)
        assert house.path().exists()

    def test_a_hold_from_before_there_were_notes_gets_one(self, house):
        house.clip()
        house.hold()
        house.note().unlink()
        house.again()
        assert house.records.archive.notes.read(NAME).hold.by == ("kvd-1", "kvd-2")
        assert house.events(Event.HOLD_RESTORED) == []

    def test_a_crash_between_note_and_row_holds(self, house, monkeypatch):
        house.clip()
        store = house.records.office.cases.store
        house.records.office.cases.verdict(house.case().id, "kvd-1", Verdict.INCIDENT, "", GROUND, "KL-1")

        def crash(*given):
            raise KeyboardInterrupt

        keep = house.records.archive.notes.keep
        with monkeypatch.context() as broken:
            broken.setattr(house.records.archive.notes, "keep", lambda *given: (keep(*given), crash()))
            with pytest.raises(KeyboardInterrupt):
                house.records.office.cases.verdict(house.case().id, "kvd-2", Verdict.INCIDENT, "", GROUND, "KL-1")
        assert store.by_clip(NAME).state is CaseState.SECOND
        house.again()
        assert house.case().state is CaseState.HELD

    def test_what_cannot_be_written_beside_is_no_hold(self, house, monkeypatch):
        house.clip()
        house.records.office.cases.verdict(house.case().id, "kvd-1", Verdict.INCIDENT, "", GROUND, "KL-1")

        def full(*given):
            raise DeviceError("no space left on the disk")

        with monkeypatch.context() as broken:
            broken.setattr(house.records.archive.notes, "keep", full)
            with pytest.raises(DeviceError):
                house.records.office.cases.verdict(house.case().id, "kvd-2", Verdict.INCIDENT, "", GROUND, "KL-1")
        assert house.case().state is CaseState.SECOND
        assert house.events(Event.HOLD_SET) == []

    @pytest.mark.files_alone
    def test_the_shredder_asks_right_before(self, house):
        """The row is doomed and a hold lies beside: what neither the row nor the log explains is not destroyed."""
        case = house.clip()
        house.hold()
        note = house.note().read_bytes()
        house.back_up()
        house.older()
        stale = house.case()
        house.records.office.cases.store.doom(stale, "unreviewed", ())
        with house.records.office.cases.store._engine.begin() as connection:
            connection.exec_driver_sql("update cases set facts = json_remove(facts, '$.hold')")
        house.note().write_bytes(note)
        house.work()
        house.records.shredder.work()
        assert (house.case().state, house.case().quarantine.reason) == (CaseState.QUARANTINED, QuarantineReason.HELD_BESIDE)
        assert house.path().stat().st_size == case.size
        house.days(50)
        assert house.path().exists()
        desk = house.records.office.quarantine
        desk.propose(case.id, "aufsicht", Fate.DESTROY)
        assert desk.confirm(case.id, "aufsicht-2", house.case().version) is None
        house.work()
        assert house.case().state is CaseState.DESTROYED

    @pytest.mark.parametrize("damage", ["noise", "altered", "foreign", "of another clip"])
    def test_a_note_that_cannot_be_believed_destroys_nothing(self, house, damage):
        house.clip()
        house.hold()
        good = house.note().read_text()
        if damage == "noise":
            house.note().write_bytes(secrets.token_bytes(200))
        elif damage == "altered":
            house.note().write_text(good.replace('"until":', '"until":1'))
        elif damage == "foreign":
            house.note().write_text(good.replace(good[-20:-5], "0" * 15))
        else:
            house.clip("b" * 32)
            house.hold("b" * 32)
            house.note().write_bytes(house.note("b" * 32).read_bytes())
        assert house.records.archive.notes.read(NAME).damaged
        house.again()
        assert house.case().state is CaseState.HELD
        assert [entry.subject for entry in house.events(Event.NOTE_DAMAGED)] == [NAME]
        house.days(61)
        assert (house.case().state, house.case().quarantine.reason) == (CaseState.QUARANTINED, QuarantineReason.NOTE_DAMAGED)
        assert house.path().exists()


class TestRestrictedBeside:
    @pytest.mark.files_alone
    def test_a_request_that_an_older_database_does_not_know_takes_two_people(self, house):
        house.clip()
        house.back_up()
        assert house.records.office.cases.restrict(house.case().id, 7, "aufsicht")
        house.older()
        assert (house.case().state, house.case().quarantine.reason) == (CaseState.QUARANTINED, QuarantineReason.RESTRICTED_BESIDE)
        house.days(100)
        assert house.path().exists()

    def test_a_crash_after_a_request_was_answered_keeps_nothing(self, house, monkeypatch):
        house.clip()
        cases = house.records.office.cases
        assert cases.restrict(house.case().id, 7, "aufsicht")

        def crash(*given):
            raise KeyboardInterrupt

        with monkeypatch.context() as broken:
            broken.setattr(house.records.archive.notes, "keep", crash)
            with pytest.raises(KeyboardInterrupt):
                cases.free(house.case().id, 7, "aufsicht")
        assert house.note().exists()
        house.again()
        assert house.case().state is CaseState.WAITING
        assert not house.note().exists()
        house.days(4)
        assert house.case().state is CaseState.DESTROYED


class TestBack:
    """A clip that was destroyed lies there again: out of a backup, a snapshot, a file system's repair."""

    def destroyed(self, house):
        house.clip()
        data = house.path().read_bytes()
        house.days(4)
        assert house.case().state is CaseState.DESTROYED
        return data

    def test_the_very_same_is_destroyed_again_by_the_order_that_there_is(self, house):
        data = self.destroyed(house)
        house.path().write_bytes(data)
        house.again()
        assert house.case().state is CaseState.DESTROYED
        assert not house.path().exists()
        assert len(house.events(Event.CAME_BACK)) == 1
        assert [entry.facts["ending"] for entry in house.events(Event.SHREDDED)] == ["overwritten", "overwritten"]

    def test_any_other_waits_for_two_people(self, house):
        data = self.destroyed(house)
        house.path().write_bytes(data + b"more")
        house.again()
        assert (house.case().state, house.case().quarantine.reason) == (CaseState.QUARANTINED, QuarantineReason.CHANGED)
        assert house.path().exists()

    def test_one_with_a_hold_beside_waits_too(self, house):
        house.clip()
        house.hold()
        data, note = house.path().read_bytes(), house.note().read_bytes()
        house.days(61)
        house.path().write_bytes(data)
        house.note().write_bytes(note)
        house.again()
        assert house.case().state is CaseState.QUARANTINED
        assert house.path().exists()


class TestOrphans:
    """A hold lies there, and its clip and row do not."""

    @pytest.mark.files_alone
    def test_it_is_told_as_long_as_it_lasts_and_then_it_goes(self, house):
        house.clip()
        house.hold()
        house.path().unlink()
        house.back_up()
        house.close()
        for path in house.folder.glob("control.db*"):
            path.unlink()
        house.start()
        house.records.recovery.files()
        assert [entry.facts["by"] for entry in house.events(Event.MISSING_FILE)] == [["kvd-1", "kvd-2"]]
        assert house.note().exists()
        house.clock.sleep(61 * DAY)
        house.records.recovery.look_again()
        assert not house.note().exists()

    def test_one_of_a_case_that_goes_on_is_none(self, house):
        house.clip()
        house.hold()
        house.path().unlink()
        house.records.recovery.look_again()
        assert house.note().exists()
