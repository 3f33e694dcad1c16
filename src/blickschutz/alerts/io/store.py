"""Alerts in a relational database: SQLite in WAL mode by default.

Alert and outbox are written in one transaction, so what was raised is told, whatever happens in between.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Engine, case, func, or_, select, update

from blickschutz.alerts.io.lives import drop_clips, expire_some
from blickschutz.alerts.io.outbox import SqlOutbox
from blickschutz.alerts.io.rows import OPEN_STATES, WAITING_STATES, add_entries, add_notices, alert_of, mark_of, owed_of, row_weight
from blickschutz.alerts.io.tables import alerts, counts, history, moments
from blickschutz.alerts.model import (
    Alert,
    AlertEvent,
    AlertState,
    Expired,
    HistoryEntry,
    Lives,
    Mark,
    Origin,
    Outcome,
    OwedEntry,
    Place,
    Priorities,
    Tally,
)
from blickschutz.situations.kinds import Kind
from blickschutz.storage.engine import forget, writing
from blickschutz.storage.portable import Whole
from blickschutz.storage.rows import DamagedRow, RowReader

# What people wrote themselves.
_SAID = (AlertEvent.ACT.value, AlertEvent.CLOSE.value, "record")


class SqlAlertStore:
    """See `AlertStore`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._weight = row_weight(Priorities())
        self.outbox = SqlOutbox(engine)
        self._rows = RowReader("alerts")

    @property
    def engine(self) -> Engine:
        """The database, for whoever looks after it."""
        return self._engine

    def close(self) -> None:
        self._engine.dispose()

    def order_by(self, priorities: Priorities) -> None:
        """From now on the queue has that order of need."""
        self._weight = row_weight(priorities)

    def add(self, alert: Alert, channels: Sequence[str], entry: HistoryEntry) -> Alert | None:
        """Store a new alert (its id is given here) and what is to be told of it; None where its situation has one already.

        A situation without a `run` is like no other.
        """
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
            "run": alert.run,
            "situation": alert.situation,
            "kept_from": alert.kept_from,
        }
        with writing(self._engine) as connection:
            # What a camera itself tells may come again under its name; a cell numbers each situation once.
            one = _running if alert.origin is Origin.CAMERA else _numbered
            known = one(alert.camera, alert.run, alert.situation)
            if alert.origin is Origin.CAMERA and alert.taken < alert.raised:
                # Told late, or once more because nobody confirmed it: what is of the same moment is the same.
                known |= _numbered(alert.camera, alert.run, alert.situation) & (alerts.c.taken == alert.taken)
            same = select(alerts.c.id).where(known)
            if alert.run and connection.execute(same.limit(1)).one_or_none() is not None:
                return None
            number = int(connection.execute(alerts.insert().returning(alerts.c.id), values).scalar_one())
            add_entries(connection, [number], entry)
            add_notices(connection, [number], channels, entry)
            row = connection.execute(select(alerts).where(alerts.c.id == number)).one()
        return alert_of(row)

    def get(self, number: int) -> Alert | None:
        with self._engine.connect() as connection:
            row = connection.execute(select(alerts).where(alerts.c.id == number)).one_or_none()
        return self._rows.one(row, alert_of) if row is not None else None

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
        outcome: Outcome | None = None,
        text: str = "",
    ) -> list[Alert]:
        """Alerts that fit, the newest first; those behind number `before`. `text` is looked for in notes and what was done."""
        query = select(alerts).order_by(alerts.c.raised.desc(), alerts.c.id.desc()).limit(most)
        if states:
            query = query.where(alerts.c.state.in_([state.value for state in states]))
        if camera:
            query = query.where(alerts.c.camera == camera)
        if kind is not None:
            query = query.where(alerts.c.kind == kind.value)
        if since:
            query = query.where(alerts.c.raised >= since)
        if until:
            query = query.where(alerts.c.raised < until)
        if outcome is not None:
            query = query.where(alerts.c.outcome == outcome.value)
        if text:
            said = select(history.c.alert).where(history.c.event.in_(_SAID), history.c.text.icontains(text, autoescape=True))
            query = query.where(or_(alerts.c.note.icontains(text, autoescape=True), alerts.c.id.in_(said)))
        with self._engine.connect() as connection:
            if before:
                # A clock that went back gave later alerts earlier times: a page goes on where the one before it ended.
                last = connection.execute(select(alerts.c.raised).where(alerts.c.id == before)).scalar_one_or_none()
                lower = alerts.c.id < before
                behind = or_(alerts.c.raised < last, (alerts.c.raised == last) & lower) if last is not None else lower
                query = query.where(behind)
            return self._rows.all(connection.execute(query), alert_of)

    def queue(self, after: Place | None = None, most: int | None = None, *, camera: str = "", kind: Kind | None = None) -> list[Alert]:
        """Open alerts in the order of need: what waits by its priority, then what somebody sees to; in each the oldest first.

        Those behind the place `after`, at most `most`.
        """
        query = select(alerts).where(alerts.c.state.in_(OPEN_STATES)).order_by(self._weight, alerts.c.id).limit(most)
        query = query.where(alerts.c.camera == camera) if camera else query
        query = query.where(alerts.c.kind == kind.value) if kind is not None else query
        if after is not None:
            query = query.where(or_(self._weight > after.weight, (self._weight == after.weight) & (alerts.c.id > after.number)))
        with self._engine.connect() as connection:
            return self._rows.all(connection.execute(query), alert_of)

    def marks(self) -> list[Mark]:
        """All open alerts in the order of need, as much of each as its place takes."""
        table = alerts.c
        query = select(table.id, table.camera, table.kind, table.zone, table.state, table.raised)
        query = query.where(table.state.in_(OPEN_STATES)).order_by(self._weight, table.id)
        with self._engine.connect() as connection:
            return self._rows.all(connection.execute(query), mark_of)

    def some(self, numbers: Sequence[int]) -> list[Alert]:
        """The alerts with these numbers, in their order; without those that are not there."""
        with self._engine.connect() as connection:
            found = self._rows.all(connection.execute(select(alerts).where(alerts.c.id.in_(numbers))), alert_of)
        known = {alert.id: alert for alert in found}
        return [known[number] for number in numbers if number in known]

    def arrived(self, since: float) -> list[tuple[str, float]]:
        """Camera and moment (POSIX) of every alert that was raised since that moment, the oldest first."""
        query = select(alerts.c.camera, alerts.c.raised).where(alerts.c.raised >= since).order_by(alerts.c.raised)
        with self._engine.connect() as connection:
            return [(row.camera, row.raised) for row in connection.execute(query)]

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
        if before is AlertState.CLOSED:
            values |= {"outcome": None, "note": "", "closed": None}
        if outcome is not None:
            values |= {"outcome": outcome.value, "note": note, "closed": entry.at}
        with writing(self._engine) as connection:
            where = (alerts.c.id == number) & (alerts.c.state == before.value)
            if connection.execute(update(alerts).where(where).values(values)).rowcount != 1:
                return False
            add_entries(connection, [number], entry)
            add_notices(connection, [number], channels, entry)
        return True

    def escalate(self, raised_until: float, raised_from: float, entry: HistoryEntry, channels: Sequence[str]) -> list[Alert]:
        """Escalate all raised alerts that were raised by the one moment, or from the other on; returns them, the oldest first."""
        overdue = (alerts.c.state == AlertState.RAISED.value) & or_(alerts.c.raised <= raised_until, alerts.c.raised >= raised_from)
        with self._engine.connect() as connection:
            if connection.execute(select(alerts.c.id).where(overdue).limit(1)).one_or_none() is None:
                return []
        with writing(self._engine) as connection:
            change = update(alerts).where(overdue).values(state=AlertState.ESCALATED.value).returning(alerts)
            rows = sorted(connection.execute(change).all(), key=lambda row: row.id)
            numbers = [row.id for row in rows]
            add_entries(connection, numbers, entry)
            add_notices(connection, numbers, channels, entry)
        return self._rows.all(rows, alert_of)

    def end(self, camera: str, run: str, situation: int, at: float, figures: Mapping[str, float], confidence: float) -> int | None:
        """A situation is over; returns the number of its alert, None where there is none."""
        values = {"ended": at, "figures": json.dumps(dict(figures)), "confidence": confidence}
        running = _running(camera, run, situation)
        with self._engine.connect() as connection:
            if connection.execute(select(alerts.c.id).where(running).limit(1)).one_or_none() is None:
                return None
        with writing(self._engine) as connection:
            ended = connection.execute(update(alerts).where(running).values(values).returning(alerts.c.id)).scalars().all()
        return max(ended, default=None)

    def lose(
        self,
        entry: HistoryEntry,
        origin: Origin,
        *,
        camera: str = "",
        run: str = "",
        raised_before: float | None = None,
        but: Collection[str] = (),
    ) -> list[int]:
        """Situations whose end nobody will tell any more count as over; returns the numbers of their alerts. `but` are runs that go on."""
        lost = alerts.c.ended.is_(None) & (alerts.c.origin == origin.value)
        lost = lost & (alerts.c.camera == camera) if camera else lost
        lost = lost & (alerts.c.run == run) if run else lost
        lost = lost & (alerts.c.raised < raised_before) if raised_before is not None else lost
        lost = lost & alerts.c.run.not_in(but) if but else lost
        with self._engine.connect() as connection:
            if connection.execute(select(alerts.c.id).where(lost).limit(1)).one_or_none() is None:
                return []
        with writing(self._engine) as connection:
            numbers = sorted(connection.execute(update(alerts).where(lost).values(ended=entry.at).returning(alerts.c.id)).scalars())
            add_entries(connection, numbers, entry)
        return numbers

    def log(self, number: int, entry: HistoryEntry) -> None:
        with writing(self._engine) as connection:
            add_entries(connection, [number], entry)

    def order_recording(self, number: int, entry: HistoryEntry, *, ordered: bool) -> None:
        """Note that a recording was ordered, or that it was refused."""
        with writing(self._engine) as connection:
            connection.execute(update(alerts).where(alerts.c.id == number).values(record_ordered=ordered))
            add_entries(connection, [number], entry)

    def owed(self, most: int) -> list[OwedEntry]:
        """Decisions that the log of the site was not told of yet, the oldest first."""
        query = select(history.c.id, history.c.alert, history.c.owed).where(history.c.owed.is_not(None)).order_by(history.c.id)
        with self._engine.connect() as connection:
            return [OwedEntry(row.id, row.alert, owed_of(row.owed)) for row in connection.execute(query.limit(most))]

    def entered(self, number: int) -> None:
        """The log knows of that decision now."""
        with writing(self._engine) as connection:
            connection.execute(update(history).where(history.c.id == number).values(owed=None))

    def history(self, number: int) -> list[HistoryEntry]:
        query = select(history).where(history.c.alert == number).order_by(history.c.id)
        with self._engine.connect() as connection:
            return [
                HistoryEntry(row.at, row.event, row.by, row.text, owed_of(row.owed) if row.owed else None)
                for row in connection.execute(query)
            ]

    def newest(self) -> int:
        """The number of the newest alert; 0 where there never was one."""
        with self._engine.connect() as connection:
            return int(connection.execute(select(func.max(alerts.c.id))).scalar_one() or 0)

    def open_count(self) -> int:
        """How many alerts are not closed yet."""
        query = select(func.count()).where(alerts.c.state.in_(OPEN_STATES))
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def open_cameras(self) -> set[str]:
        """Cameras that an open alert is of."""
        query = select(alerts.c.camera).where(alerts.c.state.in_(OPEN_STATES)).distinct()
        with self._engine.connect() as connection:
            return set(connection.execute(query).scalars())

    def waiting(self) -> list[tuple[str, Kind, str]]:
        """Camera, kind and zone of what nobody acknowledged."""
        query = select(alerts.c.camera, alerts.c.kind, alerts.c.zone).where(alerts.c.state.in_(WAITING_STATES)).distinct()
        with self._engine.connect() as connection:
            found = connection.execute(query).all()
        kinds = {one.value: one for one in Kind}
        return [(camera, kinds[kind], zone) for camera, kind, zone in found if kind in kinds]

    def count(self, camera: str, kind: Kind, at: float) -> None:
        """A situation that is counted only."""
        with writing(self._engine) as connection:
            connection.execute(counts.insert().values(camera=camera, kind=kind.value, at=at))

    def tally(self, since: float) -> list[Tally]:
        """Per camera and kind since that moment, busiest first."""
        false = func.sum(case((alerts.c.outcome == Outcome.FALSE_ALARM.value, 1), else_=0))
        raised = (
            select(alerts.c.camera, alerts.c.kind, func.count(), func.count(alerts.c.outcome), false)
            .where(alerts.c.raised >= since)
            .group_by(alerts.c.camera, alerts.c.kind)
        )
        counted = select(counts.c.camera, counts.c.kind, func.count()).where(counts.c.at >= since).group_by(counts.c.camera, counts.c.kind)
        with self._engine.connect() as connection:
            told = connection.execute(raised).all()
            rows = {(camera, kind): (number, decided, int(wrong or 0)) for camera, kind, number, decided, wrong in told}
            only = {(camera, kind): number for camera, kind, number in connection.execute(counted)}
        kinds = {one.value for one in Kind}
        tallies = [
            Tally(camera, Kind(kind), *rows.get((camera, kind), (0, 0, 0)), only.get((camera, kind), 0))
            for camera, kind in {*rows, *only}
            if kind in kinds
        ]
        return sorted(tallies, key=lambda item: (-item.alerts, -item.counted, item.camera, item.kind))

    def spread(self, since: float, until: float, *, camera: str = "", kind: Kind | None = None) -> list[tuple[int, str, int]]:
        """Alerts from `since` until before `until` by hours since 1970 and camera: hour, camera, how many."""
        hour = Whole(alerts.c.taken / 3600.0)
        query = select(hour, alerts.c.camera, func.count()).where(alerts.c.raised >= since, alerts.c.raised < until)
        query = query.where(alerts.c.camera == camera) if camera else query
        query = query.where(alerts.c.kind == kind.value) if kind is not None else query
        with self._engine.connect() as connection:
            found = connection.execute(query.group_by(hour, alerts.c.camera)).all()
        return [(int(at), name, int(number)) for at, name, number in found]

    def put_clip(self, number: int, data: bytes) -> None:
        """Keep the redacted moving picture of an alert."""
        with writing(self._engine) as connection:
            connection.execute(moments.delete().where(moments.c.alert == number))
            connection.execute(moments.insert().values(alert=number, data=data))
            connection.execute(update(alerts).where(alerts.c.id == number).values(has_clip=True))

    def clip(self, number: int) -> bytes | None:
        with self._engine.connect() as connection:
            return connection.execute(select(moments.c.data).where(moments.c.alert == number)).scalar_one_or_none()

    def drop_clip(self, number: int) -> None:
        """Delete the moving picture of one alert."""
        with writing(self._engine) as connection:
            drop_clips(connection, [number])

    def expire(self, now: float, lives: Lives) -> Expired:
        """End what has lived its time, in portions; call again as long as there is more."""
        return expire_some(self._engine, now, lives)

    def forget(self) -> None:
        """Take what was deleted out of the database's journal as well. Raises `StoreBusyError` while somebody still reads it."""
        forget(self._engine)

    def damaged(self) -> list[DamagedRow]:
        with self._engine.connect() as connection:
            return self._rows.damaged(connection.execute(select(alerts).order_by(alerts.c.id)), alert_of)


def _running(camera: str, run: str, situation: int) -> ColumnElement[bool]:
    return _numbered(camera, run, situation) & alerts.c.ended.is_(None)


def _numbered(camera: str, run: str, situation: int) -> ColumnElement[bool]:
    return (alerts.c.camera == camera) & (alerts.c.run == run) & (alerts.c.situation == situation)
