"""The tables as all releases before there were marks made them; what one of them had not made yet is made now."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("camera", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("zone", sa.String(40), nullable=False),
        sa.Column("origin", sa.String(20), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("taken", sa.Float, nullable=False),
        sa.Column("raised", sa.Float, nullable=False),
        sa.Column("confidence", sa.Float, nullable=False),
        sa.Column("figures", sa.Text, nullable=False),
        sa.Column("box", sa.Text, nullable=False),
        sa.Column("ended", sa.Float),
        sa.Column("closed", sa.Float),
        sa.Column("outcome", sa.String(20)),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("has_clip", sa.Boolean, nullable=False),
        sa.Column("record_ordered", sa.Boolean, nullable=False),
        sqlite_autoincrement=True,
        if_not_exists=True,
    )
    op.create_index("alerts_by_state", "alerts", ["state", "raised"], if_not_exists=True)
    op.create_index("alerts_by_time", "alerts", ["raised"], if_not_exists=True)
    op.create_table(
        "alert_history",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("alert", sa.Integer, sa.ForeignKey("alerts.id"), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("event", sa.String(40), nullable=False),
        sa.Column("by", sa.String(80), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_alert_history_alert", "alert_history", ["alert"], if_not_exists=True)
    for name in ("alert_moments", "alert_clips"):
        op.create_table(
            name,
            sa.Column("alert", sa.Integer, sa.ForeignKey("alerts.id"), primary_key=True),
            sa.Column("data", sa.LargeBinary, nullable=False),
            if_not_exists=True,
        )
    op.create_table(
        "situation_counts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("camera", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_situation_counts_at", "situation_counts", ["at"], if_not_exists=True)
    op.create_table(
        "alert_outbox",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("alert", sa.Integer, sa.ForeignKey("alerts.id"), nullable=False),
        sa.Column("channel", sa.String(60), nullable=False),
        sa.Column("event", sa.String(40), nullable=False),
        sa.Column("next_at", sa.Float, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("sent", sa.Float),
        sa.Column("problem", sa.Text, nullable=False),
        if_not_exists=True,
    )
    op.create_index("outbox_due", "alert_outbox", ["channel", "sent", "next_at"], if_not_exists=True)
