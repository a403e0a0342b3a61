# SPDX-License-Identifier: Apache-2.0
"""The network interfaces that instances were asked for.

A port is on one instance, by the database's word: the rows come with the
instance and go with it.
"""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from mogan.db import models
from mogan.db.core.engine import Database
from mogan.db.core.retry import retried

I = models.instances  # noqa: E741 - read next to V
V = models.vifs

_DELETE = sa.delete(V).where(V.c.instance_uuid == sa.bindparam('instance'))


def insert(connection: sa.Connection, instance_uuid: str,
           networks: Sequence[Mapping[str, str]]) -> None:
    """Add those of this transaction's new instance.

    Raises DBDuplicateEntry where a port is on another one.
    """
    rows = [{'instance_uuid': instance_uuid, 'position': position,
             'net_id': network.get('net_id'),
             'port_id': network.get('port_id')}
            for position, network in enumerate(networks)]
    if rows:
        # In one order, so that two of them never wait for each other.
        connection.execute(sa.insert(V), sorted(
            rows, key=lambda row: row['port_id'] or ''))


def delete(connection: sa.Connection, instance_uuid: str) -> None:
    """Free the ports of what is gone."""
    connection.execute(_DELETE, {'instance': instance_uuid})


@retried
def taken(db: Database, ports: Sequence[str]) -> str | None:
    """Return the first of these ports that another instance uses.

    Frees ports of deleted instances: an older release, which may have deleted
    them, did not know the table.
    """
    with db.writer() as connection:
        connection.execute(sa.delete(V).where(
            V.c.port_id.in_(ports), V.c.instance_uuid.in_(
                sa.select(I.c.uuid).where(I.c.deleted_at.is_not(None)))))
        return connection.execute(
            sa.select(V.c.port_id).where(V.c.port_id.in_(ports))
            .order_by(V.c.port_id).limit(1)).scalar_one_or_none()
