# SPDX-License-Identifier: Apache-2.0
"""What the tests run on: MOGAN_TEST_BACKEND is sqlite (the default, with an
in-process transport), mariadb or postgresql (each with RabbitMQ).

The servers' addresses can be given as MOGAN_TEST_MARIADB,
MOGAN_TEST_POSTGRESQL and MOGAN_TEST_RABBITMQ.
"""

import abc
import atexit
import functools
import os
import pathlib
import shutil
import socket
import tempfile
import unittest
import uuid
from typing import Any

import kombu
import sqlalchemy as sa

from mogan.db import migrations, models
from mogan.db.engine import Database

NAME = os.environ.get('MOGAN_TEST_BACKEND', 'sqlite')
# Unique to this process: others may run on the same servers.
UNIQUE = f'mogan_test_{os.getpid()}_{uuid.uuid4().hex[:8]}'

# A test's own is gone after it.
_DIRECTORY = tempfile.gettempdir()

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
        """An empty database, until the next one is asked for."""

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

    def configure(self, conf: Any) -> None:
        pass


class Server(Backend):
    """A database of its own on a server, and RabbitMQ."""

    transport_url = _BROKER

    @functools.cached_property
    def _db(self) -> Database:
        variable, default = _SERVERS[NAME]
        server = sa.make_url(os.environ.get(variable, default))
        self._administer(server, f'CREATE DATABASE {UNIQUE}')
        db = Database(server.set(database=UNIQUE).render_as_string(
            hide_password=False), max_pool_size=10, max_overflow=50)
        atexit.register(self._drop, server, db)
        atexit.register(_clear_broker)
        migrations.upgrade(db)
        return db

    def _administer(self, server: sa.URL, statement: str) -> None:
        engine = sa.create_engine(server, isolation_level='AUTOCOMMIT',
                                  poolclass=sa.NullPool)
        with engine.connect() as connection:
            connection.execute(sa.text(statement))

    def _drop(self, server: sa.URL, db: Database) -> None:
        db.dispose()
        force = ' WITH (FORCE)' if NAME == 'postgresql' else ''
        self._administer(server, f'DROP DATABASE {UNIQUE}{force}')

    def database(self, directory: pathlib.Path) -> Database:
        with self._db.engine.begin() as connection:
            for table in models.metadata.sorted_tables:
                connection.execute(table.delete())
        return self._db

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


def _reachable() -> None:
    variable, default = _SERVERS[NAME]
    server = sa.make_url(os.environ.get(variable, default))
    sa.create_engine(server, poolclass=sa.NullPool).connect().close()
    with kombu.Connection(_BROKER.replace('rabbit://', 'amqp://')) as broker:
        broker.ensure_connection(max_retries=1, timeout=3)


@functools.cache
def chosen() -> Backend:
    """The backend of this run.

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
