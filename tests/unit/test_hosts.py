"""What hosts rest on, without a broker: journal, intake, parts, names. docs/design/cell-contract.md."""

from __future__ import annotations

import asyncio
import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blickschutz.hosts.io.broker import Broker as Connection
from blickschutz.hosts.io.bundles import Bundles
from blickschutz.hosts.io.journal import FileJournal
from blickschutz.hosts.io.room import HostRoom
from blickschutz.hosts.io.sessions import Sessions
from blickschutz.hosts.model import BUNDLES, Bundle, Part, Place, Told
from blickschutz.hosts.rules import subjects
from blickschutz.hosts.rules.delivery import importance_of
from blickschutz.hosts.rules.intake import MOST_RUNS, MOST_WAITING, Intake
from blickschutz.hosts.rules.parts import PART_BYTES, Joined, Parted, PartLostError
from blickschutz.hosts.rules.server import Broker, configuration
from blickschutz.kernel.errors import DeviceError, ProtocolError, SettingsError
from blickschutz.pipeline.messages import ClipTold, EpisodeTold, SituationTold
from blickschutz.recording.model import ClipEvent, ClipMode, ClipNews
from blickschutz.situations.kinds import Kind, Situation
from blickschutz.wire.frames import MOST_BYTES
from blickschutz.wire.greeting import Greeting


def numbers(told):
    return [one.number for one in told]


class TestJournal:
    @pytest.fixture
    def path(self, tmp_path):
        return tmp_path / "gate.journal"

    def test_what_was_added_is_there_after_a_restart_and_what_was_confirmed_is_not(self, path):
        journal = FileJournal(path)
        for number in range(1, 6):
            journal.add("a", number, 3, b"x%d" % number, 1)
        journal.confirm("a", 2)
        journal.close()
        again = FileJournal(path)
        assert again.waiting() == [Told("a", 3, 2, 3, b"x3"), Told("a", 4, 3, 3, b"x4"), Told("a", 5, 4, 3, b"x5")]
        assert numbers(again.waiting("a", 3)) == [4, 5]
        assert numbers(again.waiting("gone", 9)) == [3, 4, 5], "of what is not known any more all is told again"
        again.add("a", 4, 3, b"again", 1)
        assert len(again) == 3, "what a cell tells again is there already"
        again.close()
        assert path.stat().st_mode & 0o077 == 0

    @settings(max_examples=30)
    @given(cut=st.integers(0, 400), noise=st.binary(max_size=40))
    def test_a_torn_end_costs_only_what_nobody_was_told_of(self, tmp_path_factory, cut, noise):
        path = tmp_path_factory.mktemp("journal") / "j"
        journal, ends = FileJournal(path), [0]
        for number in range(1, 9):
            journal.add("a", number, 1, b"y" * number, 1)
            ends.append(path.stat().st_size)
        journal.close()
        data = path.read_bytes()[:cut]
        path.write_bytes(data + noise)
        again = FileJournal(path)
        whole = sum(1 for end in ends[1:] if end <= len(data))
        assert numbers(again.waiting())[:whole] == list(range(1, whole + 1))
        again.add("a", 9, 1, b"goes on", 1)
        again.close()
        assert numbers(FileJournal(path).waiting())[-1] == 9

    def test_a_full_one_drops_the_least_important_and_names_the_gap(self, path):
        journal = FileJournal(path, most=4)
        for number, importance in enumerate((0, 3, 1, 2, 3, 0, 0), 1):
            journal.add("a", number, 1, b"", importance)
        assert [(one.number, one.after) for one in journal.waiting()] == [(1, 0), (3, 1), (6, 3), (7, 6)]
        assert journal.dropped == 3
        intake = Intake({"a": 0})
        assert numbers(one for told in journal.waiting() for one in intake.take(told)) == [1, 3, 6, 7]
        assert intake.gaps == 2
        journal.close()
        assert numbers(FileJournal(path).waiting()) == [1, 3, 6, 7]

    def test_clips_are_never_dropped(self, path):
        journal = FileJournal(path, most=2)
        for number in range(1, 6):
            journal.add("a", number, 1, b"", 0)
        assert len(journal) == 5
        journal.close()

    def test_bytes_are_bounded_too(self, path):
        journal = FileJournal(path, most_bytes=1000)
        for number in range(1, 30):
            journal.add("a", number, 1, bytes(100), 1)
        assert len(journal) == 10
        journal.close()

    def test_it_is_written_anew_before_it_grows_without_end(self, path):
        journal = FileJournal(path)
        for number in range(1, 700):
            journal.add("a", number, 1, bytes(100), 1)
            journal.confirm("a", number - 1)
        assert path.stat().st_size < 100_000
        journal.close()
        assert FileJournal(path).waiting() == [Told("a", 699, 698, 1, bytes(100))]

    def test_a_disk_that_does_not_take_it_is_named(self, path, tmp_path):
        with pytest.raises(DeviceError, match="cannot be read"):
            FileJournal(tmp_path)
        journal = FileJournal(path)
        journal.close()
        with pytest.raises(DeviceError, match="cannot be written"):
            journal.add("a", 1, 1, b"", 1)

    def test_what_is_dropped_first(self):
        situation = Situation(1, Kind.LOITERING, "z", 0.0, 0.0, 0.5)
        news = ClipNews(event=ClipEvent.OPENED, clip="c", mode=ClipMode.SEALED, cause="x", orders=(), opened=0.0)
        told = [
            EpisodeTold(Kind.LOITERING, "z", 0.0, 0.0, 0.0, 0.0),
            SituationTold(situation, over=True),
            SituationTold(situation),
            ClipTold(news),
        ]
        assert [importance_of(one) for one in told] == [3, 2, 1, 0]


class TestIntake:
    @given(st.integers(0, 2**32), st.integers(1, 40))
    def test_whatever_is_doubled_or_comes_early_each_comes_once_and_in_order(self, seed, many):
        rng = random.Random(seed)
        told = [Told("a", number, number - 1, 1, b"") for number in range(1, many + 1)]
        sent = [one for one in told for _ in range(rng.randint(1, 3))]
        rng.shuffle(sent)
        intake = Intake({"a": 0})
        assert [one for part in sent for one in intake.take(part)] == told
        assert intake.doubled == len(sent) - many

    def test_what_is_in_rows_already_is_not_taken_in_again(self):
        intake = Intake({"a": 3})
        assert not list(intake.take(Told("a", 3, 2, 1, b"")))
        assert numbers(intake.take(Told("a", 4, 3, 1, b""))) == [4]
        assert intake.had("a") == 4

    def test_of_a_run_that_is_not_known_the_first_that_comes_is_the_first(self):
        intake = Intake()
        assert numbers(intake.take(Told("b", 7, 6, 1, b""))) == [7]
        assert intake.gaps == 0

    def test_memory_is_bounded(self):
        intake = Intake({"a": 0})
        for number in range(2, MOST_WAITING + 50):
            assert not list(intake.take(Told("a", number, number - 1, 1, b"")))
        assert len(list(intake.take(Told("a", 1, 0, 1, b"")))) == MOST_WAITING + 1
        for run in range(2 * MOST_RUNS):
            list(intake.take(Told(f"r{run}", 1, 0, 1, b"")))
        assert len(intake._taken) <= MOST_RUNS


class TestParts:
    @settings(max_examples=20)
    @given(st.lists(st.integers(0, 3 * PART_BYTES), min_size=1, max_size=4))
    def test_a_message_comes_together_as_it_was(self, lengths):
        said, heard = Parted("s"), Joined("s")
        for length in lengths:
            data = b"z" * length
            parts = list(said.parts(data))
            assert all(len(part.data) <= PART_BYTES for part in parts)
            assert [heard.take(part) for part in parts] == [None] * (len(parts) - 1) + [data]

    def test_what_is_missing_ends_the_session_and_another_session_is_not_heard(self):
        said, heard = Parted("s"), Joined("s")
        first, second, third = (next(iter(said.parts(b"x"))) for _ in range(3))
        assert heard.take(first) == b"x"
        assert heard.take(next(iter(Parted("other").parts(b"y")))) is None
        with pytest.raises(PartLostError):
            heard.take(third)
        assert heard.take(second) == b"x"

    def test_what_is_too_long_is_refused_on_both_sides(self):
        with pytest.raises(ProtocolError, match="too long"):
            list(Parted("s").parts(bytes(MOST_BYTES + 1)))
        heard, said = Joined("s"), Parted("s")
        piece = bytes(PART_BYTES)
        open_ended = [msgspec.structs.replace(next(iter(said.parts(piece))), last=False) for _ in range(MOST_BYTES // PART_BYTES + 1)]
        assert [heard.take(part) for part in open_ended[:-1]] == [None] * (len(open_ended) - 1)
        with pytest.raises(ProtocolError, match="too long"):
            heard.take(open_ended[-1])


class Said:
    """A connection to a broker that takes what it is told to take."""

    installation, name = "site", "north"

    def __init__(self):
        self.bundles, self.takes = [], True

    async def say(self, subject, data):
        assert subject == subjects.bundles("site", "north")
        self.bundles.append([(part.session, part.number) for part in msgspec.msgpack.decode(data, type=Bundle).parts])
        return self.takes


def part(session, number, length=1):
    return Part(session, number, True, bytes(length))


class TestBundles:
    @pytest.fixture
    def plays(self):
        def play(*said, takes=True):
            async def scenario():
                broker, unsaid = Said(), []
                broker.takes, bundles = takes, Bundles(broker)
                keeping = asyncio.ensure_future(bundles.keep())
                for one, soon in said:
                    await bundles.say(one, unsaid.append, soon=soon)
                at_once = list(broker.bundles)
                async with asyncio.timeout(20):
                    while sum(map(len, broker.bundles)) < len(said):
                        await asyncio.sleep(0.01)
                keeping.cancel()
                return at_once, broker.bundles[len(at_once) :], unsaid

            return asyncio.run(scenario())

        return play

    def test_what_may_wait_goes_with_what_may_not_and_in_order(self, plays):
        said = [(part("a", 1), False), (part("b", 1), False), (part("a", 2), True), (part("b", 2), False)]
        assert plays(*said) == ([[("a", 1), ("b", 1), ("a", 2)]], [[("b", 2)]], [])

    def test_a_bundle_fits_a_message_of_the_broker(self, plays):
        said = [(part("a", number, PART_BYTES // 2), False) for number in range(1, 6)]
        at_once, later, _ = plays(*said)
        assert [len(one) for one in (*at_once, *later)] == [2, 2, 1]

    def test_each_session_hears_that_the_broker_did_not_take_it(self, plays):
        _, _, unsaid = plays((part("a", 1), False), (part("b", 1), False), (part("a", 2), True), takes=False)
        assert unsaid == ["a", "b"]


class Linked:
    def __init__(self, host, contract=BUNDLES):
        self.place, self.contract, self.heard, self.problem = Place("site", host, "gate"), contract, [], ""

    def hear(self, one):
        self.heard.append(one.number)

    def give_up(self, problem):
        self.problem = problem


class Message:
    def __init__(self, subject, data):
        self.subject, self.data = subject, data


class TestSessions:
    def test_a_part_finds_its_link_and_no_host_speaks_in_anothers_session(self):
        sessions, north, south = Sessions(None), Linked("north"), Linked("south")
        sessions.add("a", north)
        sessions.add("b", south)
        encode = msgspec.msgpack.encode
        said = [
            Message(subjects.bundles("site", "north"), encode(Bundle((part("a", 1), part("b", 1), part("gone", 1))))),
            Message(subjects.up(Place("site", "south", "gate")), encode(part("b", 2))),
            Message(subjects.bundles("site", "south"), encode(Bundle((part("a", 2),)))),
        ]
        for one in said:
            asyncio.run(sessions._hear(one))
        assert (north.heard, south.heard) == ([1], [2])
        asyncio.run(sessions._hear(Message(subjects.bundles("site", "north"), b"\xc1")))
        assert north.problem
        assert not south.problem

    def test_a_host_hears_once_which_sessions_there_are_and_an_older_one_of_each(self):
        said = []

        class Hears:
            installation = "site"

            async def say(self, subject, data):
                said.append((subject, msgspec.msgpack.decode(data)))
                return True

        sessions = Sessions(Hears())
        for name, host, contract in (("a", "north", BUNDLES), ("b", "north", BUNDLES), ("c", "old", BUNDLES - 1)):
            sessions.add(name, Linked(host, contract))
        asyncio.run(sessions.present())
        assert sorted(said) == [
            (subjects.present("site", "north"), [["a", "b"]]),
            (subjects.confirms(Place("site", "old", "gate")), ["", 0]),
        ]


class NoTokens:
    def read(self):
        return 0

    def alone(self):
        return {}

    def remember(self, newest, alone):
        raise AssertionError("nothing is given")


class TestClocks:
    def test_what_is_known_of_a_clock_is_shared_by_one_hosts_cells_and_with_no_other_host(self):
        room = HostRoom(Connection("site", "control-room"), None, frozenset, frozenset, {}, NoTokens())
        clock, another, unnamed = (Greeting(first=2, last=3, clock=name) for name in ("boot 1", "boot 2", ""))
        times = room.times("north", clock)
        assert room.times("north", clock) is times
        assert room.times("south", clock) is not times, "a host that names another one's clock is not believed"
        assert room.times("north", another) is not times
        assert room.times("north", unnamed) is not room.times("north", unnamed)


class TestNames:
    @pytest.mark.parametrize("name", ["", "a.b", "*", ">", "a b", "ä", "x" * 65, "a>", "$JS"])
    def test_a_name_that_means_more_in_a_subject_is_refused(self, name):
        for make in (
            lambda: subjects.up(Place("i", name, "c")),
            lambda: subjects.opens(Place("i", "h", name)),
            lambda: subjects.rights_of_host(name, "h"),
            lambda: subjects.rights_of_host("i", name),
            lambda: subjects.user("i", name),
        ):
            with pytest.raises(SettingsError, match="no name"):
                make()

    def test_a_hosts_rights_name_no_other_host_and_no_wildcard_before_its_own_name(self):
        rights = subjects.rights_of_host("site", "north")
        for subject in (*rights.publish, *rights.subscribe):
            assert "north" in subject
            assert "*" not in subject
            assert ">" not in subject.split("north")[0]

    def test_nobody_is_let_in_without_a_certificate(self):
        text = configuration(Broker("0.0.0.0", 4222, "/a", "/b", "/c", "/d"), "site", ("north",))
        assert "verify_and_map: true" in text
        assert text.count("user:") == 2
        assert "no_auth_user" not in text
        assert "password" not in text
