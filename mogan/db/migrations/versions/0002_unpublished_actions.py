# SPDX-License-Identifier: Apache-2.0
"""Actions of which others have still to be told."""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'


def upgrade() -> None:
    op.add_column('actions', sa.Column('unpublished', sa.SmallInteger))
    unpublished = sa.text('unpublished IS NOT NULL')
    op.create_index('ix_actions_unpublished', 'actions', ['unpublished'],
                    sqlite_where=unpublished, postgresql_where=unpublished)
