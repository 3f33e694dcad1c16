"""Day and night, over both clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blickschutz.audit.io.log import METADATA, AuditLog
from blickschutz.audit.model import Event
from blickschutz.config.loader import load_site
from blickschutz.control.service.regime import RegimeKeeper
from blickschutz.regime.io.calendar import PlaceCalendar
from blickschutz.regime.model import Action, Mode, Override, Policy, Reason, RegimeHours, RegimeName, Span, Sun
from blickschutz.regime.rules import current_regime, week
from blickschutz.retention.model import Stamp
from blickschutz.situations.kinds import Kind
from blickschutz.storage.engine import open_engine
from blickschutz.vault.io.files import InstallationKey
from tests.conftest import ROOT
from tests.fakes.clock import ManualClock

pytestmark = pytest.mark.both_databases

BERLIN = ZoneInfo("Europe/Berlin")
HOURS = RegimeHours(time(6), time(20))


@pytest.mark.parametrize(
    ("now", "name", "until"),
    [
        (datetime(2026, 1, 20, 6, 0), RegimeName.DAY, datetime(2026, 1, 20, 20)),
        (datetime(2026, 1, 20, 5, 59), RegimeName.NIGHT, datetime(2026, 1, 20, 6)),
        (datetime(2026, 1, 20, 22, 14), RegimeName.NIGHT, datetime(2026, 1, 21, 6)),
        (datetime(2026, 3, 29, 1, 30), RegimeName.NIGHT, datetime(2026, 3, 29, 6)),
        (datetime(2026, 10, 25, 2, 30, fold=1), RegimeName.NIGHT, datetime(2026, 10, 25, 6)),
    ],
)
def test_regime_and_its_end(now, name, until):
    regime = current_regime(now.replace(tzinfo=BERLIN), HOURS)
    assert (regime.name, regime.until) == (name, until.replace(tzinfo=BERLIN))


@pytest.mark.files_alone  # draws, and asks no database
@given(st.integers(0, 366 * 24 * 60), st.times(), st.times())
def test_there_is_always_one_regime_and_a_next_change(minutes, day, night):
    if day.replace(microsecond=0) == night.replace(microsecond=0):
        return
    hours = RegimeHours(day.replace(microsecond=0, tzinfo=None), night.replace(microsecond=0, tzinfo=None))
    now = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)).astimezone(BERLIN)
    regime = current_regime(now, hours)
    assert timedelta(0) < regime.until.astimezone(UTC) - now.astimezone(UTC) <= timedelta(hours=50)
    after = current_regime(regime.until.astimezone(UTC).astimezone(BERLIN), hours)
    assert after.name is not regime.name


def test_a_moment_needs_a_zone():
    with pytest.raises(ValueError, match="time zone"):
        current_regime(datetime(2026, 1, 1), HOURS)


def berlin(*parts, fold=0):
    return datetime(*parts, tzinfo=BERLIN, fold=fold)


class TestDaysOfService:
    """Nobody is on duty on some weekdays and on public holidays: night lasts all day."""

    WORKDAYS = RegimeHours(time(6), time(20), frozenset(range(5)))
    CALENDAR = PlaceCalendar("RP", (49.443, 7.769), BERLIN)

    def test_a_weekend_is_night_until_monday(self):
        regime = current_regime(berlin(2026, 11, 21, 12), self.WORKDAYS, self.CALENDAR)
        assert (regime.name, regime.reason, regime.until) == (RegimeName.NIGHT, Reason.CLOSED_DAY, berlin(2026, 11, 23, 6))

    @pytest.mark.parametrize(
        ("day", "name"),
        [((2026, 10, 3), ""), ((2026, 6, 4), "Fronleichnam"), ((2026, 11, 1), ""), ((2026, 12, 25), "Weihnachtstag")],
    )
    def test_public_holidays_of_rheinland_pfalz(self, day, name):
        regime = current_regime(berlin(*day, 12), HOURS, self.CALENDAR)
        assert (regime.name, regime.reason) == (RegimeName.NIGHT, Reason.HOLIDAY)
        assert name in regime.holiday

    def test_a_holiday_elsewhere_is_a_day_like_any_other(self):
        assert current_regime(berlin(2026, 8, 15, 12), HOURS, self.CALENDAR).name is RegimeName.DAY
        assert current_regime(berlin(2026, 8, 15, 12), HOURS, PlaceCalendar("SL", None, BERLIN)).name is RegimeName.NIGHT

    def test_christmas_to_new_year_finds_the_next_day_of_service(self):
        regime = current_regime(berlin(2026, 12, 24, 21), self.WORKDAYS, self.CALENDAR)
        assert regime.until == berlin(2026, 12, 28, 6)

    def test_the_sun_decides_where_it_is_chosen(self):
        hours = RegimeHours(time(6), time(20), by_sun=True)
        winter, summer = (current_regime(berlin(2026, month, 21, 12), hours, self.CALENDAR) for month in (12, 6))
        assert winter.reason is Reason.SUN
        assert berlin(2026, 12, 21, 16) < winter.until < berlin(2026, 12, 21, 17)
        assert berlin(2026, 6, 21, 21) < summer.until < berlin(2026, 6, 21, 22)
        assert current_regime(berlin(2026, 12, 21, 7), hours, self.CALENDAR).name is RegimeName.NIGHT

    def test_no_service_at_all_says_when_it_looks_again(self):
        regime = current_regime(berlin(2026, 1, 1, 12), RegimeHours(time(6), time(20), frozenset()), self.CALENDAR)
        assert regime.name is RegimeName.NIGHT
        assert regime.until > berlin(2026, 1, 14)

    @pytest.mark.files_alone  # draws, and asks no database
    @given(st.integers(0, 370 * 24 * 60))
    def test_the_next_change_is_one(self, minutes):
        now = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)).astimezone(BERLIN)
        regime = current_regime(now, self.WORKDAYS, self.CALENDAR)
        after = current_regime(regime.until, self.WORKDAYS, self.CALENDAR)
        before = current_regime((regime.until.astimezone(UTC) - timedelta(seconds=1)).astimezone(BERLIN), self.WORKDAYS, self.CALENDAR)
        assert (after.name is not regime.name, before.name) == (True, regime.name)

    def test_a_day_over_the_clock_change_in_autumn(self):
        """Service from 01:30 to 03:30 on the day on which 02:30 comes twice."""
        hours = RegimeHours(time(1, 30), time(3, 30))
        both = [current_regime(berlin(2026, 10, 25, 2, 30, fold=fold), hours) for fold in (0, 1)]
        assert [regime.name for regime in both] == [RegimeName.DAY] * 2
        assert {regime.until.astimezone(UTC) for regime in both} == {datetime(2026, 10, 25, 2, 30, tzinfo=UTC)}

    def test_a_start_that_spring_skips_is_when_the_clock_resumes(self):
        hours = RegimeHours(time(2, 30), time(20))
        at = [current_regime(berlin(2027, 3, 28, 3, 0) + timedelta(minutes=minutes), hours).name for minutes in (0, 10)]
        assert at == [RegimeName.DAY] * 2
        assert current_regime(berlin(2027, 3, 28, 1, 59), hours).until.astimezone(UTC) == datetime(2027, 3, 28, 1, tzinfo=UTC)


class TestWeek:
    """The table that signs and documents are made from."""

    def test_days_of_service_and_holidays(self):
        found, span = week(RegimeHours(time(6), time(20), frozenset(range(5))), holidays=True), Span(time(6), time(20), False)
        assert found.days == (span,) * 5 + (None, None)
        assert found.holidays
        assert found.holiday is None

    @pytest.mark.parametrize(
        ("hours", "span"),
        [
            (RegimeHours(time(20), time(6)), Span(time(20), time(6), True)),
            (RegimeHours(time(6), time(0)), Span(time(6), time(0), True)),
            (RegimeHours(time(0), time(6)), Span(time(0), time(6), False)),
            (RegimeHours(time(6), time(20), by_sun=True), Span(Sun.RISE, Sun.SET, False)),
        ],
    )
    def test_over_midnight_and_by_the_sun(self, hours, span):
        assert set(week(hours, holidays=False).days) == {span}


class TestByHand:
    OVERRIDE = Override(RegimeName.NIGHT, datetime(2026, 1, 20, 14, tzinfo=BERLIN), "Baustelle", "Ada")

    def test_it_holds_until_its_end(self):
        regime = current_regime(berlin(2026, 1, 20, 13, 59), HOURS, override=self.OVERRIDE)
        assert (regime.name, regime.reason, regime.until) == (RegimeName.NIGHT, Reason.OVERRIDE, self.OVERRIDE.until)
        assert current_regime(berlin(2026, 1, 20, 14), HOURS, override=self.OVERRIDE).name is RegimeName.DAY

    def test_a_clock_that_jumps_over_the_end_ends_it(self):
        assert current_regime(berlin(2026, 3, 1, 12), HOURS, override=self.OVERRIDE).reason is Reason.HOURS


def test_what_follows_is_said_by_kind():
    policy = Policy(Action.NOTIFY, Mode.ANONYMOUS, {Kind.PERSON_IN_ZONE: Action.COUNT})
    assert policy.action(Kind.PERSON_IN_ZONE) is Action.COUNT
    assert policy.action(Kind.PERSON_DOWN) is Action.NOTIFY


class Count:
    """Of one epoch, which began at 0; it knows no other."""

    def __init__(self, seconds, epoch="one"):
        self.seconds, self.epoch = seconds, epoch

    def now(self):
        return self.seconds

    def stamp(self):
        return Stamp(self.epoch, self.seconds)

    def at(self, stamp):
        return stamp.at if stamp.epoch == self.epoch else None


class TestKeeper:
    """The regime of a running site; what was set by hand stands in the log."""

    SITE = load_site(ROOT / "examples/rathaus-kaiserslautern.toml")

    @pytest.fixture
    def log(self, tmp_path):
        engine, key = open_engine(tmp_path / "control.db", METADATA), InstallationKey(tmp_path / "installation.key")
        self.clock = ManualClock()
        yield AuditLog(engine, self.clock, key.sign, key.public)
        engine.dispose()

    def test_an_override_holds_over_a_restart_and_is_logged(self, log):
        keeper = RegimeKeeper(self.SITE, self.clock, log)
        other = RegimeName.NIGHT if keeper.current().name is RegimeName.DAY else RegimeName.DAY
        keeper.set_override(other, keeper.now() + timedelta(hours=2), "Baustelle", "ada")
        again = RegimeKeeper(self.SITE, self.clock, log)
        assert (again.current().name, again.current().reason) == (other, Reason.OVERRIDE)
        self.clock.sleep(2 * 3600 + 1)
        assert again.current().reason is not Reason.OVERRIDE
        assert RegimeKeeper(self.SITE, self.clock, log).override is None
        assert [(entry.event, entry.by, entry.reason) for entry in again.entries(9)] == [("set", "ada", "Baustelle")]

    def test_two_hours_are_two_hours_whatever_the_clock_does(self, log):
        count = Count(5000.0)
        keeper = RegimeKeeper(self.SITE, self.clock, log, count)
        other = RegimeName.NIGHT if keeper.current().name is RegimeName.DAY else RegimeName.DAY
        keeper.set_override(other, keeper.now() + timedelta(hours=2), "Baustelle", "ada")
        self.clock.sleep(4 * 86_400)  # the clock was behind, and is put right
        count.seconds += 60
        for one in (keeper, RegimeKeeper(self.SITE, self.clock, log, count)):
            assert one.current().reason is Reason.OVERRIDE
            assert one.override.until - one.now() == timedelta(hours=2, seconds=-60)
        count.seconds += 2 * 3600
        for one in (keeper, RegimeKeeper(self.SITE, self.clock, log, count)):
            assert one.current().reason is not Reason.OVERRIDE

    @pytest.mark.parametrize("seconds", [0.0, 1.83e9, -1.83e9])
    def test_another_count_knows_nothing_of_it_and_the_wall_clock_counts(self, log, seconds):
        keeper = RegimeKeeper(self.SITE, self.clock, log, Count(5000.0))
        keeper.set_override(RegimeName.NIGHT, keeper.now() + timedelta(hours=2), "Baustelle", "ada")
        # The file of the time was lost, or another one: its numbers say nothing of ours.
        again = RegimeKeeper(self.SITE, self.clock, log, Count(seconds, "other"))
        assert again.current().reason is Reason.OVERRIDE
        self.clock.sleep(2 * 3600 + 1)
        assert again.current().reason is not Reason.OVERRIDE

    def test_a_clock_that_was_ahead_for_a_while_ends_nothing_for_good(self, log):
        keeper = RegimeKeeper(self.SITE, self.clock, log)
        keeper.set_override(RegimeName.NIGHT, keeper.now() + timedelta(hours=2), "Baustelle", "ada")
        self.clock.time += 5 * 86_400
        assert keeper.override is None
        self.clock.time -= 5 * 86_400
        assert keeper.current().reason is Reason.OVERRIDE

    def test_what_an_earlier_release_wrote_ends_by_the_wall_clock(self, log):
        until = datetime.fromtimestamp(self.clock.now() + 3600, BERLIN).isoformat()
        log.write(Event.REGIME_SET, "ada", "night", {"until": until, "counted": 8.0, "reason": "x"})
        keeper = RegimeKeeper(self.SITE, self.clock, log, Count(7.0))
        assert keeper.current().reason is Reason.OVERRIDE
        self.clock.sleep(3601)
        assert keeper.current().reason is not Reason.OVERRIDE

    def test_it_is_ended_by_hand_once(self, log):
        keeper = RegimeKeeper(self.SITE, self.clock, log)
        keeper.set_override(RegimeName.NIGHT, keeper.now() + timedelta(hours=2), "x", "ada")
        keeper.end_override("bert")
        keeper.end_override("bert")
        again = RegimeKeeper(self.SITE, self.clock, log)
        assert [(entry.event, entry.by) for entry in again.entries(9)] == [("end", "bert"), ("set", "ada")]
        assert again.override is None
