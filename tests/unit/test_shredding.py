"""How clips end: what a receipt may say, what a crash leaves, and what does not go. Real files, real rows."""

from __future__ import annotations

import itertools
import os
import subprocess

import msgspec
import pytest

from blickschutz.audit.model import Event
from blickschutz.compliance.policy import assess
from blickschutz.control.service.grounds import gather
from blickschutz.kernel.errors import DeviceError
from blickschutz.retention.io.shelf import ClipShelf
from blickschutz.retention.model import Ending, Receipt, Removed
from blickschutz.retention.rules import METHODS, MOST_TRIES, MOST_WAIT_S, receipt_text, wait_s
from blickschutz.review.model import CaseState, Erasing, Ground, Verdict
from blickschutz.vault.io.files import is_signed
from tests.house import SITE

pytestmark = pytest.mark.both_databases

HOUR = 3600.0


def immutable(path, on=True):
    """No program may change the file, root's included."""
    return subprocess.run(["chattr", "+i" if on else "-i", str(path)], capture_output=True, check=False).returncode == 0


def case_of(house, clip):
    return house.records.office.cases.store.by_clip(clip)


def path_of(house, clip):
    return house.records.archive.shelf.path(clip)


def doom(house, clip):
    """Two people find nothing: the end is ordered, nothing is done yet."""
    case = case_of(house, clip)
    for person in ("kvd-1", "kvd-2"):
        house.records.office.cases.verdict(case.id, person, Verdict.NO_INCIDENT, "")
    assert case_of(house, clip).state is CaseState.DESTROYING


def receipts(house):
    """All receipts; each is signed and says how it ended."""
    found = [msgspec.convert(entry.facts, Receipt) for entry in house.events(Event.SHREDDED)]
    for one in found:
        assert is_signed(receipt_text(one), bytes.fromhex(one.signature), house.records.archive.key.public)
        assert one.method == METHODS[Ending(one.ending)]
    return found


def receipt(house):
    (one,) = receipts(house)
    return one


class TestReceipts:
    def test_it_says_how_many_bytes_were_really_overwritten(self, house):
        case = house.clip()
        doom(house, case.clip)
        house.work()
        one = receipt(house)
        assert (one.ending, one.overwritten, one.begun, one.absent) == ("overwritten", case.size, 0, True)
        assert case_of(house, case.clip).ending == "overwritten"

    def test_a_clip_that_vanished_ends_at_its_deadline_and_was_not_overwritten(self, house):
        case = house.clip()
        path_of(house, case.clip).unlink()
        house.again()
        assert [entry.subject for entry in house.events(Event.MISSING_FILE)] == [case.clip]
        house.housekeep()
        house.work()
        assert case_of(house, case.clip).state is CaseState.WAITING
        house.clock.sleep(73 * HOUR)
        house.housekeep()
        house.work()
        one = receipt(house)
        assert (one.ending, one.overwritten, one.begun, one.size, one.absent) == ("vanished", 0, 0, case.size, True)
        assert "nothing was overwritten" in one.method
        assert case_of(house, case.clip).ending == "vanished"

    def test_a_file_that_somebody_emptied_was_not_overwritten_either(self, house):
        case = house.clip()
        doom(house, case.clip)
        os.truncate(path_of(house, case.clip), 0)
        house.work()
        assert (receipt(house).ending, receipt(house).overwritten) == ("vanished", 0)

    def test_a_file_that_goes_while_it_is_looked_at_was_not_overwritten(self, house, monkeypatch):
        case = house.clip()
        doom(house, case.clip)

        def gone(path):
            path.unlink()
            raise FileNotFoundError(path)

        with monkeypatch.context() as race:
            race.setattr("blickschutz.retention.io.shelf.overwrite", gone)
            house.work()
        assert (receipt(house).ending, receipt(house).overwritten) == ("vanished", 0)

    def test_a_row_whose_file_was_never_written_ends_truthfully(self, house):
        case = house.clip(close=False)
        path_of(house, case.clip).unlink()
        house.again()
        assert case_of(house, case.clip).state is CaseState.WAITING
        assert len(house.events(Event.MISSING_FILE)) == 1
        house.clock.sleep(73 * HOUR)
        house.housekeep()
        house.work()
        assert (receipt(house).ending, receipt(house).size) == ("vanished", 0)

    def test_a_recording_whose_last_news_was_lost_ends_at_its_deadline(self, house):
        case = house.clip(close=False)
        house.clock.sleep(71 * HOUR)
        house.housekeep()
        house.work()
        assert case_of(house, case.clip).state is CaseState.RECORDING
        house.clock.sleep(2 * HOUR)
        house.housekeep()
        house.work()
        assert case_of(house, case.clip).state is CaseState.DESTROYED
        assert receipt(house).overwritten > 20_000

    @pytest.mark.parametrize("version", [1, 2])
    def test_receipts_of_both_versions_are_signed_over_their_own_fields(self, version):
        known = {"clip": "c", "case": 1, "camera": "v", "opened": 1.0, "destroyed": 2.0, "reason": "harmless", "people": [], "sha256": ""}
        known |= {"size": 5, "method": "m", "overwritten": 5, "derived": 0, "absent": True, "installation": "i", "signature": "ab"}
        one = Receipt(**known, **({"ending": "overwritten"} if version == 2 else {}))
        text = receipt_text(one)
        assert (b'"ending"' in text) is (version == 2)
        assert text.endswith(b'"installation":"i","signature":""}') is (version == 1)
        assert receipt_text(msgspec.structs.replace(one, overwritten=6)) != text


class Crash(BaseException):
    """The process ends here; nothing catches it."""


class TestCrashes:
    """The end comes between two steps; the next start finishes, and its receipt says what was done."""

    def crash(self, house, monkeypatch, where, *, before):
        """Destroy, and end before or after that step."""
        target, name = where
        real = getattr(target, name)

        def ends(*given, **named):
            if not before:
                real(*given, **named)
            raise Crash

        with monkeypatch.context() as broken:
            broken.setattr(target, name, ends)
            with pytest.raises(Crash):
                house.records.shredder.work()

    @pytest.mark.parametrize(
        ("step", "before"),
        [("overwrite", True), ("overwrite", False), ("remove", True), ("remove", False)],
        ids=["noted", "overwritten", "all-noted", "removed"],
    )
    def test_whenever_it_comes_the_file_was_overwritten_and_the_receipt_says_so(self, house, monkeypatch, step, before):
        case = house.clip()
        doom(house, case.clip)
        self.crash(house, monkeypatch, (house.records.archive.shelf, step), before=before)
        assert receipts(house) == []
        house.again()
        one = receipt(house)
        assert (one.ending, one.overwritten, one.absent) == ("overwritten", case.size, True)
        assert list(house.folder.rglob(f"*{case.clip}*")) == []

    def test_before_the_receipt(self, house, monkeypatch):
        case = house.clip()
        doom(house, case.clip)
        self.crash(house, monkeypatch, (house.records.office.cases.store, "shredded"), before=True)
        house.again()
        assert (receipt(house).ending, receipt(house).overwritten) == ("overwritten", case.size)

    def test_what_was_begun_and_then_vanished_is_told_as_such(self, house, monkeypatch):
        case = house.clip()
        doom(house, case.clip)
        self.crash(house, monkeypatch, (house.records.archive.shelf, "overwrite"), before=True)
        path_of(house, case.clip).unlink()
        house.again()
        assert (receipt(house).ending, receipt(house).overwritten, receipt(house).begun) == ("interrupted", 0, case.size)


class TestRowsThatAreOlder:
    """The database is put back, or loses its newest rows; the receipt says all the same what was done."""

    def destroyed_before(self, house, between=lambda: None):
        """A clip is destroyed, and the row knows nothing of it; its receipt at the deadline."""
        case = house.clip()
        house.close()
        before = {path: path.read_bytes() for path in house.folder.glob("control.db*")}
        house.start()
        doom(house, case.clip)
        house.work()
        assert receipt(house).ending == "overwritten"
        house.close()
        for path in house.folder.glob("control.db*"):
            path.unlink()
        for path, data in before.items():
            path.write_bytes(data)
        between()
        house.start()
        house.records.keeping.recover()
        assert case_of(house, case.clip).state is CaseState.WAITING
        house.clock.sleep(73 * HOUR)
        house.housekeep()
        house.work()
        return case, receipt(house)

    @pytest.mark.files_alone
    def test_what_was_overwritten_is_told_as_such(self, house):
        case, one = self.destroyed_before(house)
        assert (one.ending, one.overwritten, one.reason) == ("overwritten", case.size, "unreviewed")

    @pytest.mark.files_alone
    def test_a_note_that_a_crash_cut_makes_it_interrupted(self, house):
        ends = house.folder / "ends.jsonl"
        case, one = self.destroyed_before(house, lambda: os.truncate(ends, ends.stat().st_size - 9))
        assert (one.ending, one.overwritten, one.begun) == ("interrupted", 0, case.size)
        again = house.clip("b" * 32)
        doom(house, again.clip)
        house.work()
        assert house.records.archive.ends.read(again.clip).done, "what follows a cut line is read"

    @pytest.mark.files_alone
    def test_nobody_else_can_say_that_it_was_overwritten(self, house):
        ends = house.folder / "ends.jsonl"
        _, one = self.destroyed_before(house, lambda: ends.write_bytes(ends.read_bytes().replace(b'"size"', b'"size" ')))
        assert (one.ending, one.overwritten) == ("vanished", 0)

    def test_old_notes_make_room_and_the_newest_stay(self, house, monkeypatch):
        monkeypatch.setattr("blickschutz.control.io.ends._MOST", 2000)
        ends = house.records.archive.ends
        for number in range(40):
            ends.add(f"{number:032x}", Erasing(7, float(number), done=True))
        assert (house.folder / "ends.jsonl").stat().st_size < 2400
        assert ends.read(f"{39:032x}") == Erasing(7, 39.0, done=True)
        assert ends.read(f"{0:032x}") is None


class TestStuck:
    def due(self, house, count=10):
        names = [f"{number:032x}" for number in range(count)]
        for name in names:
            house.clip(name)
            house.clock.sleep(1)
        house.clock.sleep(73 * HOUR)
        return names

    def round(self, house):
        house.housekeep()
        house.work()

    def test_one_that_does_not_go_holds_up_neither_the_others_nor_the_start(self, house):
        names = self.due(house)
        path = path_of(house, names[0])
        if not immutable(path):
            path.unlink()
            path.mkdir()  # where files cannot be made immutable: a folder of that name does not go either
        told = []
        house.records.shredder.set_aside.listen(told.append)
        try:
            self.round(house)
            states = [case_of(house, name).state for name in names]
            assert states == [CaseState.DESTROYING, *[CaseState.DESTROYED] * 9]
            house.again()
            house.records.shredder.set_aside.listen(told.append)
            assert [stuck.clip for stuck in house.records.shredder.stuck()] == [names[0]]
            for _ in range(MOST_TRIES + 3):
                house.clock.sleep(MOST_WAIT_S)
                self.round(house)
            assert [stuck.clip for stuck in told] == [names[0]]
            (entry,) = house.events(Event.SHRED_FAILED)
            assert (entry.subject, entry.facts["tries"]) == (names[0], MOST_TRIES)
            assert house.records.worker.problem == ""
        finally:
            if path.is_dir():
                path.rmdir()
            else:
                immutable(path, on=False)
        house.clock.sleep(MOST_WAIT_S)
        self.round(house)
        assert case_of(house, names[0]).state is CaseState.DESTROYED
        assert house.records.shredder.stuck() == ()

    def test_it_is_tried_ever_more_rarely(self, house, monkeypatch):
        case = house.clip()
        doom(house, case.clip)
        tries = []

        def fail(clip):
            tries.append(house.clock.monotonic())
            raise DeviceError("Input/output error")

        monkeypatch.setattr(house.records.archive.shelf, "overwrite", fail)
        for _ in range(1000):
            self.round(house)
            house.clock.sleep(5)
        gaps = [round(after - before) for before, after in itertools.pairwise(tries)]
        assert gaps[:5] == [5, 10, 20, 40, 80]
        assert max(gaps) <= MOST_WAIT_S
        assert wait_s(10_000) == MOST_WAIT_S

    def test_a_copy_that_does_not_go_lets_the_clip_go(self, house):
        (name,) = self.due(house, 1)
        exports = house.records.archive.exports
        exports.mkdir()
        stays, goes = exports / f"{name}-1.tar.age", exports / f"{name}-2.tar.age"
        for one in (stays, goes):
            one.write_bytes(b"x" * 100)
        if not immutable(stays):
            pytest.skip("this disk knows no immutable files")
        try:
            self.round(house)
            assert not path_of(house, name).exists()
            assert not goes.exists()
            assert receipts(house) == []
        finally:
            immutable(stays, on=False)
        house.clock.sleep(5)
        self.round(house)
        assert (receipt(house).ending, receipt(house).absent) == ("overwritten", True)

    def test_an_error_that_nobody_foresaw_holds_up_no_other(self, house, monkeypatch):
        names = self.due(house, 3)
        real = house.records.archive.shelf.remove

        def fail(clip):
            if clip == names[0]:
                raise ZeroDivisionError
            return real(clip)

        monkeypatch.setattr(house.records.archive.shelf, "remove", fail)
        self.round(house)
        assert [stuck.problem for stuck in house.records.shredder.stuck()] == ["ZeroDivisionError"]
        assert len(receipts(house)) == 2

    @pytest.mark.parametrize("stray", ["folder", "immutable"])
    def test_what_a_backup_tool_left_in_exports_stops_no_start(self, house, stray):
        exports = house.records.archive.exports
        left = exports / ".snapshot"
        exports.mkdir()
        if stray == "folder":
            left.mkdir()
        else:
            left.write_bytes(b"x")
            immutable(left)
        try:
            house.again()
            assert house.records.worker.problem == ""
        finally:
            immutable(left, on=False)

    def test_a_cut_clip_that_cannot_be_read_stops_no_start_and_is_closed_later(self, house):
        case = house.clip(close=False)
        path = path_of(house, case.clip)
        aside = path.rename(house.folder / "aside")
        path.mkdir()  # reading it fails, as a broken sector does
        house.again()
        assert case_of(house, case.clip).state is CaseState.RECORDING
        path.rmdir()
        aside.rename(path)
        house.housekeep()
        house.work()
        assert case_of(house, case.clip).state is CaseState.WAITING
        assert case_of(house, case.clip).size == path.stat().st_size


class TestShelf:
    def shelf(self, folder):
        (folder / "clips").mkdir()
        return ClipShelf(folder / "clips", (folder / "exports",))

    def test_a_clip_that_is_gone_already_is_gone(self, tmp_path):
        shelf = self.shelf(tmp_path)
        assert (shelf.size("a"), shelf.overwrite("a"), shelf.remove("a")) == (None, None, Removed(0, True))

    def test_what_a_link_leads_to_is_not_ours(self, tmp_path):
        shelf, other = self.shelf(tmp_path), tmp_path / "other"
        other.write_bytes(b"precious")
        shelf.path("a").symlink_to(other)
        with pytest.raises(DeviceError, match="no plain file"):
            shelf.overwrite("a")
        assert other.read_bytes() == b"precious"

    def test_a_folder_that_cannot_be_read_is_not_an_empty_one(self, tmp_path):
        shelf = self.shelf(tmp_path)
        shelf.folder.rmdir()
        assert shelf.clips() == set()
        shelf.folder.write_bytes(b"a file in the place of the folder")
        with pytest.raises(DeviceError, match="cannot be read"):
            shelf.clips()


def test_the_rules_read_what_the_log_says(house):
    """Holds and receipts as they are really written satisfy the rules about them, and a clip that vanished breaks one."""

    def said():
        found = {one.rule.id: one.answer.result.value for one in assess(gather(SITE, None, house.records.inspected, house.clock))}
        return [found[name] for name in ("LO-03", "LO-04", "LO-05")]

    held, gone, vanished = house.clip("a" * 32), house.clip("b" * 32), house.clip("c" * 32)
    for person in ("kvd-1", "kvd-2"):
        house.records.office.cases.verdict(held.id, person, Verdict.INCIDENT, "", Ground.CRIMINAL_OFFENCE, "KL-1")
    doom(house, gone.clip)
    house.work()
    assert said() == ["holds", "holds", "holds"]
    path_of(house, vanished.clip).unlink()
    doom(house, vanished.clip)
    house.work()
    assert said() == ["holds", "holds", "broken"]
