"""Run by Alembic: the steps happen in the transaction that `storage.upgrade` has open."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"], render_as_batch=True)
context.run_migrations()
