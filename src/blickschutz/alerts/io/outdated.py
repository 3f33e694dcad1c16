"""Redacted seconds of alerts that older versions kept: counted, and destroyed. Nothing shows them any more."""

from __future__ import annotations

from sqlalchemy import Engine, func, select, update
from sqlalchemy.exc import SQLAlchemyError

from blickschutz.alerts.io.tables import alerts, history, moments, old_clips
from blickschutz.kernel.errors import DeviceError, StoreError
from blickschutz.storage.engine import forget, writing

_PORTION = 20
# What the history of an alert says then; the page has words for it.
_EVENT = "outdated"


class OldSeconds:
    """What lies in the table of older versions. Raises `DeviceError` where the database does not do what it should."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def close(self) -> None:
        self._engine.dispose()

    def count(self) -> int:
        try:
            with self._engine.connect() as connection:
                return int(connection.execute(select(func.count()).select_from(old_clips)).scalar_one())
        except (SQLAlchemyError, StoreError) as error:
            raise DeviceError(f"the alerts' old pictures cannot be counted: {error}") from error

    def destroy(self, at: float) -> int:
        """Destroy them all, so that no byte is left in the database's files; returns how many there were.

        In small portions, so that the journal of a site with thousands of them stays small. What was not reached when
        it fails is still there, and found again.
        """
        done = 0
        try:
            while some := self._destroy_some(at):
                done += some
            forget(self._engine)
        except (SQLAlchemyError, StoreError) as error:
            raise DeviceError(f"the alerts' old pictures cannot be destroyed: {error}") from error
        return done

    def _destroy_some(self, at: float) -> int:
        with writing(self._engine) as connection:
            numbers = list(connection.execute(select(old_clips.c.alert).limit(_PORTION)).scalars())
            if numbers:
                connection.execute(old_clips.delete().where(old_clips.c.alert.in_(numbers)))
                bare = alerts.c.id.in_(numbers) & alerts.c.id.not_in(select(moments.c.alert))
                connection.execute(update(alerts).where(bare).values(has_clip=False))
                entry = {"at": at, "event": _EVENT, "by": "system", "text": ""}
                connection.execute(history.insert(), [{"alert": number, **entry} for number in numbers])
        return len(numbers)
