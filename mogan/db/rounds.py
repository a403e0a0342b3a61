# SPDX-License-Identifier: Apache-2.0
"""Work that comes round and that one engine at a time does for all."""

import oslo_db.exception
import sqlalchemy as sa

from mogan.db import clock, models
from mogan.db.engine import Database, transaction

R = models.rounds


@transaction
def take(db: Database, name: str, interval: float) -> bool:
    """Whether the round is due, and now ours; the next one is due in
    `interval` seconds."""
    with db.writer() as connection:
        return connection.execute(
            sa.update(R).where(R.c.name == name, R.c.due_at <= clock.NOW)
            .values(due_at=clock.moment(interval))).rowcount == 1


@transaction
def hold(db: Database, name: str, interval: float) -> None:
    """Keep others from a round that takes long: the next one is due in
    `interval` seconds from now."""
    with db.writer() as connection:
        connection.execute(sa.update(R).where(R.c.name == name)
                           .values(due_at=clock.moment(interval)))


@transaction
def announce(db: Database, name: str) -> None:
    """Make a round known, due at once; nothing where it is."""
    try:
        with db.writer() as connection:
            connection.execute(sa.insert(R).values(
                name=name, due_at=clock.NOW))
    except oslo_db.exception.DBDuplicateEntry:
        return
