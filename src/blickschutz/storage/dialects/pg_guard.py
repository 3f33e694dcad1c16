"""What holds the tables that may only grow in PostgreSQL: triggers, rights, and the owner's few functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection

from blickschutz.storage.ports import AppendOnly

_ACTS = {"update": "NEW", "delete": "OLD", "insert": "NEW", "truncate": "NULL"}
# What nobody but the owner may have of such a table.
_RIGHTS = ("UPDATE", "DELETE", "TRUNCATE", "TRIGGER", "REFERENCES")


def guards_of(schema: str, table: str, rule: AppendOnly) -> Iterator[str]:
    """Statements that make a table refuse every change that `rule` does not let pass, whoever asks for it."""
    for act, body in _bodies(rule).items():
        name, each = f"{table}_no_{act}", "STATEMENT" if act == "truncate" else "ROW"
        yield f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $${body}$$"
        yield f"CREATE OR REPLACE TRIGGER {name} BEFORE {act.upper()} ON {table} FOR EACH {each} EXECUTE FUNCTION {name}()"
        # Whatever a session says of its role in replication.
        yield f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"


def unguarded_of(connection: Connection, schema: str, tables: Mapping[str, AppendOnly], *, owner: bool) -> list[str]:
    """Tables whose triggers are not all there, on, and ours; and, for the service, those of which its role has a right too many."""
    query = (
        "SELECT c.relname, t.tgname, p.prosrc FROM pg_trigger AS t "
        "JOIN pg_class AS c ON c.oid = t.tgrelid JOIN pg_proc AS p ON p.oid = t.tgfoid"
        f" WHERE c.relnamespace = '{schema}'::regnamespace AND t.tgenabled = 'A' AND t.tgqual IS NULL AND p.pronamespace = c.relnamespace"
    )
    there = {(str(table), str(name)): str(body) for table, name, body in connection.exec_driver_sql(query)}
    found = []
    for table, rule in tables.items():
        wanted = {(table, f"{table}_no_{act}"): body for act, body in _bodies(rule).items()}
        if not wanted.items() <= there.items() or not (owner or _only_grows(connection, table)):
            found.append(table)
    return found


def functions_of(schema: str, keys: Mapping[str, str], tables: Mapping[str, AppendOnly], role: str) -> Iterator[str]:
    """What runs with the owner's rights: rows that may go are let go, and tables are written anew without what was deleted.

    `keys`: every table with the name of its primary key's index. `role` is quoted.
    """
    head = f"LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS"
    for table, rule in tables.items():
        if rule.removed_if:
            yield (
                f"CREATE OR REPLACE FUNCTION {table}_let_go(numbers bigint[]) RETURNS void {head} "
                f"$$BEGIN DELETE FROM {table} WHERE number = ANY(numbers); END$$"
            )
            yield f"REVOKE ALL ON FUNCTION {table}_let_go(bigint[]) FROM PUBLIC"
            yield f"GRANT EXECUTE ON FUNCTION {table}_let_go(bigint[]) TO {role}"
    anew = " ".join(f"CLUSTER {table} USING {key};" for table, key in keys.items())
    # Old segments of the server's journal can go once a new one was begun and a checkpoint was made, where the owner may do that.
    cut = (
        "IF has_function_privilege('pg_switch_wal()', 'EXECUTE') THEN PERFORM pg_switch_wal(); END IF; "
        "IF pg_has_role(current_user, 'pg_checkpoint', 'USAGE') THEN CHECKPOINT; END IF;"
    )
    for name, body in (("sweep", anew), ("cut", cut)):
        yield f"CREATE OR REPLACE FUNCTION {name}() RETURNS void {head} $$BEGIN {body} END$$"
        yield f"REVOKE ALL ON FUNCTION {name}() FROM PUBLIC"
        yield f"GRANT EXECUTE ON FUNCTION {name}() TO {role}"


def _bodies(rule: AppendOnly) -> dict[str, str]:
    """What the trigger of each act does."""
    passes = {"update": "", "delete": rule.removed_if, "truncate": ""} | ({"insert": rule.added_if} if rule.added_if else {})
    refused = "RAISE EXCEPTION 'the log is append only' USING ERRCODE = 'integrity_constraint_violation'; "
    return {act: f"BEGIN IF {rule or 'false'} THEN RETURN {_ACTS[act]}; END IF; {refused}END" for act, rule in passes.items()}


def _only_grows(connection: Connection, table: str) -> bool:
    """Whether the role that asks has none of the rights too many, by itself or by a role that it can take; no superuser comes through."""
    asked = ", ".join(f"has_table_privilege(oid, '{right}')" for right in _RIGHTS)
    query = f"SELECT pg_has_role(relowner, 'MEMBER'), {asked} FROM pg_class WHERE oid = '{table}'::regclass"
    return not any(connection.exec_driver_sql(query).one())
