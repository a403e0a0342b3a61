# SPDX-License-Identifier: Apache-2.0
"""Frequent statements, compiled once and sent by the driver itself."""

import collections
import contextlib
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

Processors = Sequence[tuple[Any, Callable[[Any], Any]]]


class _Text:
    """A statement as a driver takes it."""

    def __init__(self, compiled: Any, dialect: sa.Dialect) -> None:
        self._text = str(compiled)
        self._order = compiled.positiontup
        # What the statement brings along.
        self._own = {name: bound.value for bound, name
                     in compiled.bind_names.items() if not bound.required}
        self._processors = [
            (name, processor) for bound, name in compiled.bind_names.items()
            if (processor := bound.type.dialect_impl(dialect)
                .bind_processor(dialect)) is not None]

    def arguments(self, values: Mapping[str, Any]) -> tuple[str, Any]:
        """Return the arguments of the driver's `execute`."""
        values = {**self._own, **values}
        for name, processor in self._processors:
            values[name] = processor(values[name])
        if self._order is None:
            return self._text, values
        return self._text, tuple([values[name] for name in self._order])


class CompiledSelect:
    """A SELECT that is executed often, and so compiled only once.

    Its rows are named tuples, of the values that SQLAlchemy would give.  By
    SQLAlchemy itself a GET takes about 1.6 times the CPU time, a list of 100
    instances 1.5 times: `python -m benchmarks ratios --without reads`.
    """

    def __init__(self, statement: sa.Select[Any]) -> None:
        self.statement = statement
        self._columns = list(statement.selected_columns)
        self.row = _row_type(
            [column.name for column in self._columns])
        self._compiled = functools.lru_cache(maxsize=8)(self._compile)

    def fetch(self, connection: sa.Connection, driver: Any,
              values: Mapping[str, Any]) -> list[Any]:
        """Return the rows by the driver of a connection, past SQLAlchemy."""
        text, processors = self._compiled(connection.dialect)
        fetch = (getattr(driver, 'fetch', None)
                 or functools.partial(_fetch, driver))
        rows = fetch(*text.arguments(values))
        make = self.row._make
        if processors:
            return [make(_processed(row, processors)) for row in rows]
        return [make(row) for row in rows]

    def _compile(self, dialect: sa.Dialect) -> tuple[_Text, Processors]:
        return _Text(self.statement.compile(dialect=dialect), dialect), [
            (number, processor)
            for number, column in enumerate(self._columns)
            if (processor := column.type.dialect_impl(dialect)
                .result_processor(dialect, None)) is not None]


class CompiledDML:
    """An INSERT or UPDATE that is executed often, and so compiled only once.

    `names`: the columns of an INSERT that are not in it yet.  By SQLAlchemy
    itself a lock takes about 1.3 times the CPU time: `--without writes`.
    """

    def __init__(self, statement: sa.Insert | sa.Update,
                 names: Sequence[str] = ()) -> None:
        self.statement = statement
        self._names = names
        self._compiled = functools.lru_cache(maxsize=8)(self._compile)

    def execute(self, connection: sa.Connection,
                values: Mapping[str, Any]) -> int:
        """Return how many rows were changed."""
        return connection.exec_driver_sql(
            *self._compiled(connection.dialect).arguments(values)).rowcount

    def _compile(self, dialect: sa.Dialect) -> _Text:
        return _Text(self.statement.compile(
            dialect=dialect, column_keys=self._names or None), dialect)


def _fetch(driver: Any, *query: Any) -> Any:
    with contextlib.closing(driver.cursor()) as cursor:
        cursor.execute(*query)
        return cursor.fetchall()


def _row_type(names: Sequence[str]) -> Any:
    return collections.namedtuple(  # noqa: PYI024 - known at run time only
        'Row', names)


def _processed(row: Sequence[Any], processors: Processors) -> list[Any]:
    values = list(row)
    for number, processor in processors:
        values[number] = processor(values[number])
    return values
