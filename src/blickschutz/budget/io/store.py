"""Numbers and decisions of the alarm budget in a relational database. A day bears its own hash: one that was altered is not used."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from sqlalchemy import Column, Connection, Engine, Float, Index, Integer, MetaData, Row, String, Table, Text, delete, func, select

from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.model import Event
from blickschutz.budget.model import Began, Day, Decision, Shadow
from blickschutz.budget.ports import Kept
from blickschutz.kernel.errors import UNREADABLE
from blickschutz.situations.kinds import Kind
from blickschutz.storage.engine import writing
from blickschutz.storage.ports import Database, belongs_to

METADATA = MetaData(info=belongs_to(Database.CONTROL))

shadows = Table(
    "budget_shadows",
    METADATA,
    Column("camera", String(40), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("began", String(20), nullable=False),
    Column("at", Float, nullable=False),
    Column("mark", String(64), nullable=False),
)
days = Table(
    "budget_days",
    METADATA,
    Column("camera", String(40), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("data", Text, nullable=False),
    Column("hash", String(64), nullable=False),
)
decisions = Table(
    "budget_decisions",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("camera", String(40), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("threshold", Float),
    Column("by", String(80), nullable=False),
    Column("at", Float, nullable=False),
    Column("shadow", Integer, nullable=False),
    Index("budget_decisions_by_kind", "camera", "kind", "number"),
    sqlite_autoincrement=True,
)
# Of the thresholds that somebody accepted; the log holds all of them.
_KEPT_DECISIONS = 3
_MOST_ENTRIES = 200


class SqlBudgetStore:
    """See `BudgetStore`."""

    def __init__(self, engine: Engine, log: AuditLog) -> None:
        self._engine, self._log = engine, log

    def load(self, camera: str) -> Kept:
        with self._engine.connect() as connection:
            row = connection.execute(select(shadows).where(shadows.c.camera == camera)).one_or_none()
            rows = connection.execute(select(days).where(days.c.camera == camera).order_by(days.c.number)).all()
        if row is None:
            return Kept()
        try:
            shadow = Shadow(row.camera, row.number, Began(row.began), row.at, row.mark)
            found = tuple(_day(one) for one in rows)
        except UNREADABLE:
            return Kept(Shadow(row.camera, row.number, Began.DAMAGED, row.at, row.mark), damaged=True)
        # Those of a stretch that was over when a crash came are none of this one.
        return Kept(shadow, tuple(one for one in found if one.shadow == shadow.number))

    def decisions(self) -> Mapping[str, Mapping[Kind, list[Decision]]]:
        found: dict[str, dict[Kind, list[Decision]]] = {}
        known = {kind.value for kind in Kind}
        with self._engine.connect() as connection:
            for row in connection.execute(select(decisions).order_by(decisions.c.number.desc())):
                if row.kind in known:
                    one = Decision(row.camera, Kind(row.kind), row.threshold, row.by, row.at, row.shadow, row.number)
                    found.setdefault(one.camera, {}).setdefault(one.kind, []).append(one)
        return found

    def newest(self) -> int:
        with self._engine.connect() as connection:
            return int(connection.execute(select(func.max(decisions.c.number))).scalar_one() or 0)

    def begin(self, shadow: Shadow, by: str) -> None:
        with writing(self._engine) as connection:
            connection.execute(delete(days).where(days.c.camera == shadow.camera))
            connection.execute(delete(shadows).where(shadows.c.camera == shadow.camera))
            values = {"camera": shadow.camera, "number": shadow.number, "began": shadow.began.value, "at": shadow.at, "mark": shadow.mark}
            connection.execute(shadows.insert(), values)
            self._log.append(connection, Event.SHADOW_BEGAN, by, shadow.camera, {"why": shadow.began.value, "shadow": shadow.number})

    def keep(self, day: Day, oldest: int) -> None:
        data = msgspec.json.encode(day).decode()
        with writing(self._engine) as connection:
            same = (days.c.camera == day.camera) & ((days.c.number == day.number) | (days.c.number < oldest))
            connection.execute(delete(days).where(same))
            connection.execute(
                days.insert(), {"camera": day.camera, "number": day.number, "data": data, "hash": _hash(day.camera, day.number, data)}
            )

    def decide(self, decision: Decision, what: Event, facts: Mapping[str, str | int | float]) -> None:
        kind = decision.kind.value
        values = {
            "camera": decision.camera,
            "kind": kind,
            "threshold": decision.threshold,
            "by": decision.by,
            "at": decision.at,
            "shadow": decision.shadow,
        }
        with writing(self._engine) as connection:
            connection.execute(decisions.insert(), values)
            self._forget_older(connection, decision.camera, kind)
            self._log.append(connection, what, decision.by, decision.camera, {"kind": kind, **facts})

    @staticmethod
    def _forget_older(connection: Connection, camera: str, kind: str) -> None:
        mine = (decisions.c.camera == camera) & (decisions.c.kind == kind)
        kept = select(decisions.c.number).where(mine).order_by(decisions.c.number.desc()).limit(_KEPT_DECISIONS)
        connection.execute(delete(decisions).where(mine & decisions.c.number.not_in(kept)))

    def retain(self, cameras: Collection[str]) -> None:
        with self._engine.connect() as connection:
            known = {camera for table in (shadows, days, decisions) for camera in connection.execute(select(table.c.camera)).scalars()}
        gone = sorted(known - set(cameras))
        if not gone:
            return
        with writing(self._engine) as connection:
            for table in (shadows, days, decisions):
                connection.execute(delete(table).where(table.c.camera.in_(gone)))

    def told(self, what: Event, camera: str, key: str) -> bool:
        return any(entry.facts.get("key") == key for entry, _ in self._log.find(event=what, subject=camera, most=_MOST_ENTRIES))

    def tell(self, what: Event, camera: str, key: str, facts: Mapping[str, str | int | float]) -> None:
        self._log.write(what, "system", camera, {"key": key, **facts})


def _day(row: Row[Any]) -> Day:
    if row.hash != _hash(row.camera, row.number, row.data):
        raise ValueError("altered")
    day = msgspec.json.decode(row.data, type=Day)
    if (day.camera, day.number) != (row.camera, row.number):
        raise ValueError("of another row")
    return day


def _hash(camera: str, number: int, data: str) -> str:
    return hashlib.sha256(f"{camera}\n{number}\n{data}".encode()).hexdigest()
