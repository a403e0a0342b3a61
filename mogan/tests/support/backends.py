# SPDX-License-Identifier: Apache-2.0
"""Databases and brokers for the tests.

MOGAN_TEST_BACKEND is sqlite (the default, with an in-process transport),
mariadb or postgresql (each with RabbitMQ).

The servers' addresses can be given as MOGAN_TEST_MARIADB,
MOGAN_TEST_POSTGRESQL and MOGAN_TEST_RABBITMQ.
"""

import abc
import atexit
import contextlib
import functools
import os
import pathlib
import shutil
import socket
import tempfile
import unittest
import uuid
from collections.abc import Iterator
from typing import Any

import kombu
import sqlalchemy as sa

from mogan.db import migrations, models
from mogan.db.core.engine import Database

NAME = os.environ.get('MOGAN_TEST_BACKEND', 'sqlite')
# Unique to this process: others may run on the same servers.
UNIQUE = f'mogan_test_{os.getpid()}_{uuid.uuid4().hex[:8]}'

_SERVERS = {
    'mariadb': ('MOGAN_TEST_MARIADB', 'mysql+pymysql://root@127.0.0.1/'),
    'postgresql': ('MOGAN_TEST_POSTGRESQL',
                   'postgresql+psycopg://root@127.0.0.1/postgres')}
_TEMPORARY = tempfile.gettempdir()
_BROKER = os.environ.get('MOGAN_TEST_RABBITMQ',
                         'rabbit://guest:guest@127.0.0.1:5672/')


class Backend(abc.ABC):
    """One kind of database and the transport that goes with it."""

    transport_url = 'fake://'

    @abc.abstractmethod
    def database(self, directory: pathlib.Path) -> Database:
        """Return an empty database, until the next one is requested."""

    @abc.abstractmethod
    @contextlib.contextmanager
    def no_schema(self, directory: pathlib.Path) -> Iterator[Database]:
        """Yield a database without a single table, and without timeouts."""

    @abc.abstractmethod
    def configure(self, conf: Any) -> None:
        """Set what the transport needs."""


class Sqlite(Backend):
    """A file, copied from one that the migrations have made."""

    @functools.cached_property
    def _template(self) -> pathlib.Path:
        # Not the running test's own, which goes with it.
        directory = tempfile.mkdtemp(prefix='mogan-template-',
                                     dir=_TEMPORARY)
        atexit.register(shutil.rmtree, directory, ignore_errors=True)
        path = pathlib.Path(directory) / 'template.sqlite'
        db = Database(f'sqlite:///{path}')
        migrations.upgrade(db)
        with db.engine.connect() as connection:
            connection.execute(sa.text('PRAGMA wal_checkpoint(TRUNCATE)'))
        db.dispose()
        return path

    def database(self, directory: pathlib.Path) -> Database:
        path = directory / 'mogan.sqlite'
        shutil.copy(self._template, path)
        return Database(f'sqlite:///{path}')

    @contextlib.contextmanager
    def no_schema(self, directory: pathlib.Path) -> Iterator[Database]:
        path = directory / f'{uuid.uuid4()}.sqlite'
        db = Database(f'sqlite:///{path}', time_limits=False)
        try:
            yield db
        finally:
            db.dispose()
            path.unlink(missing_ok=True)

    def configure(self, conf: Any) -> None:
        pass


class Server(Backend):
    """A database of its own on a server, and RabbitMQ."""

    transport_url = _BROKER

    @functools.cached_property
    def _db(self) -> Database:
        db = self._create(UNIQUE, max_pool_size=10, max_overflow=50)
        atexit.register(self._drop, db)
        atexit.register(_clear_broker)
        migrations.upgrade(db)
        return db

    def _create(self, name: str, **options: Any) -> Database:
        return Database(create(NAME, name).render_as_string(
            hide_password=False), **options)

    def _drop(self, db: Database) -> None:
        db.dispose()
        drop(NAME, db.url.database)

    def database(self, directory: pathlib.Path) -> Database:
        with self._db.engine.begin() as connection:
            for table in models.metadata.sorted_tables:
                connection.execute(table.delete())
        return self._db

    @contextlib.contextmanager
    def no_schema(self, directory: pathlib.Path) -> Iterator[Database]:
        db = self._create(f'{UNIQUE}_{uuid.uuid4().hex[:8]}',
                          time_limits=False)
        try:
            yield db
        finally:
            self._drop(db)

    def configure(self, conf: Any) -> None:
        conf.set_override('control_exchange', UNIQUE)
        conf.set_override('rabbit_quorum_queue', True,
                          'oslo_messaging_rabbit')


def _clear_broker() -> None:
    """Quorum queues and their exchange stay otherwise."""
    with kombu.Connection(_BROKER.replace('rabbit://', 'amqp://')) as broker:
        for name in (UNIQUE, *(f'{UNIQUE}.{host}' for host in (
                *HOSTS, socket.gethostname()))):
            with broker.channel() as channel:
                channel.queue_delete(name)
        with broker.channel() as channel:
            channel.exchange_delete(UNIQUE)
            channel.exchange_delete(f'{UNIQUE}_fanout')


# The names of the engines' hosts: RabbitMQ keeps a queue for each.
HOSTS = ('engine-1', 'engine-2', 'engine-3')


def create(kind: str, name: str) -> sa.URL:
    """Make a database on a kind of server; return its address."""
    server = _server(kind)
    administer(server, f'CREATE DATABASE {name}')
    if kind == 'postgresql':
        # As the deployment guide sets it for the role.
        administer(server,
                   f'ALTER DATABASE {name} SET random_page_cost = 1')
    return server.set(database=name)


def drop(kind: str, name: str) -> None:
    """Drop a database, whoever is connected to it."""
    force = ' WITH (FORCE)' if kind == 'postgresql' else ''
    administer(_server(kind), f'DROP DATABASE {name}{force}')


def administer(url: sa.URL, *statements: str) -> None:
    """Run statements outside of transactions."""
    engine = sa.create_engine(url, isolation_level='AUTOCOMMIT',
                              poolclass=sa.NullPool)
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def _server(kind: str) -> sa.URL:
    variable, default = _SERVERS[kind]
    return sa.make_url(os.environ.get(variable, default))


def _reachable() -> None:
    sa.create_engine(_server(NAME), poolclass=sa.NullPool).connect().close()
    with kombu.Connection(_BROKER.replace('rabbit://', 'amqp://')) as broker:
        broker.ensure_connection(max_retries=1, timeout=3)


@functools.cache
def chosen() -> Backend:
    """Return the backend of this run.

    Skips the test where its servers are not there, but fails it where
    everything has to be (CI is set).
    """
    if NAME == 'sqlite':
        return Sqlite()
    if NAME not in _SERVERS:
        raise ValueError(f'MOGAN_TEST_BACKEND={NAME}: there is no such one')
    try:
        _reachable()
    except (sa.exc.OperationalError, kombu.exceptions.OperationalError,
            OSError) as error:
        if os.environ.get('CI', '').lower() in {'1', 'true'}:
            raise
        raise unittest.SkipTest(
            f'{NAME} or RabbitMQ cannot be reached: {error}') from error
    return Server()
