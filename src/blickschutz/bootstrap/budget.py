"""Builds the alarm budget of a site."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from blickschutz.bootstrap.records import Records
from blickschutz.budget.service import BudgetDesk
from blickschutz.config.budgets import budget_settings
from blickschutz.config.model import SiteFile
from blickschutz.control.service.regime import RegimeKeeper
from blickschutz.kernel.clock import Clock
from blickschutz.regime.model import RegimeName


def make_budget(site: SiteFile, records: Records, regime: RegimeKeeper, clock: Clock) -> BudgetDesk:
    """The hour of the day is that of the time for deadlines: a wall clock that jumped is not asked for it."""
    curves, time, zone = records.inspected.curves, records.archive.time, ZoneInfo(site.site.timezone)
    last = f"{RegimeName.DAY.value} 12"

    def cell() -> str:
        nonlocal last
        try:
            hour = datetime.fromtimestamp(time.wall_of(time.now()), zone).hour
            last = f"{regime.current().name.value} {hour}"
        except (ValueError, OverflowError, OSError):
            # A clock beyond every calendar: what comes meanwhile counts with the hour before it.
            return last
        return last

    return BudgetDesk(budget_settings(site, curves.evidence), records.budget, curves.recalls(), clock, cell)
