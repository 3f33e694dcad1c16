"""A count of its changes for each case, request and duty: "write only if it still is as I knew it" compares that, not a text."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    for name in ("cases", "requests", "duties"):
        op.add_column(name, sa.Column("version", sa.Integer, nullable=False, server_default="1"))
