# SPDX-License-Identifier: Apache-2.0
"""The public keys that users keep here, each under a name of the user's
own."""

from collections.abc import Sequence
from typing import Any, Final

import oslo_db.exception
import sqlalchemy as sa

from mogan import exception
from mogan.db import models, rows
from mogan.db.core import clock
from mogan.db.core.engine import Database
from mogan.db.core.retry import retried

K = models.keypairs

_ONE: Final = sa.and_(K.c.user_id == sa.bindparam('user'),
                      K.c.name == sa.bindparam('of_name'))
_GET: Final = sa.select(K).where(_ONE)
_DELETE: Final = sa.delete(K).where(_ONE)
_COUNT: Final = sa.select(sa.func.count()).select_from(K).where(
    K.c.user_id == sa.bindparam('user'))


@retried
def get(db: Database, user_id: str, name: str) -> rows.KeyPair:
    """Return one key pair of a user. Raises KeyPairNotFound."""
    for row in db.read(_GET, user=user_id, of_name=name):
        return row
    raise exception.KeyPairNotFound(name=name)


@retried
def page(db: Database, user_id: str, *, limit: int,
         marker: str | None = None) -> tuple[Sequence[rows.KeyPair], bool]:
    """Return a page of a user's key pairs by name, after the name `marker`,
    and whether there are more."""
    query = sa.select(K).where(K.c.user_id == user_id)
    if marker is not None:
        query = query.where(K.c.name > marker)
    rows = db.read(query.order_by(K.c.name).limit(limit + 1))
    return rows[:limit], len(rows) > limit


@retried
def create(db: Database, user_id: str, values: dict[str, Any],
           most: int) -> rows.KeyPair:
    """Add a key pair, unless the user has `most`.

    Two requests at the same time may both be let in as the last one.
    Raises KeyPairExists, TooManyKeyPairs.
    """
    try:
        with db.writer() as connection:
            connection.execute(sa.insert(K).values(
                values | {'user_id': user_id, 'created_at': clock.NOW}))
            if connection.execute(
                    _COUNT, {'user': user_id}).scalar_one() > most:
                raise exception.TooManyKeyPairs(most=most)
            return connection.execute(_GET, {
                'user': user_id, 'of_name': values['name']}).one()
    except oslo_db.exception.DBDuplicateEntry as error:
        raise exception.KeyPairExists(name=values['name']) from error


@retried
def delete(db: Database, user_id: str, name: str) -> None:
    """Forget a key pair.  Raises KeyPairNotFound."""
    with db.writer() as connection:
        if connection.execute(_DELETE, {
                'user': user_id, 'of_name': name}).rowcount != 1:
            raise exception.KeyPairNotFound(name=name)
