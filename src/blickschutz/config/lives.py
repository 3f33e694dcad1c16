"""How long what is kept with alerts lives on a site: one place for the program, the pages and the deletion concept."""

from __future__ import annotations

from blickschutz.alerts.model import Lives
from blickschutz.config.model import SiteFile

HOUR_S, DAY_S = 3600.0, 86_400.0


def alert_lives(site: SiteFile) -> Lives:
    """From the site's settings. Nothing outlives its alert, and redacted seconds not the hard limit for recordings."""
    alerts = site.alerts
    rows = alerts.rows_days * DAY_S
    return Lives(
        clips=min(alerts.keep_hours * HOUR_S, site.retention.hard_limit_days * DAY_S, rows),
        history=min(alerts.history_days * DAY_S, rows),
        rows=rows,
        notices=alerts.notices_days * DAY_S,
    )
