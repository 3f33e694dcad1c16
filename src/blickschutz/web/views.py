"""Alerts as templates see them."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from blickschutz.alerts.model import Alert
from blickschutz.kernel.situation import explanation, name
from blickschutz.web.pages import Pages


def views(pages: Pages, request: Request, alerts: list[Alert]) -> list[dict[str, Any]]:
    """Alerts as templates see them."""
    language = pages.language(request)
    return [
        {
            "own": alert,
            "name": name(alert.kind, language),
            "camera": pages.camera_name(alert.camera),
            "line": explanation(alert.kind, alert.figures, language),
            "taken": pages.moment(alert.taken),
        }
        for alert in alerts
    ]
