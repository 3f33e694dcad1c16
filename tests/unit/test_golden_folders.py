"""The data folder of each earlier version, made by its own code, is upgraded by today's and loses nothing.

`expected.json` is what that code itself read in its folder (`scripts/golden_folder.py`).
"""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from blickschutz.access.io.accounts import METADATA as ACCOUNT_TABLES
from blickschutz.access.io.accounts import AccountStore
from blickschutz.access.io.factors import METADATA as FACTOR_TABLES
from blickschutz.access.io.factors import FactorStore
from blickschutz.access.io.store import METADATA as PASSWORD_TABLES
from blickschutz.access.io.store import PasswordStore
from blickschutz.alerts.io.outdated import OldSeconds
from blickschutz.alerts.io.store import SqlAlertStore
from blickschutz.alerts.io.tables import METADATA as ALERT_TABLES
from blickschutz.audit.io.log import METADATA as LOG_TABLES
from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.rules import verify
from blickschutz.recording.io.clipfile import read_head
from blickschutz.regime.model import OverrideEntry
from blickschutz.retention.io.timefile import TimeFile
from blickschutz.retention.model import Kept, Limits
from blickschutz.retention.rules import deadline, is_due
from blickschutz.review.io.beside import NotesBeside
from blickschutz.review.io.store import METADATA as CASE_TABLES
from blickschutz.review.io.store import SqlCaseStore
from blickschutz.review.model import Case, CaseState
from blickschutz.review.rules import OPENABLE
from blickschutz.review.service import CaseDesk
from blickschutz.rights.io.store import METADATA as RIGHTS_TABLES
from blickschutz.rights.io.store import SqlRightsStore
from blickschutz.storage.engine import check, open_engine
from blickschutz.storage.ports import Database
from blickschutz.storage.upgrade import mark_of, revisions, row_counts
from blickschutz.vault.io.files import InstallationKey, KeyFolder, is_signed
from tests.conftest import ROOT
from tests.fakes.case_time import CaseClock
from tests.fakes.clock import ManualClock
from tests.fakes.voices import ALL_VOICES

FOLDERS = sorted(path.parent for path in (ROOT / "tests/golden/folders").glob("*/folder.tar.gz"))
NEEDED = {"ec82f56", "44a6985", "2c560f7", "65ac9ab", "cdee228"}
TABLES = {
    "control.db": (LOG_TABLES, ACCOUNT_TABLES, FACTOR_TABLES, PASSWORD_TABLES, CASE_TABLES, RIGHTS_TABLES),
    "alerts.db": (ALERT_TABLES,),
}
LIMITS = Limits(72 * 3600.0, 61 * 86_400.0)
PASSWORD = "golden folder, nobody's"


def unpack(golden: Path, scratch: Path) -> Path:
    """The data folder as its version left it."""
    with tarfile.open(golden / "folder.tar.gz") as archive:
        archive.extractall(scratch, filter="data")
    return scratch / "data"


class Upgraded:
    """A golden folder, opened by today's code."""

    def __init__(self, golden: Path, scratch: Path) -> None:
        self.data = unpack(golden, scratch)
        self.known = json.loads((golden / "expected.json").read_text(encoding="utf-8"))
        self.clock = ManualClock(9e7)
        self.engines = {name: open_engine(self.data / name, *tables) for name, tables in TABLES.items()}
        self.control = self.engines["control.db"]
        self.key = InstallationKey(self.data / "keys/installation.key")
        self.log = AuditLog(self.control, self.clock, self.key.sign, self.key.public)
        notes = NotesBeside(self.data / "clips", self.key)
        self.cases, self.rights = SqlCaseStore(self.control, self.log, notes), SqlRightsStore(self.control, self.log)
        self.accounts = AccountStore(self.control, self.log, self.clock)
        self.alerts = SqlAlertStore(self.engines["alerts.db"])


@pytest.fixture(params=FOLDERS, ids=lambda path: path.name)
def old(request, tmp_path):
    upgraded = Upgraded(request.param, tmp_path)
    yield upgraded
    for engine in upgraded.engines.values():
        engine.dispose()


def holds(whole, part):
    """Whether everything in `part` is in `whole`: a newer version may know more of the same thing, never less."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and holds(whole[key], value) for key, value in part.items())
    if isinstance(part, list):
        return len(whole) == len(part) and all(holds(*pair) for pair in zip(whole, part, strict=True))
    return whole == part


def plain(what):
    return json.loads(json.dumps(msgspec.to_builtins(what, str_keys=True)))


def test_each_version_that_was_somewhere_in_use_has_its_folder():
    assert {path.name for path in FOLDERS} >= NEEDED
    for path in FOLDERS:
        assert (path / "folder.tar.gz").stat().st_size < 200 * 1024
        states = {case["state"] for case in json.loads((path / "expected.json").read_text(encoding="utf-8"))["cases"]}
        # None of these versions knew a quarantine.
        assert states == {state.value for state in CaseState} - {CaseState.QUARANTINED.value}


def test_nothing_is_lost_and_both_databases_are_whole_and_marked(old):
    for name, engine in old.engines.items():
        with engine.connect() as connection:
            counts = row_counts(connection)
            assert mark_of(connection) == revisions(Database(name.removesuffix(".db")))[-1]
        assert {table: counts[table] for table in old.known["rows"][name]} == old.known["rows"][name]
        assert check(engine, *TABLES[name], deep=True) == []
    assert [path.name for path in old.data.iterdir() if ".before-" in path.name] == []


def test_every_case_is_read_as_its_own_version_read_it(old):
    found = old.cases.find(states=list(CaseState), most=1000)
    assert holds(plain(found), old.known["cases"])
    assert old.cases.damaged() == []
    held = [case for case in found if case.state is CaseState.HELD]
    assert len(held) == 2
    assert all(case.hold is not None and case.hold.in_force for case in held)
    assert [case.proposal is not None for case in held] == [False, True]


def kept(case: Case) -> Kept:
    return Kept(case.clip, case.opened, case.hold.until if case.hold is not None and case.hold.in_force else None, bool(case.restricted))


def test_every_case_expires_when_it_is_due_and_not_before(old):
    desk = CaseDesk(old.cases, old.clock, 61.0, CaseClock(old.clock), ALL_VOICES)
    cases = [case for case in old.cases.find(states=list(CaseState), most=1000) if case.state in OPENABLE]
    assert len(cases) >= 6
    for case in cases:
        ends = deadline(kept(case), LIMITS)
        assert not is_due(kept(case), LIMITS, ends.at - 1)
        assert is_due(kept(case), LIMITS, ends.at) is not bool(case.restricted)
        assert desk.expire(case, ends.why.value) is not bool(case.restricted)
        assert old.cases.get(case.id).state is (case.state if case.restricted else CaseState.DESTROYING)


def test_alerts_with_their_history_and_what_is_still_to_be_told_are_there(old):
    found = [[alert, old.alerts.history(alert.id)] for alert in old.alerts.find(most=1000)]
    assert holds(plain(found), old.known["alerts"])
    queues = old.alerts.outbox.queues(old.clock.now())
    assert holds(plain({name: (queue.failing, queue.problem) for name, queue in queues.items()}), old.known["unsent"])
    assert holds(plain(old.alerts.tally(0.0)), old.known["tally"])
    assert old.alerts.damaged() == []
    assert OldSeconds(old.engines["alerts.db"]).count() == old.known["rows"]["alerts.db"]["alert_clips"]


def test_requests_duties_and_accounts_are_there(old):
    assert holds(plain([*old.rights.open(), *old.rights.latest(100)]), old.known["requests"])
    assert holds(plain([*old.rights.duties(settled=False), *old.rights.duties(settled=True)]), old.known["duties"])
    members = sorted(old.accounts.members().values(), key=lambda one: one.id)
    assert holds(plain(members), old.known["members"])
    assert old.rights.damaged() == old.accounts.damaged() == []


def test_passwords_and_factors_fit(old):
    assert PasswordStore(old.control, old.log, old.clock).fits("kvd-1", PASSWORD)
    if old.known["members"]:
        (factor,) = FactorStore(old.control, old.log, old.clock, old.data / "keys/factors.key").of("kvd-1")
        assert factor.secret == b"a secret of nobody"
        assert old.accounts.changes()[0].person == "kvd-3"


def test_the_log_verifies_goes_on_and_can_only_grow(old):
    assert list(old.log.state()[:2]) == old.known["log"]
    assert list(verify(old.log.export(), is_signed, bytes.fromhex(old.known["public"]))) == []
    assert len(old.log.find(most=10_000)) == old.known["log"][0]
    with pytest.raises(IntegrityError, match="append only"), old.control.begin() as connection:
        connection.execute(text("DELETE FROM log WHERE number = 1"))


def test_keys_clips_clock_and_regime_are_read(old):
    reviewers = [[one.id, one.public.hex()] for one in KeyFolder(old.data / "keys/reviewers").reviewers()]
    assert reviewers == old.known["reviewers"]
    clips = sorted((old.data / "clips").glob("*.clip"))
    assert [path.stem[0] for path in clips] == ["1", "4"]
    for path in clips:
        head, case = read_head(path), old.cases.by_clip(path.stem)
        assert (head.header.clip, head.header.installation, path.stat().st_size) == (case.clip, old.key.installation, case.size)
    # Earlier versions kept one number; the time for deadlines goes on from it.
    found = TimeFile(old.data / "retention.clock", old.key.sign, old.key.signed).read()
    assert isinstance(found, float)
    assert f"{found:.3f}\n" == old.known["retention"]
    (line,) = (old.data / "regime.jsonl").read_bytes().split()
    assert msgspec.json.decode(line, type=OverrideEntry).regime == "night"


def test_opening_again_changes_nothing(old):
    for name, tables in TABLES.items():
        with old.engines[name].connect() as connection:
            before = row_counts(connection)
        with open_engine(old.data / name, *tables).connect() as connection:
            assert row_counts(connection) == before
        connection.engine.dispose()
