"""What an alert's end and a channel's recovery need: its source and retention time, entries owed to the log, digests, set-aside notices.

Notices that have been told are deleted from now on, so their numbers must never come again: the outbox is made anew for that.
"""

from __future__ import annotations

from typing import Literal

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("alerts", sa.Column("run", sa.String(120), nullable=False, server_default=sa.text("''")))
    op.add_column("alerts", sa.Column("situation", sa.Integer, nullable=False, server_default=sa.text("0")))
    op.add_column("alerts", sa.Column("kept_from", sa.Float))
    op.create_index("alerts_by_life", "alerts", ["kept_from"])
    op.create_index("alerts_by_source", "alerts", ["camera", "run", "situation", "ended"])
    op.add_column("alert_history", sa.Column("owed", sa.Text))
    there = sa.text("owed IS NOT NULL")
    op.create_index("history_owed", "alert_history", ["owed"], sqlite_where=there, postgresql_where=there)
    op.create_table(
        "alert_digests",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("channel", sa.String(60), nullable=False),
        sa.Column("queued", sa.Float, nullable=False),
        sa.Column("next_at", sa.Float, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("rejected", sa.Integer, nullable=False),
        sa.Column("doubted", sa.Boolean, nullable=False),
        sa.Column("sent", sa.Float),
        sa.Column("set_aside", sa.Float),
        sa.Column("problem", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("digests_due", "alert_digests", ["channel", "sent", "set_aside"])
    # Only SQLite has to make a table anew to give out no number twice.
    anew: Literal["always", "never"] = "always" if op.get_bind().dialect.name == "sqlite" else "never"
    with op.batch_alter_table("alert_outbox", recreate=anew, table_kwargs={"sqlite_autoincrement": True}) as table:
        table.add_column(sa.Column("queued", sa.Float))
        table.add_column(sa.Column("rejected", sa.Integer, nullable=False, server_default=sa.text("0")))
        table.add_column(sa.Column("doubted", sa.Boolean, nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("set_aside", sa.Float))
        table.add_column(sa.Column("digest", sa.Integer, sa.ForeignKey("alert_digests.id", name="outbox_digest")))
    op.create_index("ix_alert_outbox_alert", "alert_outbox", ["alert"])
    op.create_index("ix_alert_outbox_digest", "alert_outbox", ["digest"])
