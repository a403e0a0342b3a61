# SPDX-License-Identifier: Apache-2.0
"""The tables.  Statements are built from these; there are no mapped
classes, since a state change has to be an UPDATE with a look at its
rowcount."""

import json
from collections.abc import Callable
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from mogan import states

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

# Characters of what somebody else said.
_LONGEST: Final = 4000

metadata = sa.MetaData(naming_convention=_NAMING)

# SQLite numbers rows by itself only in a column of the type INTEGER.
BigId = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
# MariaDB drops fractions of a second unless told otherwise.
Moment = (sa.DateTime()
          .with_variant(mysql.DATETIME(fsp=6), 'mysql', 'mariadb'))
_LongText = sa.Text().with_variant(mysql.MEDIUMTEXT(), 'mysql', 'mariadb')


class Json(sa.types.TypeDecorator):
    """A JSON value in a text column, alike on every database."""

    impl = _LongText
    cache_ok = True

    # In place of process_...: one call less for each value of each row.
    def bind_processor(self, dialect: Any) -> Callable[[Any], str | None]:
        return _to_text

    def result_processor(self, dialect: Any, coltype: Any,
                         ) -> Callable[[str | None], Any]:
        return _from_text


def _to_text(value: Any) -> str | None:
    return None if value is None else json.dumps(value)


def _from_text(text: str | None) -> Any:
    return None if text is None else json.loads(text)


class Words(sa.types.TypeDecorator):
    """What somebody else said, as far as every database can keep it."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None,
                           dialect: Any) -> str | None:
        if value is None:
            return None
        return (value[:_LONGEST].replace('\0', ' ')
                .encode('utf-8', 'replace').decode())


def _quoted(values: frozenset[states.Status]) -> str:
    return ', '.join(f"'{value}'" for value in sorted(values))


NOT_LOCKABLE: Final = states.EVERY_STATUS - states.LOCKABLE

instances = sa.Table(
    'instances', metadata,
    sa.Column('id', BigId, primary_key=True, autoincrement=True),
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
    sa.Column('metadata', Json, nullable=False),
    sa.Column('key_name', sa.String(255)),
    sa.Column('partitions', Json),
    sa.Column('networks', Json),
    sa.Column('status', sa.String(32), nullable=False),
    sa.Column('status_action', sa.String(36)),
    sa.Column('power_state', sa.String(16)),
    sa.Column('fault', Json),
    sa.Column('lock_state', sa.String(16), nullable=False),
    sa.Column('lock_action', sa.String(36)),
    sa.Column('locked_at', Moment),
    sa.Column('locked_by', sa.String(64)),
    sa.Column('locked_reason', sa.String(255)),
    sa.Column('lock_fault', Json),
    sa.Column('node_protection', sa.String(16), nullable=False),
    sa.Column('fence', sa.BigInteger, nullable=False),
    sa.Column('claim_by', sa.String(255)),
    sa.Column('claim_seq', sa.BigInteger, nullable=False),
    sa.Column('claim_until', Moment),
    sa.Column('revision', sa.Integer, nullable=False),
    sa.Column('created_at', Moment, nullable=False),
    sa.Column('updated_at', Moment),
    sa.Column('launched_at', Moment),
    sa.Column('deleted_at', Moment),
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
    sa.Column('id', BigId, primary_key=True, autoincrement=True),
    sa.Column('uuid', sa.String(36), nullable=False),
    sa.Column('instance_uuid', sa.String(36), nullable=False),
    sa.Column('verb', sa.String(32), nullable=False),
    sa.Column('arguments', Json, nullable=False),
    sa.Column('fence', sa.BigInteger),
    sa.Column('user_id', sa.String(64), nullable=False),
    sa.Column('project_id', sa.String(64)),
    sa.Column('request_id', sa.String(64)),
    sa.Column('outcome', sa.String(16)),
    sa.Column('error', Words),
    sa.Column('attempts', sa.Integer, nullable=False),
    sa.Column('next_at', Moment),
    sa.Column('refusal', sa.String(255)),
    sa.Column('times', sa.Integer, nullable=False),
    sa.Column('created_at', Moment, nullable=False),
    sa.Column('started_at', Moment),
    sa.Column('updated_at', Moment),
    sa.Column('finished_at', Moment),
    # What others have still to be told of it; none where nobody is told.
    sa.Column('unpublished', sa.SmallInteger),
    sa.UniqueConstraint('uuid'),
    sa.UniqueConstraint('refusal'),
    sa.Index(None, 'instance_uuid', 'id'),
    # Set for unfinished actions only: the work list.
    sa.Index(None, 'next_at'),
    sa.Index(None, 'finished_at'),
    # Where nobody is told, it costs nothing.
    sa.Index(None, 'unpublished', sqlite_where=_UNPUBLISHED,
             postgresql_where=_UNPUBLISHED),
    **_MYSQL)

# What is handed to an instance's node and to nobody else: apart, so that no
# list and no look at an instance comes by it.
inputs = sa.Table(
    'inputs', metadata,
    sa.Column('instance_uuid', sa.String(36), primary_key=True),
    sa.Column('user_data', _LongText),
    sa.Column('ssh_keys', Json),
    **_MYSQL)

# A user's own, whatever the project.
keypairs = sa.Table(
    'keypairs', metadata,
    sa.Column('id', BigId, primary_key=True, autoincrement=True),
    sa.Column('user_id', sa.String(64), nullable=False),
    sa.Column('name', sa.String(255), nullable=False),
    sa.Column('public_key', sa.Text, nullable=False),
    sa.Column('fingerprint', sa.String(64), nullable=False),
    sa.Column('created_at', Moment, nullable=False),
    sa.UniqueConstraint('user_id', 'name'),
    **_MYSQL)

flavors = sa.Table(
    'flavors', metadata,
    sa.Column('id', BigId, primary_key=True, autoincrement=True),
    sa.Column('uuid', sa.String(36), nullable=False),
    sa.Column('name', sa.String(255), nullable=False),
    sa.Column('description', sa.String(255)),
    sa.Column('resources', Json, nullable=False),
    sa.Column('traits', Json, nullable=False),
    sa.Column('is_public', sa.Boolean, nullable=False),
    sa.Column('disabled', sa.Boolean, nullable=False),
    sa.Column('created_at', Moment, nullable=False),
    sa.Column('updated_at', Moment),
    sa.UniqueConstraint('uuid'),
    sa.UniqueConstraint('name'),
    **_MYSQL)

# Work that one engine at a time does for all.
rounds = sa.Table(
    'rounds', metadata,
    sa.Column('name', sa.String(64), primary_key=True),
    sa.Column('due_at', Moment, nullable=False),
    **_MYSQL)
