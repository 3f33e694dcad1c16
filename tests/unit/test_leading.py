"""Which control room leads: one at a time, by the database itself, whatever becomes of the others."""

from __future__ import annotations

import dataclasses
import threading

import pytest
from sqlalchemy import text

from blickschutz.audit.io.log import METADATA, AuditLog
from blickschutz.audit.model import Event
from blickschutz.audit.rules import verify
from blickschutz.control.io.papers import Papers, is_paper
from blickschutz.control.service.leading import LEAD_S, Leader, Sight
from blickschutz.kernel.errors import FaultError, OperatorError, StoreFencedError, StoreUnreachableError
from blickschutz.storage.engine import open_engine, writing
from blickschutz.storage.lead import Led, lead_of
from blickschutz.storage.places import ServerPlace
from blickschutz.storage.ports import Database
from blickschutz.vault.io.files import InstallationKey, is_signed
from tests.fakes.clock import ManualClock


class Rooms:
    """A prepared database, and control rooms that open it."""

    def __init__(self, cluster, folder):
        self.cluster, self.name = cluster, cluster.fresh()
        self.server = cluster.place(self.name).server
        self.lead = lead_of(self.server)
        self.key = InstallationKey(folder / "installation.key")
        self.engines = []

    def take(self, name):
        return self.lead.take(self.lead.look(), name)

    def log(self, term, database=Database.CONTROL):
        engine = open_engine(ServerPlace(dataclasses.replace(self.server, term=term), database), METADATA)
        self.engines.append(engine)
        return AuditLog(engine, ManualClock(), self.key.sign, self.key.public)

    def close(self):
        for engine in self.engines:
            engine.dispose()
        self.lead.close()


@pytest.fixture
def rooms(cluster, tmp_path):
    rooms = Rooms(cluster, tmp_path)
    yield rooms
    rooms.close()


def note(log, subject="x"):
    return log.write(Event.CASE_SEEN, "kvd-1", subject)


class TestTerms:
    def test_who_leads_writes_and_who_led_does_not(self, rooms):
        first = rooms.take("a")
        one = rooms.log(first)
        note(one, "of the first")
        second = rooms.take("b")
        assert second == first + 1
        with pytest.raises(StoreFencedError, match="another control room leads"):
            note(one, "too late")
        other = rooms.log(second)
        note(other, "of the second")
        assert [entry.subject for entry, _ in one.find()] == ["of the second", "of the first"]
        assert list(verify(other.export(), is_signed, rooms.key.public)) == []

    def test_of_two_that_saw_the_same_one_leads(self, rooms):
        seen = rooms.lead.look()
        assert [rooms.lead.take(seen, "a"), rooms.lead.take(seen, "b")] == [1, None]
        assert rooms.lead.look().holder == "a"

    def test_a_sign_of_life_in_between_keeps_the_lead(self, rooms):
        term = rooms.take("a")
        seen = rooms.lead.look()
        rooms.lead.beat(term)
        assert rooms.lead.take(seen, "b") is None

    def test_a_leader_that_stands_still_within_a_transaction_is_put_out_of_it(self, rooms):
        # As a process that is stopped, or a machine that is cut off: its session has the right to write, and never ends.
        first = rooms.take("a")
        log = rooms.log(first)
        second = []

        def stands_still():
            with writing(rooms.engines[0]) as connection:
                log.append(connection, Event.CASE_SEEN, "kvd-1", "half done", facts={})
                second.append(rooms.take("b"))
                connection.execute(text("SELECT 1"))

        with pytest.raises(StoreUnreachableError):
            stands_still()
        assert second == [first + 1]
        assert rooms.log(second[0]).find() == []

    def test_a_session_that_was_ended_meanwhile_has_rolled_back(self, rooms):
        rooms.log(rooms.take("a"))
        with rooms.engines[0].connect() as connection:
            process = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            rooms.cluster.sql(f"SELECT pg_terminate_backend({process}, 5000)")
            connection.rollback()
        with rooms.engines[0].connect() as connection:
            assert connection.execute(text("SELECT pg_backend_pid()")).scalar_one() != process

    def test_both_databases_are_fenced(self, rooms):
        from blickschutz.alerts.io.tables import METADATA as ALERTS

        first = rooms.take("a")
        engine = open_engine(ServerPlace(dataclasses.replace(rooms.server, term=first), Database.ALERTS), ALERTS)
        rooms.engines.append(engine)
        with writing(engine):
            pass
        rooms.take("b")
        with pytest.raises(StoreFencedError), writing(engine):
            pass

    def test_commands_write_beside_whoever_leads(self, rooms):
        rooms.take("a")
        note(rooms.log(0))

    def test_nothing_of_a_term_that_is_over_is_taken(self, rooms):
        first = rooms.take("a")
        rooms.take("b")
        for late in (
            lambda: rooms.lead.beat(first),
            lambda: rooms.lead.remember(first, 9),
            lambda: rooms.lead.put(first, 1, "stops.json", b"x"),
        ):
            with pytest.raises(StoreFencedError):
                late()
        rooms.lead.release(first)
        assert (rooms.lead.look().holder, rooms.lead.look().token, rooms.lead.papers(0, 0)) == ("b", 0, [])

    def test_tokens_only_grow(self, rooms):
        term = rooms.take("a")
        rooms.lead.remember(term, 7)
        rooms.lead.remember(term, 5)
        assert rooms.lead.look().token == 7
        rooms.take("b")
        assert rooms.lead.look().token == 7

    def test_a_database_that_was_not_prepared_says_so(self, rooms):
        rooms.cluster.sql("CREATE DATABASE bare OWNER blickschutz_owner")
        lead = lead_of(rooms.cluster.place("bare").server)
        with pytest.raises(OperatorError, match="blickschutz database prepare"):
            lead.look()
        lead.close()

    @pytest.mark.parametrize("statement", ["UPDATE {}.room SET term = 0", "DELETE FROM {}.papers", "TRUNCATE {}.waiting"])
    def test_the_service_writes_these_tables_in_no_other_way(self, rooms, statement):
        allowed = "SET default_transaction_read_only = off"
        with pytest.raises(Exception, match="permission denied"):
            rooms.cluster.sql(allowed, statement.format("leadership"), database=rooms.name, user="blickschutz")

    def test_many_writers_and_takeovers_leave_one_order(self, rooms):
        """Each entry says under which term it was written; terms never go back, and the chain is whole."""
        terms, refused, written = [rooms.take("a")], [], []

        def work(term):
            log = rooms.log(term)
            try:
                while True:
                    note(log, str(term))
                    written.append(term)
            except (StoreFencedError, StoreUnreachableError) as error:
                refused.append(error)

        threads = []
        for _ in range(4):
            threads.append(threading.Thread(target=work, args=(terms[-1],)))
            threads[-1].start()
            while written.count(terms[-1]) < 5:
                threads[-1].join(0.01)
            terms.append(rooms.take("b"))
        for thread in threads:
            thread.join(30)
        log = rooms.log(0)
        told = [int(entry.subject) for entry, _ in reversed(log.find(most=10_000))]
        assert told == sorted(told)
        assert len(told) >= len(written)
        assert all(told.count(term) >= written.count(term) for term in terms)
        assert list(verify(log.export(), is_signed, rooms.key.public)) == []


class TestSight:
    def test_a_leader_that_is_silent_is_replaced_and_one_that_is_not_is_not(self):
        now = [0.0]
        sight = Sight(lambda: now[0])
        assert not sight.saw(Led(1, 1, "a", 0, 0))
        now[0] = LEAD_S - 0.1
        assert not sight.saw(Led(1, 1, "a", 0, 0))
        assert not sight.saw(Led(1, 2, "a", 0, 0))
        now[0] += LEAD_S + 0.1
        assert sight.saw(Led(1, 2, "a", 0, 0))

    def test_one_that_ended_in_order_is_replaced_at_once(self):
        assert Sight(lambda: 0.0).saw(Led(1, 2, "", 0, 0))

    def test_while_nobody_saw_anything_nobody_is_replaced(self):
        now = [0.0]
        sight = Sight(lambda: now[0])
        sight.saw(Led(1, 1, "a", 0, 0))
        now[0] = 10 * LEAD_S
        sight.blind()
        assert not sight.saw(Led(1, 1, "a", 0, 0))


class Told:
    """A lead whose answer is set by hand."""

    def __init__(self):
        self.error = None

    def beat(self, term):
        if self.error is not None:
            raise self.error


class TestLeader:
    def test_it_leads_as_long_as_it_is_heard_and_a_little_longer(self):
        now, told = [0.0], Told()
        leader = Leader(told, 1, lambda: None, clock=lambda: now[0])
        leader.beat()
        told.error = StoreUnreachableError("away")
        now[0] = LEAD_S - 1
        leader.beat()
        assert (leader.leads, leader.problem) == (True, "away")
        now[0] = LEAD_S
        assert not leader.leads
        assert not leader.is_lost
        told.error = None
        leader.beat()
        assert leader.leads

    def test_it_hears_once_that_another_one_leads_and_does_not_outlive_that_for_long(self):
        now, told, heard, died = [0.0], Told(), [], []
        leader = Leader(told, 1, lambda: died.append(1), clock=lambda: now[0])
        leader.lost = lambda: heard.append(1)
        told.error = StoreFencedError("another one")
        leader.beat()
        leader.beat()
        assert (heard, leader.leads, leader.is_lost, died) == ([1], False, True, [])
        now[0] = 60.0
        leader.beat()
        assert died == [1]


class Shelf:
    """Papers kept in memory."""

    def __init__(self):
        self.kept = {}

    def put(self, term, number, name, sealed):
        from blickschutz.storage.lead import Paper

        self.kept[name] = Paper(name, term, number, sealed)

    def papers(self, term, number):
        newer = [one for one in self.kept.values() if (one.term, one.number) > (term, number)]
        return sorted(newer, key=lambda one: (one.term, one.number))


class TestPapers:
    @pytest.fixture
    def two(self, tmp_path):
        """Shelf, and the folders of a leader and of who waits; both have the key."""
        key = InstallationKey(tmp_path / "key")
        shelf, folders = Shelf(), (tmp_path / "a", tmp_path / "b")
        for folder in folders:
            folder.mkdir()
        return shelf, *((folder, Papers(folder, shelf, key)) for folder in folders)

    def test_what_is_there_and_changes_and_goes_arrives(self, two):
        shelf, (leads, sends), (waits, receives) = two
        (leads / "keys" / "reviewers").mkdir(parents=True)
        (leads / "stops.json").write_bytes(b"[1]")
        (leads / "keys" / "reviewers" / "kvd-1.json").write_bytes(b"sealed")
        assert (sends.send(1), receives.receive()) == (2, 2)
        assert (waits / "keys" / "reviewers" / "kvd-1.json").read_bytes() == b"sealed"
        assert (sends.send(1), receives.receive()) == (0, 0)
        (leads / "stops.json").write_bytes(b"[1, 2]")
        (leads / "keys" / "reviewers" / "kvd-1.json").unlink()
        assert (sends.send(1), receives.receive()) == (2, 2)
        assert (waits / "stops.json").read_bytes() == b"[1, 2]"
        assert not (waits / "keys" / "reviewers" / "kvd-1.json").exists()
        assert (waits / "stops.json").stat().st_mode & 0o077 == 0
        assert b"sealed" not in b"".join(paper.sealed for paper in shelf.kept.values())

    def test_what_a_later_leader_does_not_have_goes(self, two):
        _, (leads, sends), (waits, receives) = two
        (leads / "stops.json").write_bytes(b"[1]")
        sends.send(1)
        receives.receive()
        receives.begin(2)
        (waits / "stops.json").unlink()
        assert receives.send(2) == 1
        assert sends.receive() == 1
        assert not (leads / "stops.json").exists()

    def test_a_leader_that_comes_back_keeps_what_it_wrote_last(self, two):
        _, (leads, sends), _ = two
        (leads / "stops.json").write_bytes(b"[1]")
        sends.begin(1)
        sends.send(1)
        (leads / "stops.json").write_bytes(b"[1, 2]")  # killed before it was sent
        assert sends.receive() == 0
        assert (leads / "stops.json").read_bytes() == b"[1, 2]"

    def test_nothing_that_somebody_else_made_altered_or_moved_is_written(self, two, tmp_path):
        shelf, (leads, sends), (waits, receives) = two
        (leads / "stops.json").write_bytes(b"[1]")
        (leads / "retention.clock").write_bytes(b"clock")
        sends.send(1)
        good = dict(shelf.kept)
        stranger = Shelf()
        Papers(leads, stranger, InstallationKey(tmp_path / "other")).send(1)
        swapped = dataclasses.replace(good["retention.clock"], name="stops.json")
        newer = dataclasses.replace(good["stops.json"], number=99)
        for bad in (stranger.kept["stops.json"], swapped, newer, dataclasses.replace(good["stops.json"], sealed=b"x" * 60)):
            shelf.kept = {"stops.json": bad}
            with pytest.raises(FaultError):
                receives.receive()
        assert not (waits / "stops.json").exists()

    def test_an_older_one_does_not_take_the_place_of_a_newer(self, two):
        shelf, (leads, sends), (waits, receives) = two
        (leads / "stops.json").write_bytes(b"[1]")
        sends.send(1)
        older = shelf.kept["stops.json"]
        (leads / "stops.json").write_bytes(b"[1, 2]")
        sends.send(1)
        receives.receive()
        shelf.kept["stops.json"] = older
        assert receives.receive() == 0
        assert (waits / "stops.json").read_bytes() == b"[1, 2]"

    @pytest.mark.parametrize("name", ["keys/installation.key", "installation.json", "control.db", "clips/a.clip", "../x", "restored.json"])
    def test_what_never_goes(self, name):
        assert not is_paper(name)
