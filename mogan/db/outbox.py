# SPDX-License-Identifier: Apache-2.0
"""What others have still to be told: the actions are the outbox.

An action is to be told of from the transaction on that records it, and its
end from the one on that ends it; so nothing is told that did not happen, and
nothing that happened is forgotten.
"""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from mogan.db import clock, models
from mogan.db.actions import Unpublished
from mogan.db.engine import Database, transaction

A = models.actions
I = models.instances  # noqa: E741 - read next to A

Row = sa.Row

# When the first thing happened that is still to be told.
_MOMENT = sa.case((A.c.unpublished == Unpublished.ALL.value,
                   A.c.created_at), else_=A.c.finished_at)
# The first condition is that of the index.
_DUE = sa.and_(A.c.unpublished.is_not(None),
               sa.or_(A.c.unpublished == Unpublished.ALL.value,
                      A.c.finished_at.is_not(None)))


def _by_index(query: sa.Select[Any]) -> sa.Select[Any]:
    # MariaDB would walk over the whole history in the order of its rows.
    for dialect in ('mysql', 'mariadb'):
        query = query.with_hint(
            A, 'FORCE INDEX (ix_actions_unpublished)', dialect)
    return query


_ANY = _by_index(sa.select(A.c.id).where(_DUE).limit(1))
_PAGE = _by_index(sa.select(A, _MOMENT.label('moment')).where(_DUE)
                  .order_by(_MOMENT, A.c.id)
                  .limit(sa.bindparam('limit', type_=sa.Integer())))
_BACKLOG = _by_index(
    sa.select(sa.func.count().label('actions'),
              sa.func.min(_MOMENT, type_=models.Moment).label('since'),
              clock.NOW.label('now')).select_from(A).where(_DUE))


@transaction
def waiting(db: Database) -> bool:
    """Whether there is anything to tell."""
    with db.reader() as connection:
        return connection.execute(_ANY).first() is not None


@transaction
def page(db: Database, limit: int) -> Sequence[Row]:
    """Actions of which there is something to tell, in the order of what is
    to be told first, with its time as `moment`."""
    with db.reader() as connection:
        return connection.execute(_PAGE, {'limit': limit}).all()


@transaction
def instances(db: Database, uuids: Collection[str]) -> dict[str, Row]:
    """The instances of these uuids, deleted ones too."""
    with db.reader() as connection:
        return {row.uuid: row for row in connection.execute(
            sa.select(I).where(I.c.uuid.in_(uuids)))}


@transaction
def mark(db: Database, *, started: Collection[int],
         ended: Collection[int]) -> None:
    """Write down, by row numbers, of which actions the start has been told
    and of which all there is."""
    with db.writer() as connection:
        # The rows by their numbers alone: a condition on the mark itself
        # would make MariaDB lock others' rows.
        if started:
            connection.execute(sa.update(A).where(A.c.id.in_(started)).values(
                unpublished=sa.case(
                    (A.c.unpublished == Unpublished.ALL.value,
                     Unpublished.END.value), else_=A.c.unpublished)))
        if ended:
            connection.execute(sa.update(A).where(A.c.id.in_(ended)).values(
                unpublished=None))


class Backlog(NamedTuple):
    """How many actions wait to be told of, and since when, in seconds."""

    actions: int
    seconds: float


@transaction
def backlog(db: Database) -> Backlog:
    """What waits; cheap while that is little, whatever the history."""
    with db.reader() as connection:
        found = connection.execute(_BACKLOG).one()
    if found.since is None:
        return Backlog(0, 0.0)
    return Backlog(found.actions,
                   max((found.now - found.since).total_seconds(), 0.0))
