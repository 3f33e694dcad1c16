"""Second factors and tokens. Shared secrets lie in the database sealed under a key that lies beside it, not in it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import structlog
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox
from nacl.utils import random as random_bytes
from sqlalchemy import Column, Engine, Float, Integer, LargeBinary, MetaData, Row, String, Table, delete, func, insert, select, update

from blickschutz.access.model import Factor, FactorKind, Permission, Token
from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.model import Event
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import OperatorError
from blickschutz.storage.engine import writing
from blickschutz.storage.ports import Database, belongs_to
from blickschutz.vault.io.files import write_private

_log = structlog.get_logger(__name__)
METADATA = MetaData(info=belongs_to(Database.CONTROL))

factors = Table(
    "factors",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("person", String(40), nullable=False, index=True),
    Column("kind", String(10), nullable=False),
    Column("name", String(60), nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("last", Integer, nullable=False),
    Column("added", Float, nullable=False),
    Column("used", Float),
    sqlite_autoincrement=True,
)
tokens = Table(
    "tokens",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("person", String(40), nullable=False, index=True),
    Column("name", String(60), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Column("scopes", String(300), nullable=False),
    Column("created", Float, nullable=False),
    Column("until", Float, nullable=False),
    Column("used", Float),
    sqlite_autoincrement=True,
)


class FactorStore:
    """Second factors by person. With `create` the key is made where there is none; without it nobody's factor can be read (`whole`)."""

    def __init__(self, engine: Engine, log: AuditLog, clock: Clock, key: Path, *, create: bool = True) -> None:
        self._engine, self._log, self._clock, self._path = engine, log, clock, key
        if create and not key.exists():
            write_private(key, random_bytes(SecretBox.KEY_SIZE))
        self._box: SecretBox | None = None
        self.damaged = False
        try:
            self._box = SecretBox(key.read_bytes())
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            if create:
                raise OperatorError(f"{key} is no key of {SecretBox.KEY_SIZE} bytes: {error}") from error
            self.damaged = True

    @property
    def whole(self) -> bool:
        """Whether factors can be read."""
        return self._box is not None

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the key; empty where it is missing."""
        return hashlib.sha256(bytes(self._box)).hexdigest() if self._box is not None else ""

    def renew(self, by: str) -> None:
        """A new key in place of one that is lost. What it sealed is lost too: everybody sets up a new factor."""
        with writing(self._engine) as connection:
            gone = list(connection.execute(delete(factors).returning(factors.c.person, factors.c.name)))
            for person, name in gone:
                self._log.append(connection, Event.FACTOR_REMOVED, by, person, {"name": name})
        if self._box is None:
            if self._path.exists():
                self._path.replace(self._path.with_name(f"{self._path.name}.damaged"))
            write_private(self._path, random_bytes(SecretBox.KEY_SIZE))
            self._box, self.damaged = SecretBox(self._path.read_bytes()), False

    def of(self, person: str) -> list[Factor]:
        with self._engine.connect() as connection:
            rows = connection.execute(select(factors).where(factors.c.person == person).order_by(factors.c.id))
            return [factor for row in rows if (factor := self._factor(row)) is not None]

    def count(self, person: str) -> int:
        with self._engine.connect() as connection:
            return int(connection.execute(select(func.count()).where(factors.c.person == person)).scalar_one())

    def counts(self) -> dict[str, int]:
        """How many factors everybody has."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(factors.c.person, func.count()).group_by(factors.c.person))
            return {person: int(count) for person, count in rows}

    def add(self, person: str, kind: FactorKind, name: str, secret: bytes, last: int) -> None:
        if self._box is None:
            raise OperatorError(f"{self._path.name} is missing or damaged: put it back, then second factors can be set up again")
        row = {
            "person": person,
            "kind": kind.value,
            "name": name,
            "secret": bytes(self._box.encrypt(secret)),
            "last": last,
            "added": self._clock.now(),
        }
        with writing(self._engine) as connection:
            connection.execute(insert(factors), row)
            self._log.append(connection, Event.FACTOR_ADDED, person, person, {"kind": kind.value, "name": name})

    def used(self, factor: int, last: int) -> bool:
        """Note a use; False where somebody used the same step or a later one meanwhile (a code counts once)."""
        with writing(self._engine) as connection:
            fits = (factors.c.id == factor) & ((factors.c.last < last) | (factors.c.kind == FactorKind.KEY.value))
            changed = connection.execute(update(factors).where(fits).values(last=last, used=self._clock.now()))
        return changed.rowcount == 1

    def remove(self, person: str, factor: int | None, by: str) -> int:
        """Remove one factor of somebody, or all where `factor` is None; how many."""
        return _remove(self._engine, self._log, factors, Event.FACTOR_REMOVED, person, factor, by)

    def _factor(self, row: Row[Any]) -> Factor | None:
        """None where it was sealed under a key that is not there: nobody signs in by it, and nobody without it."""
        try:
            secret = bytes(self._box.decrypt(row.secret)) if self._box is not None else b""
        except CryptoError:
            secret = b""
        if not secret:
            _log.error("factor_unreadable", factor=row.id)
            return None
        return Factor(row.id, row.person, FactorKind(row.kind), row.name, secret, row.last, row.added, row.used)


class TokenStore:
    """Tokens for programs, by the hash of each."""

    def __init__(self, engine: Engine, log: AuditLog, clock: Clock) -> None:
        self._engine, self._log, self._clock = engine, log, clock

    def add(self, person: str, name: str, hashed: str, scopes: frozenset[Permission], until: float) -> None:
        words = sorted(scope.value for scope in scopes)
        row = {"person": person, "name": name, "hash": hashed, "scopes": ",".join(words), "created": self._clock.now(), "until": until}
        with writing(self._engine) as connection:
            connection.execute(insert(tokens), row)
            self._log.append(connection, Event.TOKEN_MADE, person, person, {"name": name, "scopes": words, "until": until})

    def of(self, person: str) -> list[Token]:
        with self._engine.connect() as connection:
            return [_token(row) for row in connection.execute(select(tokens).where(tokens.c.person == person).order_by(tokens.c.id))]

    def find(self, hashed: str) -> Token | None:
        """The token with that hash, if it is in force."""
        with self._engine.connect() as connection:
            row = connection.execute(select(tokens).where(tokens.c.hash == hashed)).one_or_none()
        return _token(row) if row is not None and row.until > self._clock.now() else None

    def used(self, token: int) -> None:
        with writing(self._engine) as connection:
            connection.execute(update(tokens).where(tokens.c.id == token).values(used=self._clock.now()))

    def remove(self, person: str, token: int | None, by: str) -> int:
        """Remove one token of somebody, or all where `token` is None; how many."""
        return _remove(self._engine, self._log, tokens, Event.TOKEN_REMOVED, person, token, by)


def _remove(engine: Engine, log: AuditLog, table: Table, event: Event, person: str, number: int | None, by: str) -> int:
    """Remove one row of somebody, or all where `number` is None, each with its entry; how many."""
    chosen = table.c.person == person
    chosen = chosen & (table.c.id == number) if number is not None else chosen
    with writing(engine) as connection:
        gone = list(connection.execute(delete(table).where(chosen).returning(table.c.name)).scalars())
        for name in gone:
            log.append(connection, event, by, person, {"name": name})
    return len(gone)


def _token(row: Row[Any]) -> Token:
    scopes = frozenset(Permission(one) for one in row.scopes.split(",") if one)
    return Token(row.id, row.person, row.name, scopes, row.created, row.until, row.used)
