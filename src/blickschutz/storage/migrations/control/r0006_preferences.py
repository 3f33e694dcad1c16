"""What somebody has set for themselves: how they want the wall."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "preferences",
        sa.Column("person", sa.String(40), primary_key=True),
        sa.Column("wall", sa.Text, nullable=False),
        if_not_exists=True,
    )
