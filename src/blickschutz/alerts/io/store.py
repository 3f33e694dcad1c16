"""Alerts in a relational database: SQLite in WAL mode by default.

Alert and outbox are written in one transaction, so what was raised is told, whatever happens in between.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Engine, func, select, update
from sqlalchemy.engine import Row

from blickschutz.alerts.io.tables import alerts, counts, history, moments, old_clips, outbox
from blickschutz.alerts.model import Alert, AlertState, HistoryEntry, Notice, Origin, Outcome, Tally
from blickschutz.alerts.rules import OPEN
from blickschutz.kernel.geometry import Box
from blickschutz.kernel.situation import Kind
from blickschutz.storage.engine import writing
from blickschutz.storage.rows import DamagedRow, RowReader


class SqlAlertStore:
    """See `AlertStore`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._rows, self._notices = RowReader("alerts"), RowReader("alert_outbox", "notice")

    def close(self) -> None:
        self._engine.dispose()

    def add(self, alert: Alert, channels: Sequence[str], entry: HistoryEntry) -> Alert:
        """Store a new alert (its id is given here) and what is to be told of it."""
        values = {
            "camera": alert.camera,
            "kind": alert.kind.value,
            "zone": alert.zone,
            "origin": alert.origin.value,
            "state": alert.state.value,
            "taken": alert.taken,
            "raised": alert.raised,
            "confidence": alert.confidence,
            "figures": json.dumps(dict(alert.figures)),
            "box": json.dumps(alert.box),
            "record_ordered": alert.record_ordered,
        }
        with writing(self._engine) as connection:
            number = int(connection.execute(alerts.insert().returning(alerts.c.id), values).scalar_one())
            _append(connection, number, entry)
            _queue(connection, number, channels, entry)
            row = connection.execute(select(alerts).where(alerts.c.id == number)).one()
        return _alert(row)

    def get(self, number: int) -> Alert | None:
        with self._engine.connect() as connection:
            row = connection.execute(select(alerts).where(alerts.c.id == number)).one_or_none()
        return self._rows.one(row, _alert) if row is not None else None

    def find(
        self,
        *,
        states: Sequence[AlertState] = (),
        camera: str = "",
        kind: Kind | None = None,
        since: float = 0.0,
        until: float = 0.0,
        before: int = 0,
        most: int = 200,
    ) -> list[Alert]:
        """Alerts that fit, the newest first; those with a number under `before`."""
        query = select(alerts).order_by(alerts.c.raised.desc(), alerts.c.id.desc()).limit(most)
        if states:
            query = query.where(alerts.c.state.in_([state.value for state in states]))
        if camera:
            query = query.where(alerts.c.camera == camera)
        if kind is not None:
            query = query.where(alerts.c.kind == kind.value)
        if since:
            query = query.where(alerts.c.raised >= since)
        if before:
            query = query.where(alerts.c.id < before)
        if until:
            query = query.where(alerts.c.raised < until)
        with self._engine.connect() as connection:
            return self._rows.all(connection.execute(query), _alert)

    def raised(self, since: float, until: float) -> list[tuple[Kind, float, Outcome | None]]:
        """Kind, moment (POSIX) and outcome of every alert from `since` until before `until`; for counting."""
        query = select(alerts.c.kind, alerts.c.taken, alerts.c.outcome).where(alerts.c.raised >= since, alerts.c.raised < until)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        kinds, outcomes = {one.value: one for one in Kind}, {one.value: one for one in Outcome}
        return [(kinds[kind], taken, outcomes.get(outcome)) for kind, taken, outcome in rows if kind in kinds]

    def undecided(self, most: int) -> list[int]:
        """Numbers of alerts that are closed though no person said what they were."""
        query = select(alerts.c.id).where(alerts.c.state == AlertState.CLOSED.value, alerts.c.outcome.is_(None)).limit(most)
        with self._engine.connect() as connection:
            return [int(number) for number in connection.execute(query.order_by(alerts.c.id)).scalars()]

    def change(
        self,
        number: int,
        before: AlertState,
        after: AlertState,
        entry: HistoryEntry,
        outcome: Outcome | None = None,
        note: str = "",
        channels: Sequence[str] = (),
    ) -> bool:
        """Move an alert on, if it still is in state `before`: of two who decide at once one is told that the other was faster."""
        values: dict[str, Any] = {"state": after.value}
        if outcome is not None:
            values |= {"outcome": outcome.value, "note": note, "closed": entry.at}
        with writing(self._engine) as connection:
            where = (alerts.c.id == number) & (alerts.c.state == before.value)
            if connection.execute(update(alerts).where(where).values(values)).rowcount != 1:
                return False
            _append(connection, number, entry)
            _queue(connection, number, channels, entry)
        return True

    def end(self, number: int, at: float, figures: Mapping[str, float], confidence: float) -> None:
        """The situation behind the alert is over."""
        values = {"ended": at, "figures": json.dumps(dict(figures)), "confidence": confidence}
        with writing(self._engine) as connection:
            connection.execute(update(alerts).where(alerts.c.id == number).values(values))

    def log(self, number: int, entry: HistoryEntry) -> None:
        with writing(self._engine) as connection:
            _append(connection, number, entry)

    def order_recording(self, number: int, entry: HistoryEntry) -> None:
        with writing(self._engine) as connection:
            connection.execute(update(alerts).where(alerts.c.id == number).values(record_ordered=True))
            _append(connection, number, entry)

    def history(self, number: int) -> list[HistoryEntry]:
        query = select(history).where(history.c.alert == number).order_by(history.c.id)
        with self._engine.connect() as connection:
            return [HistoryEntry(row.at, row.event, row.by, row.text) for row in connection.execute(query)]

    def open_count(self) -> int:
        """How many alerts are not closed yet."""
        query = select(func.count()).where(alerts.c.state.in_([state.value for state in OPEN]))
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def count(self, camera: str, kind: Kind, at: float) -> None:
        """A situation that is counted only."""
        with writing(self._engine) as connection:
            connection.execute(counts.insert().values(camera=camera, kind=kind.value, at=at))

    def tally(self, since: float) -> list[Tally]:
        """Per camera and kind since that moment, busiest first."""
        false = func.sum((alerts.c.outcome == Outcome.FALSE_ALARM.value).cast(alerts.c.id.type))
        raised = (
            select(alerts.c.camera, alerts.c.kind, func.count(), false)
            .where(alerts.c.raised >= since)
            .group_by(alerts.c.camera, alerts.c.kind)
        )
        counted = select(counts.c.camera, counts.c.kind, func.count()).where(counts.c.at >= since).group_by(counts.c.camera, counts.c.kind)
        with self._engine.connect() as connection:
            rows = {(camera, kind): (number, int(wrong or 0)) for camera, kind, number, wrong in connection.execute(raised)}
            only = {(camera, kind): number for camera, kind, number in connection.execute(counted)}
        kinds = {one.value for one in Kind}
        tallies = [
            Tally(camera, Kind(kind), *rows.get((camera, kind), (0, 0)), only.get((camera, kind), 0))
            for camera, kind in {*rows, *only}
            if kind in kinds
        ]
        return sorted(tallies, key=lambda item: (-item.alerts, -item.counted, item.camera, item.kind))

    def put_clip(self, number: int, data: bytes) -> None:
        """Keep the redacted moving picture of an alert."""
        with writing(self._engine) as connection:
            connection.execute(moments.delete().where(moments.c.alert == number))
            connection.execute(moments.insert().values(alert=number, data=data))
            connection.execute(update(alerts).where(alerts.c.id == number).values(has_clip=True))

    def clip(self, number: int) -> bytes | None:
        with self._engine.connect() as connection:
            return connection.execute(select(moments.c.data).where(moments.c.alert == number)).scalar_one_or_none()

    def drop_clips(self, closed_before: float) -> int:
        """Delete the moving pictures of alerts that were closed before that moment; returns how many."""
        old = select(alerts.c.id).where(alerts.c.closed < closed_before, alerts.c.has_clip)
        with writing(self._engine) as connection:
            numbers = [row[0] for row in connection.execute(old)]
            if numbers:
                for table in (moments, old_clips):
                    connection.execute(table.delete().where(table.c.alert.in_(numbers)))
                connection.execute(update(alerts).where(alerts.c.id.in_(numbers)).values(has_clip=False))
        return len(numbers)

    def drop_clip(self, number: int) -> None:
        """Delete the moving picture of one alert."""
        with writing(self._engine) as connection:
            for table in (moments, old_clips):
                connection.execute(table.delete().where(table.c.alert == number))
            connection.execute(update(alerts).where(alerts.c.id == number).values(has_clip=False))

    def due(self, channel: str, now: float, most: int = 20) -> list[Notice]:
        """What that channel must be told now, the oldest first."""
        query = (
            select(outbox.c.id.label("notice"), outbox.c.event, outbox.c.tries, alerts)
            .join(alerts, alerts.c.id == outbox.c.alert)
            .where(outbox.c.channel == channel, outbox.c.sent.is_(None), outbox.c.next_at <= now)
            .order_by(outbox.c.id)
            .limit(most)
        )
        with self._engine.connect() as connection:
            return self._notices.all(connection.execute(query), lambda row: Notice(row.notice, channel, row.event, _alert(row), row.tries))

    def sent(self, number: int, at: float) -> None:
        with writing(self._engine) as connection:
            connection.execute(update(outbox).where(outbox.c.id == number).values(sent=at, problem=""))

    def failed(self, number: int, next_at: float, problem: str) -> None:
        """Note a failed try and when the next one is."""
        values = {"tries": outbox.c.tries + 1, "next_at": next_at, "problem": problem[:500]}
        with writing(self._engine) as connection:
            connection.execute(update(outbox).where(outbox.c.id == number).values(values))

    def unsent(self) -> dict[str, tuple[int, str]]:
        """Per channel how many notices wait after a failed try, and the newest problem."""
        query = select(outbox.c.channel, outbox.c.problem).where(outbox.c.sent.is_(None), outbox.c.tries > 0).order_by(outbox.c.id)
        result: dict[str, tuple[int, str]] = {}
        with self._engine.connect() as connection:
            for channel, problem in connection.execute(query):
                result[channel] = result.get(channel, (0, ""))[0] + 1, problem
        return result

    def damaged(self) -> list[DamagedRow]:
        with self._engine.connect() as connection:
            return self._rows.damaged(connection.execute(select(alerts).order_by(alerts.c.id)), _alert)


def _append(connection: Any, number: int, entry: HistoryEntry) -> None:
    connection.execute(history.insert().values(alert=number, at=entry.at, event=entry.event, by=entry.by, text=entry.text))


def _queue(connection: Any, number: int, channels: Sequence[str], entry: HistoryEntry) -> None:
    for channel in channels:
        connection.execute(outbox.insert().values(alert=number, channel=channel, event=entry.event, next_at=0.0))


def _alert(row: Row[Any]) -> Alert:
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
    )
