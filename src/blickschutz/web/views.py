"""Alerts as templates see them."""

from __future__ import annotations

from typing import Any

import structlog
from fastapi import Request

from blickschutz.alerts.model import Alert, AlertState, By, Mark, Place, Priorities
from blickschutz.alerts.rules import WAITING, weight
from blickschutz.situations.kinds import explanation, name
from blickschutz.web.pages import Pages
from blickschutz.web.sessions import member_of

_log = structlog.get_logger(__name__)

# Beside the wall as many rows as somebody can take in, and fewer that move: each playing recording costs the browser a decoder.
_SHOWN = 12
_PLAYING = 4
# Where more are open the last places belong to the newest: what begins now must be seen, however much is overdue. In a storm all that
# comes is new, and all places belong to need.
_NEWEST = 4
# Within what a database holds.
_LONGEST_PLACE = 16


def open_queue(pages: Pages, request: Request) -> dict[str, Any]:
    """The most pressing open alerts as the queue beside the wall shows them, and how many more are open."""
    desk = pages.room.alerts
    rows, storm = desk.rows(), desk.storm()
    chosen = rows[:_SHOWN] if storm is not None else _with_newest(rows)
    known = {alert.id: alert for alert in desk.store.some([mark.id for row in chosen for mark in row])}
    found = [[known[mark.id] for mark in row if mark.id in known] for row in chosen]
    return {
        "queue": [queue_row(views(pages, request, row)) for row in found if row],
        "more": sum(map(len, rows)) - len(known),
        "storm": storm,
        "waiting": sum(mark.state in WAITING for row in rows for mark in row),
        "playing": _PLAYING,
        "alarming": {camera: priority.value for camera, priority in desk.alarming().items()},
    }


def _with_newest(rows: list[list[Mark]]) -> list[list[Mark]]:
    """The rows that are shown: the most pressing, and where there are more the newest that wait in the last places."""
    if len(rows) <= _SHOWN:
        return rows
    first, others = rows[: _SHOWN - _NEWEST], rows[_SHOWN - _NEWEST :]
    waiting = sorted((row for row in others if row[0].state in WAITING), key=lambda row: row[-1].id)
    newest = waiting[-_NEWEST:]
    rest = [row for row in others if row not in newest]
    return first + rest[: _NEWEST - len(newest)] + newest


def queue_row(alerts: list[dict[str, Any]]) -> dict[str, Any]:
    """One row of the queue: the alert that leads it as templates see it, all that stand in it, and the worst state among them."""
    states = [one["own"].state for one in alerts]
    state = AlertState.ESCALATED if AlertState.ESCALATED in states else states[0]
    return {**alerts[0], "state": state.value, "alerts": alerts, "others": [one["own"].id for one in alerts[1:]]}


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
