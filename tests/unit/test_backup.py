"""Backups: what is in them, what opens them, what is noticed, and what a restore says and does."""

from __future__ import annotations

import json
import random
import re
import shutil
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from nacl.signing import SigningKey

from blickschutz.audit.model import Event
from blickschutz.backup.io.bring import restore
from blickschutz.backup.io.container import Outer, Writer, look
from blickschutz.backup.io.make import make_backup, scratch
from blickschutz.backup.io.prune import end_older
from blickschutz.backup.io.restore import Unpacking, confirm_restored, examine, restored, unseal, unseal_here
from blickschutz.backup.model import MAGIC, RESTORED, BackupError, Manifest, Member, Problem
from blickschutz.backup.rules import MOST_MEMBERS, is_kept, is_left, manifest_text, new_words, typed, unknown
from blickschutz.backup.texts import TEXTS
from blickschutz.cli.backup import restored_note
from blickschutz.cli.main import cli
from blickschutz.cli.place import place_of
from blickschutz.config.loader import load_site
from blickschutz.installation.io.folder import open_folder
from blickschutz.installation.io.mark import look as state_of
from blickschutz.installation.model import RESTORING, FolderError, State, Use, Why
from blickschutz.review.model import CaseState
from blickschutz.storage.ports import Database
from blickschutz.storage.snapshot import faults, rows, snapshot
from blickschutz.vault.io.files import KeyFolder, is_signed
from blickschutz.vault.service import StreamSealer, new_key
from tests.conftest import ROOT
from tests.fakes.clock import ManualClock
from tests.faults.house import CLIP, PICTURE, SEALED, WORDS, DataHouse, dump
from tests.faults.movers import place

TWO = {person: WORDS[person] for person in ("kvd-1", "kvd-2")}
EXAMPLE = ROOT / "examples/rathaus-kaiserslautern.toml"


@pytest.fixture
def house(tmp_path):
    (tmp_path / "old").mkdir()
    house = DataHouse(tmp_path / "old/data", ManualClock())
    house.fill()
    yield house
    house.close()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """One backup for all that only looks at it: the file, its key, and a copy of what it was made from."""
    folder = tmp_path_factory.mktemp("whole")
    house = DataHouse(folder / "data", ManualClock())
    house.fill()
    made = make_backup(house.plan, folder / "a.backup", house.clock)
    outer = look(made.path, is_signed, "en")
    yield outer, unseal(outer, TWO, "en"), house
    house.close()


def made(house, name="a.backup"):
    return make_backup(house.plan, house.folder.parent.parent / name, house.clock).path


def brought(path, folder, old=None, clock=None, words=TWO):
    outer = look(path, is_signed, "en")
    return restore(outer, unseal(outer, words, "en"), folder, old, is_signed, clock or ManualClock(5000), "en")


def refused(act, *arguments, **more):
    with pytest.raises(BackupError) as caught:
        act(*arguments, **more)
    return caught.value.problem


class TestContent:
    def test_rows_holds_and_log_come_back_equal(self, house, tmp_path):
        manifest, found = brought(made(house), tmp_path / "new")
        for name in ("control.db", "alerts.db"):
            before, after = dump(house.folder / name), dump(tmp_path / "new" / name)
            # The restore wrote its entry and a checkpoint; everything before is the same.
            for table in ("log", "log_checkpoints"):
                if table in after:
                    after[table] = [row for row in after[table] if row[0] <= manifest.log_number]
                    before[table] = before[table] if table == "log" else after[table]
            assert after == before, name
        assert (found.cases, found.held, found.log_entries) == (6, 2, manifest.log_number)
        again = DataHouse(tmp_path / "new", house.clock)
        assert {c.id: c.hold for c in again.cases.find(states=[CaseState.HELD])} == {
            c.id: c.hold for c in house.cases.find(states=[CaseState.HELD])
        }
        (entry, _), *_ = again.log.find(event=Event.RESTORED)
        assert entry.facts["entries"] == manifest.log_number
        again.close()

    def test_numbers_that_were_given_out_stay_given_out(self, house, tmp_path):
        brought(made(house), tmp_path / "new")
        again = DataHouse(tmp_path / "new", house.clock)
        assert again.case(held=False).id == 7
        again.close()

    def test_no_picture_no_clip_no_share_no_reviewer_s_key(self, house, tmp_path):
        """Searched for in the file and in everything that comes out of it."""
        path = made(house)
        brought(path, tmp_path / "new")
        found = [path, *(one for one in (tmp_path / "new").rglob("*") if one.is_file())]
        content = {one: one.read_bytes() for one in found}
        for secret in (PICTURE[:19], CLIP[:24], SEALED, (house.folder / "keys/backup.key").read_bytes()):
            assert [one for one, data in content.items() if secret in data] == []
        # In the open part nothing but recovery keys under their words.
        assert (house.folder / "keys/installation.key").read_bytes() not in content[path]
        assert b'name = "A"' not in content[path]
        names = {one.relative_to(tmp_path / "new").as_posix() for one in found[1:]}
        assert names - {"installation.json", "installation.lock", "installation.use"} == {
            "alerts.db",
            "control.db",
            "keys/factors.key",
            "keys/installation.key",
            *(f"keys/recovery/{person}.json" for person in WORDS),
            "restored.json",
            "retention.clock",
            "settings/facts.toml",
            "settings/site.toml",
        }

    def test_deleted_pictures_do_not_travel_on_free_pages(self, house, tmp_path):
        with closing(sqlite3.connect(house.folder / "alerts.db")) as alerts:
            alerts.execute("PRAGMA secure_delete=OFF")
            alerts.execute("DELETE FROM alert_moments")
            alerts.commit()
        brought(made(house), tmp_path / "new")
        assert PICTURE[:19] not in (tmp_path / "new/alerts.db").read_bytes()

    def test_what_a_later_version_adds_is_named_and_left_out(self, house):
        (house.folder / "keys/new-secret.key").write_bytes(b"x")
        (house.folder / "pictures.bin").write_bytes(b"x")
        result = make_backup(house.plan, house.folder.parent.parent / "b.backup", house.clock)
        assert result.manifest.left == ("keys/new-secret.key", "pictures.bin")
        assert not any("new-secret" in member.name for member in result.manifest.members)

    def test_every_file_of_a_data_folder_is_decided_about(self):
        # As the source names them: whoever adds a file decides.
        source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src/blickschutz/bootstrap").glob("*.py"))
        there = [*re.findall(r'\bdata / "([a-z-]+\.[a-z]+)"', source), *(f"{one.value}.db" for one in Database)]
        assert {"control.db", "anchor.json", "ends.jsonl", "orders-owed.json", "retention.clock"} <= set(there)
        names = [
            *KNOWN,
            *there,
            "retention.clock.damaged",
            "keys/installation.key.damaged",
            "keys/reviewers/kvd-1.json",
            "clips/a.clip",
            "exports/a.tar.age",
            "documents/pack.json",
            "installation.lock",
        ]
        assert unknown(names) == []
        assert not any(is_kept(name) for name in ("clips/a.clip", "keys/reviewers/kvd-1.json", "keys/backup.key", "exports/a", ".draft"))
        assert is_left("clips/.a")
        assert is_left("keys/.installation.key.ab12")

    def test_only_the_owner_reads_it_and_nothing_is_left_beside_it(self, house, tmp_path):
        path = made(house)
        assert path.stat().st_mode & 0o777 == 0o600
        assert sorted(one.name for one in tmp_path.iterdir()) == ["a.backup", "old"]
        assert [one.name for one in house.folder.iterdir() if one.name.startswith(".")] == []

    def test_what_a_killed_backup_left_is_removed_by_the_next(self, house):
        left = house.folder / ".scratch-999999999"
        left.mkdir()
        (left / "control.db").write_bytes(b"copy")
        with scratch(house.folder):
            assert not left.exists()

    def test_progress_counts_every_byte(self, house, tmp_path):
        steps = []
        path = make_backup(house.plan, tmp_path / "a.backup", house.clock, steps.append).path
        assert sum(steps) == sum(member.size for member in self.members(path))

    def members(self, path):
        outer = look(path, is_signed, "en")
        return Unpacking(outer, unseal(outer, TWO, "en"), is_signed, "en").manifest.members


KNOWN = ["control.db", "control.db-wal", "alerts.db", "alerts.db-shm", "regime.jsonl", "retention.clock", "installation.json"]
KNOWN += ["stops.json", "control.db.before-0003", "reserve"]
KNOWN += ["tls/authority.key", "tls/authority.crt", "tls/server.key", "tls/server.crt", "keys/factors.key", "keys/recovery/kvd-1.json"]
KNOWN += [
    "hosts/authority.key",
    "hosts/authority.crt",
    "hosts/enrolled.json",
    "hosts/newest.json",
    "hosts/alone.json",
    "hosts/room.key",
    "hosts/broker/nats.conf",
]


class TestMaking:
    def test_two_people_must_have_words(self, house, tmp_path):
        KeyFolder(house.folder / "keys/recovery").remove("dsb")
        KeyFolder(house.folder / "keys/recovery").remove("kvd-1")
        assert refused(make_backup, house.plan, tmp_path / "a", house.clock) is Problem.TOO_FEW_PEOPLE
        assert not (tmp_path / "a").exists()

    def test_nothing_is_overwritten_and_nothing_goes_into_the_folder_itself(self, house, tmp_path):
        (tmp_path / "a").write_bytes(b"other")
        assert refused(make_backup, house.plan, tmp_path / "a", house.clock) is Problem.EXISTS
        assert (tmp_path / "a").read_bytes() == b"other"
        assert refused(make_backup, house.plan, house.folder, house.clock) is Problem.INSIDE
        assert refused(make_backup, house.plan, tmp_path / "none/a", house.clock) is Problem.CANNOT_WRITE

    def test_a_folder_gets_a_name_of_its_own(self, house, tmp_path):
        path = make_backup(house.plan, tmp_path, house.clock).path
        assert re.fullmatch(r"rathaus-\d{8}T\d{6}Z\.backup", path.name)

    def test_a_damaged_database_is_not_backed_up_as_if_it_were_whole(self, house, tmp_path):
        house.close()
        path = house.folder / "control.db"
        data = bytearray(path.read_bytes())
        data[4096:] = b"\xff" * (len(data) - 4096)
        path.write_bytes(data)
        assert refused(make_backup, house.plan, tmp_path / "a", house.clock) is Problem.DATABASE
        assert not (tmp_path / "a").exists()

    def test_a_missing_key_is_named_and_never_made(self, house, tmp_path):
        (house.folder / "keys/installation.key").unlink()
        assert refused(make_backup, house.plan, tmp_path / "a", house.clock) is Problem.NO_KEY
        assert not (house.folder / "keys/installation.key").exists()

    def test_the_room_that_recordings_need_is_not_touched(self, house, tmp_path):
        plan = house.plan.__class__(house.folder, "rathaus", house.site, house.facts, 1 << 60, "en")
        assert refused(make_backup, plan, tmp_path / "a", house.clock) is Problem.NO_ROOM

    def test_older_ones_end_when_that_is_wanted_and_nothing_else(self, house, tmp_path):
        nas = tmp_path / "nas"
        nas.mkdir()
        paths = []
        for _ in range(3):
            house.clock.time += 86_400
            paths.append(make_backup(house.plan, nas, house.clock).path)
        other = DataHouse(tmp_path / "other/data", ManualClock(0))
        other.fill(1)
        foreign = make_backup(other.plan, nas, other.clock).path
        other.close()
        damaged = nas / "damaged.backup"
        damaged.write_bytes(paths[0].read_bytes()[:-1])
        assert end_older(paths[2], house.folder, house.clock.now() - 86_400, "en") == 1
        assert sorted(one.name for one in nas.iterdir()) == sorted(one.name for one in (*paths[1:], foreign, damaged))


class TestOpening:
    def test_any_two_open_it_and_nobody_alone(self, whole):
        outer, key, house = whole
        for pair in (("kvd-1", "dsb"), ("dsb", "kvd-2")):
            assert unseal(outer, {person: WORDS[person] for person in pair}, "en") == key
        for one in WORDS:
            assert refused(unseal, outer, {one: WORDS[one]}, "en") is Problem.NOT_OPENED
        assert refused(unseal, outer, {}, "en") is Problem.NOT_OPENED
        assert refused(unseal, outer, {"kvd-1": WORDS["kvd-1"], "nobody": "x"}, "en") is Problem.NOT_OPENED
        assert refused(unseal, outer, {"kvd-1": WORDS["kvd-2"], "kvd-2": WORDS["kvd-1"]}, "en") is Problem.WRONG_WORDS
        assert unseal_here(outer, house.folder) == key
        assert unseal_here(outer, house.folder.parent) is None

    def test_words_are_typed_as_people_type(self):
        words = new_words(random.Random(1).randrange)
        assert re.fullmatch(r"([2-9A-HJKMNP-TV-Z]{5}-){4}[2-9A-HJKMNP-TV-Z]{5}", words)
        assert not set("01OILU") & set(words)
        for sloppy in (words.lower(), words.replace("-", " "), f"  {words.replace('-', '')}  "):
            assert typed(sloppy) == words
        assert len({new_words(random.Random(seed).randrange) for seed in range(100)}) == 100

    def test_each_text_says_the_same_with_the_same_values(self):
        import string

        for name, (german, english) in TEXTS.items():
            fields = [{field for _, field, _, _ in string.Formatter().parse(text) if field} for text in (german, english)]
            assert fields[0] == fields[1], name


class TestAttacks:
    def test_two_hundred_flipped_bits_are_all_found(self, whole, tmp_path):
        outer, _, _ = whole
        data, rng, path = outer.path.read_bytes(), random.Random(), tmp_path / "flipped.backup"
        places = [0, 9, 11, outer.start - 1, outer.start, outer.end - 1, outer.end, len(data) - 1]
        for place_ in [*places, *(rng.randrange(len(data)) for _ in range(192))]:
            flipped = bytearray(data)
            flipped[place_] ^= 1 << rng.randrange(8)
            path.write_bytes(flipped)
            assert refused(look, path, is_signed, "en", outer.public) in set(Problem), place_

    def test_with_a_signature_of_somebody_else_the_stream_finds_them(self, whole, tmp_path):
        """Whoever has no key of the installation signs with their own: told by the known key, and by the stream itself."""
        outer, key, _ = whole
        data, rng, path, found = outer.path.read_bytes()[: outer.end], random.Random(), tmp_path / "forged.backup", 0
        for _ in range(60):
            forged = bytearray(data)
            forged[rng.randrange(outer.start, len(data))] ^= 1 << rng.randrange(8)
            path.write_bytes(signed_anew(bytes(forged)))
            assert refused(look, path, is_signed, "en", outer.public) in {Problem.FOREIGN, Problem.ALTERED, Problem.CUT_OFF}
            try:
                believed = look(path, is_signed, "en")
                Unpacking(believed, key, is_signed, "en").into(empty(tmp_path), lambda done: None)
            except BackupError as error:
                found += error.problem in {Problem.ALTERED, Problem.CUT_OFF}
        assert found == 60

    def test_cut_off_anywhere_or_made_longer(self, whole, tmp_path):
        outer, _, _ = whole
        data, rng, path = outer.path.read_bytes(), random.Random(), tmp_path / "cut.backup"
        for length in [0, 5, 13, 14, 15, outer.start, outer.end, len(data) - 1, *(rng.randrange(len(data)) for _ in range(60))]:
            path.write_bytes(data[:length])
            assert refused(look, path, is_signed, "en") in {Problem.CUT_OFF, Problem.ALTERED, Problem.NO_BACKUP}, length
        path.write_bytes(data + b"x")
        assert refused(look, path, is_signed, "en") in {Problem.CUT_OFF, Problem.ALTERED}

    def test_a_stream_that_was_cut_at_a_chunk_and_signed_anew_does_not_pass(self, tmp_path):
        """Whole chunks left out at the end: the list says what must still come, and the stream has no end."""
        sealing = new_key()
        path = tmp_path / "a"
        outer = forged(path, sealing, b"x" * (3 << 20))
        data = path.read_bytes()
        first = outer.start + 4 + int.from_bytes(data[outer.start : outer.start + 4], "big")
        path.write_bytes(signed_anew(data[:first]))
        believed = look(path, is_signed, "en")
        assert refused(Unpacking, believed, sealing, is_signed, "en") is Problem.ALTERED

    @pytest.mark.parametrize("head", [MAGIC + b"\x00\x02" + bytes(4), MAGIC + b"\xff\xff\xff\xff\xff\xff"])
    def test_a_newer_format_says_so(self, tmp_path, head):
        (tmp_path / "a").write_bytes(head + bytes(500))
        assert refused(look, tmp_path / "a", is_signed, "en") is Problem.NEWER

    def test_what_is_no_backup(self, tmp_path):
        (tmp_path / "a").write_bytes(b"PK\x03\x04" * 100)
        assert refused(look, tmp_path / "a", is_signed, "en") is Problem.NO_BACKUP
        assert refused(look, tmp_path / "none", is_signed, "en") is Problem.UNREADABLE

    def test_a_head_that_asks_for_all_memory_is_refused_before_it_gets_any(self, whole, tmp_path):
        outer, _, _ = whole
        header = outer.header
        for change in ({"memory": 1 << 45}, {"operations": 1 << 30}, {"memory": 0}):
            greedy = msgspec.structs.replace(header.people[0], **change)
            text = msgspec.json.encode(msgspec.structs.replace(header, people=(greedy,)), order="deterministic")
            head = MAGIC + (1).to_bytes(2, "big") + len(text).to_bytes(4, "big") + text
            (tmp_path / "a").write_bytes(signed_anew(head + outer.path.read_bytes()[outer.start : outer.end]))
            assert refused(look, tmp_path / "a", is_signed, "en") is Problem.ALTERED
        (tmp_path / "a").write_bytes(MAGIC + (1).to_bytes(2, "big") + b"\xff\xff\xff\xff" + bytes(500))
        assert refused(look, tmp_path / "a", is_signed, "en") is Problem.ALTERED

    @pytest.mark.parametrize(
        "names",
        [
            ["../evil"],
            ["/etc/cron.d/evil"],
            ["keys/../../evil"],
            ["keys/recovery/../../../evil.json"],
            ["tls/server.key\x00"],
            ["clips/a.clip"],
            ["keys/reviewers/kvd-1.json"],
            ["restored.json"],
            [".hidden"],
            ["control.db", "control.db"],
            [""],
        ],
    )
    def test_names_that_lead_elsewhere_are_refused_whoever_signed_them(self, tmp_path, names):
        sealing, members = new_key(), tuple(Member(name, 4, "0" * 64) for name in names)
        outer = forged(tmp_path / "a", sealing, manifest(members) + b"evil" * len(names))
        before = sorted(tmp_path.rglob("*"))
        assert refused(Unpacking, outer, sealing, is_signed, "en") is Problem.ALTERED
        assert sorted(tmp_path.rglob("*")) == before

    @pytest.mark.parametrize("size", [1 << 62, 1 << 40, -1])
    def test_sizes_are_bounded_by_the_file(self, tmp_path, size):
        sealing = new_key()
        outer = forged(tmp_path / "a", sealing, manifest((Member("control.db", size, "0" * 64),)) + b"x" * 100)
        assert refused(Unpacking, outer, sealing, is_signed, "en") is Problem.ALTERED

    def test_more_members_than_anybody_needs_and_a_list_without_end(self, tmp_path):
        sealing, many = new_key(), tuple(Member(f"keys/recovery/a{n}.json", 0, "0" * 64) for n in range(MOST_MEMBERS + 1))
        outer = forged(tmp_path / "a", sealing, manifest(many))
        assert refused(Unpacking, outer, sealing, is_signed, "en") is Problem.ALTERED
        outer = forged(tmp_path / "b", sealing, (0xFFFFFFFF).to_bytes(4, "big") + b"x" * 100)
        assert refused(Unpacking, outer, sealing, is_signed, "en") is Problem.ALTERED

    def test_a_link_in_the_way_is_not_written_through(self, tmp_path):
        sealing, target = new_key(), empty(tmp_path)
        (tmp_path / "victim").write_text("mine", encoding="utf-8")
        (target / "regime.jsonl").symlink_to(tmp_path / "victim")
        outer = forged(tmp_path / "a", sealing, manifest((Member("regime.jsonl", 4, "0" * 64),)) + b"evil")
        with pytest.raises(OSError):
            Unpacking(outer, sealing, is_signed, "en").into(target, lambda done: None)
        assert (tmp_path / "victim").read_text(encoding="utf-8") == "mine"

    def test_a_file_with_another_hash_than_the_list_names(self, tmp_path):
        sealing = new_key()
        outer = forged(tmp_path / "a", sealing, manifest((Member("regime.jsonl", 4, "0" * 64),)) + b"evil")
        inside = Unpacking(outer, sealing, is_signed, "en")
        assert refused(inside.into, empty(tmp_path), lambda done: None) is Problem.ALTERED

    def test_a_log_that_was_rewritten_is_found_even_where_everything_is_signed(self, house, tmp_path):
        """Somebody with all keys: rows and list fit, the chain does not."""
        with closing(sqlite3.connect(house.folder / "control.db")) as control:
            control.execute("DROP TRIGGER log_no_update")
            control.execute("UPDATE log SET text = replace(text, 'system', 'nobody') WHERE number = 2")
            control.commit()
        path = made(house)
        assert refused(brought, path, tmp_path / "new") is Problem.LOG
        assert state_of(tmp_path / "new") is State.RESTORING

    def test_a_folder_of_a_newer_version_is_refused_before_anything_is_written(self, tmp_path):
        sealing, known = new_key(), msgspec.json.decode(manifest(())[4:-64])
        text = msgspec.json.encode({**known, "folder_format": 99}, order="deterministic")
        outer = forged(tmp_path / "a", sealing, len(text).to_bytes(4, "big") + text + ATTACKER.sign(manifest_text(text)).signature)
        assert refused(Unpacking, outer, sealing, is_signed, "en") is Problem.NEWER


ATTACKER = SigningKey(bytes(range(32)))


def signed_anew(data: bytes) -> bytes:
    """A backup without its end, signed by somebody who has no key of the installation."""
    import hashlib

    from blickschutz.backup.rules import signed_text

    return data + bytes(ATTACKER.verify_key) + ATTACKER.sign(signed_text(hashlib.sha256(data).digest())).signature


def manifest(members) -> bytes:
    """The beginning of the sealed part: a list that names anything, signed."""
    found = Manifest(
        format=1,
        name="n",
        id="rathaus",
        made=1.0,
        version="0",
        folder_format=1,
        log_number=0,
        log_hash="",
        cases=0,
        held=0,
        reviewers=(),
        members=members,
        left=(),
    )
    text = msgspec.json.encode(found, order="deterministic")
    return len(text).to_bytes(4, "big") + text + ATTACKER.sign(manifest_text(text)).signature


def forged(path: Path, sealing: bytes, inside: bytes) -> Outer:
    """A backup with any inside, everything sealed and signed as it should be, by an attacker who has all keys."""
    from blickschutz.backup.model import Header
    from blickschutz.vault.model import Envelope

    sealer = StreamSealer(sealing)
    envelope = Envelope("n", b"", ())
    header = Header(format=1, name="n", id="rathaus", made=1.0, version="0", people=(), envelope=envelope, local=b"", stream=sealer.header)
    with path.open("wb") as file:
        writer = Writer(file, header, sealer)
        writer.write(inside)
        writer.finish(bytes(ATTACKER.verify_key), lambda text: ATTACKER.sign(text).signature)
    return look(path, is_signed, "en")


def empty(tmp_path: Path) -> Path:
    folder = tmp_path / "unpacked"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


class TestRestore:
    def test_only_into_an_empty_folder(self, house, tmp_path):
        path = made(house)
        with pytest.raises(FolderError) as caught:
            brought(path, house.folder)
        assert caught.value.why is Why.NOT_EMPTY
        (tmp_path / "x").mkdir()
        (tmp_path / "x/a").touch()
        with pytest.raises(FolderError):
            brought(path, tmp_path / "x")
        assert [one.name for one in (tmp_path / "x").iterdir()] == ["a"]

    def test_the_folder_is_the_installation_s_and_says_that_it_came_from_a_backup(self, house, tmp_path):
        manifest, _ = brought(made(house), tmp_path / "new")
        with open_folder(place(tmp_path / "new", site=tmp_path / "elsewhere.toml"), Use.RUN, "x", house.clock, make=True) as folder:
            assert folder.mark.id == "rathaus"
        found = restored(tmp_path / "new")
        assert str(datetime.fromtimestamp(manifest.made).year) in restored_note(tmp_path / "new")[0]
        assert (found.name, found.made, found.log_number) == (manifest.name, manifest.made, manifest.log_number)
        (tmp_path / "new" / RESTORED).write_bytes(b"{")
        assert restored(tmp_path / "new").log_number == 0, "damage is no confirmation"
        confirm_restored(tmp_path / "new")
        assert restored(tmp_path / "new") is None
        assert restored_note(tmp_path / "new") == []

    def test_missing_clips_are_named_the_held_ones_too(self, house, tmp_path):
        _, found = brought(made(house), tmp_path / "new")
        held = {case.clip for case in house.cases.find(states=[CaseState.HELD])}
        assert (len(found.missing), set(found.missing_held)) == (6, held)
        assert found.without_key == ("kvd-1",)

    def test_what_survived_is_brought_over_and_holds_stand(self, house, tmp_path):
        path = made(house)
        later = house.case(held=False)
        (house.folder / "exports").mkdir()
        (house.folder / "exports/x.tar.age").write_bytes(b"package")
        KeyFolder(house.folder / "keys/reviewers").put(KeyFolder(house.folder / "keys/reviewers").get("kvd-1"))
        house.close()
        _, found = brought(path, tmp_path / "new", house.folder)
        assert (found.missing, found.without_key, found.strangers) == ((), (), (later.clip,))
        again = DataHouse(tmp_path / "new", house.clock)
        for case in again.cases.find(states=[CaseState.HELD]):
            assert case.hold.in_force
            assert (tmp_path / f"new/clips/{case.clip}.clip").read_bytes() == CLIP + case.clip.encode()
        again.close()
        assert (tmp_path / "new/exports/x.tar.age").read_bytes() == b"package"
        assert list(house.folder.glob("clips/*")) == [], "nothing is kept twice"
        assert (house.folder / "control.db").exists(), "what is not brought stays where it is"

    def test_an_old_disk_that_turns_up_later_is_brought_too(self, house, tmp_path):
        path = made(house)
        house.close()
        brought(path, tmp_path / "new")
        _, found = brought(path, tmp_path / "new", house.folder)
        assert (found.missing, found.without_key) == ((), ())

    def test_a_key_file_of_somebody_else_is_not_brought(self, house, tmp_path):
        path = made(house)
        other = msgspec.structs.replace(KeyFolder(house.folder / "keys/reviewers").get("kvd-1"), public=b"\x01" * 32)
        KeyFolder(house.folder / "keys/reviewers").put(other)
        house.close()
        _, found = brought(path, tmp_path / "new", house.folder)
        assert found.without_key == ("kvd-1",)

    def test_not_while_the_old_folder_is_used(self, house, tmp_path):
        path = made(house)
        with (
            open_folder(place(house.folder), Use.RUN, "blickschutz run", house.clock, make=True),
            pytest.raises(FolderError) as caught,
        ):
            brought(path, tmp_path / "new", house.folder)
        assert caught.value.why is Why.HELD

    def test_an_interrupted_one_is_repeated_and_used_by_nobody(self, house, tmp_path):
        path, new = made(house), tmp_path / "new"
        new.mkdir()
        (new / RESTORING).write_bytes(b'{"name":"x","whole":false}')
        (new / "control.db").write_bytes(b"half")
        with pytest.raises(FolderError) as caught:
            open_folder(place(new), Use.BESIDE, "x", house.clock, make=True)
        assert caught.value.why is Why.RESTORING
        _, found = brought(path, new)
        assert found.cases == 6
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / RESTORING).write_bytes(b'{"name":"x","whole":false}')
        (tmp_path / "other/letter.txt").touch()
        with pytest.raises(FolderError):
            brought(path, tmp_path / "other")
        assert (tmp_path / "other/letter.txt").exists()

    def test_an_older_backup_says_how_old_it_is(self, house, tmp_path):
        older = made(house, "older.backup")
        house.clock.time += 9 * 86_400
        house.case(held=True)
        made(house, "newer.backup")
        manifest, found = brought(older, tmp_path / "new")
        assert (manifest.made, found.held) == (house.clock.now() - 9 * 86_400, 2)

    def test_a_trial_finds_what_a_restore_would(self, whole, tmp_path):
        outer, key, house = whole
        inside = Unpacking(outer, key, is_signed, "en")
        inside.into(empty(tmp_path), lambda done: None)
        assert examine(tmp_path / "unpacked", inside.manifest, outer.public, is_signed, house.clock, "en").held == 2
        with closing(sqlite3.connect(tmp_path / "unpacked/control.db")) as control:
            control.execute("DELETE FROM cases WHERE state = 'held'")
            control.commit()
        assert refused(examine, tmp_path / "unpacked", inside.manifest, outer.public, is_signed, house.clock, "en") is Problem.ROWS


class TestSnapshot:
    def test_of_one_moment_while_somebody_writes(self, tmp_path):
        with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as source:
            source.execute("PRAGMA journal_mode=WAL")
            for table in ("a", "b"):
                source.execute(f'CREATE TABLE "{table}" (id INTEGER PRIMARY KEY AUTOINCREMENT, x TEXT UNIQUE, y BLOB)')
            source.execute("CREATE TRIGGER t BEFORE DELETE ON a BEGIN SELECT RAISE(ABORT, 'never'); END")
            source.execute("INSERT INTO a (x, y) VALUES ('one', x'00')")
            source.execute("PRAGMA user_version=7")

            def leave(table, types):
                # Between the tables somebody writes to both: the copy has neither.
                for name in ("a", "b"):
                    source.execute(f"INSERT INTO {name} (x) VALUES ('late-{table}')")
                return False

            snapshot(tmp_path / "a.db", tmp_path / "b.db", leave)
        assert rows(tmp_path / "b.db", "SELECT x FROM a UNION ALL SELECT x FROM b") == [("one",)]
        assert rows(tmp_path / "b.db", "PRAGMA user_version") == [(7,)]
        assert faults(tmp_path / "b.db") == []
        with closing(sqlite3.connect(tmp_path / "b.db")) as copy, pytest.raises(sqlite3.IntegrityError, match="never"):
            copy.execute("DELETE FROM a")

    def test_a_loose_reference_is_a_fault(self, tmp_path):
        with closing(sqlite3.connect(tmp_path / "a.db")) as source:
            source.execute("CREATE TABLE a (id INTEGER PRIMARY KEY)")
            source.execute("CREATE TABLE b (a REFERENCES a (id))")
            source.execute("INSERT INTO b VALUES (3)")
            source.commit()
        assert len(faults(tmp_path / "a.db")) == 1


class TestCommands:
    @pytest.fixture
    def site(self, tmp_path, monkeypatch):
        monkeypatch.setenv("BLICKSCHUTZ_DATA", str(tmp_path / "data"))
        path = tmp_path / "site.toml"
        text = EXAMPLE.read_text(encoding="utf-8").replace("[site]\n", '[site]\nid = "rathaus"\n')
        path.write_text(text.replace("[recording]\n", "[recording]\nreserve_mb = 50\n"), encoding="utf-8")
        assert "reserve_mb = 50" in path.read_text(encoding="utf-8")
        return path

    def run(self, *words, text=None):
        result = CliRunner().invoke(cli, [str(word) for word in words], input=text)
        assert not isinstance(result.exception, Exception), result.exception
        return result

    def rules(self, site):
        report = json.loads(self.run("check", "--site", site, "--json").stdout.splitlines()[-1])
        return {one["id"]: (one["result"], one["mend"]) for one in report["rules"]}

    def words(self, site, person):
        output = self.run("users", "recovery", "--site", site, person).output
        return next(line.strip() for line in output.splitlines() if line.startswith("    "))

    def test_from_words_to_a_restored_site(self, site, tmp_path):
        assert "no data folder yet" in self.run("backup", tmp_path, "--site", site).output
        self.run("users", "password", "--site", site, "kvd-1", "--stdin", text="ein langes Kennwort\n")
        refused = self.run("backup", tmp_path, "--site", site)
        assert (refused.exit_code, "users recovery" in refused.output) == (1, True)
        assert self.rules(site)["backup"][0] == self.rules(site)["restore"][0] == "not yet known"
        given = {person: self.words(site, person) for person in ("kvd-1", "aufsicht")}
        file = tmp_path / "a.backup"
        result = self.run("backup", file, "--site", site)
        assert result.exit_code == 0, result.output
        assert self.rules(site)["backup"] == ("holds", "")
        assert self.run("verify", "backup", file).exit_code == 0
        tried = self.run("restore", file, "--try", "--site", site)
        assert tried.exit_code == 0, tried.output
        lines = "".join(f"{person} {words.lower()}\n" for person, words in given.items())
        assert "opened by two people" in self.run("restore", file, "--try", "--site", site, "--words", "--stdin", text=lines).output
        assert self.rules(site)["restore"] == ("holds", "")
        assert not list((tmp_path / "data/sites/rathaus").glob(".scratch*"))
        one = self.run("restore", file, "--data", tmp_path / "new", "--stdin", text=lines.splitlines()[0])
        assert (one.exit_code, "The way back" in one.output) == (1, True)
        assert not (tmp_path / "new").exists()
        back = self.run("restore", file, "--data", tmp_path / "new", "--stdin", text=lines)
        assert back.exit_code == 0, back.output
        assert "whoever was blocked since is not blocked here" in back.output
        listed = self.run("users", "list", "--site", site, "--data", tmp_path / "new", "--json").stdout.splitlines()[-1]
        assert [row["id"] for row in json.loads(listed)["users"] if row["password"]] == ["kvd-1"]

    def test_the_words_are_asked_for_where_nobody_pipes_them(self, site, tmp_path):
        given = [self.words(site, person) for person in ("aufsicht", "kvd-1")]
        self.run("backup", tmp_path / "a.backup", "--site", site)
        back = self.run("restore", tmp_path / "a.backup", "--data", tmp_path / "new", text="\n".join(given) + "\n")
        assert back.exit_code == 0, back.output
        assert given[0] not in back.output

    def test_a_failed_trial_and_an_old_backup_are_broken_rules(self, site, tmp_path):
        for person in ("aufsicht", "kvd-1"):
            self.words(site, person)
        file = tmp_path / "a.backup"
        self.run("backup", file, "--site", site)
        folder = place_of(load_site(site), site).folder
        house = DataHouse(folder, ManualClock(0))
        house.close()
        data = bytearray(file.read_bytes())
        data[-200] ^= 1
        (tmp_path / "b.backup").write_bytes(data)
        assert self.run("restore", tmp_path / "b.backup", "--try", "--site", site).exit_code == 1
        key = (folder / "keys/backup.key").read_bytes()
        (folder / "keys/backup.key").write_bytes(bytes(32))
        assert self.run("restore", file, "--try", "--site", site, "--stdin", text="").exit_code == 1
        (folder / "keys/backup.key").write_bytes(key)
        house = DataHouse(folder, ManualClock(2e9))
        house.log.write(Event.RESTORE_TRIED, "terminal", facts={"whole": False, "problem": "the log is not whole"})
        house.close()
        state, mend = self.rules(site)["restore"]
        assert (state, "the log is not whole" in mend) == ("broken", True)
        old = DataHouse(folder, ManualClock(0))
        old.log.write(Event.BACKUP_MADE, "terminal")
        old.close()
        assert self.rules(site)["backup"][0] == "broken"

    def test_who_leaves_opens_no_future_backup(self, site, tmp_path):
        for person in ("aufsicht", "kvd-1"):
            self.words(site, person)
        gone = self.run("users", "recovery", "--site", site, "kvd-1", "--remove")
        assert "1 people have words now" in gone.output
        assert "has no recovery words" in self.run("users", "recovery", "--site", site, "kvd-1", "--remove").output
        assert self.run("backup", tmp_path, "--site", site).exit_code == 1

    def test_what_is_missing_on_the_command_line(self, site, tmp_path):
        for person in ("aufsicht", "kvd-1"):
            self.words(site, person)
        self.run("backup", tmp_path / "a.backup", "--site", site, "--keep-days", "30")
        assert self.run("restore", tmp_path / "a.backup").exit_code == 2
        assert self.run("restore", tmp_path / "a.backup", "--try").exit_code == 2
        assert self.run("verify", "backup", tmp_path / "a.backup", "--public-key", "0" * 64, "--json").exit_code == 1
