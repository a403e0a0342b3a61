# SPDX-License-Identifier: Apache-2.0
"""Connections that are kept ready, and reading by them.

To take one from the pool and to ask whether it is alive takes as long as to
use it: on a server that is one more round trip.
"""

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import oslo_db.exception
import sqlalchemy as sa

from mogan.db.core.statements import CompiledSelect

# The number of idle connections of a kind, and their lifetime in seconds.
_MOST: Final = 16
_LIFE: Final = 600
# Seconds within which a lost connection is noticed, unless nothing answers.
_QUICK: Final = 1
# Seconds for which the answer counts that a server is the primary.
_TRUSTED: Final = 1
# What a server says that takes writes: not a standby, nor a former primary.
_PRIMARY: Final[dict[str, tuple[str, frozenset[Any]]]] = {
    'postgresql': (("SELECT NOT pg_is_in_recovery()"
                    " AND current_setting('transaction_read_only') = 'off'"),
                   frozenset({True})),
    # Later releases of MariaDB have words for it.
    'mysql': ('SELECT @@global.read_only', frozenset({0, '0', 'OFF'}))}
_PRIMARY['mariadb'] = _PRIMARY['mysql']


class LostMeanwhile(oslo_db.exception.DBConnectionError):
    """A connection was lost while it was kept; another one may be had."""


class OnlyReads(oslo_db.exception.DBConnectionError):
    """The server takes no writes: what it shows may be old."""

    def __init__(self) -> None:
        super().__init__('the database server only reads')


@dataclasses.dataclass(slots=True)
class _Kept:
    """A connection; `generation` counts the times that all were dropped,
    and `trusted` is until when its server is taken for the primary."""

    until: float
    connection: sa.Connection
    driver: Any
    generation: int
    trusted: float = 0.0

    def ready(self) -> bool:
        """Return whether the driver can be queried directly."""
        return time.monotonic() < self.until and not (
            self.connection.engine.dispatch.before_cursor_execute)

    def ask(self) -> None:
        """Ask whether its server is the primary.  Raises OnlyReads."""
        query, good = _PRIMARY[self.connection.dialect.name]
        with contextlib.closing(self.driver.cursor()) as cursor:
            cursor.execute(query)
            [value] = cursor.fetchone()
        if value not in good:
            raise OnlyReads
        self.trusted = time.monotonic() + _TRUSTED


class Connections:
    """Connections of one kind; `connect` makes one.

    `asked`: their servers are asked now and then whether they take writes.
    Nothing else would tell of a reader that it leads to a former primary.
    """

    def __init__(self, connect: Callable[[], sa.Connection], *,
                 asked: bool = False) -> None:
        self._connect = connect
        self._asked = asked
        self._kept: list[_Kept] = []
        self._generation = 0

    def read(self, query: CompiledSelect,
             values: Mapping[str, Any]) -> list[Any]:
        """Return all rows of a query.

        SQLAlchemy takes several times as long as the reading, so the driver of
        an idle connection is queried directly. Where that fails, or an event
        listener is registered, SQLAlchemy is used.
        """
        kept = self._pop()
        if kept is not None:
            if not kept.ready():
                self._keep(kept)
            elif (rows := self._ask(kept, query, values)) is not None:
                if kept.generation == self._generation:
                    self._kept.append(kept)
                else:
                    _close(kept.connection)
                return rows
        with self.one() as connection:
            return [query.row._make(row) for row in connection.execute(
                query.statement, values)]

    def _ask(self, kept: _Kept, query: CompiledSelect | None = None,
             values: Mapping[str, Any] = {},
             ) -> list[Any] | None:
        """Return the rows of a query, if there is one; None where another
        connection should be tried."""
        began = time.monotonic()
        try:
            if self._asked and began >= kept.trusted:
                kept.ask()
            return (query.fetch(kept.connection, kept.driver, values)
                    if query else [])
        except OnlyReads:
            # A new connection leads to the primary, if there is one.
            self._drop(kept)
            return None
        except Exception as error:  # drivers lose more than their own
            self._drop(kept)
            if time.monotonic() - began > _QUICK:
                raise oslo_db.exception.DBConnectionError(error) from error
            return None
        except BaseException:
            self._drop(kept)
            raise

    @contextlib.contextmanager
    def one(self) -> Iterator[sa.Connection]:
        """Provide a connection. Raises LostMeanwhile, OnlyReads."""
        taken = self._pop()
        if taken is not None and self._ask(taken) is None:
            taken = None
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
        """Close all: those in use when they are given back."""
        self._drop(None)

    def _new(self) -> _Kept:
        connection = self._connect()
        kept = _Kept(time.monotonic() + _LIFE, connection,
                     connection.connection.driver_connection,
                     self._generation)
        if self._asked:
            try:
                kept.ask()
            except OnlyReads:
                _close(connection)
                raise
            except Exception as error:
                _close(connection)
                raise oslo_db.exception.DBConnectionError(error) from error
        return kept

    def _pop(self) -> _Kept | None:
        """Take an idle connection, if there is one."""
        while True:
            try:
                kept = self._kept.pop()
            except IndexError:
                return None
            if kept.generation == self._generation:
                return kept
            _close(kept.connection)

    def _keep(self, kept: _Kept) -> None:
        if kept.connection.invalidated:
            self._drop(kept)
            return
        kept.connection.rollback()
        if (len(self._kept) < _MOST and time.monotonic() < kept.until
                and kept.generation == self._generation):
            self._kept.append(kept)
        else:
            _close(kept.connection)

    def _drop(self, kept: _Kept | None) -> None:
        """Let go of a connection that is lost, and of those lost with
        it."""
        self._generation += 1
        if kept is not None:
            _close(kept.connection)
        # It closes what it passes over.
        self._pop()


def _close(connection: sa.Connection) -> None:
    """Close a connection, without a word to a server that may be gone."""
    connection.invalidate()
    connection.close()
