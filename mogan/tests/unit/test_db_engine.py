# SPDX-License-Identifier: Apache-2.0
"""Changes to oslo.db's engine for SQLite."""

import tempfile
import threading
from unittest import mock

import sqlalchemy as sa
from oslotest import base

from mogan import exception
from mogan.db import health
from mogan.db.core.engine import Database
from mogan.db.core.sqlite import WriterLock
from mogan.tests.support.files import temporary_directory

COUNT = sa.text('SELECT count(*) FROM things')
INSERT = sa.text('INSERT INTO things VALUES (1)')


class TestSqlite(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        path = temporary_directory(self) / 'test.sqlite'
        self.db = Database(f'sqlite:///{path}')
        self.addCleanup(self.db.dispose)
        with self.db.writer() as connection:
            connection.execute(sa.text('CREATE TABLE things (number)'))

    def count(self):
        with self.db.reader() as connection:
            return connection.execute(COUNT).scalar_one()

    def sent(self, transaction, statement):
        """Return the statements that a transaction sends to the driver."""
        texts = []
        with transaction() as connection:
            driver = connection.connection.driver_connection
        driver.set_trace_callback(texts.append)
        with transaction() as connection:
            self.assertIs(driver, connection.connection.driver_connection)
            connection.execute(statement)
        driver.set_trace_callback(None)
        return texts

    def test_a_transaction_begins_once_and_ends_once(self):
        self.assertEqual(['BEGIN', INSERT.text, 'COMMIT'],
                         self.sent(self.db.writer, INSERT))
        self.assertEqual(['BEGIN', COUNT.text, 'ROLLBACK'],
                         self.sent(self.db.reader, COUNT))

    def test_a_transaction_that_fails_leaves_nothing(self):
        def fail():
            with self.db.writer() as connection:
                connection.execute(INSERT)
                raise ArithmeticError

        self.assertRaises(ArithmeticError, fail)
        self.assertEqual(0, self.count())

    def test_a_reader_sees_one_moment(self):
        with self.db.reader() as reader:
            before = reader.execute(COUNT).scalar_one()
            with self.db.writer() as writer:
                writer.execute(INSERT)
            self.assertEqual(before, reader.execute(COUNT).scalar_one())
        self.assertEqual(before + 1, self.count())

    def test_connections_are_kept_and_durable(self):
        with self.db.reader() as connection:
            first = connection.connection.driver_connection
            found = [connection.execute(sa.text(f'PRAGMA {name}'))
                     .scalar_one() for name in ('journal_mode',
                                                'synchronous')]
        with self.db.reader() as connection:
            self.assertIs(first, connection.connection.driver_connection)
        self.assertEqual(['wal', 2], found)


class TestMissing(base.BaseTestCase):

    def test_a_database_that_does_not_exist_is_away(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        for path in (directory.name, f'{directory.name}/none/test.sqlite'):
            db = Database(f'sqlite:///{path}')
            self.addCleanup(db.dispose)
            self.assertRaises(exception.DatabaseUnavailable, health.ask, db)


class TestTurn(base.BaseTestCase):
    """The order of writers on SQLite."""

    def setUp(self):
        super().setUp()
        self.turn = WriterLock()
        self.seen = []

    def wait(self, number):
        """Have a thread wait for its turn; returns when it does."""
        def take():
            with self.turn:
                self.seen.append(number)

        thread = threading.Thread(target=take)
        thread.start()
        while len(self.turn._waiting) < number:
            thread.join(0.01)
        return thread

    def test_whoever_has_waited_longest_is_the_next(self):
        with self.turn:
            threads = [self.wait(number) for number in range(1, 6)]
        with self.turn:
            # Not before those who came first.
            self.assertEqual([1, 2, 3, 4, 5], self.seen)
        for thread in threads:
            thread.join(10)

    def test_whoever_gives_up_is_passed_over(self):
        with mock.patch('mogan.db.core.timeouts.WRITER', 0.01), self.turn:
            self.assertRaises(exception.DatabaseUnavailable,
                              self.turn.__enter__)
        with self.turn:
            self.assertFalse(self.turn._waiting)
