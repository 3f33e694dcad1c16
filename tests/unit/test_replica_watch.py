"""Copies of the database server: what is expected of them, when one is missed, for how long one is behind, and when somebody is told."""

from __future__ import annotations

import pytest

from blickschutz.control.replicas import BEHIND_S
from blickschutz.control.service.replicas import LOOKS, ReplicaWatch
from blickschutz.guard.model import Change
from blickschutz.kernel.errors import StoreUnreachableError
from blickschutz.storage.replicas import Replica, Replication, awaited_names
from tests.fakes.clock import ManualClock

EVERY_S = 5.0


@pytest.mark.parametrize(
    ("setting", "names"),
    [
        ("", ()),
        ("*", ()),
        ("zwei", ("zwei",)),
        ("zwei, Drei", ("zwei", "drei")),
        ("FIRST 1 (zwei)", ("zwei",)),
        ('any 2 (zwei, "drei, vier" ,fünf)', ("zwei", "drei, vier", "fünf")),
        ("1 (zwei,*)", ("zwei",)),
    ],
)
def test_names_that_are_waited_for(setting, names):
    assert awaited_names(setting) == names


class Seen:
    """A watch over what a server says; `look` after the usual time."""

    def __init__(self):
        self.clock, self.said, self.told = ManualClock(), Replication(0, False), []
        self.watch = ReplicaWatch(self.answer, self.clock)
        self.watch.trouble.listen(self.told.append)

    def answer(self):
        if isinstance(self.said, Exception):
            raise self.said
        return self.said

    def look(self, said, times=1):
        for _ in range(times):
            self.clock.sleep(EVERY_S)
            self.said = said
            self.watch.look()
        return self.watch.state


def at(position, replayed=None, *, awaits=True, there=True, stored=None):
    one = Replica("zwei", there, awaits, stored or replayed, replayed) if there else Replica("zwei", False, awaits, kept=500)
    return Replication(position, awaits, (one,))


@pytest.fixture
def seen():
    return Seen()


def test_a_server_without_copies_is_no_concern(seen):
    state = seen.look(Replication(1000, False), LOOKS + 1)
    assert (state.expected, state.wrong, seen.told) == (False, "", [])


def test_files_have_no_copies(seen):
    seen.said = None
    seen.watch.look()
    assert seen.watch.state is None


def test_one_that_follows_closely_is_never_behind(seen):
    for step in range(100):
        # At the moment of the look it lacks the last bytes, and had all of those of the look before.
        (one,) = seen.look(at(1000 + 100 * step, 990 + 100 * step)).replicas
        assert (one.behind_s, one.unstored) == (0.0, 10)
    assert seen.told == []


def test_for_how_long_one_is_behind_counts_from_what_it_first_lacked(seen):
    seen.look(at(1000, 1000))
    seen.look(at(1100, 1000))
    for number in range(1, 20):
        (one,) = seen.look(at(1100 + number, 1000, stored=1100)).replicas
        assert one.behind_s == number * EVERY_S
        assert one.is_behind == (number * EVERY_S > BEHIND_S)
    assert one.unstored == 19
    assert [(told.change, told.failures) for told in seen.told] == [(Change.FAILING, LOOKS)]
    (one,) = seen.look(at(1119, 1110)).replicas
    # 1110 was reached at the tenth of them.
    assert one.behind_s == 9 * EVERY_S
    assert seen.look(at(1119, 1119)).wrong == ""
    assert [told.change for told in seen.told] == [Change.FAILING, Change.RECOVERED]


def test_one_that_is_gone_is_told_after_some_looks_and_once(seen):
    seen.look(at(1000, 1000))
    gone_at = seen.clock.now() + EVERY_S
    for number in range(1, 10):
        (one,) = seen.look(at(1000, there=False)).replicas
        assert (one.there, one.since, one.unstored) == (False, gone_at, 500)
        assert len(seen.told) == (number >= LOOKS)
    assert seen.told[0].error == "zwei is not connected"
    seen.look(at(1000, 1000))
    assert [told.change for told in seen.told] == [Change.FAILING, Change.RECOVERED]
    seen.look(at(1000, there=False))
    assert seen.watch.state.replicas[0].since > gone_at


def test_one_that_nothing_names_any_more_is_missed_for_a_day(seen):
    seen.look(at(1000, 1000, awaits=False))
    assert not seen.look(Replication(1000, False)).replicas[0].there
    seen.clock.sleep(86_400)
    assert seen.look(Replication(1000, False)).replicas == []


def test_what_is_not_waited_for_and_what_nobody_may_see_is_wrong(seen):
    assert "no commit waits" in seen.look(at(1000, 1000, awaits=False)).wrong
    assert "may not see" in seen.look(Replication(1000, True, (), "the owner may not see")).wrong
    assert seen.look(Replication(1000, True)).nobody is False, "one that was there before has a name"
    assert Seen().look(Replication(1000, True)).nobody


def test_a_server_that_does_not_answer_leaves_nothing_known_and_counts_for_nothing(seen):
    seen.look(at(1000, there=False), LOOKS - 1)
    with pytest.raises(StoreUnreachableError):
        seen.look(StoreUnreachableError("gone"))
    assert seen.watch.state is None
    assert seen.told == []
