"""Changes of the site file: who proposed and confirmed which, and what became of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "settings_changes",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("by", sa.String(80), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("origin", sa.String(10), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("differences", sa.Text, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("second", sa.Boolean, nullable=False),
        sa.Column("before", sa.String(64), nullable=False),
        sa.Column("after", sa.String(64), nullable=False),
        sa.Column("decided_by", sa.String(80), nullable=False),
        sa.Column("decided_at", sa.Float, nullable=False),
        sa.Column("undoes", sa.Integer, nullable=False),
        sa.Column("restart", sa.Text, nullable=False),
        sqlite_autoincrement=True,
        if_not_exists=True,
    )
