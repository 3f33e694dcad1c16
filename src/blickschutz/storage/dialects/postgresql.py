"""PostgreSQL: each of our databases is a schema of that name in one database of a server.

Two roles: the owner's makes and alters tables, by command; the service's reads and writes rows, and has of the log's tables no right
to change or remove one. What only the owner may do and the service needs (let an erased entry go, sweep) are functions of the owner.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, Table, create_engine, event, inspect, text
from sqlalchemy.dialects.postgresql.base import PGTypeCompiler
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DisconnectionError, IntegrityError

from blickschutz.kernel.errors import OperatorError, StoreBusyError, StoreUnreachableError
from blickschutz.storage.dialects.pg_guard import functions_of, guards_of, unguarded_of
from blickschutz.storage.dialects.pg_lead import LOCK_CLASS, LOCKS, SCHEMA, parts_of
from blickschutz.storage.dialects.pg_replicas import parts_of as copies_of
from blickschutz.storage.dialects.pg_replicas import replication_of
from blickschutz.storage.dialects.pg_session import ANSWER_S, LONG_S, NOTHING, WORK_S, Session, named, open_session
from blickschutz.storage.places import ServerPlace
from blickschutz.storage.ports import LONGEST_WAIT_S, AppendOnly, Database, FaultKind
from blickschutz.storage.replicas import Replication

_MOST_FAULTS = 20
# Without these a commit that returned may be gone after a loss of power.
_MUST_BE_ON = ("fsync", "full_page_writes")


class _Types(PGTypeCompiler):
    """Columns hold what a file's would: SQLite keeps no text to a length (each room bounds its own), and its numbers have 64 bits."""

    def visit_VARCHAR(self, type_: Any, **kw: Any) -> str:  # noqa: N802 - SQLAlchemy's name
        return "TEXT" if kw.get("type_expression") is not None else str(super().visit_VARCHAR(type_, **kw))

    def visit_INTEGER(self, type_: Any, **kw: Any) -> str:  # noqa: N802 - SQLAlchemy's name
        return "BIGINT" if kw.get("type_expression") is not None else str(super().visit_INTEGER(type_, **kw))


class PostgresDialect:
    """See `Dialect`."""

    def connect(self, place: ServerPlace, *, owner: bool = False) -> Engine:
        """Connections are made when they are needed. `owner`: for commands; its work has no limit."""
        about = {"place": place, "owner": owner}
        engine = create_engine(
            "postgresql+psycopg://",
            creator=lambda: open_session(place),
            execution_options=about,
            use_native_hstore=False,
            max_overflow=-1,
        )
        engine.dialect.type_compiler_instance = _Types(engine.dialect)
        engine.dialect.do_rollback = _roll_back  # type: ignore[method-assign]
        patience_s = LONG_S if owner else WORK_S
        event.listen(engine, "checkout", _answering(place, patience_s))
        event.listen(engine, "begin", _begin)
        event.listen(engine, "handle_error", _translate, retval=True)
        return engine

    def name(self, engine: Engine) -> str:
        return place_of(engine).name

    @contextmanager
    def writing(self, engine: Engine) -> Iterator[Connection]:
        # The server has a queue: whoever asks first is let in first, of this process or another.
        with engine.execution_options(writes=round(1000 * LONGEST_WAIT_S)).begin() as connection:
            yield connection

    @contextmanager
    def upgrading(self, engine: Engine) -> Iterator[Connection]:
        # References are held by the server at every step; tables are altered in the transaction like rows.
        with self.writing(engine) as connection:
            yield connection

    def guard(self, connection: Connection, tables: Mapping[str, AppendOnly]) -> None:
        self.guard_in(connection, place_of(connection.engine).database, tables)

    def guard_in(self, connection: Connection, database: Database, tables: Mapping[str, AppendOnly]) -> None:
        """The same in a transaction over several databases."""
        connection.exec_driver_sql(f"SET LOCAL search_path TO {database.value}")
        for table, rule in tables.items():
            for statement in guards_of(database.value, table, rule):
                connection.exec_driver_sql(statement)

    def unguarded(self, connection: Connection, tables: Mapping[str, AppendOnly]) -> list[str]:
        schema = place_of(connection.engine).database.value
        return unguarded_of(connection, schema, tables, owner=bool(connection.engine.get_execution_options()["owner"]))

    def let_go(self, connection: Connection, table: Table, numbers: Sequence[int]) -> None:
        connection.execute(text(f"SELECT {table.name}_let_go(CAST(:numbers AS bigint[]))"), {"numbers": list(numbers)})

    def grant(self, connection: Connection, role: str, tables: Mapping[str, AppendOnly]) -> None:
        """Give the service's role what it needs, and nothing else, on all that is there; as the owner."""
        schema, who = place_of(connection.engine).database.value, _quoted(role)
        look = inspect(connection)
        every = look.get_table_names()
        keys = {table: str(look.get_pk_constraint(table)["name"]) for table in every}
        for statement in functions_of(schema, keys, tables, who):
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql(f"REVOKE ALL ON SCHEMA {schema} FROM PUBLIC, {who}")
        connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA {schema} TO {who}")
        for table in every:
            rights = "SELECT" if table == "alembic_version" else "SELECT, INSERT" if table in tables else "SELECT, INSERT, UPDATE, DELETE"
            connection.exec_driver_sql(f"REVOKE ALL ON {table} FROM PUBLIC, {who}")
            connection.exec_driver_sql(f"GRANT {rights} ON {table} TO {who}")
        connection.exec_driver_sql(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {who}")
        for statement in (*parts_of(who), *copies_of(who)):
            connection.exec_driver_sql(statement)

    def lacking(self, connection: Connection) -> tuple[str, ...]:
        """Statements that give the owner, who asks, what it may not do yet: clear the journal, see copies."""
        owner = _quoted(place_of(connection.engine).server.user)
        wanted = {
            "pg_has_role('pg_checkpoint', 'USAGE')": f"GRANT pg_checkpoint TO {owner}",
            "pg_has_role('pg_read_all_stats', 'USAGE')": f"GRANT pg_read_all_stats TO {owner}",
            "has_function_privilege('pg_switch_wal()', 'EXECUTE')": f"GRANT EXECUTE ON FUNCTION pg_switch_wal() TO {owner}",
        }
        has = connection.exec_driver_sql(f"SELECT {', '.join(wanted)}").one()
        return tuple(statement for statement, there in zip(wanted.values(), has, strict=True) if not there)

    def require_lasting(self, connection: Connection) -> None:
        """Raises `OperatorError` where the server does not keep what it says that it has written."""
        for setting in _MUST_BE_ON:
            if connection.exec_driver_sql(f"SHOW {setting}").scalar_one() != "on":
                name = place_of(connection.engine).name
                raise OperatorError(f"{name}: the server has {setting} turned off and may lose what it has confirmed; turn it on")

    def faults(self, engine: Engine, *, deep: bool) -> list[tuple[FaultKind, str]]:
        """Every row is read, with `deep` what lies beside its table too. A page whose checksum is wrong is `StoreDamagedError`."""
        found: list[tuple[FaultKind, str]] = []
        with engine.connect() as connection:
            _be_patient(connection)
            look = inspect(connection)
            for table in look.get_table_names():
                what = "sum(length(t::text))" if deep else "count(t.*)"
                connection.exec_driver_sql(f"SELECT {what} FROM {table} AS t").all()
                for key in look.get_foreign_keys(table) if deep else ():
                    found += _loose(connection, table, key)
        return found[:_MOST_FAULTS]

    def replication(self, engine: Engine) -> Replication | None:
        return replication_of(engine)

    def forget(self, engine: Engine) -> None:
        # Tables are written anew, without what was deleted; rows that a transaction of before still sees would come along.
        place = place_of(engine)
        with self.writing(engine) as connection:
            reading = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            if connection.exec_driver_sql(f"{reading} AND backend_xmin IS NOT NULL").scalar_one():
                raise StoreBusyError(f"{place.name}: what was deleted stays in the tables while somebody reads; it is tried again")
            _be_patient(connection)
            connection.exec_driver_sql("SELECT sweep()")
        with self.writing(engine) as connection:
            _be_patient(connection)
            connection.exec_driver_sql("SELECT cut()")


def place_of(engine: Engine) -> ServerPlace:
    place = engine.get_execution_options()["place"]
    assert isinstance(place, ServerPlace)
    return place


def _be_patient(connection: Connection) -> None:
    """Until it goes back to the others."""
    session = connection.connection.driver_connection
    assert isinstance(session, Session)
    session.patience_s = LONG_S


def _answering(place: ServerPlace, patience_s: float) -> Any:
    """Before a connection is used it is asked whether it lives: after a restart of the server nobody gets a dead one."""

    def check(connection: Any, record: Any, proxy: Any) -> None:
        del record, proxy
        assert isinstance(connection, Session)
        connection.patience_s = ANSWER_S
        try:
            connection.execute("")
            connection.rollback()
        except psycopg.Error as error:
            if str(error) == "no answer":
                raise StoreUnreachableError(f"{place.name}: the server does not answer; nothing was changed") from error
            raise DisconnectionError from error  # SQLAlchemy makes a new one
        connection.patience_s = patience_s

    return check


def _begin(connection: Connection) -> None:
    """`writes`: for how many milliseconds to wait for the right to write; without it the transaction only reads, one moment of all."""
    wait_ms = connection.get_execution_options().get("writes")
    if wait_ms is None:
        return
    place = place_of(connection.engine)
    key, term = LOCKS[place.database], place.server.term
    # Whoever takes the lead has this right too: what it lets through is committed before another one leads, or refused.
    fence = f"; SELECT {SCHEMA}.require({term:d})" if term else ""
    # Each statement sees what is committed at that time, and whoever has the lock is the only one who commits.
    connection.exec_driver_sql(
        f"SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE; SET LOCAL lock_timeout = {wait_ms:d}; "
        f"SELECT pg_advisory_xact_lock({LOCK_CLASS}, {key}){fence}"
    )


def _translate(context: ExceptionContext) -> BaseException | None:
    place = context.engine.get_execution_options().get("place") if context.engine is not None else None
    error = context.original_exception
    if isinstance(error, psycopg.errors.InsufficientPrivilege) and "for table" in str(error):
        refused = psycopg.errors.IntegrityConstraintViolation(f"the table is append only for this role: {error}")
        return IntegrityError(context.statement, context.parameters, refused)
    found = named(place.name, error, place.server) if isinstance(place, ServerPlace) else named("PostgreSQL", error)
    if isinstance(found, StoreUnreachableError) and context.statement is None and _asked_to_write(context.connection):
        # It was asked to commit, and did not answer: the server may have done it, as one whose standby is away does.
        found = StoreUnreachableError(str(found).replace(NOTHING, "it is not known whether it was written; look before it is done again"))
    return found


def _roll_back(dbapi_connection: Any) -> None:
    """What a session that is gone had begun, its server has undone: that is no error, and hides none that came before."""
    try:
        dbapi_connection.rollback()
    except psycopg.OperationalError:
        dbapi_connection.close()


def _asked_to_write(connection: Connection | None) -> bool:
    return connection is not None and connection.get_execution_options().get("writes") is not None


def _loose(connection: Connection, table: str, key: Any) -> list[tuple[FaultKind, str]]:
    other, here, there = key["referred_table"], key["constrained_columns"], key["referred_columns"]
    same = " AND ".join(f"p.{_quoted(b)} = t.{_quoted(a)}" for a, b in zip(here, there, strict=True))
    loose = f"t.{_quoted(here[0])} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {other} AS p WHERE {same})"
    query = f"SELECT count(*) FROM {table} AS t WHERE {loose}"
    rows = connection.exec_driver_sql(query).scalar_one()
    return [(FaultKind.REFERENCES, f"{rows} rows of {table} refer to a row of {other} that is not there")] if rows else []


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
