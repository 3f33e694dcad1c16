"""The register of reviewers, and what founders signed of one that is not complete yet."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "reviewer_register",
        sa.Column("founding", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("line", sa.Text, nullable=False),
        sa.Column("signature", sa.String(128), nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "reviewer_founders",
        sa.Column("person", sa.String(40), primary_key=True),
        sa.Column("founders", sa.Text, nullable=False),
        sa.Column("signature", sa.String(128), nullable=False),
        if_not_exists=True,
    )
