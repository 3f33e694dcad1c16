"""From one version to another and back: databases, environments, and the order in which it is done."""

from __future__ import annotations

import hashlib
import platform
import shutil
import sqlite3
import sys
import tarfile
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from blickschutz.bootstrap.opening import CONTROL_TABLES
from blickschutz.cli.main import cli
from blickschutz.kernel.errors import DeviceError, FaultError, OperatorError
from blickschutz.storage.engine import open_engine, take_back
from blickschutz.storage.files import erase
from blickschutz.storage.ports import Database
from blickschutz.storage.returning import mark_in
from blickschutz.storage.upgrade import row_counts
from blickschutz.upgrade.io.bundle import unpacked
from blickschutz.upgrade.io.copies import bring_back, copy_into, erase_in, try_in
from blickschutz.upgrade.io.programs import Environments, called
from blickschutz.upgrade.model import Begun, Bundle, Fate, Seen, UpgradeError, Verdict
from blickschutz.upgrade.rules import is_older, judged, live_of, version_of
from blickschutz.upgrade.service import Upgrade
from tests.fakes.clock import ManualClock
from tests.unit.test_golden_folders import FOLDERS, unpack

LATER = """
ALTER TABLE log ADD COLUMN colour TEXT;
CREATE TABLE dreams (id INTEGER PRIMARY KEY, text TEXT);
INSERT INTO dreams (text) VALUES ('of sheep'), ('of nothing');
UPDATE alembic_version SET version_num = '9999';
"""


@pytest.fixture(scope="module")
def today(tmp_path_factory):
    """A data folder with rows, as an earlier release left it, brought up to today's form."""
    data = unpack(FOLDERS[0], tmp_path_factory.mktemp("today"))
    try_in(data)
    return data


@pytest.fixture
def folder(today, tmp_path):
    """The same after a version to come."""
    data = shutil.copytree(today, tmp_path / "data")
    with closing(sqlite3.connect(data / "control.db")) as database:
        database.executescript(LATER)
        database.execute("INSERT INTO passwords (person, hash, changed) VALUES ('new-one', 'h', 1.0)")
        database.commit()
    return data


def counts(path):
    engine = open_engine(path, *CONTROL_TABLES)
    try:
        with engine.connect() as connection:
            return row_counts(connection)
    finally:
        engine.dispose()


class TestDatabases:
    def test_a_newer_form_is_refused_and_taken_back_with_every_row(self, folder):
        path = folder / "control.db"
        with pytest.raises(OperatorError, match="newer version"):
            counts(path)
        with closing(sqlite3.connect(path)) as database:
            rows = database.execute("SELECT count(*), max(number) FROM log").fetchone()
            people = database.execute("SELECT count(*) FROM passwords").fetchone()[0]
        assert bring_back(folder) == {"dreams": 2}
        found = counts(path)
        assert (found["log"], found["passwords"]) == (rows[0], people)
        assert mark_in(path) != "9999"
        assert sorted(one.name for one in folder.glob("control.db*") if "-" not in one.name) == ["control.db"]
        with closing(sqlite3.connect(path)) as database:
            assert database.execute("SELECT hash FROM passwords WHERE person = 'new-one'").fetchone() == ("h",)
            with pytest.raises(sqlite3.IntegrityError, match="append only"):
                database.execute("DELETE FROM log")
        assert path.stat().st_mode & 0o777 == 0o600

    @pytest.mark.parametrize("at", ["before the exchange", "after it"])
    def test_a_kill_around_the_exchange_costs_nothing(self, folder, monkeypatch, at):
        path, real = folder / "control.db", Path.replace

        def killed(self, target):
            if at == "after it":
                real(self, target)
            raise KeyboardInterrupt

        with closing(sqlite3.connect(path)) as database:
            rows = database.execute("SELECT count(*) FROM log").fetchone()[0]
        monkeypatch.setattr(Path, "replace", killed)
        monkeypatch.setattr("blickschutz.storage.returning.erase", lambda path: None if path.name.endswith(".returning") else erase(path))
        with pytest.raises(KeyboardInterrupt):
            bring_back(folder)
        monkeypatch.undo()
        assert path.with_name("control.db.newer").exists()
        bring_back(folder)
        assert counts(path)["log"] == rows
        assert sorted(one.name for one in folder.glob("control.db*") if one.suffix not in {".db-wal", ".db-shm"}) == ["control.db"]

    def test_a_form_that_is_known_is_left_alone(self, folder):
        before = (folder / "alerts.db").read_bytes()
        assert take_back(folder / "alerts.db", Database.ALERTS) == {}
        assert (folder / "alerts.db").read_bytes() == before

    @pytest.mark.parametrize("lost", ["ALTER TABLE passwords DROP COLUMN changed", "DROP TABLE passwords"])
    def test_what_the_newer_one_no_longer_has_stops_it(self, folder, lost):
        path = folder / "control.db"
        with closing(sqlite3.connect(path)) as database:
            database.execute(lost)
            database.commit()
        with pytest.raises(OperatorError, match="of table passwords"):
            bring_back(folder)
        assert mark_in(path) == "9999"
        assert not path.with_name("control.db.returning").exists()

    def test_a_row_that_refers_to_nothing_stops_it(self, folder):
        with closing(sqlite3.connect(folder / "alerts.db")) as database:
            database.execute("PRAGMA foreign_keys=OFF")
            child, parent = next(
                (table, row[2])
                for (table,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
                for row in database.execute(f"PRAGMA foreign_key_list({table})").fetchall()
                if database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            )
            database.execute(f"DELETE FROM {parent}")
            database.execute("UPDATE alembic_version SET version_num = '9999'")
            database.commit()
        with pytest.raises(OperatorError, match="references into nothing"):
            take_back(folder / "alerts.db", Database.ALERTS)
        assert child
        assert mark_in(folder / "alerts.db") == "9999"

    def test_a_rehearsal_works_on_copies_alone(self, tmp_path):
        data = unpack(FOLDERS[0], tmp_path)
        before = {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in data.glob("*.db")}
        copy_into(data, data / ".rehearsal")
        assert set(try_in(data / ".rehearsal")) == {"control.db", "alerts.db"}
        erase_in(data / ".rehearsal")
        assert {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in data.glob("*.db")} == before
        assert not (data / ".rehearsal").exists()

    def test_a_rehearsal_of_a_damaged_database_says_which(self, folder):
        with closing(sqlite3.connect(folder / "alerts.db")) as database:
            database.execute("UPDATE alembic_version SET version_num = '9999'")
            database.commit()
        result = CliRunner().invoke(cli, ["upgrade-records", "try", str(folder)])
        assert result.exit_code == 1
        assert "newer version" in result.output


def stand_in_bundle(place, version="9.9", fails=False):
    """What a bundle looks like, with an installer that makes no more than a sign of itself."""
    folder = place / f"blickschutz-{version}-python{sys.version_info[0]}.{sys.version_info[1]}-{platform.machine()}"
    folder.mkdir(parents=True)
    ending = "echo 'no room' >&2; exit 1" if fails else "exit 0"
    (folder / "install.sh").write_text(f'mkdir -p "$1/bin"; echo {version} > "$1/version"; {ending}\n')
    (folder / "PLATFORM").write_text(f"{sys.version_info[0]}.{sys.version_info[1]} {platform.machine()}\n")
    sums = [f"{hashlib.sha256(one.read_bytes()).hexdigest()}  {one.name}\n" for one in sorted(folder.iterdir())]
    (folder / "SHA256SUMS").write_text("".join(sums))
    return folder


def packed(folder):
    with tarfile.open(folder.parent / "bundle.tar", "w") as tar:
        tar.add(folder, folder.name)
    return folder.parent / "bundle.tar"


class TestBundles:
    def test_a_whole_one_is_opened_and_gone_afterwards(self, tmp_path):
        file = packed(stand_in_bundle(tmp_path / "made"))
        with unpacked(file, tmp_path) as bundle:
            assert bundle.version == "9.9"
            assert (bundle.folder / "install.sh").exists()
        assert sorted(one.name for one in tmp_path.iterdir()) == ["made"]

    @pytest.mark.parametrize("harm", ["altered", "added", "missing", "unlisted", "cut", "text", "other name", "other machine", "link out"])
    def test_anything_else_is_refused_in_words(self, tmp_path, harm):
        folder = stand_in_bundle(tmp_path / "made")
        if harm == "altered":
            (folder / "install.sh").write_text("rm -rf /\n")
        elif harm == "added":
            (folder / "more.sh").touch()
        elif harm == "missing":
            (folder / "install.sh").unlink()
        elif harm == "unlisted":
            (folder / "SHA256SUMS").unlink()
        elif harm == "other name":
            folder = folder.rename(folder.with_name("holiday"))
        elif harm == "other machine":
            (folder / "PLATFORM").write_text("3.11 vax\n")
            lines = [f"{hashlib.sha256((folder / one).read_bytes()).hexdigest()}  {one}\n" for one in ("PLATFORM", "install.sh")]
            (folder / "SHA256SUMS").write_text("".join(lines))
        elif harm == "link out":
            (folder / "etc").symlink_to("/etc/passwd")
        file = packed(folder)
        if harm == "cut":
            file.write_bytes(file.read_bytes()[:700])
        elif harm == "text":
            file.write_text("no tar at all")
        with pytest.raises(UpgradeError), unpacked(file, tmp_path):
            pass
        assert sorted(one.name for one in tmp_path.iterdir()) == ["made"]

    @pytest.mark.parametrize(
        ("name", "version"), [("blickschutz-0.2.0-python3.11-x86_64", "0.2.0"), ("blickschutz-python3.11-x86_64", None), ("x", None)]
    )
    def test_names(self, name, version):
        assert version_of(name) == version

    @pytest.mark.parametrize(
        ("one", "other", "older"), [("0.9", "0.10", True), ("1.0", "1", False), ("1", "1.0.1", True), ("2", "1.9", False)]
    )
    def test_versions_go_by_their_numbers(self, one, other, older):
        assert is_older(one, other) is older


@pytest.fixture
def opt(tmp_path):
    """An environment where one installer put it."""
    target = tmp_path / "opt/blickschutz"
    (target / "bin").mkdir(parents=True)
    (target / "version").write_text("1.0\n")
    return target


def version(target):
    return (target / "version").read_text().strip()


class TestEnvironments:
    def change(self, opt, number):
        return Environments(opt, "en", number), Bundle(stand_in_bundle(opt.parent / f"bundle-{number}", number), number)

    def test_one_after_the_other_and_each_way_back(self, opt):
        first, bundle = self.change(opt, "2.0")
        first.install(bundle, "1.0")
        assert (version(opt), first.begun()) == ("1.0", Begun(before="1.0", now="2.0"))
        first.switch()
        assert version(opt) == "2.0"
        first.switch_back()
        assert version(opt) == "1.0"
        assert not opt.is_symlink()
        first.drop()
        assert self.names(opt) == ["blickschutz"]
        first.install(bundle, "1.0")
        first.switch()
        first.settle()
        assert called(opt.with_name("blickschutz-2.0")) == opt
        second, bundle = self.change(opt, "3.0")
        second.install(bundle, "2.0")
        second.switch()
        assert version(opt) == "3.0"
        second.switch_back()
        assert version(opt) == "2.0"
        second.drop()
        assert self.names(opt) == ["blickschutz", "blickschutz-2.0"]
        second.install(bundle, "2.0")
        second.switch()
        second.settle()
        assert (version(opt), self.names(opt)) == ("3.0", ["blickschutz", "blickschutz-3.0"])

    def names(self, opt):
        return sorted(one.name for one in opt.parent.iterdir() if not one.name.startswith("bundle-"))

    def test_what_was_never_switched_is_not_switched_back(self, opt):
        """An earlier upgrade left its old programs behind: they are two versions old by now."""
        change, bundle = self.change(opt, "2.0")
        change.install(bundle, "1.0")
        change.switch()
        later, bundle = self.change(opt, "3.0")
        later.install(bundle, "2.0")
        later.switch_back()
        later.drop()
        assert version(opt) == "2.0"

    def test_another_name_of_the_environment_is_not_the_one_that_is_called(self, opt):
        (opt.parent / "blick").symlink_to(opt.name)
        assert called(opt) == opt

    def test_one_that_cannot_be_installed_leaves_nothing(self, opt):
        change = Environments(opt, "de", "2.0")
        with pytest.raises(UpgradeError, match="no room"):
            change.install(Bundle(stand_in_bundle(opt.parent / "b", "2.0", fails=True), "2.0"), "1.0")
        assert change.begun() is None
        assert (version(opt), change.new.exists()) == ("1.0", False)

    def test_what_an_earlier_try_left_is_replaced_and_what_is_in_use_is_not(self, opt):
        change, bundle = self.change(opt, "2.0")
        (change.new / "old").mkdir(parents=True)
        change.install(bundle, "1.0")
        assert not (change.new / "old").exists()
        change.switch()
        change.settle()
        with pytest.raises(UpgradeError, match=r"is version 2\.0 already"):
            change.install(bundle, "2.0")
        assert version(opt) == "2.0"


class Site:
    """A service, its programs and its records, and what was asked of them in which order."""

    def __init__(self, clock, *, ready=True, comes_back=True, fails=()):
        self.clock, self.done, self.fails = clock, [], set(fails)
        self._ready = {"old": comes_back, "new": ready}
        self.programs, self.running, self.since = "old", "old", 0.0

    def _did(self, what):
        self.done.append(what)
        if what in self.fails:
            raise (DeviceError if what in {"stop", "start"} else UpgradeError)(what)

    def seen(self):
        if self.running is None:
            return Seen(active=False, failed=False, restarts=3)
        age = self.clock.monotonic() - self.since
        if not self._ready[self.running] and self.done:
            return Seen(active=age > 4, failed=False, restarts=3, live=1, cameras=2)
        return Seen(active=True, failed=False, restarts=3, live=min(2, int(age)) if self.done else 2, cameras=2)

    def start(self):
        self._did("start")
        self.running, self.since = self.programs, self.clock.monotonic()

    def stop(self):
        self._did("stop")
        self.running = None

    def install(self, bundle, before):
        self._did("install")

    def drop(self):
        self._did("drop")

    def switch(self):
        self._did("switch")
        self.programs = "new"

    def switch_back(self):
        self._did("switch back")
        self.programs = "old"

    def settle(self):
        self._did("settle")

    def back_up(self):
        self._did("back up")

    def rehearse(self):
        self._did("rehearse")

    def take_back(self):
        self._did("take back")

    def note(self, before, now, reason):
        self._did("note")


def upgraded(site, said=None):
    said = [] if said is None else said
    steps = Upgrade(site, site, site, site.clock, before="1.0", limit_s=60.0, say=said.append)
    return steps.run(Bundle(Path("/nowhere"), "2.0"))


class TestOrder:
    BEFORE = ("back up", "install", "rehearse")

    def test_all_that_can_fail_comes_before_the_dark(self):
        site, said = Site(ManualClock(1e9)), []
        outcome = upgraded(site, said)
        assert site.done == [*self.BEFORE, "stop", "switch", "start", "note", "settle"]
        assert (outcome.fate, site.running) == (Fate.DONE, "new")
        assert 1 < outcome.dark_s < 5
        assert said == ["backup", "install", "rehearse", "switch"]

    def test_fewer_cameras_than_before_is_not_ready(self):
        site = Site(ManualClock(1e9), ready=False)
        outcome = upgraded(site)
        assert outcome.fate is Fate.TAKEN_BACK
        assert "1 of 2 cameras were live after 24 s, 2 before" in outcome.reason
        assert outcome.dark_s < 40
        assert site.done == [*self.BEFORE, "stop", "switch", "start", "stop", "switch back", "take back", "start", "note", "drop"]
        assert site.running == "old"

    @pytest.mark.parametrize("step", ["back up", "install"])
    def test_before_anything_was_changed_it_just_ends(self, step):
        site = Site(ManualClock(1e9), fails=[step])
        with pytest.raises(UpgradeError, match=step):
            upgraded(site)
        assert site.done[-1] == step
        assert site.running == "old"

    def test_what_was_installed_goes_where_the_rehearsal_fails(self):
        site = Site(ManualClock(1e9), fails=["rehearse"])
        with pytest.raises(UpgradeError, match="rehearse"):
            upgraded(site)
        assert site.done[-1] == "drop"
        assert site.running == "old"

    def test_somebody_who_interrupts_it_means_going_back_and_is_not_heard_then(self):
        site, heard = Site(ManualClock(1e9)), []
        start = site.start

        def interrupted():
            start()
            site.start = start
            raise KeyboardInterrupt

        site.start = interrupted
        steps = Upgrade(site, site, site, site.clock, before="1.0", limit_s=60.0, say=lambda text: None, listen=heard.append)
        outcome = steps.run(Bundle(Path("/nowhere"), "2.0"))
        assert (outcome.fate, outcome.reason, site.running, heard) == (Fate.TAKEN_BACK, "somebody interrupted it", "old", [False])

    @pytest.mark.parametrize(
        ("own", "active", "done"),
        [
            # Killed before the names were exchanged, or after everything was as before again.
            ("1.0", True, ["drop", "note"]),
            # Killed between the exchange back and the databases.
            ("1.0", False, ["stop", "switch back", "take back", "start", "drop", "note"]),
            # Killed while it was looked at: it runs, or it does not.
            ("2.0", True, ["settle", "note"]),
            ("2.0", False, ["stop", "switch back", "take back", "start", "drop", "note"]),
        ],
    )
    def test_one_that_was_killed_is_brought_to_its_end(self, own, active, done):
        site = Site(ManualClock(1e9))
        site.running, site.programs = ("new" if own == "2.0" else "old") if active else None, "new" if own == "2.0" else "old"
        steps = Upgrade(site, site, site, site.clock, before=own, limit_s=60.0, say=lambda text: None)
        outcome = steps.finish(Begun(before="1.0", now="2.0"))
        assert site.done == done
        assert outcome.fate is (Fate.DONE if done[0] == "settle" else Fate.TAKEN_BACK)
        assert site.running == ("new" if done[0] == "settle" else "old")

    def test_an_entry_that_cannot_be_made_is_said_and_changes_nothing(self):
        site = Site(ManualClock(1e9), fails=["note"])
        outcome = upgraded(site)
        assert (outcome.fate, outcome.unnoted, site.done[-1]) == (Fate.DONE, "note", "settle")

    def test_neither_comes_back(self):
        with pytest.raises(FaultError, match=r"version 2\.0 is not to stay .* the version before did not come back"):
            upgraded(Site(ManualClock(1e9), ready=False, comes_back=False))

    def test_a_service_that_does_not_run_tells_nothing(self):
        site = Site(ManualClock(1e9))
        site.running = None
        with pytest.raises(UpgradeError, match="does not run"):
            upgraded(site)
        assert site.done == []


@pytest.mark.parametrize(
    ("seen", "after", "verdict"),
    [
        (Seen(False, False, 3), 5, Verdict.WAIT),
        (Seen(False, False, 3), 60, Verdict.FAILED),
        (Seen(False, True, 3), 5, Verdict.FAILED),
        (Seen(True, False, 4, 2, 2), 5, Verdict.FAILED),
        (Seen(True, False, 3, 1, 2), 5, Verdict.WAIT),
        (Seen(True, False, 3, 2, 2), 5, Verdict.READY),
        (Seen(True, False, 3, 3, 3), 5, Verdict.READY),
    ],
)
def test_when_a_service_counts_as_ready(seen, after, verdict):
    assert judged(seen, Seen(True, False, 0, 2, 2), 3, after, 60) is verdict


def test_the_status_of_the_service_is_read():
    assert live_of("10 of 11 cameras live") == (10, 11)
    assert live_of("starting") == (None, None)


def test_it_is_refused_where_no_service_manager_runs(tmp_path, monkeypatch):
    monkeypatch.setattr("blickschutz.upgrade.io.systemd._BOOTED", tmp_path / "none")
    site = tmp_path / "site.toml"
    shutil.copy(Path(__file__).parents[2] / "examples/rathaus-kaiserslautern.toml", site)
    bundle = packed(stand_in_bundle(tmp_path / "made"))
    result = CliRunner().invoke(cli, ["upgrade", "--site", str(site), "--bundle", str(bundle), "--no-backup"])
    assert result.exit_code == 1
    assert "install.sh" in result.output
    result = CliRunner().invoke(cli, ["upgrade", "--site", str(site), "--bundle", str(bundle)])
    assert result.exit_code == 2
    assert "--no-backup" in result.output
