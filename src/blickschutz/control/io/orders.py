"""Orders to record in a relational database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
from sqlalchemy import Column, Connection, Engine, Float, Index, Integer, MetaData, Row, String, Table, Text, delete, func, select, update

from blickschutz.audit.io.log import AuditLog, Facts
from blickschutz.audit.model import Event
from blickschutz.control.model import OPEN_ORDERS, OrderState, RecordingOrder
from blickschutz.kernel.clock import Clock
from blickschutz.storage.engine import writing
from blickschutz.storage.ports import Database, belongs_to

METADATA = MetaData(info=belongs_to(Database.CONTROL))

orders = Table(
    "recording_orders",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("camera", String(40), nullable=False),
    Column("state", String(20), nullable=False),
    Column("ended", Float, nullable=False, default=0.0),
    Column("facts", Text, nullable=False),
    Index("orders_by_state", "state", "number"),
)
_COLUMNS = ("number", "camera", "state")
_MOST_DROPPED = 500
_OPEN = [state.value for state in OPEN_ORDERS]


class SqlOrderStore:
    """See `OrderStore`."""

    def __init__(self, engine: Engine, log: AuditLog, clock: Clock) -> None:
        self._engine, self._log, self._clock = engine, log, clock

    def newest(self) -> int:
        with self._engine.connect() as connection:
            return int(connection.execute(select(func.max(orders.c.number))).scalar_one() or 0)

    def add(self, order: RecordingOrder) -> None:
        with writing(self._engine) as connection:
            connection.execute(orders.insert(), {**_columns(order), "facts": _facts(order)})
            facts: Facts = {"order": order.number, "mode": order.mode, "cause": order.cause, "reason": order.reason}
            self._log.append(connection, Event.RECORDING_ORDERED, order.by, order.camera, facts)

    def get(self, number: int) -> RecordingOrder | None:
        with self._engine.connect() as connection:
            return _read(connection, number)

    def open(self, camera: str = "") -> list[RecordingOrder]:
        query = select(orders).where(orders.c.state.in_(_OPEN)).order_by(orders.c.number)
        query = query.where(orders.c.camera == camera) if camera else query
        with self._engine.connect() as connection:
            return [_order(row) for row in connection.execute(query)]

    def begun(self, number: int, clip: str) -> None:
        with writing(self._engine) as connection:
            known = _read(connection, number)
            # An order whose clip was interrupted with the camera's stream goes on in another clip.
            if known is not None and known.state is not OrderState.FAILED:
                _write(connection, replace(known, state=OrderState.RECORDING, clip=clip))

    def again(self, number: int) -> None:
        with writing(self._engine) as connection:
            known = _read(connection, number)
            if known is None or known.state not in OPEN_ORDERS:
                return
            changed = replace(known, state=OrderState.GIVEN, tries=known.tries + 1)
            _write(connection, changed)
            facts: Facts = {"order": number, "mode": known.mode, "cause": known.cause, "reason": known.reason, "try": changed.tries}
            self._log.append(connection, Event.RECORDING_ORDERED, "system", known.camera, facts)

    def over(self, number: int) -> None:
        self._change(number, over=True)

    def belongs_to(self, number: int, alert: int) -> None:
        with writing(self._engine) as connection:
            known = _read(connection, number)
            if known is not None:
                _write(connection, replace(known, alert=alert))

    def end(self, number: int, state: OrderState, why: str = "") -> RecordingOrder | None:
        with writing(self._engine) as connection:
            known = _read(connection, number)
            if known is None or known.state not in OPEN_ORDERS:
                return None
            changed = replace(known, state=state, why=why)
            _write(connection, changed, self._clock.now())
            if state is OrderState.FAILED:
                facts: Facts = {"order": number, "cause": known.cause, "why": why}
                self._log.append(connection, Event.RECORDING_FAILED, "system", known.camera, facts)
            return changed

    def drop(self, is_over: Callable[[float], bool]) -> int:
        newest = self.newest()
        query = select(orders.c.number, orders.c.ended).where(orders.c.state.not_in(_OPEN), orders.c.number < newest)
        with self._engine.connect() as connection:
            over = [row.number for row in connection.execute(query) if is_over(row.ended)][:_MOST_DROPPED]
        if not over:
            return 0
        with writing(self._engine) as connection:
            return int(connection.execute(delete(orders).where(orders.c.number.in_(over))).rowcount)

    def _change(self, number: int, **values: Any) -> None:
        with writing(self._engine) as connection:
            known = _read(connection, number)
            if known is not None and known.state in OPEN_ORDERS:
                _write(connection, replace(known, **values))


def _columns(order: RecordingOrder) -> dict[str, Any]:
    return {"number": order.number, "camera": order.camera, "state": order.state.value}


def _facts(order: RecordingOrder) -> str:
    kept = {name: value for name, value in msgspec.to_builtins(order).items() if name not in _COLUMNS}
    return msgspec.json.encode(kept, order="deterministic").decode()


def _read(connection: Connection, number: int) -> RecordingOrder | None:
    row = connection.execute(select(orders).where(orders.c.number == number)).one_or_none()
    return _order(row) if row is not None else None


def _write(connection: Connection, order: RecordingOrder, ended: float = 0.0) -> None:
    values = {"state": order.state.value, "facts": _facts(order), "ended": ended}
    connection.execute(update(orders).where(orders.c.number == order.number).values(values))


def _order(row: Row[Any]) -> RecordingOrder:
    return msgspec.convert({**msgspec.json.decode(row.facts), **{name: getattr(row, name) for name in _COLUMNS}}, RecordingOrder)
