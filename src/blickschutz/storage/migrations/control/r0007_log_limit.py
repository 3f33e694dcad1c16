"""What stays of entries of the log that reached their limit, and the guards that let those alone go."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_REFUSED = "BEGIN SELECT RAISE(ABORT, 'the log is append only'); END"
_GONE = "EXISTS (SELECT 1 FROM log_erased AS e WHERE e.number = OLD.number AND e.hash = OLD.hash)"
_TOLD = "EXISTS (SELECT 1 FROM log AS l WHERE l.number = NEW.entry AND l.event = 'log-erased')"


def upgrade() -> None:
    op.create_table(
        "log_erased",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("entry", sa.Integer, nullable=False),
        if_not_exists=True,
    )
    if op.get_bind().dialect.name != "sqlite":
        return  # elsewhere the owner makes all guards after the last step
    op.execute("DROP TRIGGER IF EXISTS log_no_delete")
    op.execute(f"CREATE TRIGGER log_no_delete BEFORE DELETE ON log WHEN NOT {_GONE} {_REFUSED}")
    op.execute(f"CREATE TRIGGER IF NOT EXISTS log_erased_no_update BEFORE UPDATE ON log_erased {_REFUSED}")
    op.execute(f"CREATE TRIGGER IF NOT EXISTS log_erased_no_delete BEFORE DELETE ON log_erased {_REFUSED}")
    op.execute(f"CREATE TRIGGER IF NOT EXISTS log_erased_no_insert BEFORE INSERT ON log_erased WHEN NOT {_TOLD} {_REFUSED}")
