# SPDX-License-Identifier: Apache-2.0
"""Revisions that older releases cannot work with."""

import sqlalchemy as sa
from alembic import op

from mogan.db.migrations import steps

revision = '0006'
down_revision = '0005'

_MYSQL = {f'{dialect}_{name}': value
          for dialect in ('mysql', 'mariadb')
          for name, value in (('engine', 'InnoDB'), ('charset', 'utf8mb4'),
                              ('collate', 'utf8mb4_bin'))}


def upgrade() -> None:
    steps.create_table(
        'compatibility',
        sa.Column('revision', sa.String(32), nullable=False),
        sa.Column('release', sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint('revision',
                                name=op.f('pk_compatibility')),
        **_MYSQL)
