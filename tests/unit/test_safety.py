"""What is lost is named, live goes on, and nothing is destroyed, sealed or made anew until people decided. Real files, real rows."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing

import msgspec
import pytest

from blickschutz.access.model import FactorKind, SignIn
from blickschutz.access.service.access import NOWHERE
from blickschutz.audit.model import Event
from blickschutz.audit.rules import verify
from blickschutz.control.model import FileState, LossKind, NotAccepted, Present, Witness
from blickschutz.control.rules import lost
from blickschutz.control.service.checks import check_site
from blickschutz.control.service.soundness import SoundnessWatch
from blickschutz.kernel.errors import StoreDamagedError
from blickschutz.review.model import CaseState, Verdict
from blickschutz.vault.io.files import is_signed
from tests.fakes.clock import ManualClock
from tests.house import SITE, House
from tests.unit.test_quarantine import NAME, Lossy

pytestmark = pytest.mark.both_databases

DAY = 86_400.0
SECRET = b"12345678901234567890"
PASSWORD = "vier Wörter ganz ohne Sinn"


def sign_in(access, person):
    """As the page does it: knock, and be looked at."""
    knock = access.doors.knock(person, NOWHERE)
    try:
        return access.sign_in(person, PASSWORD, knock)
    finally:
        access.doors.leave(knock)


class Site(Lossy):
    """A site that ran for a while: people, factors, two clips, one of them held, a witness."""

    def __init__(self, folder):
        super().__init__(folder)
        self.records.keeping.begin()
        access = self.records.office.access
        access.passwords.set("kvd-1", PASSWORD, "test")
        access.factors.add("kvd-1", FactorKind.TOTP, "Telefon", SECRET, 0)
        access.accounts.activate("kvd-1")
        self.enrol()
        self.clip(NAME)
        self.hold(NAME)
        self.clip("b" * 32)
        self.records.office.log.checkpoint()
        self.witness()

    def witness(self):
        """A minute passes and the witness is written."""
        self.clock.sleep(61)
        self.records.keeping.safety.look()

    def stop(self):
        """An orderly end."""
        self.records.keeping.end()

    def begin(self):
        """A start as the system makes it; no thread runs."""
        self.start()
        self.records.keeping.begin()

    def kinds(self):
        return [loss.kind for loss in self.records.keeping.safety.losses]

    def accept(self):
        safety = self.records.keeping.safety
        assert safety.accept("aufsicht", safety.what) is None
        assert safety.accept("aufsicht-2", safety.what) is None
        self.work()

    def database(self, remove=("", "-wal", "-shm"), name="control.db"):
        for part in remove:
            (self.folder / f"{name}{part}").unlink(missing_ok=True)

    def check_nothing_ends(self):
        """Deadlines of months pass, and everybody tries."""
        clips = self.records.archive.shelf.clips()
        assert {NAME, "b" * 32} <= clips
        for _ in range(5):
            self.days(40)
        assert self.records.archive.shelf.clips() == clips
        assert self.records.orders.refusal() == "safe-mode"
        assert self.order() is None
        assert self.events(Event.SHREDDED) == []
        assert self.events(Event.SHRED_ORDERED) == []

    def finding(self, name="safe-mode"):
        return next(one for one in check_site(SITE, self.records.inspected) if one.id == name)


@pytest.fixture
def site(tmp_path):
    site = Site(tmp_path)
    yield site
    site.close()


def faults(site):
    log = site.records.office.log
    return [fault.text for fault in verify(log.export(), is_signed, site.records.archive.key.public)]


class TestNothingIsLost:
    def test_a_first_start_is_none(self, tmp_path):
        house = House(tmp_path)
        house.records.keeping.begin()
        assert house.records.keeping.safety.losses == ()
        house.records.keeping.end()
        assert (tmp_path / "witness.json").stat().st_mode & 0o777 == 0o600
        assert house.records.archive.key.whole

    def test_nor_an_ordinary_one_nor_one_after_a_crash(self, site):
        site.stop()
        site.begin()
        assert (site.kinds(), site.case(NAME).state) == ([], CaseState.HELD)
        site.clip("c" * 32)
        site.again()
        assert site.kinds() == []
        assert site.finding().result == "holds"

    @pytest.mark.files_alone
    def test_nor_the_first_start_of_a_version_that_keeps_a_witness(self, site):
        site.stop()
        (site.folder / "witness.json").unlink()
        with closing(sqlite3.connect(site.folder / "control.db")) as connection:
            connection.execute("drop trigger log_no_update")
            connection.execute("update log set text = replace(text, '\"witness\"', '\"other\"')")
            connection.commit()
        site.begin()
        assert site.kinds() == []
        assert (site.folder / "witness.json").exists()

    def test_the_witness_is_written_once_a_minute_and_at_the_end(self, site):
        path = site.folder / "witness.json"
        before = path.read_bytes()
        site.records.office.log.write(Event.LOG_SEEN, "x")
        site.records.keeping.safety.look()
        assert path.read_bytes() == before
        site.witness()
        after = path.read_bytes()
        assert after != before
        site.witness()
        assert path.read_bytes() == after, "nothing new, nothing written"
        site.stop()
        assert path.read_bytes() != after
        site.start()
        kept = msgspec.json.decode(path.read_bytes())["witness"]
        number, hashed, _ = site.records.office.log.state()
        assert (kept["number"], kept["hash"], kept["cases"]) == (number, hashed, 2)


class TestDatabase:
    @pytest.mark.parametrize("loss", ["missing", "empty", "journal left"])
    @pytest.mark.files_alone
    def test_without_it_nothing_is_destroyed_and_the_way_back_is_named(self, site, loss):
        site.close()
        site.database(("", "-wal", "-shm") if loss != "journal left" else ("", "-shm"))
        if loss == "empty":
            (site.folder / "control.db").write_bytes(b"")
        if loss == "journal left":
            (site.folder / "control.db-wal").write_bytes(b"a journal")
        site.begin()
        assert site.kinds() == [LossKind.DATABASE_MISSING]
        site.check_nothing_ends()
        assert "blickschutz restore" in site.finding().mend
        (entry,) = site.events(Event.LOSS_FOUND)
        assert entry.facts["kind"] == "database-missing"
        assert entry.facts["had_cases"] == 2
        if loss == "journal left":
            assert (site.folder / "control.db.damaged-1-wal").read_bytes() == b"a journal"
        site.again()
        assert site.kinds() == [LossKind.DATABASE_OLDER], "a fresh one is older than what the witness knows"
        site.accept()
        assert site.kinds() == []
        assert {site.case(clip).state for clip in (NAME, "b" * 32)} == {CaseState.QUARANTINED}
        assert site.case(NAME).hold.by == ("kvd-1", "kvd-2")
        site.days(100)
        assert {NAME, "b" * 32} <= site.records.archive.shelf.clips()
        site.again()
        assert site.kinds() == []

    @pytest.mark.files_alone
    def test_an_older_one_is_named_and_the_right_one_ends_it(self, site):
        site.back_up()
        site.clip("c" * 32)
        site.stop()
        newest = {path.name: path.read_bytes() for path in site.folder.glob("control.db*")}
        site.database()
        for path in site.aside.glob("control.db*"):
            shutil.copy(path, site.folder)
        site.begin()
        assert site.kinds() == [LossKind.DATABASE_OLDER]
        site.check_nothing_ends()
        site.close()
        site.database()
        for name, data in newest.items():
            (site.folder / name).write_bytes(data)
        site.begin()
        assert site.kinds() == []
        assert site.events(Event.LOSS_FOUND) == []

    def test_a_copy_without_its_journal_is_older(self, site):
        for letter in "cdef":
            site.clip(letter * 32)
        site.witness()
        copy = site.folder.parent / "copy"
        shutil.copytree(site.folder, copy)
        for part in ("-wal", "-shm"):
            (copy / f"control.db{part}").unlink(missing_ok=True)
        other = House.__new__(Site)
        other.clock, other.cell, other.folder, other.aside = site.clock, site.cell, copy, site.aside
        other.boots, other.booted, other.pin = site.boots, site.booted, site.pin
        other.begin()
        assert other.kinds() in ([LossKind.DATABASE_OLDER], [LossKind.DATABASE_MISSING])
        assert len(other.records.archive.shelf.clips()) == 6
        other.days(100)
        assert len(other.records.archive.shelf.clips()) == 6
        other.close()

    @pytest.mark.files_alone
    def test_one_that_was_put_back_and_written_on_is_not_the_one_that_was(self, site):
        """More entries than before, but others: the number alone would not tell."""
        site.back_up()
        site.clip("c" * 32)
        site.stop()
        site.database()
        for path in site.aside.glob("control.db*"):
            shutil.copy(path, site.folder)
        with closing(sqlite3.connect(site.folder / "control.db")) as connection:
            (number,) = connection.execute("select max(number) from log").fetchone()
            for extra in range(1, 60):
                row = (number + extra, 1.0, "log-seen", "x", "", "{}", f"{extra:064x}")
                connection.execute("insert into log values (?, ?, ?, ?, ?, ?, ?)", row)
            connection.commit()
        site.begin()
        assert site.kinds() == [LossKind.DATABASE_OLDER]

    @pytest.mark.files_alone
    def test_a_log_whose_end_was_cut_is_named(self, site):
        site.stop()
        with closing(sqlite3.connect(site.folder / "control.db")) as connection:
            (number,) = connection.execute("select max(number) from log").fetchone()
            for trigger in ("log_no_delete", "log_checkpoints_no_delete"):
                connection.execute(f"drop trigger {trigger}")
            for table in ("log", "log_checkpoints"):
                connection.execute(f"delete from {table} where number > ?", (number - 5,))
            connection.commit()
        site.begin()
        assert site.kinds() == [LossKind.LOG_CUT]
        assert str(number) in site.finding().mend
        site.check_nothing_ends()

    @pytest.mark.files_alone
    def test_one_that_is_damaged_beyond_use_is_set_aside(self, site):
        site.stop()
        size = (site.folder / "control.db").stat().st_size
        with (site.folder / "control.db").open("r+b") as file:
            file.write(os.urandom(size))
        damaged = (site.folder / "control.db").read_bytes()
        site.begin()
        assert site.kinds() == [LossKind.DATABASE_UNUSABLE]
        assert (site.folder / "control.db.damaged-1").read_bytes() == damaged
        assert "control.db.damaged-1" in site.finding().mend
        site.check_nothing_ends()

    @pytest.mark.parametrize("damage", ["half", "noise"])
    @pytest.mark.files_alone
    def test_one_that_is_damaged_in_part_is_rescued_and_destroys_nothing(self, site, damage):
        site.stop()
        path = site.folder / "control.db"
        size = path.stat().st_size
        if damage == "half":
            os.truncate(path, size // 2 // 4096 * 4096)
        else:
            with path.open("r+b") as file:
                file.seek(4096 * 5)
                file.write(os.urandom(4096))
        before = path.read_bytes()
        site.begin()
        # Half a file may hold no table that can be read; one page of noise leaves most.
        kinds = {"half": {LossKind.DATABASE_DAMAGED, LossKind.DATABASE_UNUSABLE}, "noise": {LossKind.DATABASE_DAMAGED}}
        assert len(site.kinds()) == 1
        assert set(site.kinds()) <= kinds[damage]
        assert (site.folder / "control.db.damaged-1").read_bytes() == before
        assert not list(site.folder.glob(".rescue-*"))
        site.check_nothing_ends()
        assert site.desk.take("vorplatz-nord", site.situation(number=9), notify=True).id, "alerts go on"

    @pytest.mark.files_alone
    def test_what_can_be_read_of_a_damaged_one_goes_on(self, site):
        site.stop()
        with (site.folder / "control.db").open("r+b") as file:
            file.seek(36)  # how many pages are free, as the file's head says
            file.write((3).to_bytes(4, "big"))
        damaged = (site.folder / "control.db").read_bytes()
        site.begin()
        assert site.kinds() == [LossKind.DATABASE_DAMAGED]
        assert (site.folder / "control.db.damaged-1").read_bytes() == damaged
        assert sign_in(site.records.office.access, "kvd-1")[0] is SignIn.FACTOR, "people still get in"
        site.check_nothing_ends()
        site.again()
        assert site.kinds() == [LossKind.DATABASE_DAMAGED], "until somebody decides"
        site.accept()
        assert site.case(NAME).state is CaseState.HELD
        site.again()
        assert site.kinds() == []
        assert faults(site) == []

    @pytest.mark.files_alone
    def test_a_damaged_database_of_alerts_is_set_aside_and_alerts_go_on(self, site):
        site.desk.take("vorplatz-nord", site.situation(), notify=True)
        site.witness()
        site.stop()
        (site.folder / "alerts.db").write_bytes(os.urandom(20_000))
        site.begin()
        assert site.kinds() == [LossKind.ALERTS_UNUSABLE]
        assert not site.records.keeping.safety.on, "clips end as ever"
        site.desk.take("vorplatz-nord", site.situation(number=9), notify=True)
        assert len(site.desk.open_alerts()) == 1
        assert (site.folder / "alerts.db.damaged-1").stat().st_size == 20_000
        assert "alerts.db.damaged-1" in site.finding("lost-alerts").mend
        assert "alerts.db.damaged-1" in site.finding("set-aside").mend


class TestSoundness:
    @pytest.mark.files_alone
    def test_damage_while_the_system_runs_is_found_within_a_day(self, site):
        watch = site.records.soundness
        watch.look()
        with closing(sqlite3.connect(site.folder / "control.db")) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with (site.folder / "control.db").open("r+b") as file:
            file.seek(36)  # how many pages are free, as the file's head says
            file.write((3).to_bytes(4, "big"))
        watch.look()
        site.clock.sleep(DAY)
        with pytest.raises(StoreDamagedError, match=r"control\.db: [^;]*freelist"):
            watch.look()

    def test_it_is_told_until_a_later_look_finds_nothing(self):
        clock, faults = ManualClock(), ["alerts.db: a page is damaged"]
        watch = SoundnessWatch(lambda: list(faults), clock)
        for _ in range(3):
            with pytest.raises(StoreDamagedError, match="a page is damaged"):
                watch.look()
        faults.clear()
        with pytest.raises(StoreDamagedError):
            watch.look()
        clock.sleep(DAY)
        watch.look()


class TestKeys:
    def test_a_missing_key_is_never_made_anew_by_itself(self, site):
        key, public = site.folder / "keys/installation.key", site.records.archive.key.public
        site.stop()
        kept = key.read_bytes()
        key.unlink()
        site.begin()
        assert site.kinds() == [LossKind.KEY_MISSING]
        assert not key.exists()
        assert site.records.archive.key.public == public
        site.check_nothing_ends()
        site.records.office.log.checkpoint()
        assert faults(site) == [], "what was signed is still proven"
        assert site.records.chain.look().faults == ()
        site.stop()
        key.write_bytes(kept)
        site.begin()
        assert site.kinds() == []

    def test_two_people_go_on_with_a_new_one_and_everything_of_before_stays_ours(self, site):
        key, name = site.folder / "keys/installation.key", site.records.archive.key.installation
        public = site.records.archive.key.public
        site.stop()
        key.unlink()
        site.begin()
        site.accept()
        assert site.kinds() == []
        assert key.exists()
        assert site.records.archive.key.public != public
        assert site.records.archive.key.installation == name
        assert faults(site) == []
        assert site.records.archive.notes.read(NAME).hold is not None, "a hold that the lost key signed is one"
        (entry,) = site.events(Event.KEY_REPLACED)
        assert (entry.by, entry.facts["before"]) == ("aufsicht-2", public.hex())
        case = site.clip("c" * 32)
        assert case.state is CaseState.WAITING
        site.again()
        assert site.kinds() == []
        assert faults(site) == []
        assert site.records.archive.key.installation == name
        site.days(4)
        assert site.case("b" * 32).state is CaseState.DESTROYED
        assert site.case(NAME).state is CaseState.HELD

    @pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
    def test_a_damaged_key_stops_no_start_and_is_kept_beside(self, site, content):
        key = site.folder / "keys/installation.key"
        site.stop()
        key.write_bytes(content)
        site.begin()
        assert site.kinds() == [LossKind.KEY_DAMAGED]
        assert key.read_bytes() == content
        site.accept()
        assert key.with_name("installation.key.damaged").read_bytes() == content
        assert site.records.archive.key.whole

    def test_the_key_of_another_installation_is_named(self, site):
        site.stop()
        (site.folder / "keys/installation.key").write_bytes(b"y" * 32)
        site.begin()
        assert site.kinds() == [LossKind.KEY_OTHER]
        site.check_nothing_ends()
        site.accept()
        assert faults(site) == []
        assert site.records.archive.notes.read(NAME).hold is not None

    def test_another_key_signs_nothing_and_with_the_own_one_put_back_all_is_as_before(self, site):
        path = site.folder / "keys/installation.key"
        own = path.read_bytes()
        site.stop()
        path.write_bytes(b"y" * 32)
        site.begin()
        assert site.kinds() == [LossKind.KEY_OTHER]
        key = site.records.archive.key
        assert key.try_sign(b"x") is None
        for _ in range(300):
            site.records.office.log.write(Event.SIGNED_IN, "kvd-1")
        site.stop()
        path.write_bytes(own)
        site.begin()
        assert site.kinds() == []
        assert faults(site) == []
        assert site.records.clock.suspended == ""

    def test_a_key_that_is_missing_without_a_witness_is_missing_too(self, site):
        site.stop()
        (site.folder / "keys/installation.key").unlink()
        (site.folder / "witness.json").unlink()
        site.begin()
        assert site.kinds() == [LossKind.WITNESS_MISSING, LossKind.KEY_MISSING]
        site.check_nothing_ends()

    def test_without_the_key_of_the_factors_nobody_gets_in_by_a_code_and_nobody_without(self, site):
        site.stop()
        (site.folder / "keys/factors.key").unlink()
        site.begin()
        assert site.kinds() == [LossKind.FACTORS_MISSING]
        assert not (site.folder / "keys/factors.key").exists()
        access = site.records.office.access
        outcome, half = sign_in(access, "kvd-1")
        assert outcome is SignIn.FACTOR
        assert access.code(half, "000000")[0] is SignIn.WRONG
        assert access.factors.of("kvd-1") == []
        site.check_nothing_ends()
        site.accept()
        assert access.factors.count("kvd-1") == 0
        assert [entry.subject for entry in site.events(Event.FACTOR_REMOVED)] == ["kvd-1"]
        access.factors.add("kvd-1", FactorKind.TOTP, "Telefon", SECRET, 0)
        site.again()
        assert site.kinds() == []
        assert site.records.office.access.factors.of("kvd-1")[0].secret == SECRET

    def test_another_key_of_the_factors_is_named(self, site):
        site.stop()
        (site.folder / "keys/factors.key").write_bytes(b"z" * 32)
        site.begin()
        assert site.kinds() == [LossKind.FACTORS_OTHER]
        assert site.records.office.access.factors.of("kvd-1") == []


class TestWitness:
    def test_one_that_is_missing_is_named(self, site):
        site.stop()
        (site.folder / "witness.json").unlink()
        site.begin()
        assert site.kinds() == [LossKind.WITNESS_MISSING]
        site.check_nothing_ends()
        site.accept()
        site.again()
        assert site.kinds() == []

    @pytest.mark.parametrize("damage", ["noise", "altered", "empty"])
    def test_one_that_cannot_be_believed_is_named(self, site, damage):
        site.stop()
        path = site.folder / "witness.json"
        text = path.read_text()
        path.write_text({"noise": "{", "empty": "", "altered": text.replace('"cases":2', '"cases":1')}[damage])
        site.begin()
        assert site.kinds() == [LossKind.WITNESS_DAMAGED]
        site.check_nothing_ends()

    @pytest.mark.files_alone
    def test_while_something_is_lost_it_is_not_written_over(self, site):
        site.stop()
        site.database()
        kept = (site.folder / "witness.json").read_bytes()
        site.begin()
        for _ in range(5):
            site.days(1)
        site.stop()
        assert (site.folder / "witness.json").read_bytes() == kept

    def test_a_backup_that_was_put_back_is_shown_first(self, site):
        site.stop()
        (site.folder / "restored.json").write_text("{}")
        site.begin()
        assert site.kinds() == [LossKind.RESTORED]
        site.check_nothing_ends()
        site.accept()
        assert not (site.folder / "restored.json").exists()


class TestAccepted:
    def lose(self, site):
        site.stop()
        site.database()
        site.begin()
        return site.records.keeping.safety

    @pytest.mark.files_alone
    def test_it_takes_two_who_saw_the_same(self, site):
        safety = self.lose(site)
        assert safety.accept("aufsicht", "something-else") is NotAccepted.CHANGED
        assert safety.accept("aufsicht", safety.what) is None
        assert safety.on
        assert safety.accept("aufsicht", safety.what) is NotAccepted.SAME_PERSON
        assert safety.seen_by == "aufsicht"
        assert safety.accept("aufsicht-2", safety.what) is None
        assert not safety.on
        (entry,) = site.events(Event.LOSS_ACCEPTED)
        assert (entry.facts["by"], entry.facts["losses"]) == (["aufsicht", "aufsicht-2"], ["database-missing"])
        assert entry.facts["number"] > 0, "the log says where the lost one stood"
        assert safety.accept("aufsicht", safety.what) is NotAccepted.NOTHING

    @pytest.mark.parametrize("step", ["key", "witness", "settled"])
    def test_a_crash_in_between_asks_again(self, site, step, monkeypatch):
        site.stop()
        (site.folder / "keys/installation.key").unlink()
        (site.folder / "keys/factors.key").unlink()
        site.begin()
        safety = site.records.keeping.safety

        def crash(*given):
            raise KeyboardInterrupt

        target = {"key": (safety._key, "renew"), "witness": (safety._file, "write"), "settled": (safety._factors, "renew")}[step]
        with monkeypatch.context() as broken:
            broken.setattr(*target, crash)
            with pytest.raises(KeyboardInterrupt):
                safety.accept_here("terminal")
        site.close()
        site.begin()
        assert site.kinds() != []
        site.check_nothing_ends()
        assert site.records.keeping.safety.accept_here("terminal") is None
        site.work()
        assert faults(site) == []
        assert site.records.archive.notes.read(NAME).hold is not None
        site.again()
        assert site.kinds() == []

    def test_what_was_decided_meanwhile_is_done_afterwards(self, site):
        site.stop()
        (site.folder / "keys/factors.key").unlink()
        site.begin()
        for person in ("kvd-1", "kvd-2"):
            site.records.office.cases.verdict(site.case("b" * 32).id, person, Verdict.NO_INCIDENT, "")
        site.work()
        assert site.records.archive.shelf.path("b" * 32).exists()
        site.accept()
        assert site.case("b" * 32).state is CaseState.DESTROYED


WITNESS = Witness(installation="i", public_key="aa", factors="ff", number=10, hash="h", cases=3, accounts=2, alerts=4, at=1.0)
WHOLE = {
    "control": FileState.WHOLE,
    "alerts_file": FileState.WHOLE,
    "key": FileState.WHOLE,
    "factors_file": FileState.WHOLE,
    "number": 12,
    "hash_then": "h",
    "cases": 3,
    "alerts": 4,
    "lived": True,
    "told": True,
    "signed": True,
    "public_key": "aa",
    "factors": "ff",
    "factor_rows": True,
}


class TestRules:
    """The table of what is found, by itself."""

    def kinds(self, witness=WITNESS, damaged=False, **more):
        return [loss.kind.value for loss in lost(Present(**{**WHOLE, **more}), witness, damaged=damaged)]

    @pytest.mark.parametrize(
        ("found", "kinds"),
        [
            ({}, []),
            ({"number": 0}, ["database-missing"]),
            ({"number": 9, "hash_then": ""}, ["log-cut"]),
            ({"number": 9, "hash_then": "", "cases": 2}, ["database-older"]),
            ({"hash_then": "other"}, ["database-older"]),
            ({"control": FileState.DAMAGED}, ["database-damaged"]),
            ({"control": FileState.UNUSABLE, "number": 0}, ["database-unusable"]),
            ({"key": FileState.MISSING, "public_key": ""}, ["key-missing"]),
            ({"key": FileState.DAMAGED, "public_key": ""}, ["key-damaged"]),
            ({"public_key": "bb"}, ["key-other"]),
            ({"factors_file": FileState.MISSING, "factors": ""}, ["factors-missing"]),
            ({"factors": "other"}, ["factors-other"]),
            ({"alerts": 3}, ["alerts-missing"]),
            ({"alerts_file": FileState.UNUSABLE}, ["alerts-unusable"]),
            ({"restored": True}, ["restored"]),
            ({"number": 0, "key": FileState.MISSING, "restored": True}, ["database-missing", "key-missing", "restored"]),
        ],
    )
    def test_with_a_witness(self, found, kinds):
        assert self.kinds(**found) == kinds

    def test_without_one(self):
        assert self.kinds(None) == ["witness-missing"]
        assert self.kinds(None, told=False) == []
        assert self.kinds(None, damaged=True) == ["witness-damaged"]
        assert self.kinds(None, told=False, number=0) == ["database-missing"]
        fresh = {"told": False, "number": 0, "lived": False, "signed": False, "factor_rows": False}
        assert self.kinds(None, **fresh, key=FileState.MISSING, factors_file=FileState.MISSING) == []
