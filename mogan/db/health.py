# SPDX-License-Identifier: Apache-2.0
"""What others want to know of the database, and of the work in it."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from mogan.db import clock, models
from mogan.db.engine import Database, transaction

A = models.actions

_SINCE = sa.func.min(A.c.created_at).label('since')
_UNFINISHED = (
    sa.select(A.c.verb, sa.func.count().label('actions'), _SINCE,
              clock.NOW.label('now'))
    .where(A.c.next_at.is_not(None)).group_by(A.c.verb))


@transaction
def ask(db: Database) -> None:
    """See whether it answers.  Raises DatabaseUnavailable."""
    with db.reader() as connection:
        connection.execute(sa.select(clock.NOW)).scalar_one()


@transaction
def unfinished(db: Database) -> Sequence[sa.Row[Any]]:
    """How many actions of each verb are unfinished, and `since` when the
    oldest of them; with the database's time as `now`."""
    with db.reader() as connection:
        return connection.execute(_UNFINISHED).all()
