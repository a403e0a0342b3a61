# SPDX-License-Identifier: Apache-2.0
"""The entry of alembic; the caller hands the connection over, and ends its
transaction."""

from alembic import context

from mogan.db import models

connection = context.config.attributes['connection']
context.configure(
    connection=connection, target_metadata=models.metadata,
    # SQLite cannot alter a table in place.
    render_as_batch=True)

with context.begin_transaction():
    context.run_migrations()
