# SPDX-License-Identifier: Apache-2.0
"""Flavors, and how they are kept while an instance needs them.

Creating an instance and deleting its flavor exclude each other on the
flavor's row: the one inserts the instance and then locks the row, the other
locks the row and then looks for instances.  Whichever comes second sees what
the first has done.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final

import oslo_db.exception
import sqlalchemy as sa
from oslo_utils import uuidutils

from mogan import exception
from mogan.db import models, rows
from mogan.db.core import clock
from mogan.db.core.engine import Database
from mogan.db.core.retry import retried

F = models.flavors
I = models.instances  # noqa: E741 - read next to F

_OFFERED: Final = sa.and_(F.c.is_public == sa.true(),
                          F.c.disabled == sa.false())
_GET: Final = sa.select(F).where(F.c.uuid == sa.bindparam('key'))
# Keeps it from being deleted until the transaction ends.
_LOCK_ROW: Final = _GET.with_for_update(read=True)
_TOUCH: Final = sa.update(F).where(F.c.uuid == sa.bindparam('key')).values(
    updated_at=F.c.updated_at)
_DELETE_UNUSED: Final = sa.delete(F).where(
    F.c.uuid == sa.bindparam('key'),
    ~sa.exists().where(I.c.deleted == sa.false(),
                       I.c.flavor_uuid == sa.bindparam('key')))


@retried
def get(db: Database, uuid: str, *, hidden: bool = True) -> rows.Flavor:
    """Return one flavor; `hidden`: also if it is not public or is disabled.

    Raises FlavorNotFound.
    """
    for row in db.read(_GET, key=uuid):
        if hidden or _offered(row):
            return row
    raise exception.FlavorNotFound(uuid=uuid)


def _offered(row: rows.Flavor) -> bool:
    return bool(row.is_public and not row.disabled)


@retried
def page(db: Database, *, hidden: bool, limit: int,
         marker: str | None = None) -> tuple[Sequence[rows.Flavor], bool]:
    """Return a page in the order of creation, and whether there are more rows.

    Raises FlavorNotFound for an unknown marker.
    """
    query = sa.select(F).order_by(F.c.id).limit(limit + 1)
    if not hidden:
        query = query.where(_OFFERED)
    if marker is not None:
        last = get(db, marker, hidden=hidden)
        query = query.where(F.c.id > last.id)
    rows = db.read(query)
    return rows[:limit], len(rows) > limit


@retried
def create(db: Database, values: dict[str, Any]) -> rows.Flavor:
    """Add a flavor.  Raises FlavorExists."""
    uuid = uuidutils.generate_uuid()
    try:
        with db.writer() as connection:
            connection.execute(sa.insert(F).values(
                values | {'uuid': uuid, 'created_at': clock.NOW}))
            return connection.execute(_GET, {'key': uuid}).one()
    except oslo_db.exception.DBDuplicateEntry as error:
        raise exception.FlavorExists(name=values['name']) from error


@retried
def update(db: Database, uuid: str, values: dict[str, Any]) -> rows.Flavor:
    """Change some fields and no others.

    Raises FlavorNotFound, FlavorExists.
    """
    try:
        with db.writer() as connection:
            connection.execute(sa.update(F).where(F.c.uuid == uuid).values(
                values | {'updated_at': clock.NOW}))
            row = connection.execute(_GET, {'key': uuid}).one_or_none()
    except oslo_db.exception.DBDuplicateEntry as error:
        raise exception.FlavorExists(name=values['name']) from error
    if row is None:
        raise exception.FlavorNotFound(uuid=uuid)
    return row


@retried
def delete(db: Database, uuid: str) -> None:
    """Remove a flavor that no instance has.

    Raises FlavorNotFound, FlavorInUse.
    """
    with db.writer() as connection:
        # A statement of its own: the next one then sees every instance
        # whose creation locked the row.
        if connection.execute(_TOUCH, {'key': uuid}).rowcount != 1:
            raise exception.FlavorNotFound(uuid=uuid)
        if connection.execute(_DELETE_UNUSED, {'key': uuid}).rowcount != 1:
            raise exception.FlavorInUse(uuid=uuid)


@retried
def fitting(db: Database, resource_class: str, traits: Collection[str], *,
            hidden: bool) -> str | None:
    """Return the uuid of the flavor that describes such a node best: of those
    that could be deployed on it, the one with the most traits.

    `hidden`: it need not be public.
    """
    query = sa.select(F).where(F.c.resources == {resource_class: 1},
                               F.c.disabled == sa.false()).order_by(F.c.id)
    if not hidden:
        query = query.where(_OFFERED)
    fit = [row for row in db.read(query) if {*row.traits} <= {*traits}]
    return max(fit, key=lambda row: len(row.traits)).uuid if fit else None


def lock_row(connection: sa.Connection, uuid: str, *, hidden: bool) -> None:
    """Lock the row of the flavor that an inserted instance has.

    `hidden`: it need not be public.  Raises FlavorNotFound, FlavorDisabled
    where a new instance cannot have it.
    """
    row = connection.execute(_LOCK_ROW, {'key': uuid}).one_or_none()
    if row is None or not (hidden or _offered(row)):
        raise exception.FlavorNotFound(uuid=uuid)
    if row.disabled:
        raise exception.FlavorDisabled(uuid=uuid)
