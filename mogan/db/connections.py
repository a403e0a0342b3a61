# SPDX-License-Identifier: Apache-2.0
"""Connections that are kept ready, and reading by them.

To take one from the pool and to ask whether it is alive takes as long as to
use it: on a server that is one more round trip.
"""

import collections
import contextlib
import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import oslo_db.exception
import sqlalchemy as sa

# So many of a kind are kept, each for so many seconds.
_MOST: Final = 16
_LIFE: Final = 600
# Seconds within which a lost connection is noticed, unless nothing answers.
_QUICK: Final = 1


class LostMeanwhile(oslo_db.exception.DBConnectionError):
    """A connection was lost while it was kept; another one may be had."""


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
        """What the driver's `execute` is called with."""
        values = {**self._own, **values}
        for name, processor in self._processors:
            values[name] = processor(values[name])
        if self._order is None:
            return self._text, values
        return self._text, tuple([values[name] for name in self._order])


class _Kept(NamedTuple):
    until: float
    connection: sa.Connection
    driver: Any

    def ready(self) -> bool:
        """Whether nothing speaks against asking the driver."""
        return time.monotonic() < self.until and not (
            self.connection.engine.dispatch.before_cursor_execute)


class Query:
    """A SELECT that is asked often, and so compiled only once.

    Its rows are named tuples, of the values that SQLAlchemy would give.
    """

    def __init__(self, statement: sa.Select[Any]) -> None:
        self.statement = statement
        self._columns = list(statement.selected_columns)
        self.row = _row_type(
            [column.name for column in self._columns])
        self._compiled = functools.lru_cache(maxsize=8)(self._compile)

    def ask(self, connection: sa.Connection, driver: Any,
            values: Mapping[str, Any]) -> list[Any]:
        """Ask by the driver of a connection, past SQLAlchemy."""
        text, processors = self._compiled(connection.dialect)
        with contextlib.closing(driver.cursor()) as cursor:
            cursor.execute(*text.arguments(values))
            rows = cursor.fetchall()
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


class Change:
    """An INSERT or UPDATE that is made often, and so compiled only once.

    `names`: the columns of an INSERT that are not in it yet.
    """

    def __init__(self, statement: sa.Insert | sa.Update,
                 names: Sequence[str] = ()) -> None:
        self._statement = statement
        self._names = names
        self._compiled = functools.lru_cache(maxsize=8)(self._compile)

    def make(self, connection: sa.Connection,
             values: Mapping[str, Any]) -> int:
        """Change rows; returns how many."""
        return connection.exec_driver_sql(
            *self._compiled(connection.dialect).arguments(values)).rowcount

    def _compile(self, dialect: sa.Dialect) -> _Text:
        return _Text(self._statement.compile(
            dialect=dialect, column_keys=self._names or None), dialect)


def _row_type(names: Sequence[str]) -> Any:
    return collections.namedtuple(  # noqa: PYI024 - known at run time only
        'Row', names)


def _processed(row: Sequence[Any], processors: Processors) -> list[Any]:
    values = list(row)
    for number, processor in processors:
        values[number] = processor(values[number])
    return values


class Connections:
    """Connections of one kind; `connect` makes one."""

    def __init__(self, connect: Callable[[], sa.Connection]) -> None:
        self._connect = connect
        self._kept: list[_Kept] = []

    def select(self, query: Query, values: Mapping[str, Any]) -> list[Any]:
        """All rows of a query.

        SQLAlchemy takes several times as long as the reading, so that a
        kept connection's driver is asked by itself.  Where that fails, or
        somebody listens, it is SQLAlchemy's turn.
        """
        kept = self._take()
        if kept is not None:
            if kept.ready():
                rows = self._ask(kept, query, values)
                if rows is not None:
                    return rows
            else:
                self._keep(kept)
        with self.one() as connection:
            return [query.row._make(row) for row in connection.execute(
                query.statement, values)]

    def _ask(self, kept: _Kept, query: Query, values: Mapping[str, Any],
             ) -> list[Any] | None:
        """The rows; None where there may be others to ask."""
        began = time.monotonic()
        try:
            rows = query.ask(kept.connection, kept.driver, values)
        except Exception as error:  # drivers lose more than their own
            self._drop(kept)
            if time.monotonic() - began > _QUICK:
                raise oslo_db.exception.DBConnectionError(error) from error
            return None
        except BaseException:
            self._drop(kept)
            raise
        self._kept.append(kept)
        return rows

    @contextlib.contextmanager
    def one(self) -> Iterator[sa.Connection]:
        """A connection.  Raises LostMeanwhile."""
        taken = self._take()
        began = time.monotonic()
        kept = taken or self._new()
        try:
            yield kept.connection
        except oslo_db.exception.DBConnectionError as error:
            self._drop(kept)
            if taken and time.monotonic() - began < _QUICK:
                raise LostMeanwhile(error) from error
            raise
        except Exception:
            self._keep(kept)
            raise
        except BaseException:
            # Its answer may still be under way.
            self._drop(kept)
            raise
        self._keep(kept)

    def close(self) -> None:
        """Close those that nobody uses."""
        self._drop(self._take())

    def _new(self) -> _Kept:
        connection = self._connect()
        return _Kept(time.monotonic() + _LIFE, connection,
                     connection.connection.driver_connection)

    def _take(self) -> _Kept | None:
        try:
            return self._kept.pop()
        except IndexError:
            return None

    def _keep(self, kept: _Kept) -> None:
        if kept.connection.invalidated:
            self._drop(kept)
            return
        kept.connection.rollback()
        if len(self._kept) < _MOST and time.monotonic() < kept.until:
            self._kept.append(kept)
        else:
            _close(kept.connection)

    def _drop(self, kept: _Kept | None) -> None:
        """Let go of a connection that is lost, and of those lost with
        it."""
        while kept is not None:
            _close(kept.connection)
            kept = self._take()


def _close(connection: sa.Connection) -> None:
    """Close a connection, without a word to a server that may be gone."""
    connection.invalidate()
    connection.close()
