"""What channels are told: each notice once, late ones in one digest, what only fails itself set aside; no error ends a sender."""

from __future__ import annotations

import time
from dataclasses import replace

import msgspec
import pytest
from paho.mqtt.client import MQTTMessage

from blickschutz.alerts.io.broker import Broker
from blickschutz.alerts.io.channels import AppriseChannel, MailSender, Webhook, Words
from blickschutz.alerts.io.mqtt import MqttSource
from blickschutz.alerts.io.store import SqlAlertStore
from blickschutz.alerts.io.tables import METADATA
from blickschutz.alerts.io.wire import digest_message, plain, plain_digest, schemas
from blickschutz.alerts.model import Alert, AlertState, By, Digest, DigestGroup, FaultNotice, Notice, Origin, Outcome
from blickschutz.alerts.rules import MOST_REJECTED, MOST_WAIT_S, STALE_S
from blickschutz.alerts.service import AlertDesk, Sender
from blickschutz.control.service.alerting import Alerting
from blickschutz.guard.model import Backoff, Change, Trouble
from blickschutz.guard.service import Guard
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import DeviceError, StoreBusyError
from blickschutz.situations.kinds import Kind, Situation
from blickschutz.storage.engine import open_engine
from tests.databases import by_hand
from tests.fakes.channels import Wire
from tests.fakes.clock import ManualClock

pytestmark = pytest.mark.both_databases

ADA = By("Ada", "ada")
NAMES = {"gate": "Haupteingang", "door": "Tür\nBcc: jemand@böse.example"}


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def store(tmp_path):
    store = SqlAlertStore(open_engine(tmp_path / "alerts.db", METADATA))
    yield store
    store.close()


@pytest.fixture
def desk(store, clock):
    return AlertDesk(store, clock, ["wire"], escalate_after_s=120)


def take(desk, number, camera="gate", kind=Kind.LOITERING):
    return desk.take(camera, Situation(number, kind, "all", 1.0, 1.7e9, 0.8), notify=True, run="a").id


def until(true, seconds=45.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.01)


class TestDigest:
    @pytest.mark.later
    def test_a_day_of_two_thousand_notices_is_one_message_and_what_is_fresh_goes_alone(self, desk, store, clock):
        wire = Wire()
        sender = Sender(wire, store, clock)
        for number in range(1, 1001):
            take(desk, number, "gate" if number % 3 else "door", Kind.LOITERING if number % 2 else Kind.PERSON_DOWN)
            clock.sleep(86.0)
            desk.escalate_overdue()
            if number % 100 == 0:
                sender.work()
        for number in range(1, 501):
            desk.close(number, ADA, Outcome.NO_FINDING, "")
        clock.sleep(STALE_S + 1)
        fresh = take(desk, 1001)
        wire.down = False
        clock.sleep(MOST_WAIT_S)
        assert sender.work() == 2
        assert [event for _, event, _ in wire.sent] == ["digest", "raised"]
        assert wire.sent[1][2] == fresh
        (digest,) = wire.digests
        # Raised and escalated, and the close of those that were closed: 1,000 + 998 and more, all in one.
        assert (digest.alerts, digest.open) == (1000, 500)
        assert digest.notices >= 2400
        assert sum(group.alerts for group in digest.groups) == 1000
        assert digest.last - digest.first == pytest.approx(999 * 86.0)
        assert [alert.id for alert in digest.escalated] == list(range(501, 521))
        assert digest.more_escalated == len(store.find(states=[AlertState.ESCALATED], most=2000)) - 20
        clock.sleep(3600)
        assert sender.work() == 0
        assert store.outbox.queues(clock.now()) == {}

    def test_what_fails_and_grows_is_another_message_and_what_does_not_is_the_same(self, desk, store, clock):
        keys = []

        class Keys(Wire):
            def send_digest(self, digest):
                keys.append(digest.key)
                raise DeviceError("no")

        sender = Sender(Keys(), store, clock)
        for number in (1, 2):
            take(desk, number)
        clock.sleep(STALE_S + 1)
        sender.work()
        clock.sleep(400)
        sender.work()
        take(desk, 3)
        clock.sleep(STALE_S + 1)
        sender.work()
        assert keys == ["1-2", "1-2", "1-3"]

    def test_one_late_notice_says_more_alone(self, desk, store, clock):
        wire = Wire(down=False)
        number = take(desk, 1)
        clock.sleep(STALE_S + 1)
        assert Sender(wire, store, clock).work() == 1
        assert [(event, alert) for _, event, alert in wire.sent] == [("raised", number)]

    def test_a_crash_before_it_was_told_keeps_it_and_its_number(self, desk, store, clock, tmp_path):
        wire = Wire()
        for number in (1, 2, 3):
            take(desk, number)
        clock.sleep(STALE_S + 1)
        Sender(wire, store, clock).work()
        again = SqlAlertStore(open_engine(tmp_path / "alerts.db", METADATA))
        clock.sleep(400)
        wire.down = False
        assert Sender(wire, again, clock).work() == 1
        assert wire.sent == [("1-3", "digest", 3)]
        again.close()

    def test_a_channel_that_refuses_digests_still_gets_what_is_fresh(self, desk, store, clock):
        wire = Wire(down=False)
        wire.refuses_digests = True
        sender = Sender(wire, store, clock)
        for number in (1, 2):
            take(desk, number)
        clock.sleep(STALE_S + 1)
        for number in range(3, 3 + MOST_REJECTED + 1):
            take(desk, number)
            sender.work()
            clock.sleep(MOST_WAIT_S)
        # Its two notices are kept and seen; what comes later is told.
        queue = store.outbox.queues(clock.now())["wire"]
        assert (queue.waiting, queue.set_aside, queue.problem) == (0, 2, "nobody answers")
        assert [event for _, event, _ in wire.sent] == ["raised"] * (MOST_REJECTED + 1)

    @pytest.mark.parametrize(
        ("language", "subject", "line"),
        [
            ("de", "Nachgereicht: 3 Meldungen, davon 2 noch offen", "2 × Verweilen, Haupteingang (1 offen)"),
            ("en", "Late: 3 alerts, 2 still open", "2 × Loitering, Haupteingang (1 open)"),
        ],
    )
    def test_people_read_the_escalated_first_in_one_plain_text(self, language, subject, line):
        late = Alert(7, "door", Kind.PERSON_DOWN, "all", Origin.ANALYSIS, AlertState.ESCALATED, 1.7e9, 1.7e9, 0.9)
        groups = (DigestGroup("gate", Kind.LOITERING, 2, 1), DigestGroup("door", Kind.PERSON_DOWN, 1, 1))
        digest = Digest(4, "mail", 5, 1.7e9, 1.7e9 + 60, groups, (late,), 3)
        words = Words("Rathaus", language, NAMES)
        said, text = words.plain_digest(digest)
        assert said == subject
        lines = text.split("\n")
        assert line in lines
        (named,) = (number for number, one in enumerate(lines) if one.startswith("7: "))
        assert named < lines.index(line)
        assert lines[named + 1].startswith("3 ")
        assert "://" not in text
        assert plain_digest(digest, "Rathaus", words.camera, language) == (said, text)

    def test_it_fits_its_schema(self):
        digest = Digest(4, "hook", 5, 1.7e9, 1.7e9, (DigestGroup("gate", Kind.LOITERING, 1, 1),))
        told = msgspec.json.decode(msgspec.json.encode(digest_message(digest, "Rathaus", "de")))
        assert told["event"] == "digest"
        schema = schemas()["digest.schema.json"]["$defs"]["DigestMessage"]
        assert set(schema["properties"]) == set(told)


class TestPoisoned:
    def test_what_fails_while_others_get_through_is_set_aside_and_seen(self, desk, store, clock):
        wire = Wire(down=False, error=ValueError("a header of two lines"))
        sender = Sender(wire, store, clock)
        bad = take(desk, 1)
        wire.poisoned.add(bad)
        good = []
        for number in range(2, 3 + MOST_REJECTED):
            good.append(take(desk, number))
            sender.work()
            clock.sleep(MOST_WAIT_S)
        assert [alert for _, _, alert in wire.sent] == good
        queue = store.outbox.queues(clock.now())["wire"]
        assert (queue.waiting, queue.set_aside) == (0, 1)
        assert queue.problem.startswith("ValueError")
        assert "header" not in queue.problem
        # What comes later of the same alert is not held up by it.
        wire.poisoned.clear()
        desk.close(bad, ADA, Outcome.NO_FINDING, "")
        assert sender.work() == 1
        assert wire.sent[-1][1:] == ("close", bad)

    def test_one_failure_counts_once_however_many_others_get_through_after_it(self, desk, store, clock):
        wire = Wire(down=False)
        sender = Sender(wire, store, clock)
        bad = take(desk, 1)
        wire.poisoned.add(bad)
        for number in range(2, 4 * MOST_REJECTED):
            take(desk, number)
        sender.work()
        wire.poisoned.clear()
        clock.sleep(10)
        assert sender.work() == 1
        assert wire.sent[-1][2] == bad

    def test_a_channel_that_is_down_for_a_month_sets_nothing_aside(self, desk, store, clock):
        wire = Wire()
        sender = Sender(wire, store, clock)
        for number in (1, 2, 3):
            take(desk, number)
        for _ in range(200):
            sender.work()
            clock.sleep(4 * 3600)
        queue = store.outbox.queues(clock.now())["wire"]
        assert (queue.waiting, queue.failing, queue.set_aside) == (3, 3, 0)
        assert queue.oldest_s == pytest.approx(200 * 4 * 3600)

    def test_many_that_are_poisoned_do_not_hold_up_one_that_is_not(self, desk, store, clock):
        wire = Wire(down=False)
        wire.poisoned = {take(desk, number) for number in range(1, 31)}
        sender = Sender(wire, store, clock)
        sender.work()
        good = take(desk, 99)
        clock.sleep(5)
        sender.work()
        assert [alert for _, _, alert in wire.sent] == [good]

    def test_nobody_hears_of_an_end_before_the_beginning(self, desk, store, clock):
        wire = Wire(down=False)
        sender = Sender(wire, store, clock)
        number = take(desk, 1)
        wire.poisoned.add(number)
        sender.work()
        desk.close(number, ADA, Outcome.NO_FINDING, "")
        clock.sleep(1)
        assert sender.work() == 0
        wire.poisoned.clear()
        clock.sleep(10)
        sender.work()
        assert [event for _, event, _ in wire.sent] == ["raised", "close"]


class TestSender:
    @pytest.mark.parametrize(
        "error",
        [
            UnicodeError("label empty"),
            ValueError("x"),
            RuntimeError("x"),
            KeyError("x"),
            OSError(5, "Input/output error"),
            RecursionError(),
        ],
    )
    def test_no_error_of_a_channel_ends_it(self, desk, store, clock, error):
        wire = Wire(error=error)
        sender = Sender(wire, store, clock)
        take(desk, 1)
        assert sender.work() == 0
        assert type(error).__name__ in store.outbox.queues(clock.now())["wire"].problem
        wire.down = False
        clock.sleep(10)
        assert sender.work() == 1

    def test_what_is_wrong_with_the_system_is_told_first_and_again_until_it_gets_through(self, desk, store, clock):
        wire = Wire()
        sender = Sender(wire, store, clock)
        take(desk, 1)
        fault = FaultNotice("a1", "deadlines", "no space left", False, clock.now())
        sender.tell(fault)
        assert sender.work() == 0
        wire.down = False
        clock.sleep(MOST_WAIT_S + 1)
        assert sender.work() == 2
        assert wire.faults == [fault]
        assert sender.work() == 0

    def test_a_fault_that_only_fails_itself_makes_way_for_the_next(self, desk, store, clock):
        class Choosy(Wire):
            def send_fault(self, fault):
                if fault.part == "bad":
                    raise ValueError("a part without a name")
                super().send_fault(fault)

        wire = Choosy(down=False)
        sender = Sender(wire, store, clock)
        bad, good = (FaultNotice(part, part, "no space left", False, clock.now()) for part in ("bad", "good"))
        sender.tell(bad)
        sender.tell(good)
        for number in range(1, MOST_REJECTED + 1):
            assert wire.faults == []
            take(desk, number)
            sender.work()
            clock.sleep(1)
        sender.work()
        assert wire.faults == [good]
        assert len(wire.sent) == MOST_REJECTED

    def test_a_part_that_fails_on_and_on_is_told_once_an_hour_and_when_it_is_over(self, desk, store, clock):
        wire = Wire(down=False)
        sender = Sender(wire, store, clock)
        alerting = Alerting(desk, [sender], clock)
        failing = Trouble("deadlines", Change.FAILING, "no space left", 3)
        for _ in range(5):
            alerting.trouble(failing)
        alerting.trouble(replace(failing, change=Change.RECOVERED))
        alerting.trouble(replace(failing, change=Change.RECOVERED))
        clock.sleep(3601)
        alerting.trouble(failing)
        sender.work()
        assert [(one.part, one.over) for one in wire.faults] == [("deadlines", False), ("deadlines", True), ("deadlines", False)]

    def test_a_database_that_fails_ends_no_thread_and_tells_nothing_twice(self, desk, store, clock, monkeypatch):
        wire, real = Wire(down=False), store.outbox.sent
        guard = Guard(SystemClock(), backoff=Backoff(first_s=0.01, most_s=0.02))
        sender = Sender(wire, store, clock, idle_s=0.01, guard=guard)
        busy = [True] * 3

        def sent(told, at):
            if busy:
                busy.pop()
                raise StoreBusyError("somebody else is writing")
            return real(told, at)

        monkeypatch.setattr(store.outbox, "sent", sent)
        for number in (1, 2, 3):
            take(desk, number)
        sender.start()
        until(lambda: not store.outbox.queues(clock.now()))
        (state,) = guard.states()
        assert (state.name, state.running, state.failures) == ("sender-wire", True, 3)
        sender.end()
        assert [alert for _, _, alert in wire.sent] == [1, 2, 3]
        assert guard.states() == ()

    def test_a_channel_that_is_down_rests(self, desk, store, clock):
        wire = Wire()
        sender = Sender(wire, store, clock)
        for number in range(1, 201):
            take(desk, number)
        for _ in range(600):
            sender.work()
            clock.sleep(1)
        # Two probes at most, less and less often: not one notice after the other, each with a wait of ten seconds.
        assert wire.tried <= 22

    def test_a_clock_that_went_back_lets_nothing_wait_for_days(self, desk, store, clock):
        wire = Wire()
        take(desk, 1)
        Sender(wire, store, clock).work()
        clock.time -= 4 * 86_400
        wire.down = False
        assert Sender(wire, store, clock).work() == 1

    def test_a_channel_that_the_site_file_names_no_more_waits_for_nobody_and_comes_back(self, desk, store, clock):
        take(desk, 1)
        without = AlertDesk(store, clock, ["other"])
        without.begin()
        queue = without.queues()["wire"]
        assert (queue.waiting, queue.set_aside) == (0, 1)
        assert "no such channel" in queue.problem
        desk.begin()
        wire = Wire(down=False)
        assert Sender(wire, store, clock).work() == 1


class TestRealChannels:
    """Addresses and names that libraries choke on are a failed try in words, never an end, and never another header."""

    @pytest.fixture
    def notice(self):
        return Notice(3, "mail", "raised", Alert(7, "door", Kind.PERSON_DOWN, "all", Origin.ANALYSIS, AlertState.RAISED, 1.7e9, 1.7e9, 0.9))

    def test_a_name_with_a_line_break_is_one_line(self, notice):
        subject, text = Words("Rathaus", "de", NAMES).plain(notice)
        assert subject == "Meldung 7: Sturz oder liegende Person, Tür Bcc: jemand@böse.example"
        assert len(text.split("\n")) == 2
        assert plain(notice, "Rathaus", NAMES["door"], "de")[0] == subject

    @pytest.mark.parametrize(
        ("host", "sender"),
        [("mail..x", "a@b.example"), ("x" * 70 + ".example", "a@b.example"), ("127.0.0.1", "ä@b.example"), ("", "a@b.example")],
    )
    def test_a_mail_server_that_cannot_be(self, notice, host, sender):
        mail = MailSender(host, 1, sender, ("c@d.example",), None, Words("Rat\nhaus", "de", NAMES))
        digest = Digest(4, "mail", 2, 1.7e9, 1.7e9, (DigestGroup("door", Kind.LOITERING, 2, 1),))
        for tell in (lambda: mail.send(notice), lambda: mail.send_digest(digest)):
            with pytest.raises(DeviceError, match="the mail server"):
                tell()

    @pytest.mark.parametrize("address", ["http://[::1", "http://a..b/x", "http://127.0.0.1:1/x", "http://127.0.0.1:99999/x"])
    def test_a_webhook_that_cannot_be(self, notice, address):
        hook = Webhook("hook", address, "Rathaus", "de")
        with pytest.raises(DeviceError, match="hook: no answer"):
            hook.send(notice)
        hook.close()

    def test_apprise_takes_a_digest_or_says_why_not(self):
        with pytest.raises(DeviceError, match="does not know"):
            AppriseChannel("other", "nonsense", Words("Rathaus", "de", {})).send_digest(Digest(1, "other", 2, 1.0, 2.0, ()))

    def test_a_broker_whose_name_is_none_is_tried_again_and_shown(self):
        guard = Guard(SystemClock(), backoff=Backoff(first_s=0.01, most_s=0.02))
        source = MqttSource(Broker("broker..x", "rathaus", "0123456789abcdef"), frozenset({"gate"}), lambda camera, event: None, guard)
        source.start()
        until(lambda: guard.states()[0].failures >= 3)
        assert "UnicodeError" in guard.states()[0].error
        source.close()
        until(lambda: guard.states() == ())


def test_rows_of_a_version_before_are_told_and_end(tmp_path, clock):
    """Outbox rows without the time at which they were queued go by their alert's."""
    store = SqlAlertStore(open_engine(tmp_path / "alerts.db", METADATA))
    desk = AlertDesk(store, clock, ["wire"])
    for number in (1, 2):
        take(desk, number)
    by_hand(store.engine, "UPDATE alert_outbox SET queued = NULL")
    clock.sleep(STALE_S + 1)
    wire = Wire(down=False)
    assert Sender(wire, store, clock).work() == 1
    assert wire.sent == [("1-2", "digest", 2)]
    store.close()


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (b"blickschutz/rathaus/cameras/gate/events", b'{"id":"\xff\xfe","kind":"gathering"}'),
        (b"blickschutz/rathaus/cameras/ga\xfcte/events", b'{"id":"1","kind":"gathering"}'),
        (b"blickschutz/rathaus/cameras/gate/events", b"[" * 8000),
        (b"blickschutz/rathaus/cameras/gate/events", b'{"id":"1","kind":"gathering","figures":' + b'{"a":' * 3000),
        (b"blickschutz/rathaus/cameras/gate/events", b'{"id":"1","kind":"gathering","figures":{"a":' + b"9" * 5000 + b"}}"),
        (b"blickschutz/rathaus/cameras/gate/events", b"\xff" * 20_000),
    ],
)
def test_whatever_a_broker_hands_on_the_next_event_is_heard(topic, payload):
    heard = []
    source = MqttSource(
        Broker("127.0.0.1", "rathaus", "0123456789abcdef"), frozenset({"gate"}), lambda camera, event: heard.append((camera, event.id))
    )
    for name, data in ((topic, payload), (b"blickschutz/rathaus/cameras/gate/events", b'{"id":"next","kind":"gathering"}')):
        message = MQTTMessage(topic=name)
        message.payload = data
        source._take(source._client, None, message)
    assert heard == [("gate", "next")]
    assert source.refused == 1
