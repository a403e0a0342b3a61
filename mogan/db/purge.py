# SPDX-License-Identifier: Apache-2.0
"""Removes old history, a bounded number of rows at a time."""

from collections.abc import Sequence

import sqlalchemy as sa

from mogan.db import models
from mogan.db.core import clock
from mogan.db.core.engine import Database
from mogan.db.core.retry import retried

A = models.actions
I = models.instances  # noqa: E741 - read next to A
N = models.inputs
V = models.vifs

_DAY = 86_400


@retried
def _find(db: Database, query: sa.Select[str]) -> Sequence[str]:
    return [row.uuid for row in db.read(query)]


@retried
def _remove(db: Database, *statements: sa.Delete) -> int:
    with db.writer() as connection:
        return sum(connection.execute(statement).rowcount
                   for statement in statements)


def deleted_instances(db: Database, days: float, batch: int, *,
                      published: bool = False) -> int:
    """Remove up to a batch of instances that were deleted `days` ago,
    with their history.  Returns the number of rows removed.

    `published`: only those without pending notifications.
    """
    query = sa.select(I.c.uuid).where(
        I.c.deleted_at < clock.from_now(-days * _DAY)).limit(batch)
    if published:
        query = query.where(I.c.uuid.not_in(
            sa.select(A.c.instance_uuid).where(
                A.c.unpublished.is_not(None))))
    uuids = _find(db, query)
    if not uuids:
        return 0
    # Secrets and ports went with it, unless the code before this one deleted
    # it.
    return _remove(db, sa.delete(A).where(A.c.instance_uuid.in_(uuids)),
                   sa.delete(N).where(N.c.instance_uuid.in_(uuids)),
                   sa.delete(V).where(V.c.instance_uuid.in_(uuids)),
                   sa.delete(I).where(I.c.uuid.in_(uuids)))


def finished_actions(db: Database, days: float, batch: int, *,
                     published: bool = False) -> int:
    """Remove up to a batch of actions that ended `days` ago, of
    instances that live on.  Returns the number of rows removed.

    `published`: only those without pending notifications.
    """
    query = sa.select(A.c.uuid).where(
        A.c.finished_at < clock.from_now(-days * _DAY)).limit(batch)
    if published:
        query = query.where(A.c.unpublished.is_(None))
    uuids = _find(db, query)
    if not uuids:
        return 0
    return _remove(db, sa.delete(A).where(A.c.uuid.in_(uuids)))
