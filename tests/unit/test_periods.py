"""Legal periods, and each kind of data destroyed at its legal limit on every day of two years."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from blickschutz.alerts.io.store import SqlAlertStore
from blickschutz.alerts.io.tables import METADATA, alerts, counts, history, moments, outbox
from blickschutz.config.hours import holidays_of
from blickschutz.config.lives import alert_lives, limits_of
from blickschutz.kernel.periods import BEFORE_S, STORAGE_LEAST_HOURS, add_months, end_of_months, gone_by, moved_on, shortest_s
from blickschutz.retention.model import Kept, Limits, Reading
from blickschutz.retention.rules import deadline, judge
from blickschutz.rights.model import Outcome, Request, RequestAnswer, RequestState, Right
from blickschutz.rights.rules import to_be_erased
from blickschutz.storage.engine import open_engine, writing
from tests.conftest import often
from tests.databases import on_a_server
from tests.unit.test_policy import SITE

pytestmark = pytest.mark.both_databases

BERLIN, HOUR, DAY = ZoneInfo("Europe/Berlin"), 3600.0, 86_400.0
YEARS = [date(2027, 1, 1) + timedelta(days=offset) for offset in range(365 + 366)]
# Every day in `make test-long`; what goes through the store takes some of them else.
STORED = YEARS[:: often(10, 1)]
CLOCKS = [(0, 0, 1), (2, 30, 0), (12, 0, 0), (23, 59, 59)]


def at(day: date, hour: int = 0, minute: int = 0, second: int = 0) -> float:
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=BERLIN).timestamp()


def _alert(number: int, when: float) -> dict[str, object]:
    texts = {"camera": "gate", "kind": "loitering", "zone": "all", "origin": "analysis", "figures": "{}", "box": "null"}
    return {"id": number, "state": "raised", "taken": when, "raised": when, "confidence": 0.8, "has_clip": True, "kept_from": when, **texts}


def _entry(number: int, when: float) -> dict[str, object]:
    return {"alert": number, "at": when, "event": "acted", "by": "Ada", "text": "eine Notiz über jemanden"}


def _request(answered: date) -> Request:
    answer = RequestAnswer(Outcome.GRANTED, "", ("ada", "bert"), answered)
    return Request(1, RequestState.ANSWERED, answered, (Right.ACCESS,), "Name", "Platz 1", "de", "ada", 0.0, answer=answer)


def legal_end(captured: float) -> float:
    """By hand: the first midnight after the day two months on, or after that month's last day."""
    day = datetime.fromtimestamp(captured, BERLIN).date()
    year, month = (day.year, day.month + 2) if day.month <= 10 else (day.year + 1, day.month - 10)
    first_of_next = date(year + month // 12, month % 12 + 1, 1)
    last = min(day.day, (first_of_next - timedelta(days=1)).day)
    return at(date(year, month, last) + timedelta(days=1))


@pytest.mark.parametrize(
    ("begins", "months", "ends"),
    [
        (date(2026, 12, 31), 2, date(2027, 2, 28)),
        (date(2027, 12, 31), 2, date(2028, 2, 29)),
        (date(2026, 12, 30), 2, date(2027, 2, 28)),
        (date(2027, 1, 31), 1, date(2027, 2, 28)),
        (date(2027, 2, 28), 2, date(2027, 4, 28)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
    ],
)
def test_a_period_of_months_ends_on_the_day_of_the_same_number_or_the_last(begins, months, ends):
    assert add_months(begins, months) == ends


@pytest.mark.parametrize(
    ("last", "ends"),
    [
        (date(2026, 12, 18), date(2026, 12, 18)),
        (date(2026, 12, 19), date(2026, 12, 21)),
        (date(2026, 12, 25), date(2026, 12, 28)),
        (date(2027, 3, 26), date(2027, 3, 30)),
        (date(2027, 5, 27), date(2027, 5, 28)),
    ],
)
def test_a_period_for_an_act_ends_on_a_working_day(last, ends):
    """Good Friday to Easter Monday 2027, Corpus Christi in Rhineland-Palatinate."""
    assert moved_on(last, holidays_of("RP")) == ends
    assert moved_on(date(2027, 5, 27)) == date(2027, 5, 27), "whose holidays nobody knows"


def test_two_months_from_new_years_eve_are_over_when_february_is():
    assert end_of_months(at(date(2026, 12, 31), 23, 59, 59), 2, BERLIN) == at(date(2027, 3, 1))
    assert end_of_months(at(date(2026, 12, 31)), 2, BERLIN) - at(date(2026, 12, 31)) < 60 * DAY + 1


def test_the_shortest_two_months_bound_what_a_site_may_keep():
    assert shortest_s(2, BERLIN) == STORAGE_LEAST_HOURS * HOUR
    assert all(end_of_months(at(day, *clock), 2, BERLIN) == legal_end(at(day, *clock)) for day in YEARS for clock in CLOCKS)
    assert min(legal_end(at(day, 23, 59, 59)) - at(day, 23, 59, 59) for day in YEARS) > STORAGE_LEAST_HOURS * HOUR
    # One hour more, and something kept since the evening of 31 January outlasts its two months.
    evening = at(date(2027, 1, 31), 23, 30)
    assert evening + (STORAGE_LEAST_HOURS + 1) * HOUR > legal_end(evening)


@pytest.mark.parametrize("days", [60, 61])
def test_every_clip_ends_within_two_months_of_its_capture(days):
    """With no regular limit before it, so that the hard one alone is looked at."""
    limits = Limits(days * DAY, days * DAY, zone=BERLIN)
    shorter = 0
    for day in YEARS:
        for clock in CLOCKS:
            opened = at(day, *clock)
            end, law = deadline(Kept("c", opened), limits).at, legal_end(opened - BEFORE_S)
            assert end <= law - HOUR
            assert end > opened + 57 * DAY
            shorter += end < opened + days * DAY
            due, _ = judge([Kept("c", opened)], limits, Reading(end, False))
            assert [one.clip for one in due] == ["c"]
            assert judge([Kept("c", opened)], limits, Reading(end - 1, False))[0] == []
    assert shorter > 60


def test_a_hold_of_two_people_may_last_longer_and_nothing_else():
    opened = at(date(2027, 12, 31))
    assert deadline(Kept("c", opened, held_until=opened + 90 * DAY), Limits(DAY, 61 * DAY, zone=BERLIN)).at == opened + 90 * DAY
    assert gone_by(opened, BERLIN) < legal_end(opened)


def test_seconds_and_notes_of_every_alert_are_gone_within_two_months(tmp_path):
    """The longest settings that a site file may have; an alert each day, a minute before midnight, with an entry weeks later."""
    settings = SITE.alerts.model_copy(update={"keep_hours": STORAGE_LEAST_HOURS, "history_days": 58, "rows_days": 800})
    kept = SITE.retention.model_copy(update={"hard_limit_days": 61})
    lives = alert_lives(SITE.model_copy(update={"alerts": settings, "retention": kept}))
    store = SqlAlertStore(open_engine(tmp_path / "alerts.db", METADATA))
    try:
        raised = {number: at(day, 23, 59) for number, day in enumerate(STORED, 1)}
        with writing(store.engine) as connection:
            connection.execute(alerts.insert(), [_alert(number, when) for number, when in raised.items()])
            connection.execute(moments.insert(), [{"alert": number, "data": b"x"} for number in raised])
            connection.execute(history.insert(), [_entry(number, when + 40 * DAY) for number, when in raised.items()])
        ends = {number: legal_end(when - BEFORE_S) for number, when in raised.items()}
        left = set(raised)
        for end in sorted(set(ends.values())):
            while store.expire(end - HOUR, lives).more:
                pass
            left -= {number for number in left if ends[number] <= end}
            with store.engine.connect() as connection:
                for table, column in ((moments, moments.c.alert), (history, history.c.alert)):
                    there = set(connection.execute(table.select().with_only_columns(column)).scalars())
                    assert there <= left, table.name
    finally:
        store.close()


def test_a_clip_that_nobody_reviewed_and_one_that_two_people_held_end_at_their_moment():
    """Also over the turns of summer time, where 72 hours are not three days of the clock."""
    limits = limits_of(SITE)
    for day in YEARS:
        opened = at(day, 2, 30)
        unreviewed, held = Kept("c", opened), Kept("h", opened, held_until=opened + 40 * DAY)
        for kept, end in ((unreviewed, opened + SITE.retention.unreviewed_hours * HOUR), (held, opened + 40 * DAY)):
            assert deadline(kept, limits).at == end
            assert [one.clip for one in judge([kept], limits, Reading(end, False))[0]] == [kept.clip]
            assert judge([kept], limits, Reading(end - 1, False))[0] == []


def test_rows_counts_and_notices_are_gone_at_the_limit_of_the_site_and_none_before(tmp_path):
    """An alert, a counted event and a notice of each day; asked a second before and a second after the limit of each."""
    lives = alert_lives(SITE)
    store = SqlAlertStore(open_engine(tmp_path / "alerts.db", METADATA))
    kinds = {alerts: lives.rows, counts: lives.rows, outbox: lives.notices}
    try:
        # The calendar is the same on each system; on a server, whose every round is several answers, a seventh of the days is looked at.
        days = STORED if on_a_server() is None else STORED[::7]
        made = {number: at(day, 2, 30) for number, day in enumerate(days, 1)}
        notice = {"channel": "mail", "event": "raised", "next_at": 0.0}
        with writing(store.engine) as connection:
            connection.execute(alerts.insert(), [_alert(number, when) for number, when in made.items()])
            counted = [{"id": number, "camera": "gate", "kind": "loitering", "at": when} for number, when in made.items()]
            connection.execute(counts.insert(), counted)
            told = [{"id": number, "alert": number, "sent": when, **notice} for number, when in made.items()]
            connection.execute(outbox.insert(), told)
        for now in sorted({when + life + late for when in made.values() for life in set(kinds.values()) for late in (-1, 1)}):
            while store.expire(now, lives).more:
                pass
            with store.engine.connect() as connection:
                for table, life in kinds.items():
                    there = set(connection.execute(table.select().with_only_columns(table.c.id)).scalars())
                    assert there == {number for number, when in made.items() if when + life >= now}, (table.name, now)
    finally:
        store.close()


def test_a_request_is_erased_on_the_day_after_its_three_years():
    for day in YEARS:
        request = _request(day)
        last = add_months(day, 36)
        assert not to_be_erased(request, last)
        assert to_be_erased(request, last + timedelta(days=1))


def test_the_example_has_the_limits_of_its_place():
    assert limits_of(SITE).zone == BERLIN
    assert limits_of(SITE).hard_s == 60 * DAY
