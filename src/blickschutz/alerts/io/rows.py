"""Rows of the alerts' tables as what they mean, and the writes that several transactions share."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, case
from sqlalchemy.engine import Row

from blickschutz.alerts.io.tables import alerts, history, outbox
from blickschutz.alerts.model import (
    PRIORITY_OF_KINDS,
    RANKS,
    Alert,
    AlertState,
    HistoryEntry,
    Mark,
    Origin,
    Outcome,
    Owed,
    Priorities,
    Priority,
)
from blickschutz.alerts.rules import OPEN, SEEN_TO, WAITING
from blickschutz.kernel.geometry import Box
from blickschutz.situations.kinds import Kind

OPEN_STATES = sorted(state.value for state in OPEN)
WAITING_STATES = sorted(state.value for state in WAITING)


def row_weight(priorities: Priorities) -> ColumnElement[int]:
    """The weight (`rules.weight`) of a row in the queue of open alerts."""
    # What names a zone is asked before what holds everywhere.
    named = sorted(priorities.named.items(), key=lambda one: not one[0][1])
    own = [
        ((alerts.c.kind == kind.value) & (alerts.c.zone == zone) if zone else alerts.c.kind == kind.value, RANKS[priority])
        for (kind, zone), priority in named
    ]
    usual = [(alerts.c.kind == kind.value, RANKS[priority]) for kind, priority in PRIORITY_OF_KINDS.items()]
    rank = case(*own, *usual, else_=RANKS[Priority.MEDIUM])
    return case((alerts.c.state.in_(WAITING_STATES), rank), else_=rank + SEEN_TO)


def add_entries(connection: Connection, numbers: Sequence[int], entry: HistoryEntry) -> None:
    """The same entry in the history of each of these alerts."""
    owed = json.dumps({"member": entry.owed.member, "facts": dict(entry.owed.facts)}) if entry.owed is not None else None
    values = {"at": entry.at, "event": entry.event, "by": entry.by, "text": entry.text, "owed": owed}
    if numbers:
        connection.execute(history.insert(), [{"alert": number, **values} for number in numbers])


def add_notices(connection: Connection, numbers: Sequence[int], channels: Sequence[str], entry: HistoryEntry) -> None:
    """Tell each of the channels of each of these alerts."""
    values = {"event": entry.event, "next_at": 0.0, "queued": entry.at}
    rows = [{"alert": number, "channel": channel, **values} for number in numbers for channel in channels]
    if rows:
        connection.execute(outbox.insert(), rows)


def owed_of(text: str) -> Owed:
    """What the log is owed, from its column."""
    read = json.loads(text)
    return Owed(read["member"], read["facts"])


def alert_of(row: Row[Any]) -> Alert:
    """An alert from a row that has all of its columns."""
    box = json.loads(row.box)
    return Alert(
        row.id,
        row.camera,
        Kind(row.kind),
        row.zone,
        Origin(row.origin),
        AlertState(row.state),
        row.taken,
        row.raised,
        row.confidence,
        json.loads(row.figures),
        Box(*box) if box else None,
        row.ended,
        Outcome(row.outcome) if row.outcome else None,
        row.note,
        row.has_clip,
        row.record_ordered,
        row.run,
        row.situation,
        row.kept_from,
    )


def mark_of(row: Row[Any]) -> Mark:
    """The place of an open alert from its columns."""
    return Mark(row.id, row.camera, Kind(row.kind), row.zone, AlertState(row.state), row.raised)
