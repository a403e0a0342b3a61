# SPDX-License-Identifier: Apache-2.0
"""Databases at any revision, upgrades that are killed, and the schema that
is there in the end."""

import os
import re
import signal

import sqlalchemy as sa
from oslotest import base

from mogan.db import migrations, models
from mogan.db.core import clock
from mogan.db.core.engine import Database
from mogan.tests.support import backends
from mogan.tests.support.files import temporary_directory

_POSTGRESQL = (
    ('SELECT table_name, column_name, ordinal_position, data_type,'
     ' character_maximum_length, is_nullable, column_default,'
     ' generation_expression FROM information_schema.columns'
     " WHERE table_schema = 'public' ORDER BY 1, 3"),
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
    ('SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid),'
     ' convalidated FROM pg_constraint'
     " WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2"))
_SQLITE = (
    ('SELECT type, name, tbl_name, sql FROM sqlite_master'
     " WHERE name NOT LIKE 'sqlite_%' ORDER BY 1, 2"),)
_CHANGES = re.compile('(CREATE|ALTER|DROP|INSERT|UPDATE) ')


class MigrationTest(base.BaseTestCase):
    """A test with databases of its own."""

    def setUp(self):
        super().setUp()
        self.directory = temporary_directory(self)

    def database(self):
        """Return an empty database, for a `with`."""
        return backends.chosen().no_schema(self.directory)

    def put(self, db, uuid, **values):
        """Insert an instance as the first release wrote it."""
        with db.engine.begin() as connection:
            connection.execute(sa.insert(models.instances).values({
                'uuid': uuid, 'project_id': 'demo', 'user_id': 'demo',
                'name': 'web', 'metadata': {}, 'status': 'active',
                'lock_state': 'unlocked', 'node_protection': 'none',
                'fence': 1, 'claim_seq': 0, 'revision': 0,
                'created_at': clock.NOW} | values))


def describe(db):
    """Return the whole schema, in the terms of its database."""
    with db.engine.connect() as connection:
        if db.url.get_backend_name() == 'mysql':
            # The next row's number is none of it.
            return [re.sub(' AUTO_INCREMENT=[0-9]+', '', connection.execute(
                sa.text(f'SHOW CREATE TABLE {name}')).one()[1])
                for name in sorted(sa.inspect(connection).get_table_names())]
        return [connection.execute(sa.text(query)).all()
                for query in (_SQLITE if db.sqlite else _POSTGRESQL)]


def upgrade_until_killed(db, number, revision='head'):
    """Upgrade in a process that is killed before its change of this number;
    returns whether it was."""
    db.dispose()
    child = os.fork()
    if not child:
        try:
            _upgrade(db.url, number, revision)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    if status:
        raise AssertionError(f'the upgrade ended with {status}')
    return False


def _upgrade(url, number, revision):
    db = Database(url.render_as_string(hide_password=False), time_limits=False)
    left = number

    def count():
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    @sa.event.listens_for(db.engine, 'before_cursor_execute')
    def _count(*arguments):
        statement = arguments[2]
        if _CHANGES.match(statement.lstrip()):
            count()

    @sa.event.listens_for(db.engine, 'commit')
    def _count_commits(_):
        count()

    migrations.upgrade(db, revision)
    os._exit(0)
