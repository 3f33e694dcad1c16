"""Who leads, kept in PostgreSQL: one row with a term that only grows, and what a control room that waits must have to go on.

Whoever takes the lead ends the sessions of who led before, takes the right to write to every database, and only then writes the new
term. A transaction that writes has that right too, and asks for its term after it got it: so it commits before, or is refused.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from blickschutz.kernel.errors import OperatorError, StoreBusyError, StoreUnreachableError
from blickschutz.storage.dialects.pg_session import ANSWER_S, FENCED, LEADS, Session, named, open_session
from blickschutz.storage.lead import Led, Paper
from blickschutz.storage.places import Server, ServerPlace
from blickschutz.storage.ports import LONGEST_WAIT_S, Database

SCHEMA = "leadership"
# The first half of the key of our locks ("blsc"); the second says which database.
LOCK_CLASS = 0x626C7363
LOCKS = {database: number for number, database in enumerate(Database, 1)}
_ENDS_MS = 1000
_TABLES = (
    "CREATE TABLE IF NOT EXISTS {s}.room (one boolean PRIMARY KEY DEFAULT true CHECK (one), term bigint NOT NULL DEFAULT 0, "
    "beat bigint NOT NULL DEFAULT 0, holder text NOT NULL DEFAULT '', since timestamptz NOT NULL DEFAULT now(), "
    "seen timestamptz NOT NULL DEFAULT now(), token bigint NOT NULL DEFAULT 0)",
    "INSERT INTO {s}.room DEFAULT VALUES ON CONFLICT DO NOTHING",
    "CREATE TABLE IF NOT EXISTS {s}.papers (name text PRIMARY KEY, term bigint NOT NULL, number bigint NOT NULL, sealed bytea NOT NULL)",
    "CREATE TABLE IF NOT EXISTS {s}.waiting (name text PRIMARY KEY, seen timestamptz NOT NULL)",
)
_REFUSED = f"RAISE EXCEPTION 'another control room leads' USING ERRCODE = '{FENCED}'"
_MINE = "SELECT 1 FROM {s}.room AS r WHERE r.term = mine"
_REQUIRE = f"IF NOT EXISTS ({_MINE}) THEN {_REFUSED}; END IF; "
# Name, arguments, what it gives, and what it does; with the owner's rights, as the service writes these tables in no other way.
_FUNCTIONS = (
    ("require", "mine bigint", "void", f"{_REQUIRE}"),
    (
        "take",
        "was bigint, beaten bigint, name text",
        "bigint",
        "UPDATE {s}.room AS r SET term = r.term + 1, beat = 0, holder = name, since = clock_timestamp(), seen = clock_timestamp() "
        "WHERE r.term = was AND r.beat = beaten RETURNING r.term INTO given; "
        "DELETE FROM {s}.waiting AS w WHERE w.name = take.name; RETURN given; ",
    ),
    (
        "beat",
        "mine bigint",
        "void",
        "UPDATE {s}.room AS r SET beat = r.beat + 1, seen = clock_timestamp() WHERE r.term = mine; "
        f"IF NOT FOUND THEN {_REFUSED}; END IF; ",
    ),
    ("release", "mine bigint", "void", "UPDATE {s}.room AS r SET holder = '', beat = r.beat + 1 WHERE r.term = mine; "),
    (
        "remember",
        "mine bigint, newest bigint",
        "void",
        f"UPDATE {{s}}.room AS r SET token = greatest(r.token, newest) WHERE r.term = mine; IF NOT FOUND THEN {_REFUSED}; END IF; ",
    ),
    (
        "put",
        "mine bigint, count bigint, paper text, content bytea",
        "void",
        # The row is locked: nobody takes the lead between the look and the paper.
        f"PERFORM 1 FROM {{s}}.room AS r WHERE r.term = mine FOR SHARE; IF NOT FOUND THEN {_REFUSED}; END IF; "
        "INSERT INTO {s}.papers AS p (name, term, number, sealed) VALUES (paper, mine, count, content) "
        "ON CONFLICT (name) DO UPDATE SET term = mine, number = count, sealed = content; ",
    ),
    (
        "wait",
        "room text",
        "void",
        "INSERT INTO {s}.waiting AS w (name, seen) VALUES (room, clock_timestamp()) "
        "ON CONFLICT (name) DO UPDATE SET seen = clock_timestamp(); "
        "DELETE FROM {s}.waiting AS w WHERE w.seen < clock_timestamp() - interval '1 day'; ",
    ),
)


def parts_of(role: str) -> Iterator[str]:
    """Statements of the owner that make all of it; `role` is quoted. Done again they change nothing."""
    yield f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"
    yield from (statement.format(s=SCHEMA) for statement in _TABLES)
    for name, arguments, gives, body in _FUNCTIONS:
        types = ", ".join(one.split()[1] for one in arguments.split(", "))
        declared = "DECLARE given bigint; " if gives != "void" else ""
        yield (
            f"CREATE OR REPLACE FUNCTION {SCHEMA}.{name}({arguments}) RETURNS {gives} LANGUAGE plpgsql SECURITY DEFINER "
            f"SET search_path = {SCHEMA}, pg_temp AS $${declared}BEGIN {body.format(s=SCHEMA)}END$$"
        )
        yield f"REVOKE ALL ON FUNCTION {SCHEMA}.{name}({types}) FROM PUBLIC"
        yield f"GRANT EXECUTE ON FUNCTION {SCHEMA}.{name}({types}) TO {role}"
    yield f"REVOKE ALL ON SCHEMA {SCHEMA} FROM PUBLIC, {role}"
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA {SCHEMA} FROM PUBLIC, {role}"
    yield f"GRANT USAGE ON SCHEMA {SCHEMA} TO {role}"
    yield f"GRANT SELECT ON ALL TABLES IN SCHEMA {SCHEMA} TO {role}"


class PostgresLead:
    """See `Lead`. One session, made anew when it was lost; for several threads."""

    def __init__(self, server: Server) -> None:
        self._place = ServerPlace(server, Database.CONTROL)
        self._lock = threading.Lock()
        self._session: Session | None = None

    def look(self) -> Led:
        with self._used(writes=False) as session:
            row = session.execute(
                f"SELECT term, beat, holder, extract(epoch FROM since)::float8, extract(epoch FROM seen)::float8, token FROM {SCHEMA}.room"
            ).fetchone()
            said = "SELECT name, extract(epoch FROM clock_timestamp() - seen)::float8"
            waiting = session.execute(f"{said} FROM {SCHEMA}.waiting ORDER BY name").fetchall()
        if row is None:
            raise StoreUnreachableError(f"{self._place.name}: there is no row that says who leads; blickschutz database prepare makes it")
        term, beat, holder, since, seen, token = row
        return Led(term, beat, holder, since, seen, token, tuple((str(name), float(ago)) for name, ago in waiting))

    def take(self, was: Led, name: str) -> int | None:
        with self._used() as session:
            # A leader that stands still in the middle of a transaction has the right to write until its session ends.
            session.execute(
                f"SELECT pg_terminate_backend(pid, {_ENDS_MS}) FROM pg_stat_activity WHERE datname = current_database() "
                f"AND usename = current_user AND application_name LIKE '{LEADS}%%' AND pid <> pg_backend_pid()"
            )
            session.execute(f"SET LOCAL lock_timeout = {round(1000 * LONGEST_WAIT_S)}")
            for key in LOCKS.values():
                session.execute(f"SELECT pg_advisory_xact_lock({LOCK_CLASS}, {key})")
            found = session.execute(f"SELECT {SCHEMA}.take(%s, %s, %s)", (was.term, was.beat, name)).fetchone()
        return int(found[0]) if found is not None and found[0] is not None else None

    def beat(self, term: int) -> None:
        with self._used() as session:
            # One that is lost with the server only lets another one take over sooner.
            session.execute("SET LOCAL synchronous_commit = off")
            session.execute(f"SELECT {SCHEMA}.beat(%s)", (term,))

    def release(self, term: int) -> None:
        self._do("release(%s)", term)

    def remember(self, term: int, token: int) -> None:
        self._do("remember(%s, %s)", term, token)

    def wait(self, name: str) -> None:
        self._do("wait(%s)", name)

    def put(self, term: int, number: int, name: str, sealed: bytes) -> None:
        self._do("put(%s, %s, %s, %s)", term, number, name, sealed)

    def papers(self, term: int, number: int) -> list[Paper]:
        query = f"SELECT name, term, number, sealed FROM {SCHEMA}.papers WHERE (term, number) > (%s, %s) ORDER BY term, number"
        with self._used(writes=False) as session:
            rows = session.execute(query, (term, number)).fetchall()
        return [Paper(name, under, count, bytes(sealed)) for name, under, count, sealed in rows]

    def close(self) -> None:
        with self._lock:
            self._dropped()

    def _do(self, call: str, *values: object) -> None:
        with self._used() as session:
            session.execute(f"SELECT {SCHEMA}.{call}", values)

    @contextmanager
    def _used(self, *, writes: bool = True) -> Iterator[Any]:
        """A transaction; errors in our words. A session that was lost is made anew once."""
        if not self._lock.acquire(timeout=ANSWER_S + LONGEST_WAIT_S):
            raise StoreBusyError(f"{self._place.name}: somebody else asks who leads; nothing was changed")
        try:
            session = self._live()
            with session.transaction():
                mode = "READ WRITE" if writes else "READ ONLY"
                session.execute(f"SET TRANSACTION ISOLATION LEVEL READ COMMITTED, {mode}")
                yield session
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedFunction, psycopg.errors.InvalidSchemaName) as error:
            raise OperatorError(
                f"{self._place.server.name} (PostgreSQL) has not the form of this version: nothing in it says who leads. Make a backup, "
                "then: blickschutz database prepare"
            ) from error
        except psycopg.Error as error:
            if not isinstance(error, psycopg.DatabaseError) or error.sqlstate is None or error.sqlstate[:2] in {"57", "08"}:
                self._dropped()
            if (ours := named(self._place.name, error, self._place.server)) is not None:
                raise ours from error
            raise
        finally:
            self._lock.release()

    def _live(self) -> Session:
        if self._session is not None:
            self._session.patience_s = ANSWER_S
            try:
                self._session.execute("")
                self._session.rollback()
            except psycopg.Error:
                self._dropped()
        if self._session is None:
            self._session = open_session(self._place)
        self._session.patience_s = ANSWER_S + LONGEST_WAIT_S + _ENDS_MS / 1000
        return self._session

    def _dropped(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()
