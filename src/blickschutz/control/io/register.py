"""The register of reviewers in the database; each entry with its entry in the log, signed by the installation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Column, Engine, Integer, MetaData, String, Table, Text, delete, func, insert, select

from blickschutz.audit.io.log import AuditLog, Facts
from blickschutz.audit.model import Event
from blickschutz.storage.engine import writing
from blickschutz.storage.ports import APPEND_ONLY, Database, belongs_to
from blickschutz.vault.register import hash_of

METADATA = MetaData(info=belongs_to(Database.CONTROL))
EVENTS = (Event.REVIEWERS_FOUNDED, Event.REVIEWER_CONFIRMED, Event.REVIEWER_REVOKED)

entries = Table(
    "reviewer_register",
    METADATA,
    Column("founding", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("line", Text, nullable=False),
    Column("signature", String(128), nullable=False),
    info=dict(APPEND_ONLY),
)
drafts = Table(
    "reviewer_founders",
    METADATA,
    Column("person", String(40), primary_key=True),
    Column("founders", Text, nullable=False),
    Column("signature", String(128), nullable=False),
)


class SqlRegister:
    """See `RegisterStore`. `signed` says whether the installation signed a text."""

    def __init__(self, engine: Engine, log: AuditLog, sign: Callable[[bytes], bytes], signed: Callable[[bytes, bytes], bool]) -> None:
        self._engine, self._log, self._sign, self._signed = engine, log, sign, signed

    def lines(self) -> tuple[str, ...]:
        newest = select(func.max(entries.c.founding)).scalar_subquery()
        query = select(entries.c.line).where(entries.c.founding == newest).order_by(entries.c.number)
        with self._engine.connect() as connection:
            return tuple(connection.execute(query).scalars())

    def fault(self) -> str:
        told: list[str] = []
        for entry in self._log.between(EVENTS, float("-inf"), float("inf")):
            told.append(str(entry.facts.get("head", "")))
        with self._engine.connect() as connection:
            rows = list(connection.execute(select(entries.c.line, entries.c.signature).order_by(entries.c.founding, entries.c.number)))
        for number, (row, head) in enumerate(zip(rows, told, strict=False), 1):
            if hash_of(row.line) != head:
                return f"entry {number} of the register is not what the log says"
            if not self._signed(_text(row.line), bytes.fromhex(row.signature)):
                return f"entry {number} of the register is not signed by this installation"
        return "" if len(rows) == len(told) else f"the register has {len(rows)} entries, and {len(told)} by the log"

    def append(self, line: str, number: int, event: Event, by: str, person: str, facts: Facts) -> bool:
        signature = self._sign(_text(line)).hex()
        with writing(self._engine) as connection:
            newest = int(connection.execute(select(func.max(entries.c.founding))).scalar_one() or 0)
            count = connection.execute(select(func.count()).where(entries.c.founding == newest)).scalar_one()
            founds = event is Event.REVIEWERS_FOUNDED
            if not founds and count + 1 != number:
                return False  # somebody was faster: what was signed is about another state
            row = {"founding": newest + founds, "number": number, "line": line, "signature": signature}
            connection.execute(insert(entries), row)
            if founds:
                connection.execute(delete(drafts))
            self._log.append(connection, event, by, person, {**facts, "head": hash_of(line)})
        return True

    def drafts(self) -> dict[str, tuple[str, str]]:
        with self._engine.connect() as connection:
            return {row.person: (row.founders, row.signature) for row in connection.execute(select(drafts))}

    def put_draft(self, person: str, founders: str, signature: str) -> None:
        with writing(self._engine) as connection:
            connection.execute(delete(drafts).where(drafts.c.person == person))
            connection.execute(insert(drafts), {"person": person, "founders": founders, "signature": signature})

    def newest_of(self, events: Sequence[Event]) -> dict[str, Facts]:
        """The facts of the newest of `events` about each person, with the event itself as `event`."""
        found: dict[str, Facts] = {}
        for entry in self._log.between(events, float("-inf"), float("inf")):
            found[entry.subject] = {**entry.facts, "event": entry.event.value}
        return found


def _text(line: str) -> bytes:
    return b"blickschutz-register-1:" + line.encode()
