# SPDX-License-Identifier: Apache-2.0
"""Periodic task leases: tasks that one engine at a time runs for all."""

import oslo_db.exception
import sqlalchemy as sa

from mogan.db import claims, models
from mogan.db.core import clock
from mogan.db.core.engine import Database
from mogan.db.core.retry import retried

R = models.rounds


@retried
def acquire(db: Database, name: str, interval: float) -> bool:
    """Acquire the periodic task if it is due, and return whether it was; the
    next run is due in `interval` seconds.

    A task that would be due later than that is due as well: the database's
    clock has been set back.
    """
    with db.writer() as connection:
        return connection.execute(
            sa.update(R).where(R.c.name == name, sa.or_(
                R.c.due_at <= clock.NOW,
                R.c.due_at > clock.from_now(interval)))
            .values(due_at=clock.from_now(interval))).rowcount == 1


@retried
def acquire_exclusive(db: Database, name: str, lease: float,
                      watch: claims.Watch) -> bool:
    """Acquire, as `acquire`, a task that must not run twice at a time.

    One that would be due later than in `lease` seconds may be running, unless
    it has been seen unchanged for as long.
    """
    next_one = sa.update(R).where(R.c.name == name).values(
        due_at=clock.from_now(lease))
    with db.writer() as connection:
        if connection.execute(next_one.where(
                R.c.due_at <= clock.NOW)).rowcount == 1:
            return True
        seen = connection.execute(sa.select(R.c.due_at).where(
            R.c.name == name,
            R.c.due_at > clock.from_now(lease))).scalar_one_or_none()
        return seen is not None and watch.unchanged(name, seen, lease) and (
            connection.execute(next_one.where(
                R.c.due_at == seen)).rowcount == 1)


@retried
def extend(db: Database, name: str, interval: float) -> None:
    """Extend the lease on a long periodic task: the next run is due in
    `interval` seconds from now."""
    with db.writer() as connection:
        connection.execute(sa.update(R).where(R.c.name == name)
                           .values(due_at=clock.from_now(interval)))


@retried
def register(db: Database, name: str) -> None:
    """Register a periodic task, due at once, unless it is registered."""
    try:
        with db.writer() as connection:
            connection.execute(sa.insert(R).values(
                name=name, due_at=clock.NOW))
    except oslo_db.exception.DBDuplicateEntry:
        return
