"""Alerts as templates see them."""

from __future__ import annotations

from typing import Any

import structlog
from fastapi import Request

from blickschutz.alerts.model import Alert, By, Place, Priorities
from blickschutz.alerts.rules import WAITING, weight
from blickschutz.kernel.situation import explanation, name
from blickschutz.web.allowed import member_of
from blickschutz.web.pages import Pages

_log = structlog.get_logger(__name__)

# Beside the wall as many as somebody can take in, and fewer that move: each playing recording costs the browser a decoder.
_SHOWN = 12
_PLAYING = 4
# Where more are open the last places belong to the newest: what begins now must be seen, however much is overdue.
_NEWEST = 4
# Within what a database holds.
_LONGEST_PLACE = 16


def open_queue(pages: Pages, request: Request) -> dict[str, Any]:
    """The most pressing open alerts as the queue beside the wall shows them, and how many more are open."""
    desk = pages.room.alerts
    found, count = desk.open_alerts(most=_SHOWN), desk.store.open_count()
    if count > _SHOWN:
        first = found[: _SHOWN - _NEWEST]
        known = {alert.id for alert in first}
        newest = [alert for alert in desk.store.find(states=sorted(WAITING), most=_NEWEST) if alert.id not in known]
        rest = [alert for alert in found if alert not in first and alert not in newest]
        found = first + rest[: _NEWEST - len(newest)] + sorted(newest, key=lambda alert: alert.id)
    shown = {"queue": views(pages, request, found), "more": max(0, count - len(found)), "playing": _PLAYING}
    return {**shown, "alarming": {camera: priority.value for camera, priority in desk.alarming().items()}}


def place_of(alert: Alert, priorities: Priorities) -> str:
    """The place of an open alert in the queue, as it stands in an address."""
    return f"{weight(alert.state, priorities.of(alert.kind, alert.zone))}-{alert.id}"


def place_from(text: str) -> Place | None:
    """The place that an address names; None where it names none."""
    first, _, number = text.partition("-")
    known = text.isascii() and first.isdigit() and number.isdigit() and len(text) <= _LONGEST_PLACE
    return Place(int(first), int(number)) if known else None


def by_whom(request: Request) -> By:
    """Who sits at this desk, for a decision."""
    member = member_of(request)
    return By(member.name, member.id)


def enter(pages: Pages) -> None:
    """Have what was decided entered in the log of the site. The decision stands: whoever decided does not wait for that."""
    pages.room.later(lambda: _enter(pages))


def _enter(pages: Pages) -> None:
    try:
        pages.room.alerts.enter_owed(pages.room.office.log)
    except Exception:  # noqa: BLE001 - the decision and what the log is owed are on disk; the housekeeping enters it
        _log.exception("decision_not_entered_yet")


def views(pages: Pages, request: Request, alerts: list[Alert]) -> list[dict[str, Any]]:
    """Alerts as templates see them."""
    language = pages.language(request)
    return [
        {
            "own": alert,
            "name": name(alert.kind, language),
            "camera": pages.camera_name(alert.camera),
            "priority": pages.room.alerts.priorities.of(alert.kind, alert.zone).value,
            "line": explanation(alert.kind, alert.figures, language),
            "taken": pages.moment(alert.taken),
        }
        for alert in alerts
    ]
