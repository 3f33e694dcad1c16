"""Password hashes (argon2id in its standard text form)."""

from __future__ import annotations

from functools import cache

from nacl.exceptions import InvalidkeyError
from nacl.pwhash import argon2id
from sqlalchemy import Column, Engine, Float, MetaData, String, Table, delete, select, update

from blickschutz.access.rules import LEAST_PASSWORD
from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.model import Event
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import OperatorError
from blickschutz.storage.engine import writing
from blickschutz.storage.ports import Database, belongs_to

METADATA = MetaData(info=belongs_to(Database.CONTROL))
# 46 MiB as OWASP's cheat sheet on storing passwords has it, and three passes over them where it asks for one: about as dear as
# 64 MiB twice, and a stranger who makes us hash moves less than 50 MB.
OPERATIONS, MEMORY = 3, 46 * 1024 * 1024

passwords = Table(
    "passwords",
    METADATA,
    Column("person", String(40), primary_key=True),
    Column("hash", String(128), nullable=False),
    Column("changed", Float, nullable=False),
)


class PasswordStore:
    """Sets and checks passwords; each change is in the log."""

    def __init__(self, engine: Engine, log: AuditLog, clock: Clock) -> None:
        self._engine, self._log, self._clock = engine, log, clock
        # Whoever is unknown costs as much time to refuse as whoever is known.
        self._nobody = _hash_of_nobody(OPERATIONS, MEMORY)

    def set(self, person: str, password: str, by: str) -> None:
        """Raises `OperatorError` for a password that is too short."""
        if len(password) < LEAST_PASSWORD:
            raise OperatorError(f"a password has at least {LEAST_PASSWORD} characters")
        hashed = argon2id.str(password.encode(), OPERATIONS, MEMORY).decode()
        with writing(self._engine) as connection:
            connection.execute(delete(passwords).where(passwords.c.person == person))
            connection.execute(passwords.insert(), {"person": person, "hash": hashed, "changed": self._clock.now()})
            self._log.append(connection, Event.PASSWORD_CHANGED, by, person)

    def drop(self, person: str) -> None:
        """Somebody leaves: no password fits any more."""
        with writing(self._engine) as connection:
            connection.execute(delete(passwords).where(passwords.c.person == person))

    def is_set(self, person: str) -> bool:
        return self._hash(person) is not None

    def fits(self, person: str, password: str) -> bool:
        """Whether `password` is that of `person`. Takes the same time for somebody unknown."""
        hashed = self._hash(person)
        try:
            fits = argon2id.verify(hashed.encode() if hashed else self._nobody, password.encode()) and hashed is not None
        except InvalidkeyError:
            return False
        if fits and hashed is not None and _cost(hashed) != _cost(self._nobody.decode()):
            self._hash_again(person, password)
        return fits

    def _hash_again(self, person: str, password: str) -> None:
        """A hash of an older version costs more or less than that of nobody, which tells a name: it is made anew. The password stays."""
        hashed = argon2id.str(password.encode(), OPERATIONS, MEMORY).decode()
        with writing(self._engine) as connection:
            connection.execute(update(passwords).where(passwords.c.person == person).values(hash=hashed))

    def _hash(self, person: str) -> str | None:
        with self._engine.connect() as connection:
            found = connection.execute(select(passwords.c.hash).where(passwords.c.person == person)).scalar_one_or_none()
        return str(found) if found is not None else None


@cache
def _hash_of_nobody(operations: int, memory: int) -> bytes:
    """Once for a process: it is no secret, and only what it costs to compare with it matters."""
    return argon2id.str(b"nobody", operations, memory)


def _cost(hashed: str) -> str:
    """Version and cost of a hash in its text form: `argon2id$v=19$m=47104,t=3,p=1`."""
    return "$".join(hashed.split("$")[1:4])
