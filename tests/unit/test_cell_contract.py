"""The contract between cells and control room: greeting, times with a bound, nothing secret in a message. docs/design/cell-contract.md."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import threading
from dataclasses import replace

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from blickschutz.guard.model import WorkKind, WorkState
from blickschutz.guard.service import Guard
from blickschutz.ingest.model import Found, NoticeSettings, NotifySettings, SessionState, SourceKind, SourceSettings
from blickschutz.ingest.rules.address import is_public, public_address
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import ProtocolError
from blickschutz.pipeline import channel, credentials
from blickschutz.pipeline.channel import CellEnd, First, first_to_cell, say_first, unpack_from_cell
from blickschutz.pipeline.messages import (
    AskClock,
    CellSettings,
    ClockTold,
    Configure,
    DoorSettings,
    EpisodeTold,
    FoundTold,
    Fragment,
    FromCell,
    Health,
    SituationTold,
    TakeMoment,
    ToCell,
)
from blickschutz.pipeline.times import AT_ONCE, CellTimes
from blickschutz.situations.kinds import Kind, Situation
from blickschutz.wire import greeting
from blickschutz.wire.frames import LENGTH, pack, read
from blickschutz.wire.greeting import Greeting, Refusal, RefusalCause, RefusedError, agreed, opening_decoder
from blickschutz.wire.times import DRIFT, GOOD_S, MOST_ERROR_S, MeasuredClock, RoundTrip

PASSWORD = "geh/e:im?n@is"
HERE = Greeting(first=2, last=3, program="3.0", installation="a", clock="boot-a")


def greets(**more) -> Greeting:
    return msgspec.structs.replace(HERE, **more)


class TestGreeting:
    def test_the_highest_contract_that_both_speak_is_spoken(self):
        assert agreed(HERE, HERE) == 3
        assert agreed(HERE, greets(first=1, last=2)) == 2
        assert agreed(HERE, greets(first=3, last=9)) == 3

    @pytest.mark.parametrize(
        ("theirs", "cause", "words"),
        [
            (greets(first=1, last=1, program="1.0"), RefusalCause.OLDER, "update the other side"),
            (greets(first=4, last=4, program="4.0"), RefusalCause.NEWER, "update this side"),
            (greets(installation="b"), RefusalCause.INSTALLATION, "belongs to the installation b"),
            (None, RefusalCause.UNREADABLE, "did not greet"),
            (Refusal(cause="tomorrow", words="I may not"), "tomorrow", "refused by the other side: I may not"),
        ],
        ids=["older", "newer", "installation", "silent", "refused"],
    )
    def test_whoever_speaks_another_is_refused_in_words(self, theirs, cause, words):
        with pytest.raises(RefusedError, match=words) as error:
            agreed(HERE, theirs)
        assert error.value.refusal.cause == cause

    def test_a_greeting_of_a_later_version_is_read(self):
        data = msgspec.msgpack.encode({"type": "greeting", "first": 1, "last": 7, "moon": "full"})
        assert opening_decoder.decode(data) == Greeting(first=1, last=7)

    def test_a_clock_without_a_name_is_nobody_elses(self, monkeypatch, tmp_path):
        assert greeting.clock_name()
        assert greeting.is_one_clock(HERE, HERE)
        monkeypatch.setattr(greeting, "_BOOT_ID", tmp_path / "none")
        assert greeting.clock_name.__wrapped__() == ""
        assert not greeting.is_one_clock(greets(clock=""), greets(clock=""))


CAMERA = CellSettings(
    camera="gate",
    source=SourceSettings(SourceKind.RTSP, f"rtsp://wache:{PASSWORD}@10.0.0.1:8554/live/1?token={PASSWORD}"),
    notices=NoticeSettings(f"http://wache:{PASSWORD}@10.0.0.1/onvif"),
    notify=NotifySettings("10.0.0.9", 9000, "10.0.0.1", PASSWORD),
)


class TestSecrets:
    def test_no_message_of_a_cells_start_holds_what_it_signs_in_with(self):
        ours, theirs = socket.socketpair()
        door = DoorSettings("installation", "r" * 32, b"of this very life")
        own = channel.greeting("installation", "gate", "r" * 32)
        said = pack(own)[: LENGTH.size] + say_first(ours, own, First(CAMERA, door))
        ours.sendall(said[LENGTH.size :])
        for secret in (PASSWORD.encode(), b"geh", b"wache", door.secret):
            assert secret not in said
        first = first_to_cell(theirs)
        assert (first.settings, first.door, first.listener) == (CAMERA, door, None), "the cell has it all the same"
        ours.close()
        theirs.close()

    @pytest.mark.parametrize("part", ["source", "notices", "notify"])
    def test_settings_with_a_secret_cannot_be_put_into_a_message(self, part):
        plain, _ = credentials.parted(CAMERA)
        with pytest.raises(ProtocolError, match="secret"):
            Configure(msgspec.structs.replace(plain, **{part: getattr(CAMERA, part)}))

    def test_they_cannot_be_taken_from_one_either(self):
        data = msgspec.msgpack.encode({"type": "configure", "settings": msgspec.to_builtins(CAMERA)})
        with pytest.raises((ProtocolError, msgspec.ValidationError)):
            msgspec.msgpack.decode(data, type=Configure)

    @settings(max_examples=200)
    @given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=20))
    @example("", "", "@")
    @example("wache", "a@b", "live@2/x")
    @example("A/", "", "")
    def test_whatever_an_account_is_what_is_public_is_public_and_the_cell_has_the_rest(self, user, password, path):
        whole = f"rtsp://{user}:{password}@camera.example/{path}?password={password}"
        address = public_address(whole)
        assert is_public(address)
        assert public_address(address) == address
        told = msgspec.structs.replace(CAMERA, source=SourceSettings(SourceKind.RTSP, whole))
        plain, secret = credentials.parted(told)
        assert credentials.joined(Configure(plain).settings, secret) == told

    def test_what_tells_two_cameras_apart_is_public(self):
        assert public_address("rtsp://wache:geheim@10.0.0.1:8554/live/1?x=1") == "rtsp://10.0.0.1:8554"
        assert public_address("http://10.0.0.1/a@b") == "http://10.0.0.1"
        assert public_address("no address") == ""
        for path in ("/user=admin&password=geheim&channel=1.sdp", "/live;user=a;pwd=geheim", "/user=admin_password=geheim_channel=0"):
            assert "geheim" not in public_address(f"rtsp://10.0.0.1{path}")
            assert not is_public(f"rtsp://10.0.0.1{path}")

    def test_a_file_keeps_its_name(self):
        film = CellSettings(camera="a", source=SourceSettings(SourceKind.FILE, "/films/what?@home.mp4"))
        plain, secret = credentials.parted(film)
        assert Configure(plain).settings == film
        assert secret == credentials.Credentials()

    def test_secrets_are_shown_nowhere_and_read_once(self):
        _, secret = credentials.parted(CAMERA)
        handed = credentials.Handed(credentials=secret, door=DoorSettings("i", "r", b"x"))
        assert PASSWORD not in repr(handed) + repr(secret)
        assert "x" not in repr(handed)
        handle = credentials.hand_over(handed)
        again = os.dup(handle)
        assert credentials.take_over(handle) == handed
        with pytest.raises(ProtocolError):
            credentials.take_over(again)

    def test_what_does_not_fit_a_pipe_is_refused_before_it_hangs(self):
        with pytest.raises(ProtocolError, match="too long"):
            credentials.hand_over(credentials.Handed(credentials=credentials.Credentials(source="x" * 70_000)))

    def test_no_message_has_a_field_for_one(self):
        """Keys to seal with are public, and so named."""

        def names(kind, seen):
            if kind in seen or not hasattr(kind, "__struct_fields__"):
                return
            seen.add(kind)
            for field in msgspec.structs.fields(kind):
                yield field.name
                for part in (field.type, *getattr(field.type, "__args__", ())):
                    yield from names(part, seen)

        seen = set()
        found = {name for kind in (*ToCell.__args__, *FromCell.__args__) for name in names(kind, seen)}
        assert not {name for name in found if any(word in name for word in ("password", "secret", "private", "token", "credential"))}
        assert CellSettings in seen


class TestFirstWords:
    def said(self, *data):
        """What a cell answers to these bytes, and what it takes from them."""
        ours, theirs = socket.socketpair()
        ours.sendall(b"".join(data))
        ours.shutdown(socket.SHUT_WR)
        try:
            first = first_to_cell(theirs)
        except ProtocolError as error:
            first = error
        theirs.close()
        answer = b""
        while part := ours.recv(65536):
            answer += part
        ours.close()
        reader = []
        while answer:
            (length,) = LENGTH.unpack(answer[: LENGTH.size])
            reader.append(opening_decoder.decode(answer[LENGTH.size : LENGTH.size + length]))
            answer = answer[LENGTH.size + length :]
        return first, reader

    def test_a_newer_control_room_is_refused_in_words_that_it_can_read(self):
        error, answers = self.said(pack(Greeting(first=9, last=9, program="9.0", installation="i")))
        assert isinstance(error, RefusedError)
        assert [type(one) for one in answers] == [Greeting, Refusal]
        assert answers[1].cause == RefusalCause.NEWER
        assert "9.0" in answers[1].words

    def test_a_control_room_that_does_not_greet_is_refused(self):
        plain, _ = credentials.parted(CAMERA)
        error, answers = self.said(pack(Configure(plain)))
        assert isinstance(error, ProtocolError)
        assert answers == []

    def test_a_start_without_what_belongs_beside_it_is_refused(self):
        plain, _ = credentials.parted(CAMERA)
        error, _ = self.said(pack(channel.greeting()), pack(Configure(plain)))
        assert isinstance(error, ProtocolError)

    def test_a_control_room_that_is_gone_is_no_error(self):
        assert self.said(b"") == (None, [])
        assert self.said(pack(channel.greeting())[:9]) == (None, [])

    @pytest.mark.parametrize("answer", [Greeting(first=0, last=0, program="0.9"), Refusal(cause="newer", words="update this side")])
    def test_the_control_room_says_why_it_does_not_speak_with_a_cell(self, answer):
        async def scenario():
            reader = asyncio.StreamReader()
            reader.feed_data(pack(answer))
            reader.feed_eof()
            with pytest.raises(RefusedError, match="update"):
                await channel.greeted(reader, channel.greeting())
            assert await read(reader, opening_decoder) is None
            assert await channel.greeted(reader, channel.greeting()) is None, "a cell that ended is no refusal"

        asyncio.run(scenario())


class Machine:
    """Another machine's monotonic clock: where it stands at our time, with a drift (as a share) from `begins` on."""

    def __init__(self, offset: float, drift: float = 0.0, begins: float = 0.0) -> None:
        self.offset, self.drift, self.begins = offset, drift, begins

    def at(self, ours: float) -> float:
        return ours + self.offset + self.drift * (ours - self.begins)

    def trip(self, asked: float, out: float, work: float, back: float) -> RoundTrip:
        return RoundTrip(asked, self.at(asked + out), self.at(asked + out + work), asked + out + work + back)


seconds = st.floats(0.0, 3.0)
trips = st.lists(st.tuples(st.floats(0.0, 25.0), seconds, st.floats(0.0, 0.5), seconds), min_size=1, max_size=12)


class TestMeasuredClock:
    @given(offset=st.floats(-1e6, 1e6), drift=st.floats(-DRIFT * 0.9, DRIFT * 0.9), trips=trips, later=st.floats(0.0, GOOD_S))
    def test_the_true_time_is_within_the_bound_whatever_the_two_ways_took(self, offset, drift, trips, later):
        machine, clock, now = Machine(offset, drift, 1000.0), MeasuredClock(), 1000.0
        for pause, out, work, back in trips:
            trip = machine.trip(now + pause, out, work, back)
            assert clock.add(trip), "within the bound of drift nothing is taken for a jump"
            now = trip.heard
        now += later
        known = clock.offset(now)
        assert abs(known.at - (machine.at(now) - now)) <= known.error + 1e-6
        read = clock.ours(machine.at(now - 5.0), now)
        assert read is None or abs(read.at - (now - 5.0)) <= read.error + 1e-6
        read = clock.theirs(now + 5.0, now)
        assert read is None or abs(read.at - machine.at(now + 5.0)) <= read.error + 1e-6

    @given(delays=st.lists(st.floats(0.001, 2.0), min_size=5, max_size=20))
    def test_the_best_round_trip_counts_and_no_later_one_makes_it_worse(self, delays):
        machine, clock, now = Machine(77.0), MeasuredClock(drift=0.0), 0.0
        for delay in delays:
            clock.add(machine.trip(now, delay, 0.0, 0.0))  # one way takes all of it: the worst case
            now += delay
        assert clock.offset(now).error <= min(delays) / 2 + 1e-9

    @given(jump=st.floats(0.5, 1e5), sign=st.sampled_from([1, -1]), delay=st.floats(0.001, 0.2))
    def test_a_jump_is_noticed_and_what_was_known_before_is_dropped(self, jump, sign, delay):
        clock = MeasuredClock()
        assert clock.add(Machine(10.0).trip(0.0, delay, 0.0, delay))
        moved = Machine(10.0 + sign * jump)
        assert not clock.add(moved.trip(1.0, delay, 0.0, delay))
        assert clock.jumps == 1
        known = clock.offset(2.0)
        assert abs(known.at - moved.offset) <= known.error + 1e-6
        assert clock.add(moved.trip(2.0, delay, 0.0, delay)), "and is measured from then on"

    def test_a_cut_of_ten_minutes_with_a_drift_of_two_seconds_is_measured_anew(self):
        machine, clock = Machine(5.0, 2.0 / 600.0, 0.0), MeasuredClock()
        clock.add(machine.trip(0.0, 0.01, 0.0, 0.01))
        assert clock.ours(machine.at(100.0), 100.0) is None, "nothing is believed while nothing is heard"
        clock.add(machine.trip(600.0, 0.01, 0.0, 0.01))
        read = clock.ours(machine.at(600.0), 600.1)
        assert abs(read.at - 600.0) <= read.error <= 0.02
        assert clock.jumps == 1

    def test_a_clock_that_ran_away_or_back_during_a_round_trip_says_nothing(self):
        inf = float("inf")
        for trip in (
            RoundTrip(0.0, 10.0, 9.0, 1.0),
            RoundTrip(0.0, 10.0, 15.0, 1.0),
            RoundTrip(1.0, 10.0, 10.0, 0.0),
            RoundTrip(0.0, -inf, inf, 1.0),
            RoundTrip(0.0, float("nan"), 10.0, 1.0),
        ):
            clock = MeasuredClock()
            clock.add(RoundTrip(0.0, 10.0, 10.0, 0.1))
            assert not clock.add(trip)
            assert clock.offset(1.0) is None

    def test_a_way_that_is_too_slow_gives_no_time_at_all(self):
        clock = MeasuredClock()
        clock.add(Machine(0.0).trip(0.0, 2 * MOST_ERROR_S, 0.0, 0.0))
        assert clock.offset(1.0).error >= MOST_ERROR_S
        assert clock.ours(1.0, 1.0) is None
        assert clock.theirs(1.0, 1.0) is None


SITUATION = Situation(number=1, kind=Kind.PERSON_DOWN, zone="z", at=0.0, taken=0.0, confidence=0.9)


class TestCellTimes:
    OURS, THEIRS = Greeting(first=1, last=1, clock="a"), Greeting(first=1, last=1, clock="b")

    def measured(self, machine, now=100.0, wall=0.0):
        times = CellTimes(self.OURS, self.THEIRS)
        while (question := times.question(now)) is not None:
            answer = machine.at(now + 0.01)
            times.answered(ClockTold(question.number, answer, answer, answer + wall), now + 0.02)
        return times

    def test_on_one_machine_nothing_is_asked_and_nothing_changed(self):
        for times in (CellTimes(), CellTimes(self.OURS, self.OURS)):
            told = SituationTold(SITUATION)
            assert times.question(0.0) is None
            assert times.in_ours(told, 5.0, 6.0) is told
            assert times.in_theirs(TakeMoment(1, 2.0, 3.0), 5.0) == TakeMoment(1, 2.0, 3.0)
            assert times.known(0.0)

    def test_it_asks_a_few_times_at_once_then_every_five_seconds_and_each_second_where_nothing_is_known(self):
        times, machine = CellTimes(self.OURS, self.THEIRS), Machine(50.0)
        for number in range(1, AT_ONCE + 1):
            assert times.question(10.0) == AskClock(number)
            assert times.question(10.5) is None, "one after the other"
            times.answered(ClockTold(number, machine.at(10.01), machine.at(10.01), 0.0), 10.02)
        assert times.question(14.9) is None
        assert times.question(15.1) is not None
        assert not times.known(60.0)
        assert [times.question(at) is not None for at in (60.0, 60.5, 61.1)] == [True, False, True]

    def test_an_answer_that_nobody_asked_for_is_not_believed(self):
        times = CellTimes(self.OURS, self.THEIRS)
        times.answered(ClockTold(1, 0.0, 0.0, 0.0), 0.0)
        assert not times.known(0.0)

    @pytest.mark.parametrize("offset", [-3600.0, 1e5])
    def test_a_frozen_picture_of_another_machine_grows_old(self, offset):
        machine = Machine(offset)
        times = self.measured(machine)
        health = Health(session=SessionState.LIVE, stopped=False, doubt=None, picture_at=machine.at(99.0))
        for now in (101.0, 104.0, 120.0):
            assert now - times.in_ours(health, now, 0.0).picture_at == pytest.approx(now - 99.0, abs=0.1)
        assert times.in_ours(health, 200.0, 0.0).picture_at == float("-inf"), "and without a measurement it is as old as can be"

    def test_before_it_is_measured_no_picture_is_shown_and_no_situation_taken_in(self):
        times = CellTimes(self.OURS, self.THEIRS)
        assert times.in_ours(Fragment(1, True, 5.0, 5.0, b"x"), 5.0, 5.0) is None
        assert times.in_theirs(TakeMoment(1, 1.0, 2.0), 5.0) is None
        found = FoundTold(Found("1f", Kind.CAMERA_TAMPERED, True, "z"), 5.0, 5.0)
        for news in (SituationTold(SITUATION), found, EpisodeTold(Kind.PERSON_DOWN, "z", 5.0, 1.0, 0.5, 0.5)):
            with pytest.raises(ProtocolError, match="clock"):
                times.in_ours(news, 5.0, 5.0)

    def test_a_machine_whose_wall_clock_is_an_hour_off_tells_our_times(self):
        machine = Machine(500.0)
        times = self.measured(machine, wall=3600.0)
        at = machine.at(99.0)
        told = SituationTold(replace(SITUATION, at=at))
        found = times.in_ours(told, 101.0, 1_000_000.0).situation
        assert found.at == pytest.approx(99.0, abs=0.02)
        assert found.taken == pytest.approx(1_000_000.0 - 2.0, abs=0.02)
        heard = times.in_ours(FoundTold(Found("1f", Kind.CAMERA_TAMPERED, True, "z"), at, at + 3600.0), 101.0, 1_000_000.0)
        assert (heard.at, heard.taken) == (pytest.approx(99.0, abs=0.02), pytest.approx(999_998.0, abs=0.02))
        late = times.by_wall(heard, 500.0, 1_000_100.0)
        assert (late.over, late.taken, late.at) == (True, heard.taken, pytest.approx(500.0 - (1_000_100.0 - heard.taken)))
        episode = EpisodeTold(Kind.PERSON_DOWN, "z", at + 3600.0, 1.0, 0.5, 0.5)
        assert times.in_ours(episode, 101.0, 1_000_000.0).taken == pytest.approx(1_000_000.0 - 2.0, abs=0.05)
        picture = times.in_ours(Fragment(1, True, at, at + 3600.0, b"x"), 101.0, 1_000_000.0)
        assert (picture.at, picture.taken) == (pytest.approx(99.0, abs=0.02), pytest.approx(999_998.0, abs=0.02))

    @pytest.mark.parametrize("ago", [600.0, 86_400.0])
    def test_what_happened_long_ago_is_told_all_the_same(self, ago):
        """A host was cut off so long: news that were refused for their age would be told, and refused, without end."""
        machine = Machine(500.0)
        times, now = self.measured(machine), 100.0 + ago
        question = times.question(now)
        times.answered(ClockTold(question.number, machine.at(now + 0.01), machine.at(now + 0.01), 0.0), now + 0.02)
        told = times.in_ours(SituationTold(replace(SITUATION, at=machine.at(100.0))), now + 1.0, 1_000_000.0).situation
        assert (told.at, told.taken) == (pytest.approx(100.0, abs=0.1), pytest.approx(1_000_000.0 - ago - 1.0, abs=0.1))
        picture = Fragment(1, True, machine.at(100.0), 0.0, b"x")
        assert times.in_ours(picture, now + 1.0, 1_000_000.0) is None, "a picture is another matter: its age decides whether it is live"

    def test_work_of_the_cell_keeps_its_age(self):
        machine = Machine(500.0)
        work = WorkState("camera", WorkKind.THREAD, True, since=machine.at(90.0))
        health = Health(session=SessionState.LIVE, stopped=False, doubt=None, work=(work,))
        (found,) = self.measured(machine).in_ours(health, 101.0, 0.0).work
        assert found.since == pytest.approx(90.0, abs=0.1)


def test_a_cell_answers_by_its_own_clock_while_its_own_thread_is_busy():
    ours, theirs = socket.socketpair()
    guard = Guard(SystemClock())
    end = CellEnd(theirs, lambda message: threading.Event().wait(60), lambda: None, guard)
    end.start()
    before = SystemClock().monotonic()
    ours.sendall(pack(AskClock(7)))
    ours.settimeout(5)
    head = ours.recv(LENGTH.size, socket.MSG_WAITALL)
    told = unpack_from_cell(ours.recv(LENGTH.unpack(head)[0], socket.MSG_WAITALL))
    assert told.number == 7
    assert before <= told.received <= told.answered <= SystemClock().monotonic()
    ours.close()
    end.close()
    guard.end()


@settings(max_examples=25)
@given(st.integers(0, 2**32))
def test_a_simulated_day_of_round_trips_never_leaves_the_bound(seed):
    """Delays of up to a second in either direction, answers that are lost, drift within the bound: the truth is always inside."""
    rng = random.Random(seed)
    machine, clock, now = Machine(rng.uniform(-1e6, 1e6), rng.uniform(-1, 1) * DRIFT * 0.9), MeasuredClock(), 0.0
    for _ in range(200):
        now += rng.uniform(0.5, 400.0 if rng.random() < 0.05 else 2.0)
        if rng.random() < 0.2:
            continue
        trip = machine.trip(now, rng.expovariate(20.0), 0.0, rng.expovariate(2.0 if rng.random() < 0.3 else 50.0))
        clock.add(trip)
        now = trip.heard
        known = clock.offset(now)
        assert abs(known.at - (machine.at(now) - now)) <= known.error + 1e-6
    assert clock.jumps == 0
