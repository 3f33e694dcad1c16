"""Day and night, over both clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blickschutz.regime.model import RegimeHours, RegimeName
from blickschutz.regime.rules import current_regime

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
