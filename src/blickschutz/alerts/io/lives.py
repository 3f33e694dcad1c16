"""Ends what is kept with alerts when its time is up: redacted seconds, histories, notices, alerts, counted situations.

What is deleted is overwritten in the file (`secure_delete`), and goes from the database's journal when that is emptied.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, Table, and_, delete, exists, func, or_, select, update

from blickschutz.alerts.io.rows import OPEN_STATES
from blickschutz.alerts.io.tables import alerts, counts, digests, history, moments, old_clips, outbox
from blickschutz.alerts.model import Expired, Lives
from blickschutz.storage.engine import writing

# Redacted seconds are megabytes each, rows are small: nobody who wants to write waits long for one portion.
_CLIPS, _ROWS = 20, 500


def _kept_since(before: float) -> ColumnElement[bool]:
    """Alerts that have been kept since before that moment: by the retention time at which they were raised, where it is known."""
    # Two conditions for two indexes: every few seconds it is asked of years of alerts.
    return or_(alerts.c.kept_from < before, and_(alerts.c.kept_from.is_(None), alerts.c.raised < before))


def expire_some(engine: Engine, now: float, lives: Lives) -> Expired:
    """One portion of everything whose time is up. Each kind is a transaction of its own; where there is nothing none is begun."""
    clips = _clips(engine, now - lives.clips)
    histories = _histories(engine, now - lives.history, now - lives.made)
    notices = _notices(engine, now - lives.notices)
    rows, still_open = _alerts(engine, now - lives.rows)
    counted = _delete(engine, counts, select(counts.c.id).where(counts.c.at < now - lives.rows))
    more = clips >= _CLIPS or max(histories, notices, rows, counted) >= _ROWS
    return Expired(clips, histories, notices, rows, still_open, counted, more)


def drop_clips(connection: Connection, numbers: Sequence[int]) -> None:
    """Delete the redacted seconds of these alerts."""
    for table in (moments, old_clips):
        connection.execute(delete(table).where(table.c.alert.in_(numbers)))
    connection.execute(update(alerts).where(alerts.c.id.in_(numbers)).values(has_clip=False))


def _some(engine: Engine, query: Select[Any], most: int) -> list[int]:
    with engine.connect() as connection:
        return list(connection.execute(query.limit(most)).scalars())


def _clips(engine: Engine, before: float) -> int:
    old = select(alerts.c.id).where(_kept_since(before))
    there = or_(alerts.c.id.in_(select(moments.c.alert)), alerts.c.id.in_(select(old_clips.c.alert)))
    numbers = _some(engine, old.where(there), _CLIPS)
    if numbers:
        with writing(engine) as connection:
            drop_clips(connection, numbers)
    return len(numbers)


def _histories(engine: Engine, before: float, made: float) -> int:
    """What was done, by whom and in which words. What the log of the site has not been told of yet stays until it has."""
    old = select(history.c.id).join(alerts, alerts.c.id == history.c.alert).where(history.c.owed.is_(None))
    ended = _delete(engine, history, old.where(_kept_since(before), or_(history.c.at < before, _kept_since(made))))
    # A note is written when an alert is closed, whenever that is.
    closed = or_(func.coalesce(alerts.c.closed, 0.0) < before, _kept_since(made))
    noted = select(alerts.c.id).where(_kept_since(before), alerts.c.note != "", closed)
    numbers = _some(engine, noted, _ROWS)
    if numbers:
        with writing(engine) as connection:
            connection.execute(update(alerts).where(alerts.c.id.in_(numbers)).values(note=""))
    return max(ended, len(numbers))


def _notices(engine: Engine, before: float) -> int:
    ended = _delete(engine, outbox, select(outbox.c.id).where(or_(outbox.c.sent < before, outbox.c.set_aside < before)))
    _delete(engine, digests, select(digests.c.id).where(~exists().where(outbox.c.digest == digests.c.id), digests.c.queued < before))
    return ended


def _alerts(engine: Engine, before: float) -> tuple[int, int]:
    """How many alerts, and how many of them were still open."""
    owed = exists().where(history.c.alert == alerts.c.id, history.c.owed.is_not(None))
    numbers = _some(engine, select(alerts.c.id).where(_kept_since(before), ~owed), _ROWS)
    if not numbers:
        return 0, 0
    with writing(engine) as connection:
        among = alerts.c.id.in_(numbers)
        open_ = select(func.count()).select_from(alerts).where(among, alerts.c.state.in_(OPEN_STATES))
        still_open = int(connection.execute(open_).scalar_one())
        for table in (outbox, history, moments, old_clips):
            connection.execute(delete(table).where(table.c.alert.in_(numbers)))
        connection.execute(delete(alerts).where(among))
    return len(numbers), still_open


def _delete(engine: Engine, table: Table, due: Select[Any]) -> int:
    numbers = _some(engine, due, _ROWS)
    if numbers:
        with writing(engine) as connection:
            connection.execute(delete(table).where(table.c.id.in_(numbers)))
    return len(numbers)
