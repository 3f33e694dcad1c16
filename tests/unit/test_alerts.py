"""The life of an alert on a real database: raised once, decided once, told once, never lost."""

from __future__ import annotations

import threading
from dataclasses import replace

import msgspec
import pytest

from blickschutz.alerts.io.store import SqlAlertStore
from blickschutz.alerts.io.tables import METADATA
from blickschutz.alerts.io.wire import camera_event, message, schemas
from blickschutz.alerts.model import AlertEvent, AlertState, By, ChannelQueue, Lives, Notice, Origin, Outcome
from blickschutz.alerts.rules import OPEN, TRANSITIONS, as_mermaid, next_state, wait_before_retry
from blickschutz.alerts.service import AlertDesk, Sender
from blickschutz.kernel.geometry import Box
from blickschutz.situations.kinds import Kind, Situation
from blickschutz.storage.engine import open_engine
from tests.conftest import ROOT
from tests.databases import patient_writers
from tests.fakes.channels import Wire
from tests.fakes.clock import ManualClock

pytestmark = pytest.mark.both_databases


def situation(number=1, kind=Kind.PERSON_DOWN, ended=None, **figures):
    figures = figures or {"height_share": 0.4, "seconds": 0.6, "lying": 0.3}
    return Situation(number, kind, "all", 50.0, 1.7e9, 0.8, figures, Box(0.1, 0.2, 0.3, 0.4), ended)


ADA, BERT, CARL = By("Ada", "ada"), By("Bert", "bert"), By("Carl", "carl")


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


class TestTable:
    def test_every_state_is_reached_and_ends_in_closed(self):
        reached = {AlertState.RAISED} | set(TRANSITIONS.values())
        assert reached == set(AlertState)
        for state in OPEN:
            assert next_state(state, AlertEvent.CLOSE) is AlertState.CLOSED
        beside = {AlertEvent.SEEN, AlertEvent.UNDO}
        assert all(next_state(AlertState.CLOSED, event) is None for event in AlertEvent if event not in beside)

    def test_the_diagram_in_the_documentation_is_drawn_from_the_table(self):
        assert as_mermaid() in (ROOT / "docs/design/alerts.md").read_text(encoding="utf-8")

    def test_waits_grow_to_a_limit(self):
        waits = [wait_before_retry(tries) for tries in range(1, 20)]
        assert waits[0] == 2
        assert waits == sorted(waits)
        assert waits[-1] == 300


@pytest.fixture
def patient():
    with patient_writers():
        yield


class TestDesk:
    def test_one_alert_for_one_situation(self, desk):
        first = desk.take("gate", situation(), notify=True, run="a")
        assert desk.take("gate", situation(), notify=True, run="a") is None
        assert len(desk.open_alerts()) == 1
        desk.take("gate", situation(ended=60.0), notify=True, run="a")
        assert desk.store.get(first.id).ended is not None
        # The cell was started again and numbers from 1 on: another situation.
        assert desk.take("gate", situation(), notify=True, run="b") is not None

    def test_what_is_counted_only_raises_nothing_and_is_in_the_tally(self, desk):
        assert desk.take("gate", situation(), notify=False) is None
        assert desk.open_alerts() == []
        assert [(t.camera, t.kind, t.alerts, t.counted) for t in desk.store.tally(0)] == [("gate", Kind.PERSON_DOWN, 0, 1)]

    def test_the_whole_life_with_names_and_times(self, desk, clock):
        number = desk.take("gate", situation(), notify=True).id
        clock.sleep(5)
        desk.seen(number, "Ada")
        desk.seen(number, "Ada")
        assert desk.acknowledge(number, ADA)
        assert desk.act(number, ADA, "Streife geschickt")
        assert desk.close(number, BERT, Outcome.CONFIRMED, "Rettungsdienst war da")
        history = [(entry.event, entry.by, entry.text) for entry in desk.store.history(number)]
        assert history == [
            ("raised", "system", ""),
            ("seen", "Ada", ""),
            ("acknowledge", "Ada", ""),
            ("act", "Ada", "Streife geschickt"),
            ("close", "Bert", "Rettungsdienst war da"),
        ]
        alert = desk.store.get(number)
        assert (alert.state, alert.outcome, alert.note) == (AlertState.CLOSED, Outcome.CONFIRMED, "Rettungsdienst war da")
        assert not desk.acknowledge(number, CARL)

    def test_of_two_who_decide_at_once_one_is_told(self, desk):
        number = desk.take("gate", situation(), notify=True).id
        start, answers = threading.Barrier(8), []

        def decide(by):
            start.wait()
            answers.append(desk.acknowledge(number, By(by, by)))

        threads = [threading.Thread(target=decide, args=(f"person {i}",)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answers) == [False] * 7 + [True]
        assert [entry.event for entry in desk.store.history(number)] == ["raised", "acknowledge"]

    def test_nobody_acknowledges_in_time(self, desk, clock):
        late = desk.take("gate", situation(1), notify=True).id
        clock.sleep(100)
        desk.take("gate", situation(2), notify=True)
        clock.sleep(30)
        assert desk.escalate_overdue() == 1
        assert desk.escalate_overdue() == 0
        assert desk.open_alerts()[0].id == late
        assert desk.store.get(late).state is AlertState.ESCALATED
        assert desk.acknowledge(late, ADA)

    def test_two_alerts_at_once_on_all_cameras(self, desk, patient):
        threads = [
            threading.Thread(target=desk.take, args=(f"camera-{n}", situation(k)), kwargs={"notify": True})
            for n in range(11)
            for k in (1, 2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({alert.id for alert in desk.open_alerts()}) == 22
        assert len(desk.store.outbox.due("wire", 1e12, 100)) == 22

    def test_the_false_alarm_rate(self, desk):
        for outcome in (Outcome.FALSE_ALARM, Outcome.FALSE_ALARM, Outcome.CONFIRMED, Outcome.NO_FINDING):
            number = desk.take("gate", situation(), notify=True, run=outcome + str(len(desk.store.find()))).id
            desk.close(number, ADA, outcome, "")
        desk.take("gate", situation(), notify=True, run="open")
        tally = desk.store.tally(0)[0]
        assert (tally.alerts, tally.decided, tally.false_alarms, tally.false_share) == (5, 4, 2, 0.5)

    def test_an_open_alert_says_nothing_about_false_alarms(self, desk):
        desk.take("gate", situation(), notify=True, run="open")
        assert desk.store.tally(0)[0].false_share is None

    def test_everything_survives_a_restart(self, desk, store, clock, tmp_path):
        number = desk.take("gate", situation(), notify=True).id
        store.close()
        again = SqlAlertStore(open_engine(tmp_path / "alerts.db", METADATA))
        assert again.get(number).figures["lying"] == 0.3
        assert again.get(number).box == Box(0.1, 0.2, 0.3, 0.4)
        assert [notice.alert.id for notice in again.outbox.due("wire", clock.now())] == [number]
        again.close()

    def test_a_situation_that_is_told_again_after_a_restart_is_the_same(self, desk, store, clock, tmp_path):
        number = desk.take("gate", situation(), notify=True, run="camera:7", origin=Origin.CAMERA).id
        again = AlertDesk(SqlAlertStore(open_engine(tmp_path / "alerts.db", METADATA)), clock)
        again.begin()
        assert again.take("gate", situation(), notify=True, run="camera:7", origin=Origin.CAMERA) is None
        assert again.store.get(number).ended is None
        again.take("gate", situation(ended=60.0), notify=True, run="camera:7", origin=Origin.CAMERA)
        assert again.store.get(number).ended == clock.now()
        # A camera may use a name again once what it named is over; the same moment told once more is nothing new.
        assert again.take("gate", situation(), notify=True, run="camera:7", origin=Origin.CAMERA) is None
        later = replace(situation(), taken=situation().taken + 60)
        assert again.take("gate", later, notify=True, run="camera:7", origin=Origin.CAMERA).id != number
        again.store.close()

    def test_a_situation_whose_cell_is_gone_ends_and_its_alert_says_so(self, desk, clock):
        lost, other, elsewhere = (
            desk.take(camera, situation(), notify=True, run=run).id for camera, run in (("gate", "a"), ("gate", "b"), ("door", "c"))
        )
        clock.sleep(7)
        assert desk.lost("gate", "a") == 1
        assert desk.lost("gate", "a") == 0
        assert [desk.store.get(number).ended for number in (lost, other, elsewhere)] == [clock.now(), None, None]
        assert desk.store.history(lost)[-1].event == "lost"
        # What is told of it later changes nothing: nobody knows any more which it was.
        desk.take("gate", situation(ended=60.0), notify=True, run="a")
        assert desk.store.get(lost).ended == clock.now()
        desk.begin()
        assert all(desk.store.get(number).ended is not None for number in (other, elsewhere))
        assert {desk.store.get(number).state for number in (lost, other, elsewhere)} == {AlertState.RAISED}

    def test_a_camera_that_never_tells_the_end_has_one_after_a_day(self, desk, clock):
        number = desk.take("gate", situation(), notify=True, run="camera:7", origin=Origin.CAMERA).id
        lives = Lives(3600.0, 90 * 86_400.0, 90 * 86_400.0, 400 * 86_400.0, 86_400.0)
        clock.sleep(86_000)
        desk.expire(clock.now(), lives)
        assert desk.store.get(number).ended is None
        clock.sleep(500)
        desk.expire(clock.now(), lives)
        assert desk.store.get(number).ended == clock.now()

    def test_a_listener_that_fails_undoes_no_decision(self, desk):
        def fail(alert):
            raise RuntimeError("no")

        desk.listen(fail)
        number = desk.take("gate", situation(), notify=True).id
        assert desk.acknowledge(number, ADA)

    def test_a_recording_that_was_refused_is_no_order_any_more(self, desk):
        number = desk.take("gate", situation(), notify=True).id
        desk.order_recording(number, ADA, "Lärm")
        assert desk.store.get(number).record_ordered
        desk.unrecorded(number, "disk")
        assert not desk.store.get(number).record_ordered
        assert [(entry.event, entry.by, entry.text) for entry in desk.store.history(number)[1:]] == [
            ("record", "Ada", "Lärm"),
            ("unrecorded", "system", "disk"),
        ]

    def test_a_listener_hears_every_change(self, desk):
        heard = []
        end = desk.listen(lambda alert: heard.append(alert.state))
        number = desk.take("gate", situation(), notify=True).id
        desk.acknowledge(number, ADA)
        end()
        desk.close(number, ADA, Outcome.NO_FINDING, "")
        assert heard == [AlertState.RAISED, AlertState.ACKNOWLEDGED]


class TestSender:
    def test_what_could_not_be_sent_stays_and_is_sent_later_once(self, desk, store, clock):
        wire = Wire()
        sender = Sender(wire, store, clock)
        for k in (1, 2, 3):
            desk.take("gate", situation(k), notify=True)
        assert sender.work() == 0
        assert store.outbox.queues(clock.now()) == {"wire": ChannelQueue(waiting=3, failing=2, problem="nobody answers")}
        assert len(desk.open_alerts()) == 3
        clock.sleep(1)
        assert sender.work() == 0
        clock.sleep(400)
        wire.down = False
        assert sender.work() == 3
        assert sender.work() == 0
        assert len(set(wire.sent)) == len(wire.sent) == 3
        assert store.outbox.queues(clock.now()) == {}

    def test_tries_become_rarer(self, desk, store, clock):
        wire = Wire()
        sender = Sender(wire, store, clock)
        desk.take("gate", situation(), notify=True)
        for _ in range(600):
            sender.work()
            clock.sleep(1)
        assert 8 <= wire.tried <= 11

    def test_escalation_and_end_are_told_too(self, desk, store, clock):
        wire = Wire()
        wire.down = False
        number = desk.take("gate", situation(), notify=True).id
        clock.sleep(200)
        desk.escalate_overdue()
        desk.acknowledge(number, ADA)
        desk.close(number, ADA, Outcome.FALSE_ALARM, "")
        Sender(wire, store, clock).work()
        assert [event for _, event, _ in wire.sent] == ["raised", "escalate", "close"]


class TestWire:
    def test_a_message_fits_its_schema_and_holds_no_picture(self, desk):
        alert = desk.take("gate", situation(), notify=True, origin=Origin.CAMERA)
        told = msgspec.json.decode(msgspec.json.encode(message(Notice(7, "wire", "raised", alert), "Rathaus", "de")))
        assert told["name"] == "Sturz oder liegende Person"
        assert told["explanation"].startswith("Höhe auf 40 % der stehenden Höhe gesunken")
        assert set(schemas()["alert.schema.json"]["$defs"]["AlertMessage"]["properties"]) == set(told)
        assert "clip" not in told

    def test_the_schemas_in_the_project_are_those_of_the_types(self):
        for file, schema in schemas().items():
            assert msgspec.json.decode((ROOT / "schemas" / file).read_bytes()) == msgspec.json.decode(msgspec.json.encode(schema))

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"{",
            b"[]",
            b'{"id": "1"}',
            b'{"id": "1", "kind": "suspicious"}',
            b'{"id": "", "kind": "loitering"}',
            b'{"id": "1", "kind": "loitering", "confidence": 2}',
            b'{"id": "1", "kind": "loitering", "picture": "AAAA"}',
            b"\xff\xfe",
        ],
    )
    def test_what_a_camera_must_not_say(self, data):
        with pytest.raises(msgspec.DecodeError):
            camera_event(data)
