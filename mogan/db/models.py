# SPDX-License-Identifier: Apache-2.0
"""The tables.  Statements are built from these; there are no mapped
classes, since a state change has to be an UPDATE whose rowcount is
checked."""

from collections.abc import Iterable
from typing import Any, Final

import sqlalchemy as sa

from mogan import states
from mogan.db.core import types

_NAMING: Final = {
    'ix': 'ix_%(table_name)s_%(column_0_N_name)s',
    'uq': 'uq_%(table_name)s_%(column_0_N_name)s',
    'ck': 'ck_%(table_name)s_%(constraint_name)s',
    'pk': 'pk_%(table_name)s',
}
# Names and reasons are compared byte for byte, on every database alike.
_MYSQL: Final[dict[str, Any]] = {
    f'{dialect}_{name}': value for dialect in ('mysql', 'mariadb')
    for name, value in (('engine', 'InnoDB'), ('charset', 'utf8mb4'),
                        ('collate', 'utf8mb4_bin'))}

metadata = sa.MetaData(naming_convention=_NAMING)


def _quoted(values: Iterable[str]) -> str:
    return ', '.join(f"'{value}'" for value in sorted(values))


def _domain(column: str, values: Iterable[str]) -> sa.CheckConstraint:
    """Return the CHECK of a state column: no statement can write another
    value, not even with arguments of another component."""
    return sa.CheckConstraint(f'{column} IN ({_quoted(values)})', name=column)


NOT_LOCKABLE: Final = states.EVERY_STATUS - states.LOCKABLE

instances = sa.Table(
    'instances', metadata,
    sa.Column('id', types.BigId, primary_key=True, autoincrement=True),
    sa.Column('uuid', sa.String(36), nullable=False),
    sa.Column('project_id', sa.String(64), nullable=False),
    sa.Column('user_id', sa.String(64), nullable=False),
    sa.Column('name', sa.String(255), nullable=False),
    sa.Column('description', sa.String(255)),
    # Not known of every machine that was taken over.
    sa.Column('flavor_uuid', sa.String(36)),
    sa.Column('image_uuid', sa.String(36)),
    sa.Column('availability_zone', sa.String(255)),
    sa.Column('node_uuid', sa.String(36)),
    # The node that the instance is to take over and has not: what is on it
    # is not the instance's, and no other instance may ask for it.
    sa.Column('adopting', sa.String(36)),
    sa.Column('metadata', types.Json, nullable=False),
    sa.Column('key_name', sa.String(255)),
    sa.Column('partitions', types.Json),
    sa.Column('networks', types.Json),
    sa.Column('status', sa.String(32), nullable=False),
    sa.Column('status_action', sa.String(36)),
    sa.Column('power_state', sa.String(16)),
    sa.Column('fault', types.Json),
    sa.Column('lock_state', sa.String(16), nullable=False),
    sa.Column('lock_action', sa.String(36)),
    sa.Column('locked_at', types.Timestamp),
    sa.Column('locked_by', sa.String(64)),
    sa.Column('locked_reason', sa.String(255)),
    sa.Column('lock_fault', types.Json),
    sa.Column('node_protection', sa.String(16), nullable=False),
    sa.Column('fence', sa.BigInteger, nullable=False),
    sa.Column('claim_by', sa.String(255)),
    sa.Column('claim_seq', sa.BigInteger, nullable=False),
    sa.Column('claim_until', types.Timestamp),
    sa.Column('revision', sa.Integer, nullable=False),
    sa.Column('created_at', types.Timestamp, nullable=False),
    sa.Column('updated_at', types.Timestamp),
    sa.Column('launched_at', types.Timestamp),
    sa.Column('deleted_at', types.Timestamp),
    sa.Column('locked', sa.Boolean,
              sa.Computed("lock_state <> 'unlocked'", persisted=True)),
    sa.Column('deleted', sa.Boolean,
              sa.Computed('deleted_at IS NOT NULL', persisted=True)),
    sa.UniqueConstraint('uuid'),
    sa.UniqueConstraint('adopting'),
    sa.CheckConstraint(
        "lock_state = 'unlocked' OR "
        f'status NOT IN ({_quoted(NOT_LOCKABLE)})',
        name='locked_is_not_destroyed'),
    _domain('status', states.Status),
    _domain('lock_state', states.LockState),
    _domain('node_protection', states.NodeProtection),
    # One index for each way to list: deleted rows, which stay until they
    # are purged, lie apart, and the row number comes last for the paging.
    sa.Index(None, 'deleted', 'id'),
    sa.Index(None, 'deleted', 'status', 'id'),
    sa.Index(None, 'deleted', 'flavor_uuid', 'id'),
    sa.Index(None, 'deleted', 'locked', 'id'),
    sa.Index(None, 'deleted', 'name', 'id'),
    sa.Index(None, 'deleted', 'project_id', 'id'),
    sa.Index(None, 'deleted', 'project_id', 'status', 'id'),
    sa.Index(None, 'deleted', 'project_id', 'flavor_uuid', 'id'),
    sa.Index(None, 'deleted', 'project_id', 'locked', 'id'),
    sa.Index(None, 'deleted', 'project_id', 'name', 'id'),
    sa.Index(None, 'node_uuid', 'id'),
    sa.Index(None, 'deleted_at'),
    **_MYSQL)

_UNPUBLISHED: Final = sa.text('unpublished IS NOT NULL')

actions = sa.Table(
    'actions', metadata,
    sa.Column('id', types.BigId, primary_key=True, autoincrement=True),
    sa.Column('uuid', sa.String(36), nullable=False),
    sa.Column('instance_uuid', sa.String(36), nullable=False),
    sa.Column('verb', sa.String(32), nullable=False),
    sa.Column('arguments', types.Json, nullable=False),
    sa.Column('fence', sa.BigInteger),
    sa.Column('user_id', sa.String(64), nullable=False),
    sa.Column('project_id', sa.String(64)),
    sa.Column('request_id', sa.String(64)),
    sa.Column('outcome', sa.String(16)),
    sa.Column('error', types.ExternalText),
    sa.Column('attempts', sa.Integer, nullable=False),
    sa.Column('next_at', types.Timestamp),
    sa.Column('refusal', sa.String(255)),
    sa.Column('times', sa.Integer, nullable=False),
    sa.Column('created_at', types.Timestamp, nullable=False),
    sa.Column('started_at', types.Timestamp),
    sa.Column('updated_at', types.Timestamp),
    sa.Column('finished_at', types.Timestamp),
    # Its pending notifications; null where notifications are disabled.
    sa.Column('unpublished', sa.SmallInteger),
    sa.UniqueConstraint('uuid'),
    sa.UniqueConstraint('refusal'),
    sa.Index(None, 'instance_uuid', 'id'),
    # Set for unfinished actions only: the work list.
    sa.Index(None, 'next_at'),
    sa.Index(None, 'finished_at'),
    # Costs nothing where notifications are disabled.
    sa.Index(None, 'unpublished', sqlite_where=_UNPUBLISHED,
             postgresql_where=_UNPUBLISHED),
    **_MYSQL)

# Instance secrets and user data, handed to the node alone: in a table of
# their own, so that no query for instances reads them.
inputs = sa.Table(
    'inputs', metadata,
    sa.Column('instance_uuid', sa.String(36), primary_key=True),
    sa.Column('user_data', types.LongText),
    sa.Column('ssh_keys', types.Json),
    **_MYSQL)

# The network interfaces that instances were asked for; a port is on one of
# them.
vifs = sa.Table(
    'vifs', metadata,
    sa.Column('id', types.BigId, primary_key=True, autoincrement=True),
    sa.Column('instance_uuid', sa.String(36), nullable=False),
    sa.Column('position', sa.Integer, nullable=False),
    sa.Column('net_id', sa.String(36)),
    sa.Column('port_id', sa.String(36)),
    sa.UniqueConstraint('instance_uuid', 'position'),
    sa.UniqueConstraint('port_id'),
    **_MYSQL)

# A user's own, whatever the project.
keypairs = sa.Table(
    'keypairs', metadata,
    sa.Column('id', types.BigId, primary_key=True, autoincrement=True),
    sa.Column('user_id', sa.String(64), nullable=False),
    sa.Column('name', sa.String(255), nullable=False),
    sa.Column('public_key', sa.Text, nullable=False),
    sa.Column('fingerprint', sa.String(64), nullable=False),
    sa.Column('created_at', types.Timestamp, nullable=False),
    sa.UniqueConstraint('user_id', 'name'),
    **_MYSQL)

flavors = sa.Table(
    'flavors', metadata,
    sa.Column('id', types.BigId, primary_key=True, autoincrement=True),
    sa.Column('uuid', sa.String(36), nullable=False),
    sa.Column('name', sa.String(255), nullable=False),
    sa.Column('description', sa.String(255)),
    sa.Column('resources', types.Json, nullable=False),
    sa.Column('traits', types.Json, nullable=False),
    sa.Column('is_public', sa.Boolean, nullable=False),
    sa.Column('disabled', sa.Boolean, nullable=False),
    sa.Column('created_at', types.Timestamp, nullable=False),
    sa.Column('updated_at', types.Timestamp),
    sa.UniqueConstraint('uuid'),
    sa.UniqueConstraint('name'),
    **_MYSQL)

# Work that one engine at a time does for all.
rounds = sa.Table(
    'rounds', metadata,
    sa.Column('name', sa.String(64), primary_key=True),
    sa.Column('due_at', types.Timestamp, nullable=False),
    **_MYSQL)

# The revisions that no release before `release` can work with: older
# services refuse a database that has one they do not know.
compatibility = sa.Table(
    'compatibility', metadata,
    sa.Column('revision', sa.String(32), primary_key=True),
    sa.Column('release', sa.String(32), nullable=False),
    **_MYSQL)
