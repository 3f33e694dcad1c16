"""Keys count because others vouched for them: founding, confirming, revoking; and what somebody alters from below is found."""

from __future__ import annotations

import os
import shutil

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.lives import STANDING
from blickschutz.audit.model import Event
from blickschutz.control.service.checks import check_site
from blickschutz.demo.enrolment import found_with
from blickschutz.storage.engine import writing
from blickschutz.vault.model import EntryKind, RegisterEntry
from blickschutz.vault.register import (
    confirmation_text,
    founding_text,
    key_words,
    line_of,
    root_line,
    same_words,
    sign,
    vouched,
    words_of,
)
from blickschutz.vault.service import change_passphrase, enrol_with, signing_key, unlock, with_signing
from tests.databases import past_guards
from tests.house import SITE

pytestmark = pytest.mark.both_databases

WORDS = "eine lange Losung"


class People:
    """What people do at their own desks; their private keys are in the open here."""

    def __init__(self, house):
        self.house, self.keys = house, {}

    @property
    def enrolment(self):
        return self.house.records.archive.enrolment

    def make(self, person):
        sealed, private = enrol_with(person, WORDS)
        self.keys[person] = private
        self.enrolment.take_key(sealed, Event.REVIEWER_ENROLLED)
        return vouched(sealed)

    def found(self, *people):
        founders = tuple(sorted(vouched(self.house.records.archive.keys.get(one)) for one in people))
        signed = founding_text(self.house.records.archive.key.installation, founders)
        return [self.enrolment.sign_founding(one, founders, sign(signed, signing_key(self.keys[one]))) for one in people]

    def confirm(self, by, key, seen=None):
        roll = self.enrolment.roll()
        seen = seen or roll.head
        return self.enrolment.confirm(by, key, seen, sign(confirmation_text(roll.root, seen, key), signing_key(self.keys[by])))

    def pin(self):
        self.house.pin = self.enrolment.pin = self.enrolment.known_root()


@pytest.fixture
def people(house):
    people = People(house)
    for person in ("kvd-1", "kvd-2"):
        people.make(person)
    assert people.found("kvd-1", "kvd-2") == ["", ""]
    people.pin()
    return people


def openers(house):
    return [one.id for one in house.records.orders.openers()]


class TestCeremony:
    def test_a_key_counts_for_nothing_before_two_others_vouched_for_it(self, house, people):
        key = people.make("kvd-3")
        assert openers(house) == ["kvd-1", "kvd-2"]
        assert people.confirm("kvd-1", key) == ""
        assert openers(house) == ["kvd-1", "kvd-2"]
        assert people.confirm("kvd-1", key) == "not-now", "twice by one person"
        assert people.confirm("kvd-3", key) == "not-now", "by themselves"
        assert people.confirm("kvd-2", key) == ""
        assert openers(house) == ["kvd-1", "kvd-2", "kvd-3"]
        assert [entry.by for entry in house.events(Event.REVIEWER_CONFIRMED)] == ["kvd-2", "kvd-1"]
        assert house.order() is not None
        sealing = house.cell.orders[0].sealing
        assert (len(sealing.register), sealing.root) == (3, people.enrolment.pin)

    def test_a_founding_takes_all_of_its_founders(self, house):
        people = People(house)
        for person in ("kvd-1", "kvd-2", "kvd-3"):
            people.make(person)
        founders = tuple(sorted(vouched(house.records.archive.keys.get(one)) for one in ("kvd-1", "kvd-2", "kvd-3")))
        signed = founding_text(house.records.archive.key.installation, founders)
        for person in ("kvd-1", "kvd-2"):
            assert people.enrolment.sign_founding(person, founders, sign(signed, signing_key(people.keys[person]))) == ""
        assert people.enrolment.founding().signed == ("kvd-1", "kvd-2")
        assert house.records.orders.refusal() == "unfounded"
        forged = sign(signed, signing_key(people.keys["kvd-1"]))
        assert people.enrolment.sign_founding("kvd-3", founders, forged) == "not-now"
        assert people.enrolment.sign_founding("kvd-3", founders, sign(signed, signing_key(people.keys["kvd-3"]))) == ""
        assert house.records.orders.refusal() == "unpinned"
        people.pin()
        assert house.records.orders.refusal() == ""

    def test_nothing_is_sealed_while_the_site_file_names_no_root_or_another(self, house, people):
        people.enrolment.pin = ""
        assert (house.order(), house.records.orders.problem) == (None, "unpinned")
        people.enrolment.pin = "ab" * 32
        assert (house.order(), house.records.orders.problem) == (None, "register")
        found = {one.id: one for one in check_site(SITE, house.records.inspected)}
        assert people.enrolment.known_root() in found["root"].mend

    def test_who_was_blocked_counts_no_longer_and_comes_back_by_two_others(self, house, people):
        third = people.make("kvd-3")
        seen = people.enrolment.roll().head
        for by in ("kvd-1", "kvd-2"):
            assert people.confirm(by, third) == ""
        assert house.records.office.access.people.block("technik", "kvd-3") is None
        assert openers(house) == ["kvd-1", "kvd-2"], "at once"
        house.work()
        assert [entry.subject for entry in house.events(Event.REVIEWER_REVOKED)] == ["kvd-3"]
        house.records.office.access.people.issue("kvd-3", "terminal")
        assert openers(house) == ["kvd-1", "kvd-2"]
        assert people.confirm("kvd-1", third, seen) == "not-now", "a voice from before"
        for by in ("kvd-1", "kvd-2"):
            assert people.confirm(by, third) == ""
        assert openers(house) == ["kvd-1", "kvd-2", "kvd-3"]

    def test_whose_training_is_over_is_no_recipient(self, house, people):
        house.clock.sleep(2000 * 86_400)
        assert openers(house) == []
        assert (house.order(), house.records.orders.problem) == (None, "reviewers")

    def test_where_fewer_than_two_are_left_people_found_anew(self, house, people):
        house.records.archive.keys.remove("kvd-2")
        house.records.office.log.write(Event.REVIEWER_LEFT, "terminal", "kvd-2")
        people.enrolment.revoke("kvd-2", "left", "terminal")
        assert people.enrolment.can_found()
        people.make("kvd-3")
        assert people.found("kvd-1", "kvd-3") == ["", ""]
        assert house.records.orders.refusal() == "register", "the site file still names the old root"
        people.pin()
        assert (house.records.orders.refusal(), openers(house), people.enrolment.look()) == ("", ["kvd-1", "kvd-3"], ())

    def test_a_key_from_before_is_presented_and_confirmed(self, house, people):
        sealed, private = enrol_with("kvd-3", WORDS)
        old = type(sealed)(sealed.id, sealed.public, sealed.salt, sealed.operations, sealed.memory, sealed.box)
        people.enrolment.take_key(old, Event.REVIEWER_ENROLLED)
        assert [one.key.id for one in people.enrolment.waiting()] == []
        assert people.enrolment.look() == (), "it waits, and stops nothing"
        people.enrolment.take_key(with_signing(old, unlock(old, WORDS)), Event.KEY_PRESENTED)
        (waiting,) = people.enrolment.waiting()
        assert waiting.key == vouched(sealed)
        assert vouched(change_passphrase(old, WORDS, "eine andere lange Losung")) == waiting.key
        assert bytes(signing_key(private).verify_key).hex() == waiting.key.signing


class TestFromBelow:
    """The service's own user alters files and rows."""

    def stopped(self, house, words):
        assert house.order() is None
        assert house.records.orders.problem == "register"
        assert house.cell.orders == []
        assert any(words in entry.facts["text"] for entry in house.events(Event.REGISTER_BROKEN)), house.events(Event.REGISTER_BROKEN)

    def test_two_key_files_dropped_into_the_folder_open_nothing(self, house, people):
        for name in ("kvd-3", "kvd-4"):
            house.records.archive.keys.put(enrol_with(name, WORDS)[0])
        assert openers(house) == ["kvd-1", "kvd-2"]
        self.stopped(house, "key file of kvd-3 was not made at the key desk")

    def test_a_swapped_a_removed_and_an_exchanged_key_file(self, house, people):
        folder = house.folder / "keys/reviewers"
        kept = (folder / "kvd-1.json").read_bytes()
        house.records.archive.keys.put(enrol_with("kvd-1", WORDS)[0])
        assert openers(house) == ["kvd-2"]
        self.stopped(house, "kvd-1")
        (folder / "kvd-1.json").unlink()
        self.stopped(house, "is not the one that others vouched for")
        shutil.copy(folder / "kvd-2.json", folder / "kvd-1.json")
        self.stopped(house, "holds the key of kvd-2")
        (folder / "kvd-1.json").write_bytes(kept)
        assert house.order() is not None, "it is as people made it again"

    def test_a_pipe_a_link_and_a_huge_file_hold_nothing_up(self, house, people):
        file = house.folder / "keys/reviewers/kvd-3.json"
        for make in (os.mkfifo, lambda path: path.symlink_to("/dev/zero"), lambda path: path.write_bytes(b" " * 100_000), os.mkdir):
            make(file)
            assert house.records.archive.keys.faults()
            assert openers(house) == ["kvd-1", "kvd-2"]
            self.stopped(house, "kvd-3.json is damaged")
            file.rmdir() if file.is_dir() else file.unlink()
        assert house.order() is not None

    def test_an_older_key_file_put_back_is_found(self, house, people):
        """It is the same key, under the passphrase that its person gave up."""
        keys, file = house.records.archive.keys, house.folder / "keys/reviewers/kvd-1.json"
        before = file.read_bytes()
        people.enrolment.take_key(change_passphrase(keys.get("kvd-1"), WORDS, "ganz andere Wörter hier"), Event.PASSPHRASE_CHANGED)
        newest = file.read_bytes()
        assert people.enrolment.look() == ()
        file.write_bytes(before)
        assert unlock(keys.get("kvd-1"), WORDS)
        self.stopped(house, "key file of kvd-1 is not the one that was made last")
        file.write_bytes(newest)
        assert house.order() is not None
        assert Event.PASSPHRASE_CHANGED in STANDING, "it does not end before the entry with the older file's hash"

    def test_a_key_from_before_there_were_hashes_is_compared_from_the_next_voice_on(self, house, people, monkeypatch):
        keys, file = house.records.archive.keys, house.folder / "keys/reviewers/kvd-3.json"
        with monkeypatch.context() as before:
            plain = AuditLog.write
            before.setattr(
                AuditLog, "write", lambda self, *a: plain(self, *a[:3], {name: it for name, it in a[3].items() if name != "sealed"})
            )
            third = people.make("kvd-3")
        other = change_passphrase(keys.get("kvd-3"), WORDS, "ganz andere Wörter hier")
        keys.put(other)
        assert people.enrolment.look() == (), "nobody ever said what the file was"
        assert people.confirm("kvd-1", third) == ""
        confirmed = file.read_bytes()
        keys.put(change_passphrase(other, "ganz andere Wörter hier", WORDS))
        self.stopped(house, "key file of kvd-3 is not the one")
        assert people.confirm("kvd-2", third) == ""
        self.stopped(house, "key file of kvd-3 is not the one")
        file.write_bytes(confirmed)
        assert people.enrolment.look() == ()

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ("DELETE FROM reviewer_register WHERE number = 4", "3 entries, and 4 by the log"),
            ("UPDATE reviewer_register SET line = replace(line, 'kvd-3', 'kvd-4')", "not what the log says"),
            (f"UPDATE reviewer_register SET signature = '{'0' * 128}' WHERE number = 2", "not signed by this installation"),
            ("INSERT INTO reviewer_register SELECT founding, 5, line, signature FROM reviewer_register WHERE number = 4", "5 entries"),
            ("INSERT INTO reviewer_register SELECT 2, number, line, signature FROM reviewer_register", "8 entries, and 4"),
            ("UPDATE accounts SET state = 'active' WHERE id = 'kvd-4'; DELETE FROM reviewer_register WHERE number = 4", "3 entries"),
            ("UPDATE accounts SET trained_until = '2099-01-01' WHERE id = 'kvd-1'", "account of kvd-1 is not as the log says"),
            ("UPDATE accounts SET roles = 'aufsicht,sichtung' WHERE id = 'kvd-2'", "account of kvd-2 is not as the log says"),
        ],
    )
    def test_rows_that_were_altered(self, house, people, change, words):
        third = people.make("kvd-3")
        for by in ("kvd-1", "kvd-2"):
            people.confirm(by, third)
        people.enrolment.revoke("kvd-3", "blocked", "system")
        assert people.enrolment.look() == ()
        with past_guards(house.records.office.cases.store._engine, "reviewer_register") as connection:
            for statement in change.split("; "):
                connection.exec_driver_sql(statement)
        house.records.office.access.accounts._read = None
        self.stopped(house, words)

    def test_what_the_installation_alone_signs_and_enters_makes_nobody_count(self, house, people):
        """With its key, the log and the database at hand: a forged voice, and a founding of one's own."""
        other = [enrol_with(name, WORDS) for name in ("kvd-3", "aufsicht")]
        for sealed, _ in other:
            people.enrolment.take_key(sealed, Event.REVIEWER_ENROLLED)
        own, store, roll = [vouched(sealed) for sealed, _ in other], people.enrolment.store, people.enrolment.roll()
        voice = sign(confirmation_text(roll.root, roll.head, own[0]), signing_key(other[0][1]))
        forged = {"kind": EntryKind.CONFIRMED, "key": own[0], "by": "kvd-1", "seen": roll.head, "signature": voice}
        line = line_of(RegisterEntry(number=2, before=roll.head, **forged))
        assert store.append(line, 2, Event.REVIEWER_CONFIRMED, "kvd-1", "kvd-3", {})
        assert store.fault() == "", "rows, log and signatures of the installation agree"
        assert openers(house) == []
        self.stopped(house, "is not signed by kvd-1")
        founders = tuple(sorted(own))
        signed = founding_text(house.records.archive.key.installation, founders)
        line = root_line(founders, {key.id: sign(signed, signing_key(private)) for key, (_, private) in zip(own, other, strict=True)})
        assert store.append(line, 1, Event.REVIEWERS_FOUNDED, "system", "", {})
        assert openers(house) == []
        self.stopped(house, "another root")

    def test_the_register_grows_only(self, house, people):
        with pytest.raises(IntegrityError), writing(house.records.office.cases.store._engine) as connection:
            connection.exec_driver_sql("DELETE FROM reviewer_register")

    def test_it_is_found_at_the_start_and_told_once(self, house, people):
        house.records.archive.keys.put(enrol_with("kvd-9", WORDS)[0])
        house.start()
        told = []
        house.records.archive.enrolment.found.listen(told.append)
        house.records.keeping.begin()
        house.records.archive.enrolment.look()
        assert len(told) == len(house.events(Event.REGISTER_BROKEN)) == 1
        assert house.records.orders.refusal() == "register"


def test_words_are_said_and_typed_by_people():
    words = words_of(bytes(range(12)))
    assert words.count("-") == 5
    assert len({words_of(bytes([n]) * 12) for n in range(256)}) == 256
    assert same_words(f" {words.upper().replace('-', ' ')} ", words)
    assert not same_words(words[:-1], words)


def test_a_site_that_makes_its_people_itself_founds_with_those_who_may_review(house):
    found_with(house.records, {"kvd-1": WORDS, "kvd-2": WORDS, "technik": WORDS})
    assert openers(house) == ["kvd-1", "kvd-2"]
    assert key_words(house.records.archive.enrolment.certified()["kvd-1"])
    with house.records.office.log._engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM reviewer_founders")).scalar_one() == 0
