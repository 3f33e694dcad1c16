"""How the copies of a PostgreSQL server are. Who is connected to it only few roles may see: the owner asks, with `pg_read_all_stats`, by a
function that tells the service of copies alone, and of no other session.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from blickschutz.storage.dialects.pg_lead import SCHEMA
from blickschutz.storage.replicas import Replica, Replication, awaited_names

_BYTES = "pg_wal_lsn_diff({}, '0/0')::bigint"
# One that is being made by `pg_basebackup` is none yet.
_COPIES = (
    f"SELECT application_name::text, state::text, sync_state IN ('sync', 'quorum'), {_BYTES.format('flush_lsn')}, "
    f"{_BYTES.format('replay_lsn')} FROM pg_stat_replication WHERE state IS DISTINCT FROM 'backup'"
)
# A server that is a copy itself has no position of its own.
_POSITION = (
    f"SELECT {_BYTES.format('CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END')}, "
    "current_setting('synchronous_standby_names')"
)
_SLOTS = (
    f"SELECT slot_name::text, {_BYTES.format('restart_lsn')}, active FROM pg_replication_slots "
    "WHERE slot_type = 'physical' AND NOT temporary"
)
UNSEEN = "the owner of the database may not see copies: GRANT pg_read_all_stats TO it"
UNMADE = "the owner's function that tells of copies is missing: blickschutz database prepare"


def parts_of(role: str) -> Iterator[str]:
    """Statements of the owner; `role` is quoted. Done again they change nothing."""
    gives = "TABLE (name text, state text, awaited boolean, stored bigint, replayed bigint)"
    yield (
        f"CREATE OR REPLACE FUNCTION {SCHEMA}.copies() RETURNS {gives} LANGUAGE sql STABLE SECURITY DEFINER "
        f"SET search_path = pg_catalog, pg_temp AS $${_COPIES}$$"
    )
    yield f"REVOKE ALL ON FUNCTION {SCHEMA}.copies() FROM PUBLIC"
    yield f"GRANT EXECUTE ON FUNCTION {SCHEMA}.copies() TO {role}"


def replication_of(engine: Engine) -> Replication:
    """Raises `StoreError`."""
    with engine.connect() as connection:
        position, setting = connection.exec_driver_sql(_POSITION).one()
        slots = connection.exec_driver_sql(_SLOTS).all()
        try:
            rows, problem = connection.exec_driver_sql(f"SELECT * FROM {SCHEMA}.copies()").all(), ""
        except DBAPIError as error:
            if not isinstance(error.orig, (psycopg.errors.UndefinedFunction, psycopg.errors.InsufficientPrivilege)):
                raise
            # A server without copies misses nothing.
            rows, problem = [], UNMADE if slots or setting.strip() else ""
        if any(row.state is None for row in rows):
            rows, problem = [], UNSEEN
    away = {str(name): kept for name, kept, active in slots if not active}
    names = awaited_names(setting)
    # One whose connection was cut may be there twice for a while; the one that has more is it.
    there = {one.name: one for one in sorted(map(_there, rows), key=lambda one: one.stored or 0)}
    known = {name.lower() for name in there}
    missing = {name.lower(): Replica(name, False, name.lower() in names, kept=kept) for name, kept in away.items()}
    missing = {name: Replica(name, False, True) for name in names} | missing
    gone = [one for name, one in missing.items() if name not in known and not problem]
    return Replication(int(position or 0), bool(setting.strip()), (*there.values(), *gone), problem)


def _there(row: Any) -> Replica:
    # One that only catches up is there, but has not all of it: how far it is says the position.
    return Replica(row.name, True, bool(row.awaited), row.stored or 0, row.replayed or 0)
