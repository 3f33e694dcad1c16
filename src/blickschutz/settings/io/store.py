"""Proposals about settings in the control room's database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Engine,
    Float,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from blickschutz.audit.io.log import AuditLog, Facts
from blickschutz.audit.model import Event
from blickschutz.kernel.clock import Clock
from blickschutz.settings.model import Difference, Made, Origin, Proposal, State
from blickschutz.storage.engine import writing
from blickschutz.storage.ports import Database, belongs_to
from blickschutz.storage.rows import DamagedRow, RowReader

METADATA = MetaData(info=belongs_to(Database.CONTROL))

changes = Table(
    "settings_changes",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("by", String(80), nullable=False),
    Column("at", Float, nullable=False),
    Column("origin", String(10), nullable=False),
    Column("reason", Text, nullable=False),
    Column("differences", Text, nullable=False),
    Column("state", String(12), nullable=False),
    Column("second", Boolean, nullable=False),
    Column("before", String(64), nullable=False),
    Column("after", String(64), nullable=False),
    Column("decided_by", String(80), nullable=False),
    Column("decided_at", Float, nullable=False),
    Column("undoes", Integer, nullable=False),
    Column("restart", Text, nullable=False),
    sqlite_autoincrement=True,
)
_EVENTS = {
    State.APPLIED: Event.SETTINGS_APPLIED,
    State.WITHDRAWN: Event.SETTINGS_WITHDRAWN,
    State.OVERTAKEN: Event.SETTINGS_OVERTAKEN,
}
# In an entry of the log; the table has all of them.
_MOST_KEYS = 50
_MOST_DROPPED = 500
_decoder = msgspec.json.Decoder(tuple[Difference, ...])


class SqlProposals:
    """See `settings.ports.Store`."""

    def __init__(self, engine: Engine, log: AuditLog, clock: Clock) -> None:
        self._engine, self._log, self._clock, self._rows = engine, log, clock, RowReader("settings_changes", "number")

    def all(self, most: int) -> list[Proposal]:
        query = select(changes).order_by(changes.c.number.desc()).limit(most)
        with self._engine.connect() as connection:
            return self._rows.all(connection.execute(query), _proposal)

    def get(self, number: int) -> Proposal | None:
        with self._engine.connect() as connection:
            return self._read(connection, number)

    def add(self, proposal: Proposal) -> Proposal:
        with writing(self._engine) as connection:
            row = {**_columns(proposal), "at": self._clock.now()}
            number = int(connection.execute(insert(changes).returning(changes.c.number), row).scalar_one())
            facts: Facts = {"proposal": number, "keys": _keys(proposal), "second": proposal.second, "origin": proposal.origin.value}
            facts |= {"reason": proposal.reason} if proposal.reason else {}
            facts |= {"undoes": proposal.undoes} if proposal.undoes else {}
            self._log.append(connection, Event.SETTINGS_PROPOSED, proposal.by, str(number), facts)
            found = self._read(connection, number)
        assert found is not None  # written in this very transaction
        return found

    def turn(self, number: int, known: State, state: State, by: str, made: Made | None = None) -> Proposal | None:
        with writing(self._engine) as connection:
            found = self._read(connection, number)
            if found is None or found.state is not known:
                return None
            values: dict[str, Any] = {"state": state.value, "decided_by": by, "decided_at": self._clock.now()}
            if made is not None:
                values |= {"before": made.before, "after": made.after, "restart": msgspec.json.encode(made.restart).decode()}
            connection.execute(update(changes).where(changes.c.number == number).values(**values))
            if state in _EVENTS:
                facts: Facts = {"proposal": number, "keys": _keys(found), "people": list(dict.fromkeys((found.by, by)))}
                hashes = made or Made(found.before, found.after)
                facts |= {"before": hashes.before, "now": hashes.after} if state is State.APPLIED else {}
                self._log.append(connection, _EVENTS[state], by, str(number), facts)
            return self._read(connection, number)

    def damaged(self) -> list[DamagedRow]:
        """Rows that cannot be read, and so are in no list."""
        with self._engine.connect() as connection:
            return self._rows.damaged(connection.execute(select(changes)), _proposal)

    def drop(self, is_over: Callable[[float], bool]) -> int:
        """Forget who decided what, where the log does; some at a time, and how many. Files that were in force stay: they name nobody."""
        query = select(changes.c.number, changes.c.decided_at).where(changes.c.state.not_in(_OPEN))
        with self._engine.connect() as connection:
            over = [row.number for row in connection.execute(query) if is_over(row.decided_at)][:_MOST_DROPPED]
        if not over:
            return 0
        with writing(self._engine) as connection:
            return int(connection.execute(delete(changes).where(changes.c.number.in_(over))).rowcount)

    def _read(self, connection: Connection, number: int) -> Proposal | None:
        row = connection.execute(select(changes).where(changes.c.number == number)).one_or_none()
        return self._rows.one(row, _proposal) if row is not None else None


_OPEN = (State.WAITING.value, State.WRITING.value)


def _keys(proposal: Proposal) -> list[str]:
    return [one.key for one in proposal.differences][:_MOST_KEYS]


def _columns(proposal: Proposal) -> dict[str, Any]:
    return {
        "by": proposal.by,
        "origin": proposal.origin.value,
        "reason": proposal.reason,
        "differences": msgspec.json.encode(proposal.differences).decode(),
        "state": proposal.state.value,
        "second": proposal.second,
        "before": proposal.before,
        "after": proposal.after,
        "decided_by": proposal.decided_by,
        "decided_at": proposal.decided_at,
        "undoes": proposal.undoes,
        "restart": msgspec.json.encode(proposal.restart).decode(),
    }


def _proposal(row: Row[Any]) -> Proposal:
    return Proposal(
        number=row.number,
        by=row.by,
        at=row.at,
        differences=_decoder.decode(row.differences),
        state=State(row.state),
        origin=Origin(row.origin),
        reason=row.reason,
        second=row.second,
        before=row.before,
        after=row.after,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        undoes=row.undoes,
        restart=tuple(msgspec.json.decode(row.restart, type=list[str])),
    )
