"""Accounts, codes for the first sign-in, and proposals that wait for a second person."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import date
from typing import Any

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
    delete,
    func,
    insert,
    select,
    update,
)

from blickschutz.access.model import AccountState, Change, ChangeKind, Member, Role
from blickschutz.audit.io.log import AuditLog, Facts
from blickschutz.audit.model import Event
from blickschutz.kernel.clock import Clock
from blickschutz.storage.engine import writing
from blickschutz.storage.ports import Database, belongs_to
from blickschutz.storage.rows import DamagedRow, RowReader

METADATA = MetaData(info=belongs_to(Database.CONTROL))
_KEEP_S = 1.0

accounts = Table(
    "accounts",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("name", String(80), nullable=False),
    Column("roles", String(120), nullable=False),
    Column("trained_until", String(10)),
    Column("state", String(10), nullable=False),
    Column("must_change", Boolean, nullable=False),
    Column("created", Float, nullable=False),
)
# A code is two halves; each is kept as a hash only.
codes = Table(
    "codes",
    METADATA,
    Column("person", String(40), primary_key=True),
    Column("first", String(64), nullable=False),
    Column("second", String(64), nullable=False),
    Column("until", Float, nullable=False),
)
changes = Table(
    "account_changes",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("person", String(40), nullable=False),
    Column("name", String(80), nullable=False),
    Column("roles", String(120), nullable=False),
    Column("trained_until", String(10)),
    Column("by", String(40), nullable=False),
    Column("at", Float, nullable=False),
    Column("half", String(64), nullable=False),
    sqlite_autoincrement=True,
)


class AccountStore:
    """Reads and changes accounts; each change is in the log, in the same transaction. Safe from several threads."""

    def __init__(self, engine: Engine, log: AuditLog, clock: Clock) -> None:
        self._engine, self._log, self._clock = engine, log, clock
        self._read: tuple[float, Mapping[str, Member]] | None = None
        self._rows, self._proposals = RowReader("accounts"), RowReader("account_changes")

    def damaged(self) -> list[DamagedRow]:
        """Accounts and proposals that cannot be read, and so are in no list."""
        with self._engine.connect() as connection:
            bad = self._rows.damaged(connection.execute(select(accounts)), _member)
            return bad + self._proposals.damaged(connection.execute(select(changes)), _change)

    def members(self) -> Mapping[str, Member]:
        """Everybody by short name. Other processes change accounts too (the terminal): read again after a second."""
        known, now = self._read, time.monotonic()
        if known is None or now - known[0] > _KEEP_S:
            with self._engine.connect() as connection:
                rows = connection.execute(select(accounts).order_by(accounts.c.created, accounts.c.id))
                # Whose row cannot be read has no rights; everybody else keeps theirs.
                found = {one.id: one for one in self._rows.all(rows, _member)}
            self._read = known = (now, found)
        return known[1]

    def take_over(self, members: list[Member]) -> None:
        """People of the site file who have no account yet get one. Accounts that are there stay as they are."""
        with writing(self._engine) as connection:
            known = set(connection.execute(select(accounts.c.id)).scalars())
            for one in members:
                if one.id not in known:
                    self._insert(connection, one)
                    self._log.append(connection, Event.ACCOUNT_CREATED, "site-file", one.id, _facts(one.roles, one.trained_until))
        self._read = None

    def any_active(self, role: Role, but: str = "") -> bool:
        """Whether somebody else than `but` has `role` and can sign in."""
        return any(one.may(role) and one.state is AccountState.ACTIVE and one.id != but for one in self.members().values())

    def set_rights(self, person: str, roles: frozenset[Role], trained_until: date | None, by: list[str]) -> None:
        """What somebody may from now on. A proposal about them from before is gone: it would give back what was taken."""
        with writing(self._engine) as connection:
            for _ in connection.execute(delete(changes).where(changes.c.person == person).returning(changes.c.id)).all():
                self._log.append(connection, Event.ACCOUNT_WITHDRAWN, by[-1], person)
            self._set_rights(connection, person, roles, trained_until, by)
        self._read = None

    def set_state(self, person: str, state: AccountState, by: str) -> None:
        with writing(self._engine) as connection:
            connection.execute(update(accounts).where(accounts.c.id == person).values(state=state.value))
            if state is AccountState.BLOCKED:
                connection.execute(delete(codes).where(codes.c.person == person))
                connection.execute(delete(changes).where(changes.c.person == person))
            event = Event.ACCOUNT_BLOCKED if state is AccountState.BLOCKED else Event.ACCOUNT_ACTIVATED
            self._log.append(connection, event, by, person)
        self._read = None

    def set_must_change(self, person: str, must: bool) -> None:
        with writing(self._engine) as connection:
            connection.execute(update(accounts).where(accounts.c.id == person).values(must_change=must))
        self._read = None

    def activate(self, person: str) -> None:
        """Somebody has used their code: it is gone, and the account is theirs."""
        with writing(self._engine) as connection:
            connection.execute(delete(codes).where(codes.c.person == person))
            values = {"state": AccountState.ACTIVE.value, "must_change": False}
            connection.execute(update(accounts).where(accounts.c.id == person).values(**values))
            self._log.append(connection, Event.ACCOUNT_ACTIVATED, person, person)
        self._read = None

    # --- codes ---

    def put_code(self, person: str, first: str, second: str, until: float, by: list[str]) -> None:
        """Keep a code (hashes of its halves), in place of any before."""
        with writing(self._engine) as connection:
            self._put_code(connection, person, first, second, until, by)
        self._read = None

    def code(self, person: str) -> tuple[str, str] | None:
        """The hashes of somebody's code, None where there is none in force."""
        with self._engine.connect() as connection:
            row = connection.execute(select(codes).where(codes.c.person == person)).one_or_none()
        return (row.first, row.second) if row is not None and row.until > self._clock.now() else None

    # --- proposals ---

    def changes(self) -> list[Change]:
        """Proposals that wait, the oldest first."""
        with self._engine.connect() as connection:
            return self._proposals.all(connection.execute(select(changes).order_by(changes.c.id)), _change)

    def propose(self, change: Change, half: str) -> int:
        """Keep a proposal; one for the same person before it is gone. `half` is the hash of the first half of a code."""
        with writing(self._engine) as connection:
            connection.execute(delete(changes).where(changes.c.person == change.person))
            row = {
                "kind": change.kind.value,
                "person": change.person,
                "name": change.name,
                "roles": _text(change.roles),
                "trained_until": change.trained_until.isoformat() if change.trained_until else None,
                "by": change.by,
                "at": self._clock.now(),
                "half": half,
            }
            number = connection.execute(insert(changes).returning(changes.c.id), row).scalar_one()
            facts = {"kind": change.kind.value, **_facts(change.roles, change.trained_until)}
            self._log.append(connection, Event.ACCOUNT_PROPOSED, change.by, change.person, facts)
        return int(number)

    def withdraw(self, number: int, by: str) -> bool:
        with writing(self._engine) as connection:
            row = connection.execute(delete(changes).where(changes.c.id == number).returning(changes.c.person)).one_or_none()
            if row is not None:
                self._log.append(connection, Event.ACCOUNT_WITHDRAWN, by, row.person)
        return row is not None

    def confirm(self, number: int, by: str, second: str, until: float) -> Change | None:
        """Make a proposal true, once. `second` is the hash of a code's second half. None where it is gone by now."""
        with writing(self._engine) as connection:
            row = connection.execute(delete(changes).where(changes.c.id == number).returning(*changes.c)).one_or_none()
            if row is None:
                return None
            change, both = self._proposals.one(row, _change), [row.by, by]
            if change.kind is ChangeKind.INVITE:
                known = connection.execute(select(func.count()).where(accounts.c.id == change.person)).scalar_one()
                if not known:
                    new = Member(change.person, change.name, change.roles, change.trained_until, AccountState.INVITED)
                    self._insert(connection, new)
                    facts: Facts = {**_facts(change.roles, change.trained_until, told=True), "people": both}
                    self._log.append(connection, Event.ACCOUNT_CREATED, by, change.person, facts)
            if change.kind is ChangeKind.RIGHTS:
                self._set_rights(connection, change.person, change.roles, change.trained_until, both)
            else:
                self._put_code(connection, change.person, row.half, second, until, both)
        self._read = None
        return change

    # --- inside a transaction ---

    def _insert(self, connection: Connection, one: Member) -> None:
        row = {
            "id": one.id,
            "name": one.name,
            "roles": _text(one.roles),
            "trained_until": one.trained_until.isoformat() if one.trained_until else None,
            "state": AccountState.INVITED.value,
            "must_change": False,
            "created": self._clock.now(),
        }
        connection.execute(insert(accounts), row)

    def _set_rights(self, connection: Connection, person: str, roles: frozenset[Role], trained_until: date | None, by: list[str]) -> None:
        values = {"roles": _text(roles), "trained_until": trained_until.isoformat() if trained_until else None}
        connection.execute(update(accounts).where(accounts.c.id == person).values(**values))
        self._log.append(connection, Event.RIGHTS_CHANGED, by[-1], person, {**_facts(roles, trained_until), "people": by})

    def _put_code(self, connection: Connection, person: str, first: str, second: str, until: float, by: list[str]) -> None:
        # Whoever was blocked comes back by a code, and by nothing else.
        blocked = (accounts.c.id == person) & (accounts.c.state == AccountState.BLOCKED.value)
        connection.execute(update(accounts).where(blocked).values(state=AccountState.INVITED.value))
        connection.execute(delete(codes).where(codes.c.person == person))
        connection.execute(insert(codes), {"person": person, "first": first, "second": second, "until": until})
        self._log.append(connection, Event.CODE_ISSUED, by[-1], person, {"people": by, "until": until})


def _text(roles: frozenset[Role]) -> str:
    return ",".join(sorted(role.value for role in roles))


def _facts(roles: frozenset[Role], trained_until: date | None, *, told: bool = False) -> Facts:
    """`told`: that there is no training is said too."""
    facts: Facts = {"roles": sorted(role.value for role in roles)}
    return {**facts, "trained_until": trained_until.isoformat() if trained_until else ""} if trained_until or told else facts


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _roles(text: str) -> frozenset[Role]:
    return frozenset(Role(one) for one in text.split(",") if one)


def _member(row: Row[Any]) -> Member:
    return Member(row.id, row.name, _roles(row.roles), _date(row.trained_until), AccountState(row.state), row.must_change)


def _change(row: Row[Any]) -> Change:
    return Change(row.id, ChangeKind(row.kind), row.person, row.name, _roles(row.roles), _date(row.trained_until), row.by, row.at)
