# SPDX-License-Identifier: Apache-2.0
"""Kept connections, and statements that go past SQLAlchemy."""

import concurrent.futures
import os
import socket
import threading
import unittest
from typing import Any
from unittest import mock

import oslo_db.exception
import sqlalchemy as sa

from mogan import exception
from mogan.db import instances, models
from mogan.db.core.engine import Database
from mogan.db.core.retry import retried
from mogan.db.core.statements import CompiledDML, CompiledSelect
from mogan.tests.functional import base
from mogan.tests.functional.base import now
from mogan.tests.functional.database_faults import ProxyTest
from mogan.tests.support import backends

I = models.instances  # noqa: E741 - the table

ROWS = sa.select(I).order_by(I.c.id)
NAMED = sa.select(I.c.uuid).where(
    I.c.name.icontains(sa.bindparam('part'), escape='/'),
    I.c.locked == sa.false(), I.c.description.is_(None))
RENAME = CompiledDML(
    sa.update(I).where(I.c.uuid == sa.bindparam('key')).values(
        name=sa.bindparam('new'), metadata={'a': '100 %'}, fault=None))


class ConnectionTest(base.FunctionalTest):
    engines = 0


class TestStatements(ConnectionTest):

    def setUp(self):
        super().setUp()
        timestamp = now()
        self.put_rows(
            {'name': 'Größe', 'metadata': {'ключ': '"'}, 'fault': None,
             'launched_at': None, 'lock_state': 'unlocked'},
            {'name': 'b', 'metadata': {}, 'fault': {'code': 'x'},
             'launched_at': timestamp, 'lock_state': 'locked'})

    def test_rows_are_those_of_sqlalchemy_by_either_way(self):
        with self.db.reader() as connection:
            expected = [tuple(row) for row in connection.execute(ROWS)]
        self.assertEqual(2, len(expected))
        for query in (CompiledSelect(ROWS), CompiledSelect(ROWS), ROWS):
            for _ in range(2):
                rows = self.db.read(query)
                self.assertEqual(expected, [tuple(row) for row in rows])
                self.assertEqual(tuple(I.c.keys()), rows[0]._fields)

    def test_those_by_the_driver_are_its_own(self):
        query = CompiledSelect(ROWS)
        first = self.db.read(query)
        kept = self.db._readers._kept[-1]
        self.assertEqual(first, query.fetch(
            kept.connection, kept.driver, {}))

    def test_values_of_the_statement_itself_are_bound(self):
        query = CompiledSelect(NAMED)
        for _ in range(2):
            self.assertEqual(1, len(self.db.read(query, part='GR')))
            self.assertEqual([], self.db.read(query, part='/%'))

    def test_a_change_tells_how_many_rows_it_changed(self):
        [row, _] = self.db.read(CompiledSelect(ROWS))
        with self.db.writer() as connection:
            self.assertEqual(1, RENAME.execute(connection, {
                'key': row.uuid, 'new': "%s ' ?"}))
            self.assertEqual(0, RENAME.execute(connection, {
                'key': 'nobody', 'new': 'x'}))
        changed = instances.get(self.db, row.uuid)
        self.assertEqual(("%s ' ?", {'a': '100 %'}, None),
                         (changed.name, changed.metadata, changed.fault))

    def test_a_fault_of_a_statement_is_told_by_either_way(self):
        query = CompiledSelect(
            sa.select(sa.literal_column('nowhere')).select_from(I))
        for _ in range(2):
            error = self.assertRaises(
                (sa.exc.DBAPIError, oslo_db.exception.DBError),
                self.db.read, query)
            self.assertIn('nowhere', str(error))
        self.assertEqual(2, len(self.db.read(CompiledSelect(ROWS))))


class TestKept(ConnectionTest):

    def test_a_reader_sees_what_was_committed_before(self):
        uuid = self.put_row(name='old')
        for name in ('one', 'two', 'three'):
            with self.db.writer() as connection:
                RENAME.execute(connection, {'key': uuid, 'new': name})
            self.assertEqual(name, instances.get(self.db, uuid).name)

    def test_what_a_reader_raises_costs_no_connection(self):
        def fail():
            with self.db.reader() as connection:
                seen.append(connection)
                raise exception.NotFound

        seen = []
        for _ in range(3):
            self.assertRaises(exception.NotFound, fail)
        self.assertEqual(1, len(set(map(id, seen))))

    def test_many_at_once_have_one_each(self):
        barrier = threading.Barrier(20)

        def read(_):
            with self.db.reader() as connection:
                barrier.wait(30)
                connection.execute(sa.select(sa.func.count(I.c.id)))
                return id(connection)

        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            self.assertEqual(20, len(set(pool.map(read, range(20)))))
        self.assertLessEqual(len(self.db._readers._kept), 16)


class TestLost(ProxyTest):

    def test_one_that_was_lost_meanwhile_costs_no_request(self):
        uuid = self.put_row()
        path = f'/v1/instances/{uuid}'
        for read in (lambda: self.far.get(path),
                     lambda: self.far.get('/v1/instances'),
                     lambda: self.far.get('/v1/flavors'),
                     lambda: self.far.get(f'{path}/actions')):
            self.expect(200, read())
            self.proxy.drop()
            self.expect(200, read())

    def test_one_that_is_lost_as_it_is_made_ready_is_told(self):
        uuid = self.put_row()
        db = Database(self.far_url)
        self.addCleanup(db.dispose)
        dialect = db.engine.dialect
        for error in (dialect.loaded_dbapi.OperationalError(2013, 'lost'),
                      NotImplementedError()):
            with mock.patch.object(dialect, 'set_isolation_level',
                                   autospec=True, side_effect=error):
                self.assertRaises(exception.DatabaseUnavailable,
                                  instances.get, db, uuid)
            self.assertEqual(0, db.engine.pool.checkedout())
            self.assertEqual(uuid, instances.get(db, uuid).uuid)
            db.dispose()

    def test_nothing_is_written_twice_for_it(self):
        uuid = self.put_row(revision=0)
        db = Database(self.far_url)
        self.addCleanup(db.dispose)
        tries = []

        @retried
        def count(db):
            tries.append(db)
            with db.writer() as connection:
                connection.execute(sa.update(I).where(I.c.uuid == uuid)
                                   .values(revision=I.c.revision + 1))

        count(db)
        self.proxy.drop()
        count(db)
        self.assertEqual(3, len(tries))
        self.assertEqual(2, self.row(uuid)['revision'])


# Seconds of silence after which a connection is lost, in these tests.
_LIMIT = 3
_SILENT = sa.text(f'SELECT pg_sleep({2 * _LIMIT})')
# As long, with a word now and then: more than the server keeps back.
_SLOW = sa.text("SELECT repeat('x', 100000), pg_sleep(0.5)"
                f' FROM generate_series(1, {4 * _LIMIT})')


class TestPatience(ProxyTest):
    """The driver for PostgreSQL has no limit of its own for an answer."""

    def ask(self, statement: sa.TextClause, **options: Any) -> None:
        with mock.patch('mogan.db.core.timeouts.ANSWER', _LIMIT):
            db = Database(self.far_url, **options)
            self.addCleanup(db.dispose)
            with db.reader() as connection:
                connection.execute(statement).all()

    def test_silence_ends_it(self):
        self.assertRaises(oslo_db.exception.DBConnectionError,
                          self.ask, _SILENT)

    def test_an_answer_may_take_its_time(self):
        self.ask(_SLOW)

    def test_work_that_takes_long_is_let_do(self):
        self.ask(_SILENT, time_limits=False)

    def test_the_system_finds_out_that_a_host_is_gone(self):
        db = Database(self.far_url)
        self.addCleanup(db.dispose)
        with db.reader() as connection:
            number = os.dup(
                connection.connection.driver_connection.fileno())
        with socket.socket(fileno=number) as end:
            seconds = [end.getsockopt(socket.IPPROTO_TCP, option)
                       for option in (socket.TCP_KEEPIDLE,
                                      socket.TCP_KEEPINTVL,
                                      socket.TCP_KEEPCNT)]
            limit = end.getsockopt(socket.IPPROTO_TCP,
                                   socket.TCP_USER_TIMEOUT)
        self.assertEqual(([5, 5, 2], 15_000), (seconds, limit))


def load_tests(loader: unittest.TestLoader, *_: Any) -> unittest.TestSuite:
    """Return those that apply to the backend: SQLite has no network."""
    classes = [TestStatements, TestKept] + (
        [] if backends.NAME == 'sqlite' else [TestLost])
    if backends.NAME == 'postgresql':
        classes.append(TestPatience)
    return unittest.TestSuite(map(loader.loadTestsFromTestCase, classes))
