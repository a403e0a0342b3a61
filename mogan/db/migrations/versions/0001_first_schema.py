# SPDX-License-Identifier: Apache-2.0
"""The first schema."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from mogan.db.migrations import steps

revision = '0001'
down_revision = None

_MYSQL = {f'{dialect}_{name}': value
          for dialect in ('mysql', 'mariadb')
          for name, value in (('engine', 'InnoDB'), ('charset', 'utf8mb4'),
                              ('collate', 'utf8mb4_bin'))}
_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
_MOMENT = sa.DateTime().with_variant(
    mysql.DATETIME(fsp=6), 'mysql', 'mariadb')
_JSON = sa.Text().with_variant(mysql.MEDIUMTEXT(), 'mysql', 'mariadb')

_INDEXES = (
    ('instances', 'deleted', 'id'),
    ('instances', 'deleted', 'status', 'id'),
    ('instances', 'deleted', 'flavor_uuid', 'id'),
    ('instances', 'deleted', 'locked', 'id'),
    ('instances', 'deleted', 'name', 'id'),
    ('instances', 'deleted', 'project_id', 'id'),
    ('instances', 'deleted', 'project_id', 'status', 'id'),
    ('instances', 'deleted', 'project_id', 'flavor_uuid', 'id'),
    ('instances', 'deleted', 'project_id', 'locked', 'id'),
    ('instances', 'deleted', 'project_id', 'name', 'id'),
    ('instances', 'node_uuid', 'id'),
    ('instances', 'deleted_at'),
    ('actions', 'instance_uuid', 'id'),
    ('actions', 'next_at'),
    ('actions', 'finished_at'),
)


def upgrade() -> None:
    _create_instances()
    _create_actions()
    _create_flavors()
    _create_rounds()
    for table, *columns in _INDEXES:
        steps.create_index(table, columns)


def _create_instances() -> None:
    steps.create_table(
        'instances',
        sa.Column('id', _BIG_ID, autoincrement=True, nullable=False),
        sa.Column('uuid', sa.String(36), nullable=False),
        sa.Column('project_id', sa.String(64), nullable=False),
        sa.Column('user_id', sa.String(64), nullable=False),
        sa.Column('name', sa.String(255), nullable=False),
        sa.Column('description', sa.String(255)),
        sa.Column('flavor_uuid', sa.String(36)),
        sa.Column('image_uuid', sa.String(36)),
        sa.Column('availability_zone', sa.String(255)),
        sa.Column('node_uuid', sa.String(36)),
        sa.Column('adopting', sa.String(36)),
        sa.Column('metadata', _JSON, nullable=False),
        sa.Column('status', sa.String(32), nullable=False),
        sa.Column('status_action', sa.String(36)),
        sa.Column('power_state', sa.String(16)),
        sa.Column('fault', _JSON),
        sa.Column('lock_state', sa.String(16), nullable=False),
        sa.Column('lock_action', sa.String(36)),
        sa.Column('locked_at', _MOMENT),
        sa.Column('locked_by', sa.String(64)),
        sa.Column('locked_reason', sa.String(255)),
        sa.Column('lock_fault', _JSON),
        sa.Column('node_protection', sa.String(16), nullable=False),
        sa.Column('fence', sa.BigInteger, nullable=False),
        sa.Column('claim_by', sa.String(255)),
        sa.Column('claim_seq', sa.BigInteger, nullable=False),
        sa.Column('claim_until', _MOMENT),
        sa.Column('revision', sa.Integer, nullable=False),
        sa.Column('created_at', _MOMENT, nullable=False),
        sa.Column('updated_at', _MOMENT),
        sa.Column('launched_at', _MOMENT),
        sa.Column('deleted_at', _MOMENT),
        sa.Column('locked', sa.Boolean,
                  sa.Computed("lock_state <> 'unlocked'", persisted=True)),
        sa.Column('deleted', sa.Boolean,
                  sa.Computed('deleted_at IS NOT NULL', persisted=True)),
        sa.UniqueConstraint('uuid', name=op.f('uq_instances_uuid')),
        sa.UniqueConstraint('adopting', name=op.f('uq_instances_adopting')),
        sa.CheckConstraint(
            "lock_state = 'unlocked' OR "
            "status NOT IN ('building', 'deleting', 'rebuilding')",
            name=op.f('ck_instances_locked_is_not_destroyed')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_instances')),
        **_MYSQL)


def _create_actions() -> None:
    steps.create_table(
        'actions',
        sa.Column('id', _BIG_ID, autoincrement=True, nullable=False),
        sa.Column('uuid', sa.String(36), nullable=False),
        sa.Column('instance_uuid', sa.String(36), nullable=False),
        sa.Column('verb', sa.String(32), nullable=False),
        sa.Column('arguments', _JSON, nullable=False),
        sa.Column('fence', sa.BigInteger),
        sa.Column('user_id', sa.String(64), nullable=False),
        sa.Column('project_id', sa.String(64)),
        sa.Column('request_id', sa.String(64)),
        sa.Column('outcome', sa.String(16)),
        sa.Column('error', sa.Text),
        sa.Column('attempts', sa.Integer, nullable=False),
        sa.Column('next_at', _MOMENT),
        sa.Column('refusal', sa.String(255)),
        sa.Column('times', sa.Integer, nullable=False),
        sa.Column('created_at', _MOMENT, nullable=False),
        sa.Column('started_at', _MOMENT),
        sa.Column('updated_at', _MOMENT),
        sa.Column('finished_at', _MOMENT),
        sa.UniqueConstraint('uuid', name=op.f('uq_actions_uuid')),
        sa.UniqueConstraint('refusal', name=op.f('uq_actions_refusal')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_actions')),
        **_MYSQL)


def _create_flavors() -> None:
    steps.create_table(
        'flavors',
        sa.Column('id', _BIG_ID, autoincrement=True, nullable=False),
        sa.Column('uuid', sa.String(36), nullable=False),
        sa.Column('name', sa.String(255), nullable=False),
        sa.Column('description', sa.String(255)),
        sa.Column('resources', _JSON, nullable=False),
        sa.Column('traits', _JSON, nullable=False),
        sa.Column('is_public', sa.Boolean, nullable=False),
        sa.Column('disabled', sa.Boolean, nullable=False),
        sa.Column('created_at', _MOMENT, nullable=False),
        sa.Column('updated_at', _MOMENT),
        sa.UniqueConstraint('uuid', name=op.f('uq_flavors_uuid')),
        sa.UniqueConstraint('name', name=op.f('uq_flavors_name')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_flavors')),
        **_MYSQL)


def _create_rounds() -> None:
    steps.create_table(
        'rounds',
        sa.Column('name', sa.String(64), nullable=False),
        sa.Column('due_at', _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint('name', name=op.f('pk_rounds')),
        **_MYSQL)
