# SPDX-License-Identifier: Apache-2.0
"""The outbox of notifications: the actions are its entries.

An action is pending from the transaction on that records it, and its end from
the one on that ends it; so no notification is sent about a change that did not
happen, and none is lost.
"""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from mogan.db import domains, models, rows
from mogan.db.actions import PendingNotifications
from mogan.db.core import clock, types
from mogan.db.core.engine import Database
from mogan.db.core.retry import retried

A = models.actions
I = models.instances  # noqa: E741 - read next to A

# The time of the oldest change with a pending notification.
_OCCURRED_AT = sa.case(
    (A.c.unpublished == PendingNotifications.ALL.value, A.c.created_at),
    else_=A.c.finished_at)
# The first condition is that of the index.
_DUE = sa.and_(A.c.unpublished.is_not(None),
               sa.or_(A.c.unpublished == PendingNotifications.ALL.value,
                      A.c.finished_at.is_not(None)),
               domains.READABLE_ACTION)


def _by_index(query: sa.Select[Any]) -> sa.Select[Any]:
    # MariaDB would walk over the whole history in the order of its rows.
    for dialect in ('mysql', 'mariadb'):
        query = query.with_hint(
            A, 'FORCE INDEX (ix_actions_unpublished)', dialect)
    return query


_ANY = _by_index(sa.select(A.c.id).where(_DUE).limit(1))
_PAGE = _by_index(sa.select(A, _OCCURRED_AT.label('occurred_at')).where(_DUE)
                  .order_by(_OCCURRED_AT, A.c.id)
                  .limit(sa.bindparam('limit', type_=sa.Integer())))
_BACKLOG = _by_index(
    sa.select(sa.func.count().label('actions'),
              sa.func.min(_OCCURRED_AT, type_=types.Timestamp).label('since'),
              clock.NOW.label('now')).select_from(A).where(_DUE))


@retried
def waiting(db: Database) -> bool:
    """Return whether any notification is pending."""
    return bool(db.read(_ANY))


@retried
def page(db: Database, limit: int, *,
         without: Collection[int] = ()) -> Sequence[rows.PendingAction]:
    """Return actions with pending notifications, the oldest change first,
    with its time as `occurred_at`.

    `without`: not of the actions of these row numbers.
    """
    query = _PAGE.where(A.c.id.not_in(without)) if without else _PAGE
    return db.read(query, limit=limit)


@retried
def instances(db: Database,
              uuids: Collection[str]) -> dict[str, rows.Instance]:
    """Return the instances of these uuids, including deleted ones."""
    return {row.uuid: row for row in db.read(
        sa.select(I).where(I.c.uuid.in_(uuids), domains.READABLE_INSTANCE))}


@retried
def mark(db: Database, *, started: Collection[int],
         ended: Collection[int]) -> None:
    """Record, by row numbers, the actions whose start was published, and
    those of which everything was."""
    with db.writer() as connection:
        # The rows by their numbers alone: a condition on the mark itself
        # would make MariaDB lock others' rows.
        if started:
            connection.execute(sa.update(A).where(A.c.id.in_(started)).values(
                unpublished=sa.case(
                    (A.c.unpublished == PendingNotifications.ALL.value,
                     PendingNotifications.END.value), else_=A.c.unpublished)))
        if ended:
            connection.execute(sa.update(A).where(A.c.id.in_(ended)).values(
                unpublished=None))


class Backlog(NamedTuple):
    """The number of actions with pending notifications, and the age of the
    oldest in seconds."""

    actions: int
    seconds: float


@retried
def backlog(db: Database) -> Backlog:
    """Return the backlog; cheap while it is small, whatever the history."""
    [found] = db.read(_BACKLOG)
    if found.since is None:
        return Backlog(0, 0.0)
    return Backlog(found.actions,
                   max((found.now - found.since).total_seconds(), 0.0))
