# SPDX-License-Identifier: Apache-2.0
"""Pagination of instances.

A page begins after a marker, never at a number of rows: its cost is the same
at every depth. Each single filter, and each way to sort, has an index that
ends in the row number.
"""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from mogan import exception, states
from mogan.db import models
from mogan.db.core import types
from mogan.db.core.engine import Database
from mogan.db.core.retry import retried
from mogan.db.core.statements import CompiledSelect

I = models.instances  # noqa: E741 - the table of this module

Row = Any  # a named tuple

# What may be sorted by.  Rows are numbered as they are created.
SORT_KEYS: Final = {'id': 'id', 'created_at': 'id', 'name': 'name',
                    'status': 'status'}
_INDEXED: Final = ('status', 'flavor_uuid', 'locked')
# Written out in the statement: PostgreSQL has to know how rare they are.
_WRITTEN: Final = ('status', 'locked')
_INDEXES: Final = {tuple(column.name for column in index.columns): index.name
                   for index in I.indexes}


@dataclasses.dataclass(frozen=True, slots=True)
class Listing:
    """A query of instances: filters, order and page; None: no such filter.

    `name` is a part of the name, in any case. `marker` is the uuid of the
    instance before the page.
    """

    project_id: str | None
    limit: int
    columns: tuple[str, ...]
    marker: str | None = None
    name: str | None = None
    status: str | None = None
    flavor_uuid: str | None = None
    locked: bool | None = None
    node_uuid: str | None = None
    sort_key: str = 'id'
    descending: bool = False

    def filters(self) -> dict[str, Any]:
        """Return the filters that are set, by column."""
        found = {name: getattr(self, name) for name in (
            'project_id', *_INDEXED, 'node_uuid', 'name')}
        return {name: value for name, value in found.items()
                if value is not None}

    def order(self) -> str:
        """Return the column to sort by before the row number, or the
        latter."""
        column = SORT_KEYS[self.sort_key]
        alike = column == 'status' and self.status is not None
        return 'id' if alike else column


@retried
def page(db: Database, listing: Listing) -> tuple[Sequence[Row], bool]:
    """Return one page, and whether there are more rows after it.

    Timestamps and JSON come as the database stores them, the latter as
    strings: to parse them only to serialize them again would take a quarter of
    the time.

    Raises InstanceNotFound for a marker that the caller cannot have seen.
    """
    filters = listing.filters()
    values = {f'the_{name}': value for name, value in filters.items()}
    written = tuple((name, filters[name]) for name in _WRITTEN
                    if name in filters)
    if 'name' in filters:
        values['the_name'] = _escaped(filters['name'])
    rows: list[Row] = []
    wanted = listing.limit + 1
    for stage in _stages(listing):
        if len(rows) < wanted:
            rows += db.read(
                _select(listing.columns, frozenset(filters), written,
                        listing.order(), listing.descending, stage),
                **values, marker=listing.marker, count=wanted - len(rows))
    if not rows and listing.marker is not None:
        _check_marker(db, listing)
    return rows[:listing.limit], len(rows) > listing.limit


def _stages(listing: Listing) -> tuple[str, ...]:
    """Return the conditions to query one after the other until the page is
    full.

    After a marker the rows of the same value come first, then those beyond:
    each is a range of an index, and no database finds both in one.
    """
    if listing.marker is None:
        return ('first',)
    return ('beyond',) if listing.order() == 'id' else ('ties', 'beyond')


def _check_marker(db: Database, listing: Listing) -> None:
    statement = sa.select(_last(frozenset(listing.filters())).c.id)
    if not db.read(statement, marker=listing.marker,
                   the_project_id=listing.project_id):
        raise exception.InstanceNotFound(uuid=listing.marker)


@functools.lru_cache(maxsize=512)
def _last(filters: frozenset[str]) -> sa.Subquery:
    """Return the position of the marker.

    A deleted instance still marks a position, so that a client that pages
    through a list is not interrupted by deletes.
    """
    last = I.alias('last')
    query = sa.select(last.c.id, last.c.name, last.c.status).where(
        last.c.uuid == sa.bindparam('marker'))
    if 'project_id' in filters:
        query = query.where(
            last.c.project_id == sa.bindparam('the_project_id'))
    return query.subquery('last_row')


def _as_kept(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    if (column.type is not types.Timestamp
            and not isinstance(column.type, types.Json)):
        return column
    return sa.type_coerce(column, sa.types.NullType()).label(column.name)


@functools.lru_cache(maxsize=512)
def _select(columns: tuple[str, ...], filters: frozenset[str],
            written: tuple[tuple[str, str | bool], ...], order: str,
            descending: bool, stage: str) -> CompiledSelect:
    query = sa.select(*[_as_kept(I.c[name]) for name in columns])
    query = query.where(_live(filters), *[
        _matches(name) for name in sorted(filters.difference(dict(written)))
        ], *[I.c[name] == _literal(value) for name, value in written])
    keys = [I.c.id] if order == 'id' or stage == 'ties' else [
        I.c[order], I.c.id]
    if stage != 'first':
        if stage == 'ties':
            query = query.where(I.c[order] == _of_last(order, filters))
        last = _of_last(keys[0].name, filters)
        query = query.where(keys[0] < last if descending
                            else keys[0] > last)
    query = query.order_by(*[key.desc() if descending else key
                             for key in keys])
    query = query.limit(sa.bindparam('count', type_=sa.Integer()))
    index = _index(filters, order)
    if index is not None:
        # MariaDB prefers to step through a project's entries one by one.
        for dialect in ('mysql', 'mariadb'):
            query = query.with_hint(I, f'FORCE INDEX ({index})', dialect)
    return CompiledSelect(query)


def _of_last(column: str,
             filters: frozenset[str]) -> sa.ScalarSelect[Any]:
    return sa.select(_last(filters).c[column]).scalar_subquery()


def _live(filters: frozenset[str]) -> sa.ColumnElement[bool]:
    """Return the condition that a row is not deleted; as a literal, so that
    every database knows it to be constant."""
    if 'node_uuid' in filters:
        # Selects one row; keeps SQLite from the indexes of all the others.
        return I.c.deleted.is_not(sa.true())
    return I.c.deleted == sa.false()


def _matches(name: str) -> sa.ColumnElement[bool]:
    value = sa.bindparam(f'the_{name}', type_=I.c[name].type)
    if name == 'name':
        return I.c.name.icontains(value, escape='/')
    return I.c[name] == value


def _literal(value: str | bool) -> sa.ColumnElement[Any]:
    if isinstance(value, bool):
        return sa.true() if value else sa.false()
    return sa.literal_column(f"'{states.Status(value)}'")


def _escaped(part: str) -> str:
    for character in '/%_':
        part = part.replace(character, f'/{character}')
    return part


def _index(filters: frozenset[str], order: str) -> str | None:
    """Return the index that gives the rows in order by itself, if any."""
    if 'node_uuid' in filters:
        return None
    by = [name for name in _INDEXED if name in filters]
    if len(by) > 1 or (by and order != 'id'):
        return None
    project = ('project_id',) if 'project_id' in filters else ()
    middle = tuple(by) or (() if order == 'id' else (order,))
    return str(_INDEXES['deleted', *project, *middle, 'id'])
