# SPDX-License-Identifier: Apache-2.0
"""Steps of a revision, each of which is passed over where it was taken.

MariaDB commits each of them by itself: an upgrade that was killed has taken
some, and is run again.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from alembic import op

from mogan import exception

# Rows that a message names.
_NAMED: Final = 5
_LITERAL: Final = re.compile(r"'([^']*)'")


class SchemaError(exception.MoganError):
    """The database is not as a revision has to find it."""

    template = ('The table {table} is there already, and is not the one of '
                'this service: {fault}.')


class UnknownValues(SchemaError):
    template = ('Before the upgrade, correct {count} values of {table} that '
                'no release has written: {values}.')


def create_table(name: str, *elements: sa.Column[Any] | sa.Constraint,
                 **options: Any) -> None:
    """Create a table.  Raises SchemaError where there is another one of
    this name."""
    if not _inspector().has_table(name):
        op.create_table(name, *elements, **options)
        return
    for element in elements:
        if isinstance(element, sa.Column):
            _compare(name, element)


def add_column(table: str, column: sa.Column[Any]) -> None:
    """Add a column.  Raises SchemaError where there is another one of this
    name."""
    if column.name in _columns(table):
        _compare(table, column)
    else:
        op.add_column(table, column)


def create_index(table: str, columns: Sequence[str], **options: Any) -> None:
    """Create an index, named after its columns.  Raises SchemaError where
    there is another one of this name."""
    name = '_'.join(('ix', table, *columns))
    for index in _inspector().get_indexes(table):
        if index['name'] == name:
            if index['column_names'] != list(columns):
                raise SchemaError(
                    table=table, fault=f'its index {name} has the columns '
                                       f'{index["column_names"]}')
            return
    op.create_index(op.f(name), table, list(columns), **options)


def require(revision: str, release: str) -> None:
    """Keep services that do not know this revision, because they are older
    than a release, from the database."""
    table = sa.table('compatibility', sa.column('revision'),
                     sa.column('release'))
    connection = op.get_bind()
    connection.execute(sa.delete(table).where(table.c.revision == revision))
    connection.execute(sa.insert(table).values(revision=revision,
                                               release=release))


def _inspector() -> sa.Inspector:
    return sa.inspect(op.get_bind())


def _columns(table: str) -> dict[str, Any]:
    return {column['name']: column
            for column in _inspector().get_columns(table)}


def _compare(table: str, wanted: sa.Column[Any]) -> None:
    found = _columns(table).get(wanted.name)
    if found is None:
        raise SchemaError(table=table,
                          fault=f'it has no column {wanted.name}')
    if op.get_context().impl.compare_type(
            sa.Column(wanted.name, found['type']), wanted):
        raise SchemaError(table=table, fault=f'its column {wanted.name} has '
                                             f'the type {found["type"]}')


def _check_rows(table: str, domains: Mapping[str, frozenset[str]]) -> None:
    """Raise UnknownValues for values outside their column's domain."""
    connection = op.get_bind()
    count, named = 0, []
    for name, values in domains.items():
        column: sa.ColumnClause[Any] = sa.column(name)
        strange = (sa.select(sa.func.count()).select_from(sa.table(table))
                   .where(column.not_in(values)))
        count += connection.execute(strange).scalar_one()
        rows: Any = connection.execute(
            strange.with_only_columns(sa.column('uuid'), column)
            .order_by(sa.column('id')).limit(_NAMED))
        named += [f'{name} {row[1]!r} of {row[0]}' for row in rows]
    if count:
        del named[_NAMED:]
        raise UnknownValues(
            table=table, count=count,
            values=', '.join(named + ['...'] * (count > len(named))))


def restrict(table: str, domains: Mapping[str, frozenset[str]]) -> None:
    """Let these columns have no other values, each by a CHECK named after
    it, which takes the place of an earlier one.  Raises UnknownValues where
    there are others."""
    # The databases write the condition in words of their own.
    present = {check['name']: frozenset(_LITERAL.findall(check['sqltext']))
               for check in _inspector().get_check_constraints(table)}
    checks = {
        f'ck_{table}_{column}':
        f'{column} IN ({", ".join(repr(one) for one in sorted(values))})'
        for column, values in domains.items()
        if present.get(f'ck_{table}_{column}') != values}
    if not checks:
        return
    _check_rows(table, domains)
    dialect = op.get_context().dialect.name
    if dialect == 'sqlite':
        _remake(table, checks)
        return
    # In one statement: MariaDB copies the table for each.
    later = ' NOT VALID' if dialect == 'postgresql' else ''
    op.execute(f'ALTER TABLE {table} ' + ', '.join(
        [f'DROP CONSTRAINT {name}' for name in checks if name in present]
        + [f'ADD CONSTRAINT {name} CHECK ({condition}){later}'
           for name, condition in checks.items()]))


def _remake(table: str, checks: Mapping[str, str]) -> None:
    """Make a table of SQLite again, with these constraints.

    From its own text: alembic's batches take a column that was added after
    a generated one for a generated one.
    """
    connection = op.get_bind()
    texts = connection.execute(sa.text(
        'SELECT type, sql FROM sqlite_master WHERE tbl_name = :table'
        ' AND sql IS NOT NULL ORDER BY name'), {'table': table}).all()
    [made] = [text for kind, text in texts if kind == 'table']
    columns = ', '.join(
        row.name for row in connection.execute(
            sa.text(f'PRAGMA table_xinfo({table})')) if not row.hidden)
    body = made[made.index('('):made.rindex(')')].rstrip()
    for name in checks:
        body = re.sub(rf',\s*CONSTRAINT {name} CHECK \([^()]*\([^()]*\)\)',
                      '', body)
    constraints = [f'CONSTRAINT {name} CHECK ({condition})'
                   for name, condition in checks.items()]
    run = connection.exec_driver_sql
    run(f'CREATE TABLE {table}_new {", ".join([body, *constraints])})')
    run(f'INSERT INTO {table}_new ({columns})'  # noqa: S608 - our own names
        f' SELECT {columns} FROM {table}')
    run(f'DROP TABLE {table}')
    run(f'ALTER TABLE {table}_new RENAME TO {table}')
    for kind, text in texts:
        if kind == 'index':
            run(text)


def validate(connection: sa.Connection) -> None:
    """Let PostgreSQL check the rows that were there before a CHECK.

    In a transaction of its own: the one that adds a CHECK keeps everybody
    from the table until its end.
    """
    for table, name in connection.execute(sa.text(
            'SELECT conrelid::regclass::text, conname FROM pg_constraint'
            " WHERE contype = 'c' AND NOT convalidated"
            ' AND connamespace = current_schema()::regnamespace'
            ' ORDER BY conname')).all():
        connection.execute(sa.text(
            f'ALTER TABLE {table} VALIDATE CONSTRAINT {name}'))
