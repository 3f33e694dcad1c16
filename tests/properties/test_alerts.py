"""Whatever comes in whatever order: no alert and no notice is lost, none is told twice, and everything ends."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from blickschutz.alerts.io.store import SqlAlertStore
from blickschutz.alerts.io.tables import METADATA, outbox
from blickschutz.alerts.model import AlertState, By, Lives, Outcome
from blickschutz.alerts.rules import MOST_WAIT_S
from blickschutz.alerts.service import AlertDesk, Sender
from blickschutz.situations.kinds import Kind, Situation
from blickschutz.storage.engine import open_engine
from tests.conftest import often
from tests.fakes.channels import Wire
from tests.fakes.clock import ManualClock

DAY = 86_400.0
LIVES = Lives(clips=3 * DAY, history=90 * DAY, made=90 * DAY, rows=400 * DAY, notices=100 * DAY)
ADA = By("Ada", "ada")
CHANNELS = ("mail", "hook")
_number = st.integers(1, 8)

acts = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["raise", "again", "end", "acknowledge", "close", "undo"]), _number),
        st.tuples(st.just("sleep"), st.sampled_from([1, 30, 130, 1000, 4000, 90_000])),
        st.tuples(st.just("back"), st.sampled_from([5, 4000])),
        st.tuples(st.sampled_from(["down", "up"]), st.sampled_from(CHANNELS)),
        st.tuples(st.sampled_from(["crash", "send", "escalate", "expire", "lost"]), st.none()),
    ),
    max_size=40,
)


class House:
    """A desk and its senders on a real database, and what somebody who counts along expects of them."""

    def __init__(self, folder):
        self.back = 0.0
        self.folder, self.clock = Path(folder), ManualClock(5e8)
        self.wires = {name: Wire(name, down=False) for name in CHANNELS}
        self.alerts: dict[int, str] = {}
        self.of: dict[int, int] = {}
        self.told: list[tuple[int, str]] = []
        self.store = None
        self.begin()

    def begin(self):
        if self.store is not None:
            self.store.close()
        self.store = SqlAlertStore(open_engine(self.folder / "alerts.db", METADATA))
        self.desk = AlertDesk(self.store, self.clock, CHANNELS, escalate_after_s=120)
        self.desk.begin()
        self.senders = [Sender(wire, self.store, self.clock) for wire in self.wires.values()]
        # Cells end with the house: their situations are over, and those to come are others.
        self.of.clear()
        self.life = f"life-{self.clock.time}-{len(self.alerts)}"

    def do(self, act, value):
        if act in {"raise", "again", "end"}:
            ended = 9.0 if act == "end" else None
            situation = Situation(value, Kind.LOITERING, "all", 1.0, self.clock.now(), 0.8, {}, None, ended)
            new = self.desk.take("gate", situation, notify=True, run=self.life)
            if new is not None:
                assert value not in self.of, "one alert for one situation"
                self.of[value], self.alerts[new.id] = new.id, "raised"
                self.told.append((new.id, "raised"))
                self.store.put_clip(new.id, b"seconds")
            if act == "end":
                self.of.pop(value, None)
        elif act == "acknowledge" and value in self.alerts:
            if self.desk.acknowledge(value, ADA):
                assert self.alerts[value] in {"raised", "escalated"}
                self.alerts[value] = "acknowledged"
        elif act == "close" and value in self.alerts:
            if self.desk.close(value, ADA, Outcome.NO_FINDING, "note"):
                assert self.alerts[value] != "closed"
                self.alerts[value] = "closed"
                self.told.append((value, "close"))
        elif act == "undo" and value in self.alerts:
            if self.desk.undo(value, ADA):
                assert self.alerts[value] in {"acknowledged", "closed"}
                if self.alerts[value] == "closed":
                    self.told.append((value, "undo"))
                    self.alerts[value] = "acknowledged"
                else:
                    self.alerts[value] = "raised"
        elif act == "sleep":
            self.clock.sleep(value)
        elif act == "back":
            self.clock.time -= value
            self.back += value
        elif act in {"down", "up"}:
            self.wires[value].down = act == "down"
        elif act == "crash":
            self.begin()
        elif act == "send":
            for sender in self.senders:
                sender.work()
        elif act == "escalate":
            self.desk.escalate_overdue()
            for alert in self.store.find(states=[AlertState.ESCALATED]):
                if self.alerts[alert.id] != "escalated":
                    self.alerts[alert.id] = "escalated"
                    self.told.append((alert.id, "escalate"))
        elif act == "lost":
            self.desk.lost("gate")
            self.of.clear()
        elif act == "expire":
            self.desk.expire(self.clock.now(), LIVES)

    def whole(self):
        """What was raised and decided is there, and what is kept of it is what its age allows."""
        there = {alert.id: alert for alert in self.store.find(most=1000)}
        assert {number: alert.state.value for number, alert in there.items()} == self.alerts
        assert [alert.id for alert in self.desk.open_alerts()] == [
            one.id
            for one in sorted(
                (alert for alert in there.values() if alert.state is not AlertState.CLOSED),
                # One that was told a second time waits as the others do: its age puts it first, whatever clocks said meanwhile.
                key=lambda alert: (alert.state not in {AlertState.RAISED, AlertState.ESCALATED}, alert.id),
            )
        ]

    def tell_all(self):
        for wire in self.wires.values():
            wire.down = False
        for _ in range(4):
            for sender in self.senders:
                sender.work()
            self.clock.sleep(MOST_WAIT_S + 1)
        assert self.store.outbox.queues(self.clock.now()) == {}

    def each_was_told_once(self):
        with self.store._engine.connect() as connection:
            found = connection.execute(select(outbox)).all()
        for name, wire in self.wires.items():
            mine = [row for row in found if row.channel == name]
            assert Counter((row.alert, row.event) for row in mine) == Counter(self.told)
            alone = [number for number, event, _ in wire.sent if event != "digest"]
            assert sorted(alone) == sorted(row.id for row in mine if row.digest is None)
            together = Counter(row.digest for row in mine if row.digest is not None)
            assert Counter({digest.number: digest.notices for digest in wire.digests}) == together
            assert len(wire.digests) == len(together)

    def everything_ends(self):
        for one in self.store.owed(1000):
            self.store.entered(one.number)
        # By this clock an alert may have been raised in the future, by as much as the clock went back since.
        self.clock.sleep(LIVES.rows + 5000 + self.back)
        while self.desk.expire(self.clock.now(), LIVES).more:
            pass
        with self.store._engine.connect() as connection:
            left = {
                table.name: connection.execute(select(func.count()).select_from(table)).scalar_one() for table in METADATA.sorted_tables
            }
        assert set(left.values()) == {0}, left


@settings(max_examples=often(25, 200), deadline=None)
@given(acts)
def test_nothing_is_lost_nothing_is_told_twice_and_everything_ends(sequence):
    with tempfile.TemporaryDirectory() as folder:
        house = House(folder)
        for act, value in sequence:
            house.do(act, value)
        house.whole()
        house.begin()
        house.whole()
        house.tell_all()
        house.each_was_told_once()
        house.everything_ends()
        house.store.close()
