"""The log: chain, checkpoints, verifier, append only."""

from __future__ import annotations

import json
import random
import time

import pytest
from click.testing import CliRunner
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from blickschutz.audit.io.log import CHECKPOINT_EVERY, METADATA, AuditLog
from blickschutz.audit.model import Event
from blickschutz.audit.rules import digest, encode_line, verify
from blickschutz.audit.service import ChainWatch
from blickschutz.cli.main import cli
from blickschutz.guard.model import Backoff
from blickschutz.guard.service import Guard
from blickschutz.kernel.clock import SystemClock
from blickschutz.storage.engine import open_engine, writing
from blickschutz.vault.io.files import InstallationKey, is_signed
from tests.conftest import ROOT
from tests.databases import past_guards
from tests.fakes.clock import ManualClock

pytestmark = pytest.mark.both_databases

GOLDEN = ROOT / "tests/golden"


@pytest.fixture
def key(tmp_path):
    return InstallationKey(tmp_path / "installation.key")


@pytest.fixture
def engine(tmp_path):
    engine = open_engine(tmp_path / "control.db", METADATA)
    yield engine
    engine.dispose()


@pytest.fixture
def log(engine, key):
    log = AuditLog(engine, ManualClock(), key.sign, key.public)
    for number in range(20):
        log.write(Event.CASE_SEEN, "kvd-1", f"case-{number}", {"number": number, "words": "Größe"})
    return log


def problems(lines, public=None):
    return [fault.problem for fault in verify(lines, is_signed, public)]


def test_a_whole_log_verifies(log, key):
    assert problems(log.export(), key.public) == []
    assert problems(log.export(first=7), key.public) == []


def test_every_flipped_bit_is_found(log, key):
    data = b"\n".join(log.export()) + b"\n"
    chance = random.Random(4)
    for _ in range(1000):
        place = chance.randrange(len(data) * 8)
        altered = bytearray(data)
        altered[place // 8] ^= 1 << place % 8
        assert problems(bytes(altered).removesuffix(b"\n").split(b"\n")), place
    assert len(data) > 4000


def rewritten(line):
    """An entry that names another person, with the hash that fits its new text."""
    entry = line[line.index(b'"entry":') + len(b'"entry":') : -1].replace(b"kvd-1", b"kvd-2")
    return encode_line(digest(entry), entry)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda lines: [*lines[:4], rewritten(lines[4]), *lines[5:]], "chain"),
        (lambda lines: [*lines[:-2], rewritten(lines[-2]), lines[-1]], "checkpoint"),
        (lambda lines: [*lines[:5], *lines[6:]], "order"),
        (lambda lines: [*lines[:5], lines[6], lines[5], *lines[7:]], "order"),
        (lambda lines: lines[:-1], "cut"),
        (lambda lines: lines[:-2], "cut"),
        (lambda lines: lines[1:], "head"),
        (lambda lines: [*lines[:4], lines[4].replace(b"kvd-1", b"kvd-2"), *lines[5:]], "altered"),
        (lambda lines: [*lines, b"rubbish"], "unreadable"),
        (lambda lines: [], "head"),
    ],
)
def test_what_is_missing_moved_or_added_is_named(log, change, problem):
    assert problem in problems(change(list(log.export())))


def test_a_log_that_somebody_made_up_is_found_by_the_key(log, engine, tmp_path):
    other = InstallationKey(tmp_path / "other.key")
    forged = AuditLog(open_engine(tmp_path / "forged.db", METADATA), ManualClock(), other.sign, other.public)
    forged.write(Event.SIGNED_IN, "kvd-1")
    assert problems(forged.export()) == []
    assert problems(forged.export(), log.public) == ["foreign"]


def test_the_log_cannot_be_changed_in_the_database(log, engine):
    for command in ("UPDATE log SET by = 'x'", "DELETE FROM log WHERE number = 3", "DELETE FROM log_checkpoints"):
        log.checkpoint()
        with pytest.raises(IntegrityError, match="append only"), writing(engine) as connection:
            connection.execute(text(command))


def test_an_entry_stands_or_falls_with_its_transaction(log, engine):
    def fail_late():
        with writing(engine) as connection:
            log.append(connection, Event.SHREDDED, "system", "case-1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_late()
    assert log.state()[0] == 20
    assert problems(log.export()) == []


def test_checkpoints_come_by_themselves(engine, key):
    log = AuditLog(engine, ManualClock(), key.sign, key.public)
    with writing(engine) as connection:
        for _ in range(CHECKPOINT_EVERY + 3):
            log.append(connection, Event.CASE_SEEN, "kvd-1")
    assert log.state()[2].number == CHECKPOINT_EVERY
    assert problems(log.export(), key.public) == []


def test_entries_are_found_by_what_they_tell_of(log):
    log.write(Event.SIGNED_IN, "ada")
    assert [entry.by for entry, _ in log.find(event="signed-in")] == ["ada"]
    assert [entry.number for entry, _ in log.find(before=3)] == [2, 1]
    assert [entry.facts["words"] for entry, _ in log.find(subject="case-4")] == ["Größe"]
    assert log.count([Event.CASE_SEEN], 0.0) == 20
    assert log.count([Event.CASE_SEEN], 0.0, "nobody") == 0


def test_the_golden_log_still_verifies():
    """Version 1 as it was first written: whatever this software becomes, it verifies this file."""
    lines = (GOLDEN / "log-v1.jsonl").read_bytes().removesuffix(b"\n").split(b"\n")
    public = bytes.fromhex((GOLDEN / "public-key.txt").read_text().strip())
    assert problems(lines, public) == []
    assert problems(lines[:-1], public) == ["cut"]


def test_the_command_says_what_is_wrong(log, key, tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"\n".join(log.export()) + b"\n")
    whole = CliRunner().invoke(cli, ["verify", "audit", str(path), "--public-key", key.public.hex(), "--json"])
    assert whole.exit_code == 0
    assert json.loads(whole.output.splitlines()[-1]) == {"whole": True, "faults": [], "entries": 20, "key_known": True}
    path.write_bytes(path.read_bytes().replace(b'"by":"kvd-1"', b'"by":"kvd-7"', 1))
    broken = CliRunner().invoke(cli, ["verify", "audit", str(path)])
    assert broken.exit_code == 1
    assert "entry 1 was altered" in broken.output
    assert CliRunner().invoke(cli, ["verify", "audit", str(tmp_path / "none")]).exit_code == 1
    assert "64 hex digits" in CliRunner().invoke(cli, ["verify", "audit", str(path), "--public-key", "12"]).output


class TestWatch:
    """The chain is looked at while the log grows."""

    def alter(self, engine, number):
        """What whoever owns the file could do: the triggers are no lock."""
        with past_guards(engine) as connection:
            connection.execute(text(f"UPDATE log SET text = replace(text, 'kvd-1', 'kvd-2') WHERE number = {number}"))

    def test_what_is_new_is_looked_at_and_the_whole_once_a_day(self, log, engine):
        clock = ManualClock()
        watch = ChainWatch(log, clock, is_signed)
        assert watch.look().faults == ()
        assert watch.report.number == 20
        log.write(Event.CASE_SEEN, "kvd-1", "case-x")
        assert (watch.look().number, watch.report.faults) == (21, ())
        self.alter(engine, 5)
        log.write(Event.CASE_SEEN, "kvd-1", "case-y")
        assert watch.look().faults == (), "far back: that is what the daily look is for"
        clock.sleep(86_401)
        assert watch.look().faults[0].number == 5
        assert len(log.find(event=Event.LOG_BROKEN)) == 1
        watch.look(whole=True)
        assert len(log.find(event=Event.LOG_BROKEN)) == 1

    def test_an_entry_that_changes_after_it_was_seen_is_found_at_the_next_look(self, log, engine):
        watch = ChainWatch(log, ManualClock(), is_signed)
        watch.look()
        self.alter(engine, 20)
        log.write(Event.CASE_SEEN, "kvd-1", "case-x")
        assert watch.look().faults[0].problem == "altered"

    def test_a_look_that_fails_is_tried_again_and_seen(self, log, monkeypatch):
        """A database that is locked once must not end the watch over the log for ever."""
        guard = Guard(SystemClock(), backoff=Backoff(first_s=0.01, most_s=0.02))
        watch = ChainWatch(log, SystemClock(), is_signed)
        state, failures = log.state, [OSError(5, "locked"), KeyError("x")]

        def fails():
            if failures:
                raise failures.pop()
            return state()

        monkeypatch.setattr(log, "state", fails)
        watch.start(guard)
        end = time.monotonic() + 5
        while watch.report.number != 20:
            assert time.monotonic() < end
            time.sleep(0.01)
        (seen,) = guard.states()
        assert (seen.name, seen.failures, seen.error) == ("chain", 2, "OSError: locked")
        started = time.monotonic()
        watch.end()
        assert time.monotonic() - started < 30, "the minute between two looks is not waited for"
        assert guard.states() == ()

    def test_what_is_written_while_it_is_exported_breaks_no_export(self, log):
        lines = log.export()
        first = next(lines)
        log.write(Event.CASE_SEEN, "kvd-1", "meanwhile")
        assert problems([first, *lines]) == []
