"""How long clips, and what is kept with alerts, live on a site: one place for the program, the pages and the deletion concept."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from blickschutz.alerts.model import Lives
from blickschutz.audit.lives import LogLife
from blickschutz.config.model import SiteFile
from blickschutz.kernel.periods import BEFORE_S, DONE_S, STORAGE_MONTHS, shortest_s
from blickschutz.retention.model import Limits

HOUR_S, DAY_S = 3600.0, 86_400.0


def limits_of(site: SiteFile) -> Limits:
    """The limits of clips."""
    kept = site.retention
    return Limits(kept.unreviewed_hours * HOUR_S, kept.hard_limit_days * DAY_S, zone=ZoneInfo(site.site.timezone))


def log_life(site: SiteFile) -> LogLife:
    """The limit of the log."""
    return LogLife(site.audit.keep_months, ZoneInfo(site.site.timezone))


def alert_lives(site: SiteFile) -> Lives:
    """From the site's settings. Nothing outlives its alert, redacted seconds not the hard limit for recordings, and what is made from
    footage no two calendar months, whichever two they are."""
    alerts = site.alerts
    rows, made = alerts.rows_days * DAY_S, shortest_s(STORAGE_MONTHS, ZoneInfo(site.site.timezone)) - BEFORE_S - DONE_S
    return Lives(
        clips=min(alerts.keep_hours * HOUR_S, site.retention.hard_limit_days * DAY_S, rows, made),
        history=min(alerts.history_days * DAY_S, rows, made),
        made=made,
        rows=rows,
        notices=alerts.notices_days * DAY_S,
    )
