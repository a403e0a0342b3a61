# SPDX-License-Identifier: Apache-2.0
"""Connections to SQLite, whose columns may hold anything."""

import collections
import sqlite3
import threading
from typing import Any

import sqlalchemy as sa
from sqlalchemy import pool

from mogan import exception
from mogan.db.core import timeouts


def decode(data: bytes) -> str:
    """Return a string, also where its bytes are not UTF-8."""
    return data.decode('utf-8', 'backslashreplace')


class Connection(sqlite3.Connection):
    """A connection that reads every string, whatever its bytes are."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.text_factory = decode

    def fetch(self, *query: Any) -> list[Any]:
        """Return all rows of a query.

        The driver's own decoder is several times as fast: strings that it
        does not take are read again.
        """
        self.text_factory = str
        try:
            return self.execute(*query).fetchall()
        except sqlite3.OperationalError as error:
            # The database's own errors have a code.
            if hasattr(error, 'sqlite_errorcode'):
                raise
        finally:
            self.text_factory = decode
        return self.execute(*query).fetchall()


class WriterLock:
    """A lock for the one writer of SQLite, in the order of the waiting."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = False
        self._waiting: collections.deque[threading.Lock] = (
            collections.deque())

    def __enter__(self) -> None:
        with self._lock:
            if not self._taken:
                self._taken = True
                return
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        if not mine.acquire(timeout=timeouts.WRITER):
            with self._lock:
                if mine in self._waiting:
                    self._waiting.remove(mine)
                    raise exception.DatabaseUnavailable from TimeoutError(
                        f'no lock to write within {timeouts.WRITER} s')

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False


def tune(engine: sa.Engine) -> None:
    """Keep connections, and make what was answered survive a power loss.

    oslo.db opens the file again for each transaction otherwise, and sends
    each BEGIN through all of SQLAlchemy.
    """
    old = engine.pool
    if isinstance(old, pool.NullPool):
        engine.pool = pool.QueuePool(
            old._creator,  # noqa: SLF001 - as Pool.recreate does
            pool_size=16, max_overflow=16, timeout=30,
            reset_on_return=old._reset_on_return,  # noqa: SLF001
            _dispatch=old.dispatch,
            dialect=old._dialect)  # noqa: SLF001

    for name in ('begin', 'commit', 'rollback'):
        for listener in list(getattr(engine.dispatch, name)):
            sa.event.remove(engine, name, listener)
    # An engine that knows of listeners looks for them at every step.
    engine._has_events = bool(  # noqa: SLF001
        engine.dispatch.before_cursor_execute)
    engine.dialect.do_begin = _begin  # type: ignore[method-assign, assignment]

    @sa.event.listens_for(engine, 'do_connect')
    def _connect(_: Any, __: Any, ___: Any, options: dict[str, Any]) -> None:
        options['factory'] = Connection

    @sa.event.listens_for(engine, 'connect')
    def _set_pragmas(connection: Any, record: Any) -> None:
        cursor = connection.cursor()
        for pragma in (f'busy_timeout={timeouts.WRITER * 1000}',
                       'journal_mode=WAL', 'synchronous=FULL'):
            cursor.execute(f'PRAGMA {pragma}')
        cursor.close()


def _begin(connection: Any) -> None:
    connection.execute('BEGIN')
