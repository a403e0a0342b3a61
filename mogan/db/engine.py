# SPDX-License-Identifier: Apache-2.0
"""Connections and transactions, on oslo.db's engine."""

import collections
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
from mogan.db import connections, patience

P = ParamSpec('P')
R = TypeVar('R')

# Rolled back by the database, so that the whole transaction may run again.
_RETRIES: Final = 8
_RETRY_INTERVAL: Final = 0.02
# Seconds until whoever waits is told to come again: for a connection, for an
# answer, for a row that another transaction holds, for a turn to write to
# SQLite.
_CONNECT: Final = 5
_ANSWER: Final = 15
_ROW: Final = 8
_TURN: Final = 7
# A process that stands still in the middle of a transaction loses it after
# so many seconds, before those give up who wait for it.
_IDLE: Final = 5
_TELLING: Final = 'mogan_telling'
# PostgreSQL's code for what is not written, and MariaDB's: the server or the
# transaction only reads.
_READ_ONLY: Final = frozenset({'25006', 1290, 1792})
# The first two, as the drivers call them that come with the service; by the
# last of them the system finds out by itself that a host is gone.
_TIMEOUTS: Final[dict[str, dict[str, str]]] = {
    'pymysql': {'connect_timeout': str(_CONNECT),
                'read_timeout': str(_ANSWER)},
    'psycopg': {'connect_timeout': str(_CONNECT),
                'tcp_user_timeout': str(_ANSWER * 1000),
                'keepalives_idle': '5', 'keepalives_interval': '5',
                'keepalives_count': '2'}}


class Database:
    """One database; safe to share between threads, made after a fork.

    `patient`: a statement may take, and wait, as long as it has to.
    `telling`: others are told of what is recorded, see `mogan.db.outbox`.
    `options` are those of oslo.db's [database] section.
    """

    def __init__(self, url: str, *, patient: bool = False,
                 telling: bool = False, **options: Any) -> None:
        self.url = sa.make_url(url)
        self._telling = telling
        kind = self.url.get_backend_name()
        self.sqlite = kind == 'sqlite'
        if not patient:
            self.url = self.url.set(query=_TIMEOUTS.get(
                self.url.get_driver_name(), {}) | self.url.query)
        if kind == 'mysql':
            # oslo.db's default cannot store every character.
            self.url = self.url.update_query_dict({'charset': 'utf8mb4'})
        self._context = enginefacade.transaction_context()
        self._context.configure(
            connection=self.url.render_as_string(hide_password=False),
            # It sleeps after each transaction, for green threads.
            thread_checkin=False,
            # It sleeps between tries while the first request waits.
            **options | {'max_retries': 0})
        self._context.append_on_engine_create(_keep_silent)
        if self.sqlite:
            self._context.append_on_engine_create(_tune_sqlite)
        elif not patient:
            self._context.append_on_engine_create(_tune_server)
        self._turn: contextlib.AbstractContextManager[Any] = (
            _Turn() if self.sqlite else contextlib.nullcontext())
        self._readers = connections.Connections(self._connect)
        self._writers = connections.Connections(self._begin)

    @classmethod
    def from_conf(cls, conf: Any, *, patient: bool = False,
                  telling: bool = False) -> 'Database':
        """A database as [database] describes it.

        Raises ValueError, SQLAlchemy's ArgumentError.
        """
        group = conf.database
        if not group.connection:
            raise ValueError('it is not set; is there a configuration file '
                             'that this user can read?')
        options = {name: group[name] for name in (
            'connection_recycle_time', 'max_pool_size', 'max_overflow',
            'pool_timeout', 'connection_debug', 'connection_trace',
            'mysql_sql_mode', 'connection_parameters')
            if group[name] is not None}
        db = cls(group.connection, patient=patient, telling=telling,
                 **options)
        try:
            db.url.get_dialect().import_dbapi()
        except ImportError as error:
            raise ValueError(str(error)) from error
        return db

    @functools.cached_property
    def engine(self) -> sa.Engine:
        """The SQLAlchemy engine, made on first use."""
        return self._context.writer.get_engine()

    def reader(self) -> contextlib.AbstractContextManager[sa.Connection]:
        """A connection that only reads: on SQLite one moment, on a server
        with each statement the newest.

        The facade's own scopes serve sessions that call each other; here
        every use stands alone, and they would cost half as much again.
        """
        return self._readers.one()

    def select(self, query: connections.Query, **values: Any) -> list[Any]:
        """The rows of a query that is asked often."""
        return self._readers.select(query, values)

    def _connect(self) -> sa.Connection:
        connection = self.engine.connect()
        if self.sqlite:
            # Its transactions cost next to nothing.
            return connection
        try:
            return connection.execution_options(isolation_level='AUTOCOMMIT')
        except (self.engine.dialect.loaded_dbapi.Error,
                NotImplementedError) as error:
            # SQLAlchemy lets the driver's own error through here, or has
            # none where there was no answer.
            connection.invalidate()
            connection.close()
            raise oslo_db.exception.DBConnectionError(error) from error

    @contextlib.contextmanager
    def writer(self) -> Iterator[sa.Connection]:
        """A connection in a transaction, committed at the end.

        Its first statement has to be the one that changes something: a
        reader that becomes a writer fails on SQLite, and reads old rows on
        MariaDB.  Raises DatabaseUnavailable where it is unknown whether it
        was committed, and DBConnectionError where this server only reads.
        """
        done = False
        with self._turn, self._writers.one() as connection:
            try:
                with connection.begin():
                    yield connection
                    done = True
            except oslo_db.exception.DBConnectionError as error:
                if done:
                    raise exception.DatabaseUnavailable from error
                raise
            except (oslo_db.exception.DBError,
                    sqlalchemy.exc.DBAPIError) as error:
                if done or not _only_reads(error):
                    raise
                # Another one writes by now: connections to it may be had.
                self._readers.close()
                raise oslo_db.exception.DBConnectionError(error) from error

    def _begin(self) -> sa.Connection:
        connection = self.engine.connect()
        if self._telling:
            connection = connection.execution_options(**{_TELLING: True})
        return connection

    def dispose(self) -> None:
        """Close the idle connections."""
        if self._context.is_started:
            self._readers.close()
            self._writers.close()
            self.engine.dispose()


def tells(connection: sa.Connection) -> bool:
    """Whether others are told of what this writer records."""
    return _TELLING in connection.get_execution_options()


class _Turn:
    """SQLite has one writer; whoever has waited longest is the next."""

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
        if not mine.acquire(timeout=_TURN):
            with self._lock:
                if mine in self._waiting:
                    self._waiting.remove(mine)
                    raise exception.DatabaseUnavailable from TimeoutError(
                        f'no turn to write within {_TURN} s')

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False


def _keep_silent(engine: sa.Engine) -> None:
    """Errors are logged, and the values of statements may be secrets."""
    engine.hide_parameters = True


def _tune_server(engine: sa.Engine) -> None:
    """Let no transaction wait, or be waited for, without an end, and use
    the indexes."""
    # The end of what was none need not be sent.
    engine.dialect.skip_autocommit_rollback = True
    postgresql = engine.dialect.name == 'postgresql'
    # MySQL, which does not know MariaDB's second one, passes it over.
    statement = (
        f"SET lock_timeout = '{_ROW}s';"
        f" SET idle_in_transaction_session_timeout = '{_IDLE}s';"
        # Each statement has its index, whatever the values are: to plan a
        # page of a list takes longer than to read it, and disks that turn
        # would make other projects' rows, dropped, look cheaper.
        ' SET random_page_cost = 1;'
        ' SET plan_cache_mode = force_generic_plan'
        if postgresql else
        f'SET SESSION innodb_lock_wait_timeout = {_ROW}'
        f' /*M! , idle_transaction_timeout = {_IDLE} */')

    if engine.dialect.driver == 'psycopg':
        connect = patience.connecting(engine.dialect.loaded_dbapi, _ANSWER)
        sa.event.listen(engine, 'do_connect', lambda _, __, arguments, options:
                        connect(*arguments, **options))

    @sa.event.listens_for(engine, 'connect')
    def _set_up(connection: Any, record: Any) -> None:
        # What is set in a transaction goes with it on PostgreSQL.
        if postgresql:
            connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
        if postgresql:
            connection.autocommit = False


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
        for pragma in (f'busy_timeout={_TURN * 1000}',
                       'journal_mode=WAL', 'synchronous=FULL'):
            cursor.execute(f'PRAGMA {pragma}')
        cursor.close()


def _begin(connection: Any) -> None:
    connection.execute('BEGIN')


def _only_reads(error: Exception) -> bool:
    """Whether it is a server's refusal to write anything at all."""
    told = getattr(getattr(error, 'inner_exception', error), 'orig', None)
    return not _READ_ONLY.isdisjoint(
        (getattr(told, 'sqlstate', None), *getattr(told, 'args', ())[:1]))


def _ran_into_another(error: Exception) -> bool:
    """Whether the database undid the transaction for another one's sake,
    or nothing was read; oslo.db knows only the deadlocks among these."""
    if isinstance(error, oslo_db.exception.DBDeadlock):
        # It counts those in who have waited long for a row.
        return 'Lock wait timeout exceeded' not in str(error)
    if isinstance(error, oslo_db.exception.DBConsistencyError
                  | connections.LostMeanwhile):
        return True
    return (isinstance(error, sqlalchemy.exc.OperationalError
                       | oslo_db.exception.DBError)
            and 'could not serialize access' in str(error))


def transaction(function: Callable[Concatenate[Database, P], R],
                ) -> Callable[Concatenate[Database, P], R]:
    """Run a function of a database again where the database undid it.

    Raises DatabaseUnavailable where the database is away or it is unknown
    whether a commit happened: that is never tried again here.
    """
    again = oslo_db.api.wrap_db_retry(
        retry_interval=_RETRY_INTERVAL, max_retries=_RETRIES,
        max_retry_interval=1, jitter=True,
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

