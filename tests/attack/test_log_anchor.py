"""Somebody who holds the installation's key rewrites its log: an older export and the witness name it, every time."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import threading
import time

import msgspec
import pytest
from click.testing import CliRunner
from nacl.signing import SigningKey
from sqlalchemy import text

from blickschutz.anchor import service as anchor_service
from blickschutz.anchor.cuts import read_export
from blickschutz.anchor.io.bond import BondFile
from blickschutz.anchor.io.channel import WitnessLine, serve
from blickschutz.anchor.io.ledger import RECORDS, Ledger, read_folder
from blickschutz.anchor.model import Anchor, AskHead, Hand, Problem, Refused, Taken
from blickschutz.anchor.rules import against, against_witness, anchor_text, read_records, signed_anchor
from blickschutz.anchor.service import Anchoring
from blickschutz.audit.io.log import METADATA, AuditLog
from blickschutz.audit.model import GENESIS, Checkpoint, Entry, Event
from blickschutz.audit.rules import digest, encode, encode_checkpoint, encode_head, encode_line, signed_text, verify
from blickschutz.cli.main import cli
from blickschutz.config.model import Audit
from blickschutz.control.service.checks import check_witness
from blickschutz.control.service.grounds import gather
from blickschutz.kernel.errors import DeviceError, OperatorError
from blickschutz.storage.engine import open_engine
from blickschutz.vault.io.files import InstallationKey, is_signed
from tests.databases import past_guards
from tests.desk import Desk, site_of
from tests.fakes.clock import ManualClock

pytestmark = pytest.mark.both_databases

ATTACKS = 2000


def written(key, entries, first=1):
    """An export as whoever has the key writes it: numbered, chained and signed anew."""
    previous, lines = GENESIS, []
    for number, entry in enumerate(entries, 1):
        line = encode(msgspec.structs.replace(entry, number=number, previous=previous))
        previous = digest(line)
        lines.append(encode_line(previous, line))
    lines = lines[first - 1 :]
    at = 5.0
    signature = key.sign(signed_text(len(entries), previous, at)).signature.hex()
    point = Checkpoint(number=len(entries), hash=previous, at=at, signature=signature)
    return [encode_head(bytes(key.verify_key), first), *lines, encode_checkpoint(point)]


def some_entry(chance, at):
    # That entries were erased, nobody says by chance: see `test_log_limit.py`.
    events = [event for event in Event if event is not Event.LOG_ERASED]
    return Entry(
        number=0, at=at, event=chance.choice(events), by=chance.choice(["kvd-1", "technik", "system"]), subject=f"c{chance.random()}"
    )


def hashes_of(lines):
    return list(read_export(lines).hashes)


def seen_by_witness(key, lines, upto, chance):
    """What a witness holds of a log that was handed over in some parts."""
    hashes, after, found = hashes_of(lines)[:upto], 0, []
    while after < upto:
        number = chance.randint(after + 1, upto)
        found.append(
            Anchor(
                public_key=bytes(key.verify_key).hex(),
                after=after,
                after_hash=hashes[after - 1] if after else GENESIS,
                number=number,
                at=1.0,
                hashes=hashes[after:number],
            )
        )
        after = number
    return found


def rewritten(chance, entries, known):
    """The entries after an attack on one of the first `known`, and what was done."""
    kind = chance.choice(["alter", "remove", "remove-many", "insert", "swap", "fork", "roll-back", "roll-back-and-on", "date", "all"])
    at = chance.randrange(known)
    more = [some_entry(chance, 9.0) for _ in range(chance.randint(0, 5))]
    if kind == "alter":
        entry = msgspec.structs.replace(entries[at], by="somebody", facts={"x": chance.random()})
        return kind, [*entries[:at], entry, *entries[at + 1 :], *more]
    if kind == "date":
        return kind, [*entries[:at], msgspec.structs.replace(entries[at], at=entries[at].at - 1), *entries[at + 1 :]]
    if kind == "remove":
        return kind, entries[:at] + entries[at + 1 :] + more
    if kind == "remove-many":
        return kind, entries[:at] + entries[at + chance.randint(1, 9) :] + more
    if kind == "insert":
        return kind, [*entries[:at], some_entry(chance, 2.0), *entries[at:]]
    if kind == "swap":
        other = (at + 1) % len(entries)
        changed = list(entries)
        changed[at], changed[other] = changed[other], changed[at]
        return kind, changed
    if kind == "fork":
        return kind, entries[:at] + [some_entry(chance, 3.0) for _ in range(len(entries) - at + chance.randint(0, 4))]
    if kind == "roll-back":
        return kind, entries[:at]
    if kind == "roll-back-and-on":
        return kind, entries[:at] + [some_entry(chance, 4.0) for _ in range(chance.randint(1, 40))]
    return kind, more or [some_entry(chance, 3.0)]


class TestRewritten:
    def test_no_rewritten_log_passes_against_an_older_export_or_the_witness(self):
        chance, passed, named = random.Random(16), [], {}
        key = SigningKey(bytes(range(32)))
        for number in range(ATTACKS):
            entries = [some_entry(chance, float(n)) for n in range(chance.randint(2, 30))]
            known = chance.randint(1, len(entries))
            old, genuine = written(key, entries[:known]), written(key, entries)
            first = chance.choice([1, 1, 1, chance.randint(1, known)])
            kind, changed = rewritten(chance, entries, known)
            forged = written(key, changed, min(first, len(changed) + 1))
            if number % 50 == 0:
                whole = list(verify(forged, is_signed, bytes(key.verify_key))) == []
                assert whole or len(changed) < first, "whoever has the key makes it whole"
                assert list(against(read_export(old), read_export(genuine))) == []
                assert list(against_witness(seen_by_witness(key, genuine, known, chance), read_export(genuine))) == []
            by_old = list(against(read_export(old), read_export(forged)))
            by_witness = list(against_witness(seen_by_witness(key, genuine, known, chance), read_export(forged)))
            if not by_old or not by_witness:
                passed.append((number, kind, bool(by_old), bool(by_witness)))
            named.setdefault(kind, set()).update(fault.problem for fault in by_old)
        assert passed == []
        assert "altered" in named["alter"]
        assert "removed" in named["remove"]
        assert "added" in named["insert"]
        assert "forked" in named["fork"]
        assert "rolled-back" in named["roll-back"]

    def test_what_was_done_is_named_with_its_place(self):
        chance, key = random.Random(1), SigningKey(bytes(range(32)))
        entries = [some_entry(chance, float(n)) for n in range(20)]
        old = read_export(written(key, entries))

        def found(changed):
            return [(fault.number, fault.problem) for fault in against(old, read_export(written(key, changed)))]

        more = [some_entry(chance, 30.0) for _ in range(9)]
        assert found([*entries, *more]) == []
        assert found([*entries[:4], msgspec.structs.replace(entries[4], by="x"), *entries[5:], *more]) == [(5, "altered")]
        assert found([*entries[:4], *entries[6:], *more]) == [(5, "removed"), (6, "removed")]
        assert found([*entries[:4], more[0], *entries[4:], *more]) == [(5, "added")]
        assert found(entries[:12]) == [(13, "rolled-back")]
        assert found([*entries[:6], *more, *more]) == [(7, "forked")]
        assert found(more * 3) == [(1, "forked")]

    def test_another_installation_is_named_unless_the_log_says_that_people_replaced_the_key(self):
        chance, one, two = random.Random(1), SigningKey(bytes(32)), SigningKey(bytes(range(32)))
        entries = [some_entry(chance, float(n)) for n in range(5)]
        old = read_export(written(one, entries))
        assert [fault.problem for fault in against(old, read_export(written(two, entries)))] == ["foreign"]
        facts = {"before": bytes(one.verify_key).hex(), "now": bytes(two.verify_key).hex()}
        replaced = Entry(number=0, at=6.0, event=Event.KEY_REPLACED, by="terminal", facts=facts)
        assert list(against(old, read_export(written(two, [*entries, replaced])))) == []
        assert [fault.problem for fault in against(old, read_export(written(two, [*entries[1:], replaced])))] == ["removed"]

    def test_an_export_that_begins_after_what_is_known_connects_with_nothing(self):
        chance, key = random.Random(1), SigningKey(bytes(32))
        entries = [some_entry(chance, float(n)) for n in range(9)]
        late, old = read_export(written(key, entries, first=7)), written(key, entries[:3])
        assert [fault.problem for fault in against(read_export(old), late)] == ["gap"]
        assert [fault.problem for fault in against_witness(seen_by_witness(key, old, 3, chance), late)] == ["gap"]


class Site:
    """A log with its key, and a witness in a folder of its own; `line` is the way between them, which a test may cut."""

    def __init__(self, folder, name="site"):
        self.folder, self.clock = folder / name, ManualClock()
        self.folder.mkdir()
        self.key = InstallationKey(self.folder / "installation.key")
        self.engine = open_engine(self.folder / "control.db", METADATA)
        self.log = AuditLog(self.engine, self.clock, self.key.sign, self.key.public)
        self.bonds = BondFile(self.folder / "anchor.json")

    def write(self, count):
        for _ in range(count):
            self.clock.sleep(1.0)
            self.log.write(Event.LOG_SEEN, "dsb")

    def anchoring(self, line):
        return Anchoring(line, self.bonds, self.log, self.key, self.clock, is_signed)

    def events(self, event):
        return [entry for entry, _ in self.log.find(event=event)]

    def forget(self, after):
        """Entries after that number vanish from the database, as somebody does it who drops the triggers."""
        with past_guards(self.engine) as connection:
            connection.execute(text("delete from log where number > :n"), {"n": after})
        with past_guards(self.engine, "log_checkpoints") as connection:
            connection.execute(text("delete from log_checkpoints where number > :n"), {"n": after})

    def export(self):
        return list(self.log.export())


class Direct:
    """The witness without a socket between."""

    def __init__(self, ledger):
        self.ledger, self.gone = ledger, False

    def head(self):
        if self.gone:
            raise DeviceError("the witness cannot be reached")
        return self.ledger.answer(AskHead(nonce="00"))

    def hand(self, anchor, signature):
        return self.ledger.answer(Hand(anchor=anchor, signature=signature))


@pytest.fixture
def site(tmp_path):
    site = Site(tmp_path)
    yield site
    site.engine.dispose()


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(tmp_path / "witness", ManualClock(5.0))
    yield ledger
    ledger.close()


class TestWitness:
    def test_it_keeps_the_hash_of_every_entry_and_nothing_of_what_it_says(self, site, ledger, tmp_path):
        site.write(7)
        line = Direct(ledger)
        state = site.anchoring(line).anchor()
        assert (state.number, state.problem, state.witness) == (8, None, ledger.public)
        site.write(3)
        assert site.anchoring(line).anchor().number == 11
        anchors, faults = read_records(read_folder(tmp_path / "witness"), is_signed, ledger.public)
        assert faults == []
        assert [hash for one in anchors for hash in one.hashes] == list(read_export(site.export()).hashes)
        assert b"dsb" not in (tmp_path / "witness" / RECORDS).read_bytes()
        assert list(against_witness(anchors, read_export(site.export()))) == []

    @pytest.mark.parametrize("after", [1, 4, 7])
    def test_a_rolled_back_log_is_named_and_not_taken(self, site, ledger, after):
        site.write(8)
        line = Direct(ledger)
        site.anchoring(line).anchor()
        site.forget(after)
        anchoring = site.anchoring(line)
        assert anchoring.anchor().problem is Problem.ROLLED_BACK
        (entry,) = site.events(Event.ANCHOR_FAILED)
        assert entry.facts["problem"] == "rolled-back"
        site.write(20)
        assert anchoring.anchor().problem is Problem.FORKED, "and however it goes on"
        assert ledger.seen.number == 9
        assert len(site.events(Event.ANCHOR_FAILED)) == 2

    def test_a_hole_in_the_log_is_named(self, site, ledger):
        site.write(4)
        line = Direct(ledger)
        site.anchoring(line).anchor()
        site.write(6)
        site.forget(99)
        with past_guards(site.engine) as connection:
            connection.execute(text("delete from log where number = 7"))
        assert site.anchoring(line).anchor().problem is Problem.FORKED

    def test_forks_and_roll_backs_that_are_signed_are_refused_by_the_witness_itself(self, site, ledger):
        site.write(8)
        site.anchoring(Direct(ledger)).anchor()
        seen, hashes = ledger.seen, ["ab" * 32] * 3
        public = site.key.public.hex()

        def handed(**changes):
            given = {
                "public_key": public,
                "after": seen.number,
                "after_hash": seen.hash,
                "number": seen.number + 3,
                "at": 1.0,
                "hashes": hashes,
            }
            anchor = anchor_text(Anchor(**{**given, **changes}))
            return ledger.answer(Hand(anchor=anchor, signature=site.key.sign(signed_anchor(anchor)).hex()))

        assert handed(after=0, after_hash=GENESIS, number=3).problem is Problem.ROLLED_BACK
        assert handed(after=5, number=8).problem is Problem.ROLLED_BACK
        assert handed(after_hash="cd" * 32).problem is Problem.FORKED
        assert handed(after=20, number=23).problem is Problem.FORKED
        for malformed in (
            {"number": seen.number + 4},
            {"hashes": ["x"] * 3},
            {"hashes": []},
            {"public_key": "zz"},
            {"public_key": "00" * 32},
        ):
            assert handed(**malformed).problem is Problem.MALFORMED
        assert ledger.seen == seen
        assert isinstance(handed(), Taken)

    def test_another_installation_is_refused_until_people_say_that_its_key_was_replaced(self, site, ledger, tmp_path):
        site.write(3)
        site.anchoring(Direct(ledger)).anchor()
        other = Site(tmp_path, "other")
        other.write(9)
        assert other.anchoring(Direct(ledger)).anchor().problem is Problem.FOREIGN
        other.engine.dispose()
        anchor = Anchor(public_key=other.key.public.hex(), after=4, after_hash=ledger.seen.hash, number=5, at=1.0, hashes=["ab" * 32])
        asked = Hand(anchor=anchor_text(anchor), signature=other.key.sign(signed_anchor(anchor_text(anchor))).hex())
        assert ledger.answer(asked) == Refused(problem=Problem.FOREIGN, number=4, hash=ledger.seen.hash)
        ledger.close()
        vouched = Ledger(tmp_path / "witness", ManualClock(), [other.key.public.hex()])
        assert isinstance(vouched.answer(asked), Taken)
        assert read_records(read_folder(tmp_path / "witness"), is_signed)[1] == []
        ledger._file = vouched._file

    def test_another_witness_and_one_that_forgot_are_named(self, site, ledger, tmp_path):
        site.write(5)
        site.anchoring(Direct(ledger)).anchor()
        stranger = Ledger(tmp_path / "stranger", ManualClock())
        assert site.anchoring(Direct(stranger)).anchor().problem is Problem.OTHER_WITNESS
        (site.folder / "anchor.json").unlink()
        assert site.anchoring(Direct(stranger)).anchor().problem is Problem.OTHER_WITNESS, "the log names it too"
        stranger.close()
        site.anchoring(Direct(ledger)).anchor()
        ledger.close()
        (tmp_path / "witness" / RECORDS).unlink()
        emptied = Ledger(tmp_path / "witness", ManualClock())
        assert site.anchoring(Direct(emptied)).anchor().problem is Problem.WITNESS_ROLLED_BACK
        ledger._file = emptied._file

    def test_a_witness_that_is_away_is_told_once_and_hears_everything_afterwards(self, site, ledger):
        line = Direct(ledger)
        anchoring = site.anchoring(line)
        site.write(3)
        anchoring.anchor()
        line.gone = True
        for _ in range(6):
            site.write(2)
            site.clock.sleep(anchor_service.EVERY_S)
            anchoring.look()
        assert anchoring.state.problem is Problem.UNREACHABLE
        assert anchoring.state.number == 4
        (entry,) = site.events(Event.ANCHOR_FAILED)
        assert entry.facts["problem"] == "unreachable"
        line.gone = False
        assert anchoring.anchor().problem is None
        assert len(site.events(Event.ANCHORED_AGAIN)) == 1
        anchoring.anchor()
        assert ledger.seen.number == site.log.state()[0]

    def test_a_witness_that_is_full_keeps_what_it_had_and_takes_the_rest_later(self, site, ledger, tmp_path, monkeypatch):
        site.write(3)
        anchoring = site.anchoring(Direct(ledger))
        anchoring.anchor()
        before = (tmp_path / "witness" / RECORDS).read_bytes()
        real, left = os.write, [100]

        def full(file, data):
            if left[0] <= 0:
                raise OSError(28, "No space left on device")
            done = real(file, data[: left[0]])
            left[0] -= done
            return done

        site.write(4)
        with monkeypatch.context() as patch:
            patch.setattr("blickschutz.anchor.io.ledger.os.write", full)
            assert anchoring.anchor().problem is Problem.FULL
        assert (tmp_path / "witness" / RECORDS).read_bytes() == before
        assert anchoring.anchor().problem is None
        assert ledger.seen.number >= 9
        assert read_records(read_folder(tmp_path / "witness"), is_signed)[1] == []

    def test_what_a_crash_left_half_written_goes_and_what_was_altered_is_not_opened(self, site, ledger, tmp_path):
        site.write(3)
        site.anchoring(Direct(ledger)).anchor()
        site.write(3)
        site.anchoring(Direct(ledger)).anchor()
        ledger.close()
        path = tmp_path / "witness" / RECORDS
        whole = path.read_bytes()
        path.write_bytes(whole + whole[:50])
        again = Ledger(tmp_path / "witness", ManualClock())
        assert again.seen.number == 7
        with pytest.raises(OperatorError, match="another witness"):
            Ledger(tmp_path / "witness", ManualClock())
        again.close()
        chance = random.Random(2)
        for _ in range(100):
            data = bytearray(whole)
            data[chance.randrange(len(data) - 1)] ^= 1 << chance.randrange(7)
            if bytes(data).count(b"\n") != 2:
                continue
            anchors, faults = read_records(bytes(data).removesuffix(b"\n").split(b"\n"), is_signed, again.public)
            assert faults, "every flipped bit is found"
            assert len(anchors) < 2
        path.write_bytes(whole.split(b"\n")[1] + b"\n")
        with pytest.raises(OperatorError, match="record 1"):
            Ledger(tmp_path / "witness", ManualClock())
        path.write_bytes(whole)
        ledger._file = Ledger(tmp_path / "witness", ManualClock())._file


class TestCommand:
    def test_an_export_is_verified_against_an_older_one_and_against_the_witness_over_its_socket(self, site, ledger, tmp_path):
        path, ended = tmp_path / "s", threading.Event()
        running = threading.Thread(target=serve, args=(ledger, path, ended.is_set))
        running.start()
        try:
            line = WitnessLine(path, 5.0)
            while not path.exists():
                ended.wait(0.01)
            site.write(6)
            (tmp_path / "old").write_bytes(b"\n".join(site.export()) + b"\n")
            assert site.anchoring(line).anchor().problem is None
            with pytest.raises(OperatorError, match="another witness listens"):
                serve(ledger, path, ended.is_set)
        finally:
            ended.set()
            running.join(10)
        with pytest.raises(DeviceError, match="cannot be reached"):
            WitnessLine(path, 0.5).head()

        def asked(*more):
            (tmp_path / "new").write_bytes(b"\n".join(site.export()) + b"\n")
            result = CliRunner().invoke(cli, ["verify", "audit", str(tmp_path / "new"), "--json", *more])
            return result.exit_code, [one["problem"] for one in msgspec.json.decode(result.output)["faults"]]

        outside = ("--against", str(tmp_path / "old"), "--witness", str(tmp_path / "witness"), "--witness-key", ledger.public)
        assert asked(*outside) == (0, [])
        assert asked(*outside[:-1], "00" * 32) == (1, ["witness", "witness"])
        site.forget(3)
        site.write(2)
        assert asked() == (0, []), "by itself it is whole"
        assert asked(*outside) == (1, ["rolled-back", "forked", "rolled-back", "forked"])
        site.write(9)
        assert asked(*outside) == (1, ["forked", "forked"])


class TestProcess:
    def begin(self, folder, path):
        command = [sys.executable, "-c", "from blickschutz.cli.main import cli; cli()", "witness"]
        process = subprocess.Popen([*command, "--folder", str(folder), "--socket", str(path)], stdout=subprocess.PIPE, text=True)
        with process.stdout as told:
            return process, told.readline().split()

    def test_a_witness_that_is_killed_goes_on_from_what_it_signed_and_ends_when_it_is_told(self, site, tmp_path):
        folder, path = tmp_path / "elsewhere", tmp_path / "s"
        process, said = self.begin(folder, path)
        anchoring, public = site.anchoring(WitnessLine(path, 5.0)), said[1].rstrip(",")
        try:
            site.write(3)
            until = time.monotonic() + 10
            while not path.exists() and time.monotonic() < until:
                time.sleep(0.01)
            state = anchoring.anchor()
            assert (state.number, state.witness, state.problem) == (4, public, None)
            process.kill()
            process.wait(10)
            site.write(2)
            assert anchoring.anchor().problem is Problem.UNREACHABLE
            process, said = self.begin(folder, path)
            assert (said[1].rstrip(","), said[-1]) == (public, "4")
            while anchoring.anchor().problem is not None and time.monotonic() < until:
                time.sleep(0.01)
            assert anchoring.state.number == site.log.state()[0]
            process.terminate()
            assert process.wait(10) == 0
            assert not path.exists()
        finally:
            process.kill()
            process.wait(10)
        assert oct(folder.stat().st_mode)[-3:] == "700"
        assert oct((folder / "witness.key").stat().st_mode)[-3:] == "600"

    def test_a_witness_answers_at_the_socket_of_a_service_manager_and_leaves_it_alone(self, site, tmp_path):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
            door.bind(str(tmp_path / "s"))
            door.listen()
            passed = f'exec 3<&{door.fileno()}; LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"'
            command = [sys.executable, "-c", "from blickschutz.cli.main import cli; cli()", "witness", "--folder", str(tmp_path / "w")]
            process = subprocess.Popen(["bash", "-c", passed, *command], stdout=subprocess.PIPE, pass_fds=[door.fileno()])
        try:
            site.write(3)
            state = site.anchoring(WitnessLine(tmp_path / "s", 20.0)).anchor()
            assert (state.number, state.problem) == (4, None)
            process.terminate()
            assert process.wait(10) == 0
            assert (tmp_path / "s").exists(), "it is the manager's"
        finally:
            process.kill()
            process.wait(10)
            process.stdout.close()


class TestSiteWithAWitness:
    def test_the_page_and_the_check_know_what_the_witness_says(self, ledger, tmp_path):
        path, ended = tmp_path / "s", threading.Event()
        running = threading.Thread(target=serve, args=(ledger, path, ended.is_set))
        running.start()
        try:
            while not path.exists():
                ended.wait(0.01)
            site = site_of().model_copy(update={"audit": Audit(witness=str(path), witness_key=ledger.public)})
            desk = Desk(tmp_path, site=site)
            anchoring, grounds = desk.records.inspected.anchoring, lambda: gather(site, None, desk.records.inspected, desk.clock)
            desk.office.log.write(Event.LOG_SEEN, "dsb")
            anchoring.look()
            assert anchoring.state.number == ledger.seen.number == desk.office.log.state()[0]
            page = desk.get("/health", "technik").text
            (finding,) = check_witness(site, desk.records.inspected, desk.clock.now() + 7200)
            assert (finding.result, finding.source) == ("holds", f"SI-11, confirmed up to entry {ledger.seen.number}, 2.0 hours ago")
            assert "Vom Zeugen bestätigt" in page
            assert "nicht überein" not in page
            assert grounds().rows.anchored_at == desk.clock.now()
            told = []
            anchoring.wrong.listen(told.append)
            with past_guards(desk.records.inspected.office.log._engine) as connection:
                connection.execute(text("delete from log where number > 1"))
            desk.clock.sleep(anchor_service.EVERY_S)
            anchoring.look()
            assert told == [Problem.ROLLED_BACK]
            assert "Protokoll und Zeuge stimmen nicht überein" in desk.get("/health", "technik").text
            assert grounds().rows.anchor_problem == "rolled-back"
            (finding,) = check_witness(site, desk.records.inspected, desk.clock.now())
            assert finding.result == "broken"
            assert [one.facts["problem"] for one in desk.events(Event.ANCHOR_FAILED)] == ["rolled-back"]
            desk.close()
        finally:
            ended.set()
            running.join(10)
