"""Everything that is kept with an alert ends after its stated time, each kind by itself, and no byte of it is left."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from sqlalchemy import func, insert, select

from blickschutz.alerts.io.store import SqlAlertStore
from blickschutz.alerts.io.tables import METADATA, alerts, counts, digests, history, moments, outbox
from blickschutz.alerts.model import AlertState, By, Expired, Lives, Outcome
from blickschutz.alerts.rules import STALE_S
from blickschutz.alerts.service import AlertDesk, Sender
from blickschutz.config.lives import alert_lives
from blickschutz.config.loader import load_site
from blickschutz.situations.kinds import Kind, Situation
from blickschutz.storage.engine import open_engine, writing
from tests.conftest import ROOT
from tests.databases import is_kept
from tests.fakes.channels import Wire
from tests.fakes.clock import ManualClock

pytestmark = pytest.mark.both_databases

HOUR, DAY = 3600.0, 86_400.0
LIVES = Lives(clips=72 * HOUR, history=58 * DAY, made=58.5 * DAY, rows=400 * DAY, notices=14 * DAY)
ADA = By("Ada", "ada")
# A server packs what repeats itself, and then nobody finds it in its files.
SECRET = random.Random(22).randbytes(5600)


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
    return AlertDesk(store, clock, ["wire"])


def take(desk, number=1):
    return desk.take("gate", Situation(number, Kind.LOITERING, "all", 1.0, desk._clock.now(), 0.8), notify=True, run="a").id


def rows(store, table):
    with store._engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def enter_all(store):
    for one in store.owed(1000):
        store.entered(one.number)


class TestClips:
    @pytest.mark.parametrize("decisions", [0, 1, 2, 3])
    def test_they_end_keep_hours_after_the_alert_in_whatever_state(self, desk, store, clock, decisions):
        number = take(desk)
        desk.keep_seconds(number, SECRET)
        for decide in (
            lambda: desk.acknowledge(number, ADA),
            lambda: desk.act(number, ADA, "Streife"),
            lambda: desk.close(number, ADA, Outcome.NO_FINDING, ""),
        )[:decisions]:
            clock.sleep(20 * HOUR)
            assert decide()
        clock.sleep((72 - 20 * decisions) * HOUR - 1)
        assert desk.expire(clock.now(), LIVES).clips == 0
        assert store.clip(number) == SECRET
        clock.sleep(2)
        assert desk.expire(clock.now(), LIVES) == Expired(clips=1)
        assert (store.clip(number), store.get(number).has_clip) == (None, False)
        assert store.get(number).state is list(AlertState)[[0, 2, 3, 4][decisions]]

    def test_no_byte_is_left_in_any_file(self, desk, clock, tmp_path):
        for number in range(1, 46):
            desk.keep_seconds(take(desk, number), SECRET)
        assert is_kept(SECRET[:28], tmp_path)
        clock.sleep(72 * HOUR + 1)
        assert desk.expire(clock.now(), LIVES).clips == 45
        assert not is_kept(SECRET[:28], tmp_path)

    def test_while_somebody_reads_it_says_that_there_is_more_and_ends_it_later(self, desk, store, clock, tmp_path):
        desk.keep_seconds(take(desk), SECRET)
        clock.sleep(72 * HOUR + 1)
        with store._engine.connect() as reader:
            reader.execute(select(alerts)).all()
            assert desk.expire(clock.now(), LIVES) == Expired(clips=1, more=True)
        assert desk.expire(clock.now(), LIVES) == Expired()
        assert not is_kept(SECRET[:28], tmp_path)

    def test_what_a_crash_left_in_the_journal_goes_with_the_first_round_of_the_next_life(self, desk, store, clock, tmp_path):
        desk.keep_seconds(take(desk), SECRET)
        clock.sleep(72 * HOUR + 1)
        store.expire(clock.now(), LIVES)
        assert is_kept(SECRET[:28], tmp_path)
        AlertDesk(store, clock).expire(clock.now(), LIVES)
        assert not is_kept(SECRET[:28], tmp_path)

    def test_the_time_that_counts_is_that_which_the_caller_names_and_the_stamp_of_the_raise(self, store, clock):
        """Raised while the wall clock stood in 1970: the retention time of the raise counts, not the wall's."""
        retention = [1.7e9]
        desk = AlertDesk(store, clock, kept_from=lambda: retention[0])
        clock.time = -1.7e9
        number = take(desk)
        desk.keep_seconds(number, SECRET)
        clock.time = 5e8
        retention[0] += 10.0
        assert desk.expire(retention[0], LIVES) == Expired()
        assert desk.expire(retention[0] + 72 * HOUR, LIVES) == Expired(clips=1)


class TestHistory:
    def test_names_notes_and_acts_end_and_the_count_stays(self, desk, store, clock, tmp_path):
        number = take(desk)
        desk.acknowledge(number, By("Erika Mustermann", "erika"))
        desk.act(number, By("Erika Mustermann", "erika"), "Streife geschickt")
        desk.close(number, By("Erika Mustermann", "erika"), Outcome.FALSE_ALARM, "Nachbarin von Herrn Beispiel")
        enter_all(store)
        clock.sleep(58 * DAY - 1)
        assert desk.expire(clock.now(), LIVES).histories == 0
        clock.sleep(2)
        assert desk.expire(clock.now(), LIVES).histories == 4
        assert store.history(number) == []
        assert (store.get(number).note, store.get(number).outcome) == ("", Outcome.FALSE_ALARM)
        for word in (b"Erika", b"Streife", b"Beispiel"):
            assert not is_kept(word, tmp_path)

    def test_what_the_log_does_not_know_yet_stays_until_it_does(self, desk, store, clock):
        number = take(desk)
        desk.acknowledge(number, ADA)
        clock.sleep(500 * DAY)
        for _ in range(2):
            desk.expire(clock.now(), LIVES)
        assert [entry.event for entry in store.history(number)] == ["acknowledge"]
        enter_all(store)
        desk.expire(clock.now(), LIVES)
        assert store.get(number) is None

    def test_what_is_done_late_about_an_old_alert_has_its_own_time_within_two_months(self, desk, store, clock):
        number = take(desk)
        clock.sleep(58.2 * DAY)
        desk.close(number, ADA, Outcome.CONFIRMED, "spät")
        enter_all(store)
        desk.expire(clock.now(), LIVES)
        assert [entry.event for entry in store.history(number)] == ["close"]
        assert store.get(number).note == "spät"
        clock.sleep(0.4 * DAY)
        desk.expire(clock.now(), LIVES)
        assert (store.history(number), store.get(number).note) == ([], "")


class TestNotices:
    def test_told_and_set_aside_ones_end_and_waiting_ones_stay(self, desk, store, clock):
        for number in (1, 2, 3):
            take(desk, number)
        wire = Wire(down=False)
        told, aside, _ = store.outbox.due("wire", clock.now())
        store.outbox.sent(told, clock.now())
        with writing(store._engine) as connection:
            connection.execute(outbox.update().where(outbox.c.id == aside.number).values(set_aside=clock.now(), problem="why"))
        clock.sleep(14 * DAY - 1)
        assert desk.expire(clock.now(), LIVES).notices == 0
        clock.sleep(2)
        assert desk.expire(clock.now(), LIVES).notices == 2
        assert rows(store, outbox) == 1
        assert Sender(wire, store, clock).work() == 1
        # A number never comes again, though the row that had it is gone: it tells a doubled message.
        clock.sleep(15 * DAY)
        desk.expire(clock.now(), LIVES)
        assert rows(store, outbox) == 0
        take(desk, 4)
        assert [notice.number for notice in store.outbox.due("wire", clock.now())] == [4]

    def test_a_digest_ends_with_its_notices(self, desk, store, clock):
        for number in (1, 2):
            take(desk, number)
        clock.sleep(STALE_S + 1)
        assert Sender(Wire(down=False), store, clock).work() == 1
        assert rows(store, digests) == 1
        clock.sleep(14 * DAY + 1)
        assert desk.expire(clock.now(), LIVES).notices == 2
        assert rows(store, digests) == 0


class TestRows:
    def test_an_alert_ends_closed_or_not_with_all_that_is_of_it(self, desk, store, clock):
        closed, open_ = take(desk, 1), take(desk, 2)
        desk.close(closed, ADA, Outcome.NO_FINDING, "")
        enter_all(store)
        clock.sleep(200 * DAY)
        young = take(desk, 3)
        desk.keep_seconds(open_, SECRET)
        clock.sleep(200 * DAY + 1)
        ended = desk.expire(clock.now(), LIVES)
        assert (ended.alerts, ended.still_open) == (2, 1)
        assert [alert.id for alert in store.find()] == [young]
        assert {name: rows(store, table) for name, table in (("m", moments), ("h", history), ("o", outbox))} == {"m": 0, "h": 0, "o": 1}

    def test_what_was_only_counted_ends(self, desk, store, clock):
        desk.take("gate", Situation(1, Kind.LOITERING, "all", 1.0, clock.now(), 0.8), notify=False)
        clock.sleep(400 * DAY - 1)
        assert desk.expire(clock.now(), LIVES).counts == 0
        clock.sleep(2)
        assert desk.expire(clock.now(), LIVES).counts == 1
        assert rows(store, counts) == 0

    def test_years_at_once_end_in_portions_and_others_write_meanwhile(self, desk, store, clock):
        row = {"camera": "gate", "kind": "loitering", "zone": "z", "origin": "analysis", "state": "closed", "confidence": 0.9}
        old = [{**row, "figures": "{}", "box": "null", "taken": 1.0, "raised": 1.0} for _ in range(3000)]
        with writing(store._engine) as connection:
            connection.execute(insert(alerts), old)
        part = store.expire(clock.now(), LIVES)
        assert (part.alerts, part.more) == (500, True)
        take(desk)
        assert desk.expire(clock.now(), LIVES) == Expired(alerts=2500)
        assert rows(store, alerts) == 1


def test_a_row_that_cannot_be_read_ends_like_any_other(desk, store, clock):
    desk.keep_seconds(take(desk), SECRET)
    with writing(store._engine) as connection:
        connection.execute(alerts.update().values(kind="levitation", figures="{"))
    clock.sleep(401 * DAY)
    ended = desk.expire(clock.now(), LIVES)
    assert (ended.clips, ended.alerts) == (1, 1)


def test_the_lives_of_a_site_follow_its_settings_and_the_hard_limit():
    site = load_site(ROOT / "examples/rathaus-kaiserslautern.toml")
    made = 1414 * HOUR - 60.0
    assert alert_lives(site) == Lives(clips=72 * HOUR, history=58 * DAY, made=made, rows=400 * DAY, notices=14 * DAY)

    def lives(hard_limit, **settings):
        changed = site.model_copy(
            update={
                "alerts": site.alerts.model_copy(update=settings),
                "retention": site.retention.model_copy(update={"hard_limit_days": hard_limit}),
            }
        )
        return alert_lives(changed)

    assert lives(2, keep_hours=72).clips == 2 * DAY
    assert lives(60, history_days=58, rows_days=31).history == 31 * DAY
    assert lives(61, keep_hours=1415).clips == made
    assert replace(lives(60, notices_days=3), notices=0.0) == replace(alert_lives(site), notices=0.0)
