# SPDX-License-Identifier: Apache-2.0
"""Instance secrets and user data: handed to the node and never shown."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from mogan.db import models, primary
from mogan.db.core.engine import Database
from mogan.db.core.retry import retried

N = models.inputs

_OF = N.c.instance_uuid == sa.bindparam('instance')
_GET = sa.select(N).where(_OF)
_DELETE = sa.delete(N).where(_OF)


@retried
def get(db: Database, instance_uuid: str) -> Any | None:
    """Return the secrets and user data of an instance, or None.

    By word of the primary: a server that knows no better would have the
    machine built without it.
    """
    with db.writer() as connection:
        primary.confirm(connection, instance_uuid)
        return connection.execute(
            _GET, {'instance': instance_uuid}).one_or_none()


def insert(connection: sa.Connection, instance_uuid: str,
           values: Mapping[str, Any]) -> None:
    """Store those of this transaction's new instance, if there are any."""
    filled = {name: value for name, value in values.items() if value}
    if filled:
        connection.execute(sa.insert(N).values(
            filled | {'instance_uuid': instance_uuid}))


def delete(connection: sa.Connection, instance_uuid: str) -> None:
    """Remove those of an instance that is gone."""
    connection.execute(_DELETE, {'instance': instance_uuid})
