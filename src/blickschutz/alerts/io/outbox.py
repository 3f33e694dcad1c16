"""What channels are still to be told, in the alerts' own database: notices one by one, and digests of those that came too late."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, Table, and_, case, exists, func, or_, select, update

from blickschutz.alerts.io.rows import OPEN_STATES, alert_of
from blickschutz.alerts.io.tables import alerts, digests, outbox
from blickschutz.alerts.model import AlertState, ChannelQueue, Digest, DigestGroup, Notice
from blickschutz.alerts.rules import AHEAD_S, FEWEST_IN_DIGEST, MOST_REJECTED, MOST_WAIT_S
from blickschutz.situations.kinds import Kind
from blickschutz.storage.engine import writing
from blickschutz.storage.rows import RowReader

_MOST_NAMED = 20
_MOST_WORDS = 500
_GONE = "the site file names no such channel any more"

_NAMED = RowReader("alerts")
_OWNER = alerts.alias()
_QUEUED: ColumnElement[float] = func.coalesce(
    outbox.c.queued, select(_OWNER.c.raised).where(_OWNER.c.id == outbox.c.alert).correlate(outbox).scalar_subquery()
)


def _waiting(table: Table) -> ColumnElement[bool]:
    return table.c.sent.is_(None) & table.c.set_aside.is_(None)


def _is_due(table: Table, now: float) -> ColumnElement[bool]:
    # A time further ahead than any wait was written by a clock that has gone back since.
    return or_(table.c.next_at <= now, table.c.next_at > now + MOST_WAIT_S + AHEAD_S)


class SqlOutbox:
    """See `Outbox`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._rows = RowReader("alert_outbox", "notice")

    def due(self, channel: str, now: float, most: int = 20, *, newest_first: bool = False) -> list[Notice]:
        """What that channel must be told now: what was tried least comes first, of that the oldest, or the newest.

        Of one alert only the earliest, so that nobody hears of an end before the beginning.
        """
        earlier = outbox.alias()
        query = (
            select(outbox.c.id.label("notice"), outbox.c.event, outbox.c.tries, _QUEUED.label("queued"), alerts)
            .join(alerts, alerts.c.id == outbox.c.alert)
            .where(outbox.c.channel == channel, _waiting(outbox), outbox.c.digest.is_(None), _is_due(outbox, now))
            .where(
                ~exists().where(
                    earlier.c.alert == outbox.c.alert,
                    earlier.c.channel == channel,
                    earlier.c.sent.is_(None),
                    earlier.c.set_aside.is_(None),
                    earlier.c.id < outbox.c.id,
                )
            )
            .order_by(outbox.c.tries, outbox.c.id.desc() if newest_first else outbox.c.id)
            .limit(most)
        )
        with self._engine.connect() as connection:
            return self._rows.all(
                connection.execute(query), lambda row: Notice(row.notice, channel, row.event, alert_of(row), row.tries, row.queued)
            )

    def digest(self, channel: str, stale_before: float, now: float) -> Digest | None:
        """The digest that the channel must be told now, if there is one.

        Notices that were queued before `stale_before` join the one that waits, or begin one where they are several.
        """
        stale = (outbox.c.channel == channel) & _waiting(outbox) & outbox.c.digest.is_(None) & (stale_before > _QUEUED)
        waiting = select(digests.c.id).where(digests.c.channel == channel, _waiting(digests)).order_by(digests.c.id).limit(1)
        with self._engine.connect() as connection:
            number = connection.execute(waiting).scalar_one_or_none()
            late = connection.execute(select(outbox.c.id).where(stale).limit(FEWEST_IN_DIGEST)).all()
        if late and (number is not None or len(late) >= FEWEST_IN_DIGEST):
            with writing(self._engine) as connection:
                number = connection.execute(waiting).scalar_one_or_none()
                if number is None:
                    new = digests.insert().values(channel=channel, queued=now, next_at=0.0).returning(digests.c.id)
                    number = connection.execute(new).scalar_one()
                connection.execute(update(outbox).where(stale).values(digest=number))
        if number is None:
            return None
        with self._engine.connect() as connection:
            return _content(connection, number, now)

    def sent(self, told: Notice | Digest, at: float) -> int:
        """The channel was told. Whatever failed since it was told something before is itself to blame, one time more.

        What was to blame too often is set aside; returns how many notices that were.
        """
        with writing(self._engine) as connection:
            table, key = _row(told)
            connection.execute(update(table).where(key).values(sent=at, problem="", doubted=False))
            if isinstance(told, Digest):
                connection.execute(update(outbox).where(outbox.c.digest == told.number, _waiting(outbox)).values(sent=at, problem=""))
            aside = 0
            for doubted in (digests, outbox):
                blamed = (doubted.c.channel == told.channel) & _waiting(doubted) & doubted.c.doubted
                connection.execute(update(doubted).where(blamed).values(rejected=doubted.c.rejected + 1, doubted=False))
                given_up = (doubted.c.channel == told.channel) & _waiting(doubted) & (doubted.c.rejected >= MOST_REJECTED)
                done = update(doubted).where(given_up).values(set_aside=at)
                for number, problem in connection.execute(done.returning(doubted.c.id, doubted.c.problem)).all():
                    if doubted is outbox:
                        aside += 1
                        continue
                    members = (outbox.c.digest == number) & _waiting(outbox)
                    aside += connection.execute(update(outbox).where(members).values(set_aside=at, problem=problem)).rowcount
        return aside

    def failed(self, told: Notice | Digest, next_at: float, problem: str) -> None:
        """Note a failed try and when the next one is."""
        table, key = _row(told)
        values = {"tries": table.c.tries + 1, "next_at": next_at, "problem": problem[:_MOST_WORDS], "doubted": True}
        with writing(self._engine) as connection:
            connection.execute(update(table).where(key).values(values))

    def queues(self, now: float) -> dict[str, ChannelQueue]:
        """What waits, by channel; those for which nothing waits and nothing was set aside are missing."""
        waits = _waiting(outbox)
        tried = or_(outbox.c.tries > 0, outbox.c.digest.in_(select(digests.c.id).where(digests.c.tries > 0)))
        query = select(
            outbox.c.channel,
            func.sum(case((waits, 1), else_=0)),
            func.min(case((waits, _QUEUED))),
            func.sum(case((and_(waits, tried), 1), else_=0)),
            func.sum(case((outbox.c.set_aside.is_not(None), 1), else_=0)),
        )
        query = query.where(outbox.c.sent.is_(None)).group_by(outbox.c.channel)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
            problems = {row.channel: row.problem for table in (outbox, digests) for row in connection.execute(_problems(table))}
        return {
            channel: ChannelQueue(waiting, max(0.0, now - oldest) if oldest is not None else 0.0, failing, aside, problems.get(channel, ""))
            for channel, waiting, oldest, failing, aside in rows
        }

    def keep_to(self, channels: Sequence[str], at: float) -> None:
        """Set aside what waits for channels that there are no more; take up again what was set aside for that alone."""
        with writing(self._engine) as connection:
            for table in (outbox, digests):
                gone = _waiting(table) & table.c.channel.not_in(channels)
                connection.execute(update(table).where(gone).values(set_aside=at, problem=_GONE))
                back = table.c.set_aside.is_not(None) & table.c.channel.in_(channels) & (table.c.problem == _GONE)
                connection.execute(update(table).where(back).values(set_aside=None, problem=""))


def _row(told: Notice | Digest) -> tuple[Table, ColumnElement[bool]]:
    table = digests if isinstance(told, Digest) else outbox
    return table, table.c.id == told.number


def _problems(table: Table) -> Select[Any]:
    """The newest problem of each channel."""
    newest = select(func.max(table.c.id)).where(table.c.sent.is_(None), table.c.problem != "").group_by(table.c.channel)
    return select(table.c.channel, table.c.problem).where(table.c.id.in_(newest))


def _content(connection: Connection, number: int, now: float) -> Digest | None:
    """A digest with what it tells at this moment; None where it must wait."""
    row = connection.execute(select(digests).where(digests.c.id == number, _is_due(digests, now))).one_or_none()
    if row is None:
        return None
    told = select(outbox.c.alert).where(outbox.c.digest == number)
    notices = connection.execute(select(func.count()).select_from(told.subquery())).scalar_one()
    if not notices:
        return None
    among = alerts.c.id.in_(told)
    first, last = connection.execute(select(func.min(alerts.c.raised), func.max(alerts.c.raised)).where(among)).one()
    still = func.sum(case((alerts.c.state.in_(OPEN_STATES), 1), else_=0))
    groups = select(alerts.c.camera, alerts.c.kind, func.count(), still).where(among).group_by(alerts.c.camera, alerts.c.kind)
    found = sorted(connection.execute(groups).all(), key=lambda group: (-group[2], group[0], group[1]))
    escalated = among & (alerts.c.state == AlertState.ESCALATED.value)
    named = connection.execute(select(alerts).where(escalated).order_by(alerts.c.id).limit(_MOST_NAMED)).all()
    many = connection.execute(select(func.count()).select_from(alerts).where(escalated)).scalar_one()
    return Digest(
        number,
        row.channel,
        notices,
        first,
        last,
        tuple(DigestGroup(camera, Kind(kind), count, opened) for camera, kind, count, opened in found if kind in set(Kind)),
        tuple(_NAMED.all(named, alert_of)),
        many - len(named),
        row.tries,
    )
