"""Alerts as templates see them."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from blickschutz.alerts.model import Alert
from blickschutz.kernel.situation import explanation, name
from blickschutz.web.pages import Pages

# Beside the wall as many as somebody can take in, and fewer that move: each playing recording costs the browser a decoder.
_SHOWN = 12
_PLAYING = 4


def open_queue(pages: Pages, request: Request) -> dict[str, Any]:
    """The most pressing open alerts as the queue beside the wall shows them, and how many more are open."""
    alerts = pages.room.alerts.open_alerts()
    return {"queue": views(pages, request, alerts[:_SHOWN]), "more": max(0, len(alerts) - _SHOWN), "playing": _PLAYING}


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
