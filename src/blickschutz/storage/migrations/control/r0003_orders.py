"""Orders to record are rows until they have an outcome."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "recording_orders",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("camera", sa.String(40), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("ended", sa.Float, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        if_not_exists=True,
    )
    op.create_index("orders_by_state", "recording_orders", ["state", "number"], if_not_exists=True)
