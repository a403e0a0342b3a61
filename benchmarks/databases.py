# SPDX-License-Identifier: Apache-2.0
"""Databases that exist for one run."""

import contextlib
import dataclasses
import os
import pathlib
import uuid
from collections.abc import Iterator
from typing import Final

import sqlalchemy as sa

from mogan.db import migrations
from mogan.db.engine import Database

KINDS: Final = ('sqlite', 'mariadb', 'postgresql')

# The variable that may name another server, and the usual one.
_SERVERS: Final = {
    'mariadb': ('MOGAN_TEST_MARIADB', 'mysql+pymysql://root@127.0.0.1/'),
    'postgresql': ('MOGAN_TEST_POSTGRESQL',
                   'postgresql+psycopg://root@127.0.0.1/postgres')}
# What a server that has been running for a while knows of its tables.
_SETTLE: Final = {
    'sqlite': ('PRAGMA wal_checkpoint(TRUNCATE)',),
    'mariadb': ('ANALYZE TABLE instances', 'ANALYZE TABLE actions'),
    'postgresql': ('VACUUM ANALYZE instances', 'VACUUM ANALYZE actions')}


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a database is."""

    kind: str
    url: str

    def open(self) -> Database:
        """The service's own way in."""
        return Database(self.url)

    def settle(self) -> None:
        """Do what time would have done after a lot has been written."""
        _administer(sa.make_url(self.url), *_SETTLE[self.kind])


@contextlib.contextmanager
def made(kind: str, directory: pathlib.Path) -> Iterator[Place]:
    """A database with the schema and nothing in it; dropped at the end."""
    name = f'mogan_bench_{os.getpid()}_{uuid.uuid4().hex[:8]}'
    with contextlib.ExitStack() as stack:
        if kind == 'sqlite':
            url = sa.make_url(f'sqlite:///{directory / name}.sqlite')
        else:
            variable, usual = _SERVERS[kind]
            server = sa.make_url(os.environ.get(variable, usual))
            _administer(server, f'CREATE DATABASE {name}')
            force = ' WITH (FORCE)' if kind == 'postgresql' else ''
            stack.callback(_administer, server,
                           f'DROP DATABASE {name}{force}')
            url = server.set(database=name)
        place = Place(kind, url.render_as_string(hide_password=False))
        db = place.open()
        migrations.upgrade(db)
        db.dispose()
        yield place


def _administer(url: sa.URL, *statements: str) -> None:
    engine = sa.create_engine(url, isolation_level='AUTOCOMMIT',
                              poolclass=sa.NullPool)
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))
