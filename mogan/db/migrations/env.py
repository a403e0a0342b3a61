# SPDX-License-Identifier: Apache-2.0
"""What alembic runs; the caller hands the connection over."""

from alembic import context

from mogan.db import models

connection = context.config.attributes['connection']
context.configure(
    connection=connection, target_metadata=models.metadata,
    # SQLite cannot alter a table in place.
    render_as_batch=True, transaction_per_migration=True)

with context.begin_transaction():
    context.run_migrations()
