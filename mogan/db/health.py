# SPDX-License-Identifier: Apache-2.0
"""Health of the database, and statistics of the work in it."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from mogan.db import models
from mogan.db.core import clock, types
from mogan.db.core.engine import Database
from mogan.db.core.retry import retried

A = models.actions

_SINCE = sa.func.min(sa.case(
    (clock.readable(A.c.created_at), A.c.created_at), else_=clock.NOW,
), type_=types.Timestamp).label('since')
_UNFINISHED = (
    sa.select(A.c.verb, sa.func.count().label('actions'), _SINCE,
              clock.NOW.label('now'))
    .where(A.c.next_at.is_not(None)).group_by(A.c.verb))


@retried
def ask(db: Database) -> None:
    """See whether it answers.  Raises DatabaseUnavailable."""
    db.read(sa.select(clock.NOW))


@retried
def unfinished(db: Database) -> Sequence[sa.Row[Any]]:
    """Count the unfinished actions of each verb, with the creation of the
    oldest as `since`, and the database's time as `now`."""
    return db.read(_UNFINISHED)
