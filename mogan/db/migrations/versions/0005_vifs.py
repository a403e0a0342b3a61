# SPDX-License-Identifier: Apache-2.0
"""A port is on one instance."""

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from mogan.db.migrations import steps

revision = '0005'
down_revision = '0004'

_MYSQL = {f'{dialect}_{name}': value
          for dialect in ('mysql', 'mariadb')
          for name, value in (('engine', 'InnoDB'), ('charset', 'utf8mb4'),
                              ('collate', 'utf8mb4_bin'))}
_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
_INSTANCES = sa.table('instances', *map(sa.column, (
    'id', 'uuid', 'networks', 'deleted_at')))
_VIFS = sa.table('vifs', *map(sa.column, (
    'instance_uuid', 'position', 'net_id', 'port_id')))
_BATCH = 500


def upgrade() -> None:
    steps.create_table(
        'vifs',
        sa.Column('id', _BIG_ID, autoincrement=True, nullable=False),
        sa.Column('instance_uuid', sa.String(36), nullable=False),
        sa.Column('position', sa.Integer, nullable=False),
        sa.Column('net_id', sa.String(36)),
        sa.Column('port_id', sa.String(36)),
        sa.UniqueConstraint('instance_uuid', 'position',
                            name=op.f('uq_vifs_instance_uuid_position')),
        sa.UniqueConstraint('port_id', name=op.f('uq_vifs_port_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_vifs')),
        **_MYSQL)
    _fill()


def _fill() -> None:
    """Add the rows of the instances that there are.

    Of several that were asked for with one port, the oldest has it.
    """
    connection = op.get_bind()
    taken = set(connection.execute(sa.select(_VIFS.c.port_id).where(
        _VIFS.c.port_id.is_not(None))).scalars())
    for uuid, networks in _instances(connection):
        rows = []
        for position, network in enumerate(json.loads(networks) or ()):
            port = network.get('port_id')
            rows.append({'instance_uuid': uuid, 'position': position,
                         'net_id': network.get('net_id'),
                         'port_id': None if port in taken else port})
            taken.add(port)
        if rows:
            connection.execute(sa.insert(_VIFS), rows)


def _instances(connection: sa.Connection) -> Iterator[tuple[str, Any]]:
    """Yield the instances with networks and without rows, oldest first."""
    last = 0
    query = (
        sa.select(_INSTANCES.c.id, _INSTANCES.c.uuid, _INSTANCES.c.networks)
        .where(_INSTANCES.c.deleted_at.is_(None),
               _INSTANCES.c.networks.is_not(None),
               _INSTANCES.c.uuid.not_in(sa.select(_VIFS.c.instance_uuid)))
        .order_by(_INSTANCES.c.id).limit(_BATCH))
    while rows := connection.execute(
            query.where(_INSTANCES.c.id > last)).all():
        for number, uuid, networks in rows:
            last = number
            yield uuid, networks
