# SPDX-License-Identifier: Apache-2.0
"""Connections and transactions, on oslo.db's engine."""

import contextlib
import functools
from collections.abc import Iterator
from typing import Any, Protocol

import oslo_db.exception
import sqlalchemy as sa
import sqlalchemy.exc
from oslo_config import cfg
from oslo_db.sqlalchemy import enginefacade

from mogan import exception
from mogan.db.core import (
    connections,
    error_codes,
    mariadb,
    postgresql,
    sqlite,
    timeouts,
)
from mogan.db.core.statements import CompiledSelect


class Gate(Protocol):
    """Keeps work from a database that has not been upgraded.

    Both raise SchemaUnusable.
    """

    @property
    def fault(self) -> str:
        """Return the current reason of the refusal."""

    def enter(self) -> None:
        """Before an access."""

    def doubt(self) -> None:
        """Note that a table or a column was missing."""


class Database:
    """One database; safe to share between threads, made after a fork.

    `time_limits`: those of `mogan.db.core.timeouts`; without them a statement
    may take, and wait, as long as it has to.
    `notifications`: what is recorded is to be published, see
    `mogan.db.outbox`.
    `options` are those of oslo.db's [database] section.
    """

    def __init__(self, url: str, *, time_limits: bool = True,
                 notifications: bool = False, **options: Any) -> None:
        self.url = sa.make_url(url)
        self.notifications = notifications
        kind = self.url.get_backend_name()
        self.sqlite = kind == 'sqlite'
        if time_limits:
            self.url = self.url.set(query=timeouts.OPTIONS.get(
                self.url.get_driver_name(), {}) | self.url.query)
        if kind == 'postgresql' and (
                self.url.get_driver_name() not in timeouts.OPTIONS):
            # The limits of transactions are set by the driver.
            raise ValueError('PostgreSQL is reached by postgresql+psycopg:// '
                             'only')
        if kind == 'postgresql' and _has_several_hosts(self.url):
            self.url = self.url.set(query={
                'target_session_attrs': 'read-write'} | self.url.query)
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
            self._context.append_on_engine_create(sqlite.tune)
        elif kind == 'postgresql':
            self._context.append_on_engine_create(functools.partial(
                postgresql.tune, time_limits=time_limits))
        elif time_limits:
            self._context.append_on_engine_create(mariadb.tune)
        self._writer_lock: contextlib.AbstractContextManager[Any] = (
            sqlite.WriterLock() if self.sqlite else contextlib.nullcontext())
        # What is asked before each access, see `mogan.db.schema`.
        self.gate: Gate | None = None
        self._readers = connections.Connections(
            self._connect, asked=not self.sqlite)
        self._writers = connections.Connections(self._open)

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts, *, time_limits: bool = True,
                  notifications: bool = False) -> 'Database':
        """Return the database that [database] configures.

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
        db = cls(group.connection, time_limits=time_limits,
                 notifications=notifications, **options)
        try:
            db.url.get_dialect().import_dbapi()
        except ImportError as error:
            raise ValueError(str(error)) from error
        return db

    @functools.cached_property
    def engine(self) -> sa.Engine:
        """Return the SQLAlchemy engine, created on first use."""
        return self._context.writer.get_engine()

    def reader(self) -> contextlib.AbstractContextManager[sa.Connection]:
        """Provide a connection that only reads, where `read` does not do: one
        snapshot on SQLite, the newest rows with each statement on a server.
        Raises DBConnectionError where the server is read-only: others may have
        written elsewhere since.

        The facade's own scopes serve sessions that call each other; here every
        use stands alone, and they would cost half as much again.
        """
        return self._readers.one()

    def read(self, query: sa.Select[Any] | CompiledSelect, /,
             **values: Any) -> list[Any]:
        """Return all rows of a query, with these values of its parameters."""
        if isinstance(query, CompiledSelect):
            return self._readers.read(query, values)
        with self._readers.one() as connection:
            return list(connection.execute(query, values))

    def _open(self) -> sa.Connection:
        try:
            return self.engine.connect()
        except sqlalchemy.exc.ResourceClosedError as error:
            # SQLAlchemy goes on with its first questions where the answer to
            # one of them was the end of the connection.
            raise oslo_db.exception.DBConnectionError(
                ConnectionError('the connection was closed while it was made '
                                'ready')) from error

    def _connect(self) -> sa.Connection:
        connection = self._open()
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
        """Provide a connection in a transaction, committed at the end.

        Its first statement has to be the one that changes something: a reader
        that becomes a writer fails on SQLite, and reads old rows on MariaDB.
        Raises DatabaseUnavailable where it is unknown whether the commit
        succeeded, and DBConnectionError where this server is read-only.
        """
        done = False
        with self._writer_lock, self._writers.one() as connection:
            try:
                with connection.begin():
                    yield connection
                    done = True
            except oslo_db.exception.DBConnectionError as error:
                # The readers may lead to the same server, which may be the
                # primary no more.
                self._readers.close()
                if done:
                    raise exception.DatabaseUnavailable from error
                raise
            except (oslo_db.exception.DBError,
                    sqlalchemy.exc.DBAPIError) as error:
                if done or not error_codes.only_reads(error):
                    raise
                # Another one writes by now: connections to it may be had.
                self._readers.close()
                raise oslo_db.exception.DBConnectionError(error) from error

    def dispose(self) -> None:
        """Close the idle connections."""
        if self._context.is_started:
            self._readers.close()
            self._writers.close()
            self.engine.dispose()


def _has_several_hosts(url: sa.URL) -> bool:
    hosts = url.query.get('host', ())
    return ',' in (url.host or '') or (
        ',' in hosts if isinstance(hosts, str) else len(hosts) > 1)


def _keep_silent(engine: sa.Engine) -> None:
    """Errors are logged, and the values of statements may be secrets."""
    engine.hide_parameters = True
