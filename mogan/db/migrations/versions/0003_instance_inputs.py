# SPDX-License-Identifier: Apache-2.0
"""Instance secrets and user data, and the key pairs of users."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from mogan.db.migrations import steps

revision = '0003'
down_revision = '0002'

_MYSQL = {f'{dialect}_{name}': value
          for dialect in ('mysql', 'mariadb')
          for name, value in (('engine', 'InnoDB'), ('charset', 'utf8mb4'),
                              ('collate', 'utf8mb4_bin'))}
_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
_MOMENT = sa.DateTime().with_variant(
    mysql.DATETIME(fsp=6), 'mysql', 'mariadb')
_LONG_TEXT = sa.Text().with_variant(mysql.MEDIUMTEXT(), 'mysql', 'mariadb')


def upgrade() -> None:
    for column in (sa.Column('key_name', sa.String(255)),
                   sa.Column('partitions', _LONG_TEXT),
                   sa.Column('networks', _LONG_TEXT)):
        steps.add_column('instances', column)
    steps.create_table(
        'inputs',
        sa.Column('instance_uuid', sa.String(36), nullable=False),
        sa.Column('user_data', _LONG_TEXT),
        sa.Column('ssh_keys', _LONG_TEXT),
        sa.PrimaryKeyConstraint('instance_uuid', name=op.f('pk_inputs')),
        **_MYSQL)
    steps.create_table(
        'keypairs',
        sa.Column('id', _BIG_ID, autoincrement=True, nullable=False),
        sa.Column('user_id', sa.String(64), nullable=False),
        sa.Column('name', sa.String(255), nullable=False),
        sa.Column('public_key', sa.Text, nullable=False),
        sa.Column('fingerprint', sa.String(64), nullable=False),
        sa.Column('created_at', _MOMENT, nullable=False),
        sa.UniqueConstraint('user_id', 'name',
                            name=op.f('uq_keypairs_user_id_name')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_keypairs')),
        **_MYSQL)
