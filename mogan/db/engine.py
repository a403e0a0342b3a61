# SPDX-License-Identifier: Apache-2.0
"""Connections and transactions, on oslo.db's engine."""

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import oslo_db.api
import oslo_db.exception
import sqlalchemy as sa
import sqlalchemy.exc
from oslo_db.sqlalchemy import enginefacade
from sqlalchemy import pool

from mogan import exception

P = ParamSpec('P')
R = TypeVar('R')

# Rolled back by the database, so that the whole transaction may run again.
_RETRIES: Final = 8
_RETRY_INTERVAL: Final = 0.02
_BUSY_TIMEOUT_MS: Final = 10_000


class Database:
    """One database; safe to share between threads, made after a fork.

    `options` are those of oslo.db's [database] section.
    """

    def __init__(self, url: str, **options: Any) -> None:
        self.url = sa.make_url(url)
        self.sqlite = self.url.get_backend_name() == 'sqlite'
        if self.url.get_backend_name() == 'mysql':
            # oslo.db's default cannot store every character.
            self.url = self.url.update_query_dict({'charset': 'utf8mb4'})
        self._context = enginefacade.transaction_context()
        self._context.configure(
            connection=self.url.render_as_string(hide_password=False),
            # It sleeps after each transaction, for green threads.
            thread_checkin=False, **options)
        if self.sqlite:
            self._context.append_on_engine_create(_tune_sqlite)
        # SQLite has one writer; waiting here is fair and costs no polling.
        self._turn: contextlib.AbstractContextManager[Any] = (
            threading.Lock() if self.sqlite else contextlib.nullcontext())

    @classmethod
    def from_conf(cls, conf: Any) -> 'Database':
        """A database as [database] describes it."""
        group = conf.database
        options = {name: group[name] for name in (
            'connection_recycle_time', 'max_pool_size', 'max_retries',
            'retry_interval', 'max_overflow', 'pool_timeout',
            'connection_debug', 'connection_trace', 'mysql_sql_mode',
            'connection_parameters') if group[name] is not None}
        return cls(group.connection, **options)

    @functools.cached_property
    def engine(self) -> sa.Engine:
        """The SQLAlchemy engine, made on first use."""
        return self._context.writer.get_engine()

    def reader(self) -> contextlib.AbstractContextManager[sa.Connection]:
        """A connection in a transaction that only reads.

        The facade's own scopes serve sessions that call each other; here
        every transaction stands alone, and they would cost half as much
        again.
        """
        return self.engine.connect()

    @contextlib.contextmanager
    def writer(self) -> Iterator[sa.Connection]:
        """A connection in a transaction, committed at the end.

        Its first statement has to be the one that changes something: a
        reader that becomes a writer fails on SQLite, and reads old rows on
        MariaDB.
        """
        with self._turn, self.engine.begin() as connection:
            yield connection

    def dispose(self) -> None:
        """Close the idle connections."""
        if self._context.is_started:
            self.engine.dispose()


def _tune_sqlite(engine: sa.Engine) -> None:
    """Keep connections, and make what was answered survive a power loss.

    oslo.db opens the file anew for each transaction otherwise, and sends
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

    @sa.event.listens_for(engine, 'connect')
    def _set_pragmas(connection: Any, record: Any) -> None:
        cursor = connection.cursor()
        for pragma in (f'busy_timeout={_BUSY_TIMEOUT_MS}',
                       'journal_mode=WAL', 'synchronous=FULL'):
            cursor.execute(f'PRAGMA {pragma}')
        cursor.close()


def _begin(connection: Any) -> None:
    connection.execute('BEGIN')


def _ran_into_another(error: Exception) -> bool:
    """Whether the database undid the transaction for another one's sake;
    oslo.db knows only the deadlocks among these."""
    if isinstance(error, oslo_db.exception.DBConsistencyError):
        return True
    text = str(error)
    if isinstance(error, sqlalchemy.exc.OperationalError | (
            oslo_db.exception.DBError)):
        return ('database is locked' in text
                or 'could not serialize access' in text)
    return False


def transaction(function: Callable[Concatenate[Database, P], R],
                ) -> Callable[Concatenate[Database, P], R]:
    """Run a function of a database again where the database undid it.

    Raises DatabaseUnavailable where the database is away or it is unknown
    whether a commit happened: that is never tried again here.
    """
    again = oslo_db.api.wrap_db_retry(
        retry_interval=_RETRY_INTERVAL, max_retries=_RETRIES,
        max_retry_interval=1, retry_on_deadlock=True, jitter=True,
        exception_checker=_ran_into_another)(function)

    def wrapper(db: Database, /, *args: P.args,
                **kwargs: P.kwargs) -> R:
        try:
            return again(db, *args, **kwargs)
        except (oslo_db.exception.DBConnectionError,
                oslo_db.exception.DBDeadlock,
                oslo_db.exception.DBConsistencyError,
                oslo_db.exception.CantStartEngineError,
                sqlalchemy.exc.OperationalError,
                sqlalchemy.exc.InterfaceError,
                sqlalchemy.exc.TimeoutError) as error:
            raise exception.DatabaseUnavailable from error
        except oslo_db.exception.DBError as error:
            if _ran_into_another(error):
                raise exception.DatabaseUnavailable from error
            raise
    functools.update_wrapper(wrapper, function)
    return wrapper

