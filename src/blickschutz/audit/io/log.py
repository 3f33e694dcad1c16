"""The log in a relational database: append only, held by the database, chained by hashes, signed by checkpoints."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Float,
    Index,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    Text,
    func,
    literal,
    select,
    union_all,
)

from blickschutz.audit.erasures import erased_digest
from blickschutz.audit.lives import LASTING, STANDING, Dated
from blickschutz.audit.model import GENESIS, Checkpoint, Entry, Event
from blickschutz.audit.rules import (
    digest,
    encode,
    encode_checkpoint,
    encode_erased,
    encode_head,
    encode_line,
    signed_text,
)
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import StoreUnreachableError
from blickschutz.storage.engine import forget, let_go, writing
from blickschutz.storage.ports import APPEND_ONLY, AppendOnly, Database, belongs_to
from blickschutz.storage.rows import RowReader

METADATA = MetaData(info=belongs_to(Database.CONTROL))
CHECKPOINT_EVERY = 500
_POINTS = 4 * CHECKPOINT_EVERY

Facts: TypeAlias = "dict[str, str | int | float | bool | list[str]]"

entries = Table(
    "log",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("event", String(40), nullable=False),
    Column("by", String(80), nullable=False),
    Column("subject", String(80), nullable=False),
    Column("text", Text, nullable=False),
    Column("hash", String(64), nullable=False),
    Index("log_by_event", "event", "number"),
    Index("log_by_subject", "subject", "number"),
    info={"append_only": AppendOnly(removed_if="EXISTS (SELECT 1 FROM log_erased AS e WHERE e.number = OLD.number AND e.hash = OLD.hash)")},
)
erased = Table(
    "log_erased",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("hash", String(64), nullable=False),
    Column("entry", Integer, nullable=False),
    info={
        "append_only": AppendOnly(
            added_if="EXISTS (SELECT 1 FROM log AS l WHERE l.number = NEW.entry AND l.number > NEW.number AND l.event = 'log-erased')"
        ),
    },
)
checkpoints = Table(
    "log_checkpoints",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("hash", String(64), nullable=False),
    Column("at", Float, nullable=False),
    Column("signature", String(128), nullable=False),
    info=dict(APPEND_ONLY),
)


def _salt() -> str:
    return secrets.token_hex(16)


class AuditLog:
    """Appends within the transaction of whoever writes, so that a fact and its entry stand or fall together.

    `sign` signs with the installation's key, `public` is its public half. Where the key is missing it gives None: entries are
    chained all the same, and signed when there is a key again. What a key signed that was replaced since is proven by the exports
    from then. `salt` gives what nobody can guess, for each entry.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        sign: Callable[[bytes], bytes | None],
        public: bytes,
        salt: Callable[[], str] = _salt,
    ) -> None:
        self._engine, self._clock, self._sign, self.public, self._salt = engine, clock, sign, public, salt
        self._rows = RowReader("log", "number")

    def append(self, connection: Connection, what: Event, by: str, subject: str = "", facts: Facts | None = None) -> Entry:
        """Add an entry to the transaction `connection` (one that writes)."""
        last = connection.execute(select(entries.c.number, entries.c.hash).order_by(entries.c.number.desc()).limit(1)).one_or_none()
        number, previous = (last.number + 1, last.hash) if last is not None else (1, GENESIS)
        at, salt = self._clock.now(), self._salt()
        entry = Entry(number=number, at=at, event=what, by=by, subject=subject, facts=facts or {}, previous=previous, salt=salt)
        text = encode(entry)
        row = {
            "number": number,
            "at": entry.at,
            "event": what.value,
            "by": by,
            "subject": subject,
            "text": text.decode(),
            "hash": digest(text),
        }
        connection.execute(entries.insert(), row)
        if number % CHECKPOINT_EVERY == 0 and what is not Event.LOG_ERASED:
            self._add_checkpoint(connection)
        return entry

    def write(self, what: Event, by: str, subject: str = "", facts: Facts | None = None) -> Entry:
        """Add an entry in a transaction of its own."""
        with writing(self._engine) as connection:
            return self.append(connection, what, by, subject, facts)

    def require_writable(self) -> None:
        """For whoever computes for long before they write: raises `StoreError` at once where no entry could be written now."""
        with writing(self._engine):
            return

    def checkpoint(self) -> None:
        """Sign the state of the log, unless its newest entry is signed already."""
        with writing(self._engine) as connection:
            self._add_checkpoint(connection)

    def _add_checkpoint(self, connection: Connection, order: int = 0) -> None:
        """`order` is the entry of this transaction that tells of erased ones. No other such entry is signed as the newest: whoever
        wrote it past the program, and took away what it names, is named by the entry after it, and every verifier finds the gap."""
        newest = select(entries.c.number, entries.c.hash, entries.c.event).order_by(entries.c.number.desc()).limit(1)
        last = connection.execute(newest).one_or_none()
        if last is None or connection.execute(select(func.count()).where(checkpoints.c.number == last.number)).scalar_one():
            return
        if last.event == Event.LOG_ERASED and last.number != order:
            self.append(connection, Event.LOG_BROKEN, "system", facts={"entry": last.number})
            last = connection.execute(newest).one()
        at = self._clock.now()
        signature = self._sign(signed_text(last.number, last.hash, at))
        if signature is None:
            return
        row = {"number": last.number, "hash": last.hash, "at": at, "signature": signature.hex()}
        connection.execute(checkpoints.insert(), row)

    def export(self, first: int = 1) -> Iterator[bytes]:
        """The log from entry `first` on as lines, with its checkpoints; ends with a fresh one."""
        self.checkpoint()
        with self._engine.connect() as connection:
            own = checkpoints.c.number >= max(first, self._first_signed())
            points = {row.number: row for row in connection.execute(select(checkpoints).where(own))}
            # What was appended since that checkpoint comes with the next export: every one ends with a signature.
            last = max(points, default=0)
            yield encode_head(self.public, first)
            there = select(entries.c.number, entries.c.text, entries.c.hash, literal(0).label("entry"))
            gone = select(erased.c.number, literal(""), erased.c.hash, erased.c.entry)
            query = union_all(*(part.where(part.selected_columns[0].between(first, last)) for part in (there, gone))).order_by("number")
            for number, text, hashed, order in connection.execution_options(yield_per=2000).execute(query):
                yield encode_erased(hashed, order) if order else encode_line(hashed, text.encode())
                point = points.get(number)
                if point is not None:
                    yield encode_checkpoint(Checkpoint(number=number, hash=point.hash, at=point.at, signature=point.signature))

    def find(self, *, event: str = "", subject: str = "", by: str = "", before: int = 0, most: int = 200) -> list[tuple[Entry, str]]:
        """Entries that fit with their hashes, the newest first; those with a number under `before`."""
        query = select(entries.c.number, entries.c.text, entries.c.hash).order_by(entries.c.number.desc()).limit(most)
        for column, wanted in ((entries.c.event, event), (entries.c.subject, subject), (entries.c.by, by)):
            query = query.where(column == wanted) if wanted else query
        query = query.where(entries.c.number < before) if before else query
        with self._engine.connect() as connection:
            return self._rows.all(connection.execute(query), lambda row: (_entry(row), row.hash))

    def between(self, events: Sequence[Event], start: float, end: float) -> list[Entry]:
        """Entries of `events` from `start` until before `end` (POSIX), the oldest first."""
        query = select(entries.c.number, entries.c.text).where(entries.c.event.in_([e.value for e in events]))
        query = query.where(entries.c.at >= start, entries.c.at < end).order_by(entries.c.number)
        with self._engine.connect() as connection:
            return self._rows.all(connection.execute(query), _entry)

    def count(self, events: Sequence[Event], since: float, by: str = "") -> int:
        """How many of `events` there were since a moment (POSIX)."""
        query = select(func.count()).where(entries.c.event.in_([e.value for e in events]), entries.c.at >= since)
        query = query.where(entries.c.by == by) if by else query
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def _first_signed(self) -> int:
        """The entry from which on today's key signs."""
        replaced = self.find(event=Event.KEY_REPLACED, most=1)
        return replaced[0][0].number if replaced and replaced[0][0].facts.get("now") == self.public.hex() else 0

    @property
    def can_sign(self) -> bool:
        """Whether the key is there: without it nothing new can be proven."""
        return self._sign(b"") is not None

    def hash_of(self, number: int) -> str:
        """The hash of that entry; empty where there is none."""
        query = union_all(*(select(table.c.hash).where(table.c.number == number) for table in (entries, erased)))
        with self._engine.connect() as connection:
            found = connection.execute(query).scalar_one_or_none()
        return str(found or "")

    def hashes(self, after: int, most: int) -> list[str]:
        """Hashes of the entries after that number, at most so many, in order. Ends where a number is missing."""
        parts = (select(table.c.number, table.c.hash).where(table.c.number > after) for table in (entries, erased))
        with self._engine.connect() as connection:
            found = connection.execute(union_all(*parts).order_by("number").limit(most)).all()
        return [row.hash for index, row in enumerate(found, after + 1) if row.number == index]

    def dated(self) -> Iterator[Dated]:
        """What the limit of entries goes by, the oldest first. Checkpoints among them say how late it was when entries that are gone were
        written; none of them ends."""
        newest = select(func.max(entries.c.number)).where(entries.c.event.in_(STANDING)).group_by(entries.c.event, entries.c.subject)
        mortal = select(func.min(entries.c.number)).where(entries.c.event.not_in(LASTING))
        there = select(entries.c.number, entries.c.at, entries.c.event, entries.c.subject, literal(0).label("point"))
        with self._engine.connect() as connection:
            standing = frozenset(connection.execute(newest).scalars())
            first = (connection.execute(mortal).scalar_one() or 0) - _POINTS
            signed = select(checkpoints.c.number, checkpoints.c.at, literal(Event.LOG_ERASED.value), literal(""), literal(1))
            query = union_all(there, signed.where(checkpoints.c.number >= first)).order_by("number", "point")
            for number, at, event, subject, point in connection.execution_options(yield_per=500).execute(query):
                yield Dated(number, at, event, subject, bool(point) or number in standing)

    def erase(self, numbers: Sequence[int], months: int) -> None:
        """Erase what these entries say; their hashes stay, and an entry in the same transaction tells of it and is signed.

        Raises `StoreError` where nothing can be written. At most some thousand at a time.
        """
        mine = entries.c.number.in_(numbers)
        with writing(self._engine) as connection:
            found = connection.execute(select(entries.c.number, entries.c.hash).where(mine).order_by(entries.c.number)).all()
            if not found:
                return
            hashes = [(row.number, row.hash) for row in found]
            facts: Facts = {"entries": len(found), "first": found[0].number, "last": found[-1].number, "months": months}
            order = self.append(connection, Event.LOG_ERASED, "system", facts={**facts, "digest": erased_digest(hashes)})
            connection.execute(erased.insert(), [{"number": n, "hash": hashed, "entry": order.number} for n, hashed in hashes])
            let_go(connection, entries, [number for number, _ in hashes])
            self._add_checkpoint(connection, order.number)
            if not connection.execute(select(func.count()).where(checkpoints.c.number == order.number)).scalar_one():
                raise StoreUnreachableError("nothing is erased from the log: its key signs nothing")

    def forget(self) -> None:
        """Leave no byte of erased entries in the database's files. Raises `StoreBusyError` while somebody still reads what was."""
        forget(self._engine)

    def state(self) -> tuple[int, str, Checkpoint | None]:
        """Number and hash of the newest entry, and the newest checkpoint."""
        with self._engine.connect() as connection:
            last = connection.execute(select(entries.c.number, entries.c.hash).order_by(entries.c.number.desc()).limit(1)).one_or_none()
            point = connection.execute(select(checkpoints).order_by(checkpoints.c.number.desc()).limit(1)).one_or_none()
        newest = Checkpoint(number=point.number, hash=point.hash, at=point.at, signature=point.signature) if point is not None else None
        return (last.number, last.hash, newest) if last is not None else (0, GENESIS, newest)


def _entry(row: Row[Any]) -> Entry:
    """An entry that cannot be read is a break of the chain: whoever verifies the log is told."""
    return msgspec.json.decode(row.text.encode(), type=Entry)
