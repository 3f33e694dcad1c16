"""What a host does that is cut off: it films what only it may film, and records by its last standing order, day and night."""

from __future__ import annotations

from datetime import datetime, time
from typing import ClassVar
from zoneinfo import ZoneInfo

import msgspec
import pytest

from blickschutz.hosts.io.alone import Alone
from blickschutz.hosts.rules.lease import FULL_S, LEASE_S, Capacity, Giver, Holder
from blickschutz.hosts.rules.placement import Need, place
from blickschutz.pipeline.channel import unpack_to_cell
from blickschutz.pipeline.messages import SetStanding, SituationTold
from blickschutz.recording.model import ClipMode, Keep, Order, Sealing
from blickschutz.regime.model import Action, Mode, Policy, RegimeHours, RegimeName, Service
from blickschutz.situations.kinds import Kind, Situation

ZONE = ZoneInfo("Europe/Berlin")
SEALING = Sealing("x", "", ())
SERVICE = Service(
    RegimeHours(time(7), time(19)),
    {
        RegimeName.DAY: Policy(Action.NOTIFY, Mode.ANONYMOUS, {Kind.PERSON_DOWN: Action.BOTH}),
        RegimeName.NIGHT: Policy(Action.RECORD, Mode.SEALED),
    },
)
STANDING = SetStanding(
    service=SERVICE,
    timezone=ZONE.key,
    holidays="",
    place=None,
    override=None,
    sealing=SEALING,
    keep=Keep(regular_s=1.0, hard_s=1.0, zone=ZONE.key),
)
NIGHT, DAY = (datetime(2027, 3, 3, hour, tzinfo=ZONE).timestamp() for hour in (23, 11))


class Wall:
    def __init__(self, now):
        self.time = now

    def now(self):
        return self.time


@pytest.fixture
def alone():
    made = Alone(Wall(NIGHT))
    # As it comes over the broker.
    made.standing = unpack_to_cell(msgspec.msgpack.encode(STANDING))
    return made


def told(number=1, kind=Kind.LOITERING, ended=None):
    return SituationTold(Situation(number, kind, "z", 5.0, 1.7e9, 0.9, ended_at=ended), number=number)


class TestOrders:
    def test_a_situation_at_night_is_recorded_though_nobody_orders_it(self, alone):
        found = alone.seen("r", told(), apart=True)
        (order,) = alone.take()
        assert (order.mode, order.cause, order.situation, order.sealing) == (ClipMode.SEALED, "loitering", 1, SEALING)
        assert order.number < 0, "none of the control room's"
        assert found.over, "so nobody orders it again afterwards"
        assert alone.take() == []

    def test_what_somebody_hears_is_theirs_to_order(self, alone):
        assert not alone.seen("r", told(), apart=False).over
        assert alone.take() == []

    def test_by_day_it_follows_the_day(self, alone):
        alone._clock.time = DAY
        assert alone.seen("r", told(), apart=True).over, "nobody records it afterwards either"
        assert alone.take() == []
        assert alone.seen("r", told(2, Kind.PERSON_DOWN), apart=True).over
        assert alone.take()[0].mode is ClipMode.ANONYMOUS

    def test_day_becomes_night_while_it_is_cut_off(self, alone):
        alone._clock.time = DAY
        alone.seen("r", told(1), apart=True)
        alone._clock.time = NIGHT
        alone.seen("r", told(2), apart=True)
        assert [one.situation for one in alone.take()] == [2]

    def test_what_was_told_just_before_the_cut_is_not_lost(self, alone):
        for number in (1, 2, 3):
            alone.seen("r", told(number), apart=False)
        assert alone.ordered(Order(number=8, mode=ClipMode.SEALED, cause="x", sealing=SEALING, situation=1))
        alone.seen("r", told(2, ended=9.0), apart=False)
        alone.cut()
        assert [one.situation for one in alone.take()] == [3], "one was ordered, one is over"
        alone.cut()
        assert alone.take() == []

    def test_an_order_for_what_was_recorded_here_comes_too_late(self, alone):
        alone.seen("r", told(), apart=True)
        late = Order(number=8, mode=ClipMode.SEALED, cause="x", sealing=SEALING, situation=1)
        assert alone.ordered(late), "it goes on: one clip is for both"
        alone.seen("r", told(ended=9.0), apart=True)
        assert not alone.ordered(late)
        assert alone.ordered(Order(number=9, mode=ClipMode.SEALED, cause="manual", sealing=SEALING)), "what people order is done"

    def test_another_life_of_the_cell_counts_anew(self, alone):
        alone.seen("r", told(), apart=True)
        assert alone.seen("s", told(), apart=True).over
        assert len(alone.take()) == 2

    def test_without_a_standing_order_or_anybody_to_seal_for_nothing_is_recorded(self, alone):
        alone.standing = msgspec.structs.replace(STANDING, sealing=None)
        assert alone.seen("r", told(), apart=True).over, "somebody is told instead"
        alone.standing = None
        alone.seen("r", told(2), apart=True)
        assert alone.take() == []


class TestLeaseWithoutEnd:
    """A camera that one host alone may film: it films on when it is cut off, and nobody else ever gets it."""

    NEEDS: ClassVar = {"a": Need(only="h"), "b": Need()}
    ALL: ClassVar = {name: Capacity(cores=4.0, memory_mb=8000.0) for name in ("h", "i")}

    def granted(self):
        giver, holder = Giver(0.0), Holder("r", self.ALL["h"])
        lease, _ = holder.renewal(0.0)
        giver.see({"h": (lease, 1)}, 10.0)
        (write,) = giver.writes({"a": "h", "b": "h"}, 10.0, ["a"])
        giver.wrote(write, 2)
        holder.see(write.lease, 2)
        lease, _ = holder.renewal(10.0)
        holder.written(lease, 3, 10.0)
        giver.see({"h": (lease, 3)}, 10.0)
        return giver, holder

    def test_the_host_films_on_and_no_other_gets_it(self):
        giver, holder = self.granted()
        later = 10.0 + 10 * FULL_S
        assert set(holder.films(10.0 + LEASE_S + 1)) == {"a"}, "the other one ends with its lease"
        assert set(holder.films(later)) == {"a"}
        assert holder.until_of("a", later) > later + 1e6
        assert holder.until_of("b", later) < later
        (write,) = giver.writes({"b": "i"}, later, ["a"])
        assert (set(write.lease.grants), set(write.lease.held)) == ({"a"}, {"a"})
        giver.wrote(write, 4)
        assert not giver.is_free("a", later + 100)
        assert giver.is_free("b", later + 100)
        assert giver.placed()["a"].host == "h"

    def test_it_is_taken_up_again_as_it_was_when_the_host_is_back(self):
        giver, holder = self.granted()
        token = holder.films(10.0)["a"]
        (write,) = giver.writes({}, 10.0 + 10 * FULL_S, ["a"])
        giver.wrote(write, 4)
        holder.connected(100.0)
        holder.see(write.lease, 4)
        assert holder.films(100.0) == {"a": token}
        lease, revision = holder.renewal(100.5)
        assert (lease.held, revision, lease.ever) == ({"a": token}, 4, ("a",))

    def test_another_setting_takes_it_away_once_the_host_hears_of_it(self):
        giver, holder = self.granted()
        (write,) = giver.writes({"a": "i", "b": "h"}, 10.5)
        assert "a" not in write.lease.grants
        holder.see(write.lease, 4)
        assert "a" not in holder.films(11.0)

    def test_nobody_else_is_asked_to_film_it(self):
        assert place(self.NEEDS, self.ALL, {})["a"] == "h"
        assert "a" not in place(self.NEEDS, {"i": self.ALL["i"]}, {})
