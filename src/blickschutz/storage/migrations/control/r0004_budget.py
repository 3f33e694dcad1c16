"""What cameras cost in false alarms: stretches of observation, numbers by day, thresholds that people accepted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "budget_shadows",
        sa.Column("camera", sa.String(40), primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("began", sa.String(20), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("mark", sa.String(64), nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "budget_days",
        sa.Column("camera", sa.String(40), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "budget_decisions",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("camera", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("threshold", sa.Float),
        sa.Column("by", sa.String(80), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("shadow", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
        if_not_exists=True,
    )
    op.create_index("budget_decisions_by_kind", "budget_decisions", ["camera", "kind", "number"], if_not_exists=True)
