# SPDX-License-Identifier: Apache-2.0
"""Proof that a server is the primary: a commit that its replica has, too.

A former primary that was cut off lives on, and nothing that is read there
tells so.  Only its commits do: they wait for a replica that it has lost.
"""

from typing import Final

import sqlalchemy as sa

from mogan.db import models
from mogan.db.core.statements import CompiledDML

I = models.instances  # noqa: E741 - as in instances

# A row that is given the values that it has is written to no log of MariaDB.
_STEPS: Final = tuple(
    CompiledDML(sa.update(I).where(I.c.uuid == sa.bindparam('key')).values(
        fence=I.c.fence + step)) for step in (1, -1))


def confirm(connection: sa.Connection, uuid: str) -> None:
    """Make the end of this transaction, which has changed nothing, wait for
    the replica: an instance's row is changed, and changed back."""
    if connection.dialect.name != 'sqlite':
        for change in _STEPS:
            change.execute(connection, {'key': uuid})
