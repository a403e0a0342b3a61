# SPDX-License-Identifier: Apache-2.0
"""Pending notifications of actions."""

import sqlalchemy as sa

from mogan.db.migrations import steps

revision = '0002'
down_revision = '0001'


def upgrade() -> None:
    steps.add_column('actions', sa.Column('unpublished', sa.SmallInteger))
    unpublished = sa.text('unpublished IS NOT NULL')
    steps.create_index('actions', ['unpublished'], sqlite_where=unpublished,
                       postgresql_where=unpublished)
