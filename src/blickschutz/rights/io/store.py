"""Requests and duties in a relational database; what changes one writes its entry in the same transaction, without names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
from sqlalchemy import Column, Engine, Index, Integer, MetaData, Row, String, Table, Text, select, update

from blickschutz.audit.io.log import AuditLog, Facts
from blickschutz.audit.model import Event
from blickschutz.rights.model import Duty, Request, RequestState, Restricted, Settlement
from blickschutz.storage.engine import writing
from blickschutz.storage.ports import Database, belongs_to
from blickschutz.storage.rows import DamagedRow, RowReader

METADATA = MetaData(info=belongs_to(Database.CONTROL))

requests = Table(
    "requests",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("state", String(20), nullable=False),
    Column("facts", Text, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Index("requests_by_state", "state", "id"),
    sqlite_autoincrement=True,
)
duties = Table(
    "duties",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("case_id", Integer, nullable=False),
    Column("settled", Integer, nullable=False),
    Column("facts", Text, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Index("duties_by_settled", "settled", "id"),
    sqlite_autoincrement=True,
)
_FIRST = 1
_encode = msgspec.json.Encoder(order="deterministic").encode


class SqlRightsStore:
    """See `RightsStore`."""

    def __init__(self, engine: Engine, log: AuditLog) -> None:
        self._engine, self._log = engine, log
        self._requests, self._duties = RowReader("requests"), RowReader("duties")

    def add(self, request: Request) -> Request:
        with writing(self._engine) as connection:
            values = {"state": request.state.value, "facts": _facts(request), "version": _FIRST}
            number = int(connection.execute(requests.insert().returning(requests.c.id), values).scalar_one())
            facts: Facts = {"received": request.received.isoformat(), "rights": [one.value for one in request.rights]}
            self._log.append(connection, Event.REQUEST_RECORDED, request.by, _subject(number), facts)
        return replace(request, id=number, version=_FIRST)

    def get(self, number: int) -> Request | None:
        with self._engine.connect() as connection:
            row = connection.execute(select(requests).where(requests.c.id == number)).one_or_none()
        return self._requests.one(row, _request) if row is not None else None

    def open(self) -> list[Request]:
        query = select(requests).where(requests.c.state != RequestState.ANSWERED.value).order_by(requests.c.id)
        with self._engine.connect() as connection:
            return self._requests.all(connection.execute(query), _request)

    def latest(self, most: int) -> list[Request]:
        query = select(requests).where(requests.c.state == RequestState.ANSWERED.value).order_by(requests.c.id.desc()).limit(most)
        with self._engine.connect() as connection:
            return self._requests.all(connection.execute(query), _request)

    def change(self, known: Request, changed: Request, event: Event, by: str, more: Sequence[Restricted] = ()) -> bool:
        where = (requests.c.id == known.id) & (requests.c.version == known.version)
        with writing(self._engine) as connection:
            values = {"state": changed.state.value, "facts": _facts(changed), "version": known.version + 1}
            if connection.execute(update(requests).where(where).values(values)).rowcount != 1:
                return False
            facts: Facts = {"cases": [str(one.case) for one in more]} if more else {}
            if changed.answer is not None:
                facts |= {"outcome": changed.answer.outcome.value, "people": list(changed.answer.by)}
            self._log.append(connection, event, by, _subject(known.id), facts)
        return True

    def add_duty(self, duty: Duty) -> Duty:
        with writing(self._engine) as connection:
            query = select(duties).where((duties.c.case_id == duty.case) & (duties.c.settled == 0))
            there = connection.execute(query).first()
            if there is not None:
                return self._duties.one(there, _duty)
            values = {"case_id": duty.case, "settled": 0, "facts": _facts(duty), "version": _FIRST}
            number = int(connection.execute(duties.insert().returning(duties.c.id), values).scalar_one())
            self._log.append(connection, Event.DUTY_OPENED, duty.by, duty.clip, {"case": duty.case, "source": duty.source.value})
        return replace(duty, id=number, version=_FIRST)

    def get_duty(self, number: int) -> Duty | None:
        with self._engine.connect() as connection:
            row = connection.execute(select(duties).where(duties.c.id == number)).one_or_none()
        return self._duties.one(row, _duty) if row is not None else None

    def duties(self, settled: bool, most: int = 200) -> list[Duty]:
        order = duties.c.id.desc() if settled else duties.c.id
        query = select(duties).where(duties.c.settled == int(settled)).order_by(order).limit(most)
        with self._engine.connect() as connection:
            return self._duties.all(connection.execute(query), _duty)

    def settle(self, known: Duty, changed: Duty) -> bool:
        where = (duties.c.id == known.id) & (duties.c.version == known.version)
        settled = changed.settled
        assert settled is not None  # that is what the call is for
        with writing(self._engine) as connection:
            over = int(settled.settlement is not Settlement.DEFERRED)
            values = {"settled": over, "facts": _facts(changed), "version": known.version + 1}
            if connection.execute(update(duties).where(where).values(values)).rowcount != 1:
                return False
            facts: Facts = {"case": known.case, "settlement": settled.settlement.value}
            if settled.until is not None:
                facts["until"] = settled.until.isoformat()
            self._log.append(connection, Event.DUTY_SETTLED, settled.by, known.clip, facts)
        return True

    def forget_duty(self, known: Duty, changed: Duty) -> None:
        where = (duties.c.id == known.id) & (duties.c.version == known.version)
        with writing(self._engine) as connection:
            values = {"facts": _facts(changed), "version": known.version + 1}
            if connection.execute(update(duties).where(where).values(values)).rowcount == 1:
                self._log.append(connection, Event.REQUEST_ERASED, "system", known.clip, {"case": known.case, "duty": known.id})

    def damaged(self) -> list[DamagedRow]:
        with self._engine.connect() as connection:
            bad = self._requests.damaged(connection.execute(select(requests).order_by(requests.c.id)), _request)
            return bad + self._duties.damaged(connection.execute(select(duties).order_by(duties.c.id)), _duty)


def _subject(number: int) -> str:
    return f"request-{number}"


def _facts(what: Request | Duty) -> str:
    """All of it but what the table has columns of its own for."""
    kept = {name: value for name, value in msgspec.to_builtins(what).items() if name not in {"id", "version"}}
    return str(_encode(kept).decode())


def _request(row: Row[Any]) -> Request:
    return msgspec.convert({**json.loads(row.facts), "id": row.id, "version": row.version}, Request)


def _duty(row: Row[Any]) -> Duty:
    return msgspec.convert({**json.loads(row.facts), "id": row.id, "version": row.version}, Duty)
