# SPDX-License-Identifier: Apache-2.0
"""Connections to PostgreSQL by psycopg, directly or through a pooler.

A pooler may give each transaction another server session, so nothing relies
on what an earlier one has left there: statements are not prepared, and the
settings of a transaction are sent together with its BEGIN.
"""

import functools
import time
from collections.abc import Callable, Generator, Mapping
from typing import Any, Final

import sqlalchemy as sa

from mogan.db.core import timeouts, types

# Severities of notices that say nothing about whether a commit is safe; these
# are never translated.
_HARMLESS: Final = frozenset({'DEBUG', 'LOG', 'INFO', 'NOTICE'})


def tune(engine: sa.Engine, *, time_limits: bool) -> None:
    """Let no transaction wait, or be waited for, without an end."""
    # The end of what was none need not be sent.
    engine.dialect.skip_autocommit_rollback = True
    driver = engine.dialect.loaded_dbapi
    connect = (
        connecting(driver, silence=timeouts.ANSWER, settings={
            'lock_timeout': f'{timeouts.ROW}s',
            'idle_in_transaction_session_timeout': f'{timeouts.IDLE}s'})
        if time_limits else connecting(driver))
    sa.event.listen(engine, 'do_connect', lambda _, __, arguments, options:
                    connect(*arguments, **options))
    engine.dialect.do_begin = (  # type: ignore[method-assign]
        _begin_by_driver)
    is_disconnect = engine.dialect.is_disconnect
    engine.dialect.is_disconnect = (  # type: ignore[method-assign]
        lambda error, *rest: is_disconnect(error, *rest)
        or ends_connection(error))


def _begin_by_driver(dbapi_connection: sa.PoolProxiedConnection) -> None:
    connection: Any = dbapi_connection.driver_connection
    connection.begin()


def connecting(driver: Any, *, silence: float | None = None,
               settings: Mapping[str, str] | None = None,
               ) -> Callable[..., Any]:
    """Return what makes connections; `driver` is psycopg.

    `silence`: one is lost where nothing has come for that many seconds. The
    driver itself waits for as long as the kernel at the other end
    acknowledges what it is sent, and that of a server that stands still does.
    `settings` hold in each transaction that `begin` has begun.
    """
    plain: Callable[..., Any] = driver.Connection.wait
    start = b'; '.join([b'BEGIN', *(
        f"SET LOCAL {name} = '{value}'".encode()
        for name, value in (settings or {}).items())])

    class Connection(_careful(driver)):  # type: ignore[misc]

        warnings: list[str]

        def commit(self) -> None:
            """Commit.  Raises OperationalError where the server warns: it
            may have given up waiting for its replica."""
            self.warnings.clear()
            super().commit()
            _refuse(driver, self.warnings)

        def begin(self) -> None:
            """Begin a transaction with its settings, in one round trip;
            nothing where each statement is one of its own."""
            if self.autocommit:
                return
            # A cursor would send a BEGIN of its own first.
            with self.lock:
                self.pgconn.send_query(start)
                for result in self.wait(
                        driver.generators.execute(self.pgconn)):
                    if result.status != driver.pq.ExecStatus.COMMAND_OK:
                        raise driver.errors.error_from_result(result)

        def wait(self, work: Any, *arguments: Any, **options: Any) -> Any:
            if silence is not None:
                work = _bounded(self, driver, work, silence)
            return plain(self, work, *arguments, **options)

    def connect(*arguments: Any, **options: Any) -> Any:
        connection = Connection.connect(
            *arguments, **options | {'prepare_threshold': None})
        connection.warnings = []
        connection.read_any_timestamp()
        connection.add_notice_handler(
            functools.partial(_note, connection.warnings))
        return connection

    return connect


def _careful(driver: Any) -> Any:
    """Return a class of connections that read any timestamp: as strings,
    where Python has none like these."""
    timestamp = driver.adapters.types['timestamp'].oid
    quick = driver.adapters.get_loader(timestamp, driver.pq.Format.TEXT)

    class Loader(driver.adapt.Loader):

        def __init__(self, oid: int, context: Any = None) -> None:
            super().__init__(oid, context)
            self._load = quick(oid, context).load

        def load(self, data: Any) -> Any:
            try:
                return self._load(data)
            except driver.DataError:
                return types.Unparsed(bytes(data).decode())

    class QuickCursor(driver.Cursor):

        @property
        def adapters(self) -> Any:
            return self.connection.quick_adapters

    class Connection(driver.Connection):

        quick_adapters: Any

        def read_any_timestamp(self) -> None:
            self.quick_adapters = driver.adapt.AdaptersMap(self.adapters)
            self.adapters.register_loader(timestamp, Loader)

        def fetch(self, *query: Any) -> Any:
            """Return all rows of a query.

            The driver's own loader is so much quicker that it is worth to
            ask again where it fails.
            """
            try:
                return _fetch(QuickCursor(self), query)
            except driver.DataError as error:
                # The server's own errors have a code.
                if error.sqlstate is not None:
                    raise
            return _fetch(self.cursor(), query)

    return Connection


def _fetch(cursor: Any, query: Any) -> Any:
    with cursor:
        cursor.execute(*query)
        return cursor.fetchall()


def _note(warnings: list[str], notice: Any) -> None:
    if notice.severity_nonlocalized not in _HARMLESS:
        warnings.append(notice.message_primary or '')


def _refuse(driver: Any, warnings: list[str]) -> None:
    if warnings:
        raise driver.OperationalError(
            f'COMMIT was answered with a warning: {"; ".join(warnings)}')


def ends_connection(error: BaseException) -> bool:
    """Return True for an error after which a connection is closed, which the
    driver may not have noticed yet: a pooler's own errors are of this
    class."""
    return (getattr(error, 'sqlstate', None) or '').startswith('08')


def _bounded(connection: Any, driver: Any, work: Any,
             seconds: float) -> Generator[Any, Any, Any]:
    end = None
    try:
        wanted = next(work)
        while True:
            # Nothing is ready: the driver looks up now and then.
            if ready := (yield wanted):
                end = None
            elif end is None:
                end = time.monotonic() + seconds
            elif time.monotonic() > end:
                connection.close()
                raise driver.OperationalError(
                    f'nothing has come for {seconds} s')
            wanted = work.send(ready)
    except StopIteration as result:
        return result.value
