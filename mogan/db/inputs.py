# SPDX-License-Identifier: Apache-2.0
"""What is handed to an instance's node and shown to nobody."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from mogan.db import models
from mogan.db.engine import Database, transaction

N = models.inputs

_OF = N.c.instance_uuid == sa.bindparam('instance')
_GET = sa.select(N).where(_OF)
_DELETE = sa.delete(N).where(_OF)


@transaction
def get(db: Database, instance_uuid: str) -> Any | None:
    """What an instance was given; None where that is nothing."""
    with db.reader() as connection:
        return connection.execute(
            _GET, {'instance': instance_uuid}).one_or_none()


def insert(connection: sa.Connection, instance_uuid: str,
           values: Mapping[str, Any]) -> None:
    """Keep what this transaction's new instance is given, if anything."""
    given = {name: value for name, value in values.items() if value}
    if given:
        connection.execute(sa.insert(N).values(
            given | {'instance_uuid': instance_uuid}))


def delete(connection: sa.Connection, instance_uuid: str) -> None:
    """Forget it: nobody has use for the secrets of what is gone."""
    connection.execute(_DELETE, {'instance': instance_uuid})
