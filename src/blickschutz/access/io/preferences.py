"""What somebody has set for themselves and wants at every workstation: one text for each person, gone with the account."""

from __future__ import annotations

from sqlalchemy import Column, Engine, MetaData, String, Table, Text, delete, select

from blickschutz.storage.engine import writing
from blickschutz.storage.ports import Database, belongs_to

METADATA = MetaData(info=belongs_to(Database.CONTROL))

preferences = Table(
    "preferences",
    METADATA,
    Column("person", String(40), primary_key=True),
    Column("wall", Text, nullable=False),
)


class PreferenceStore:
    """Keeps them. Not in the log: nobody else is concerned."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def wall(self, person: str) -> str:
        """How they want the wall, as it was put; empty where nothing was."""
        with self._engine.connect() as connection:
            found = connection.execute(select(preferences.c.wall).where(preferences.c.person == person)).scalar_one_or_none()
        return str(found or "")

    def put_wall(self, person: str, text: str) -> None:
        with writing(self._engine) as connection:
            connection.execute(delete(preferences).where(preferences.c.person == person))
            connection.execute(preferences.insert(), {"person": person, "wall": text})

    def drop(self, person: str) -> None:
        """Somebody leaves."""
        with writing(self._engine) as connection:
            connection.execute(delete(preferences).where(preferences.c.person == person))
