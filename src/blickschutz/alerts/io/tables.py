"""The tables of the alerts. Times are POSIX seconds; JSON is text."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table, Text

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
    Index("alerts_by_state", "state", "raised"),
    Index("alerts_by_time", "raised"),
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

outbox = Table(
    "alert_outbox",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("alert", ForeignKey("alerts.id"), nullable=False),
    Column("channel", String(60), nullable=False),
    Column("event", String(40), nullable=False),
    Column("next_at", Float, nullable=False),
    Column("tries", Integer, nullable=False, default=0),
    Column("sent", Float),
    Column("problem", Text, nullable=False, default=""),
    Index("outbox_due", "channel", "sent", "next_at"),
)
