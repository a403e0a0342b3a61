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
from mogan.db.core.engine import Database
from mogan.tests.support import backends

KINDS: Final = ('sqlite', 'mariadb', 'postgresql')

# What a server that has been running for a while knows of its tables.
_SETTLE: Final = {
    'sqlite': ('PRAGMA wal_checkpoint(TRUNCATE)',),
    'mariadb': ('ANALYZE TABLE instances', 'ANALYZE TABLE actions'),
    'postgresql': ('VACUUM ANALYZE instances', 'VACUUM ANALYZE actions')}


@dataclasses.dataclass(frozen=True)
class Place:
    """The address of a database, and the number of its instances."""

    kind: str
    url: str
    rows: int = 0

    def open(self) -> Database:
        """Open it as the service does."""
        return Database(self.url)

    def settle(self) -> None:
        """Do what time would have done after a lot has been written."""
        backends.administer(sa.make_url(self.url), *_SETTLE[self.kind])


@contextlib.contextmanager
def made(kind: str, directory: pathlib.Path) -> Iterator[Place]:
    """Create an empty database with the schema; dropped at the end."""
    name = f'mogan_bench_{os.getpid()}_{uuid.uuid4().hex[:8]}'
    with contextlib.ExitStack() as stack:
        if kind == 'sqlite':
            url = sa.make_url(f'sqlite:///{directory / name}.sqlite')
        else:
            url = backends.create(kind, name)
            stack.callback(backends.drop, kind, name)
        place = Place(kind, url.render_as_string(hide_password=False))
        db = place.open()
        migrations.upgrade(db)
        db.dispose()
        yield place
