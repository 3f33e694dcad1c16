"""The tables of the alerts. Times are POSIX seconds; JSON is text."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table, Text, false, text

from blickschutz.storage.ports import Database, belongs_to

METADATA = MetaData(info=belongs_to(Database.ALERTS))

alerts = Table(
    "alerts",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("camera", String(40), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("zone", String(40), nullable=False),
    Column("origin", String(20), nullable=False),
    Column("state", String(20), nullable=False),
    Column("taken", Float, nullable=False),
    Column("raised", Float, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("figures", Text, nullable=False),
    Column("box", Text, nullable=False),
    Column("ended", Float),
    Column("closed", Float),
    Column("outcome", String(20)),
    Column("note", Text, nullable=False, default=""),
    Column("has_clip", Boolean, nullable=False, default=False),
    Column("record_ordered", Boolean, nullable=False, default=False),
    # The situation behind it: life of the cell (or the camera's own name for it) and number there. One that has not ended is one alert.
    Column("run", String(120), nullable=False, server_default=text("''")),
    Column("situation", Integer, nullable=False, server_default=text("0")),
    # Retention time at which it was raised: its deadlines go by that. Rows from before have `raised` alone.
    Column("kept_from", Float),
    Index("alerts_by_state", "state", "raised"),
    Index("alerts_by_time", "raised"),
    Index("alerts_by_life", "kept_from"),
    Index("alerts_by_source", "camera", "run", "situation", "ended"),
    sqlite_autoincrement=True,
)

history = Table(
    "alert_history",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("alert", ForeignKey("alerts.id"), nullable=False, index=True),
    Column("at", Float, nullable=False),
    Column("event", String(40), nullable=False),
    Column("by", String(80), nullable=False),
    Column("text", Text, nullable=False, default=""),
    # What the log of the site has not been told of this decision yet (JSON); nothing once it has.
    Column("owed", Text),
    Index("history_owed", "owed", sqlite_where=text("owed IS NOT NULL"), postgresql_where=text("owed IS NOT NULL")),
)

moments = Table(
    "alert_moments",
    METADATA,
    Column("alert", ForeignKey("alerts.id"), primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

# Redacted seconds that older versions kept, redacted with too little evidence. Nothing reads or writes them any more;
# the table is known only so that what is in it is found and destroyed.
old_clips = Table(
    "alert_clips",
    METADATA,
    Column("alert", ForeignKey("alerts.id"), primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

counts = Table(
    "situation_counts",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("camera", String(40), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("at", Float, nullable=False, index=True),
)

# Many notices that one message tells together, once a channel works again.
digests = Table(
    "alert_digests",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("channel", String(60), nullable=False),
    Column("queued", Float, nullable=False),
    Column("next_at", Float, nullable=False),
    Column("tries", Integer, nullable=False, default=0),
    Column("rejected", Integer, nullable=False, default=0),
    Column("doubted", Boolean, nullable=False, default=False),
    Column("sent", Float),
    Column("set_aside", Float),
    Column("problem", Text, nullable=False, default=""),
    Index("digests_due", "channel", "sent", "set_aside"),
    sqlite_autoincrement=True,
)

outbox = Table(
    "alert_outbox",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("alert", ForeignKey("alerts.id"), nullable=False, index=True),
    Column("channel", String(60), nullable=False),
    Column("event", String(40), nullable=False),
    Column("next_at", Float, nullable=False),
    Column("tries", Integer, nullable=False, default=0),
    Column("sent", Float),
    Column("problem", Text, nullable=False, default=""),
    # Rows from before do not know when they were queued; the alert's own time stands for it.
    Column("queued", Float),
    # Doubted: failed since the channel last told something. Rejected: how often the channel told others meanwhile.
    Column("rejected", Integer, nullable=False, server_default=text("0")),
    Column("doubted", Boolean, nullable=False, server_default=false()),
    Column("set_aside", Float),
    Column("digest", ForeignKey("alert_digests.id"), index=True),
    Index("outbox_due", "channel", "sent", "next_at"),
    sqlite_autoincrement=True,
)
