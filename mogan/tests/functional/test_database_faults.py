# SPDX-License-Identifier: Apache-2.0
"""A database that somebody else writes to, and clocks that are wrong."""

import concurrent.futures
import sqlite3
import time
import unittest
from typing import Any
from unittest import mock

import sqlalchemy as sa

from mogan.db import claims, models
from mogan.db.core import clock
from mogan.tests.functional.database_faults import BOUND, FaultTest
from mogan.tests.support import backends

I = models.instances  # noqa: E741 - as the product names it


class TestBusy(FaultTest):
    """SQLite: somebody else has been writing for some time."""

    def setUp(self):
        super().setUp()
        self.writer = sqlite3.connect(
            self.db.url.database, isolation_level=None,
            check_same_thread=False)
        self.addCleanup(self.writer.close)

    def hold(self, uuid: str) -> None:
        self.writer.execute('BEGIN IMMEDIATE')
        self.writer.execute('UPDATE instances SET name = ? WHERE uuid = ?',
                            ('held', uuid))

    def test_a_short_wait_is_not_noticed(self):
        uuid = self.put_row()
        self.hold(uuid)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            future = pool.submit(self.admin.lock, uuid)
            concurrent.futures.wait([future], 0.3)
            self.writer.execute('COMMIT')
            self.expect(202, future.result(BOUND))

    def test_after_a_long_wait_everybody_is_told_to_come_again(self):
        uuid = self.put_row()
        self.hold(uuid)
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            answers = self.within(BOUND, lambda: list(pool.map(
                lambda _: self.admin.lock(uuid), range(6))))
        for answer in answers:
            self.expect_unavailable(answer)
        self.writer.execute('ROLLBACK')
        self.assertEqual('unlocked', self.row(uuid)['lock_state'])
        self.expect(202, self.admin.lock(uuid))

    def test_reading_goes_on(self):
        uuid = self.put_row()
        self.hold(uuid)
        self.assertEqual('web', self.within(
            2, lambda: self.see(uuid))['name'])
        self.writer.execute('COMMIT')
        self.assertEqual('held', self.see(uuid)['name'])

    def test_an_engine_goes_on_afterwards(self):
        self.deployment.start_engine()
        uuid = self.make_instance()
        self.expect(202, self.admin.lock(uuid))
        self.hold(uuid)
        self.writer.execute('ROLLBACK')
        self.wait_for(uuid, lock_state='locked')


class TestClocks(FaultTest):
    """Only the database's clock tells whether a claim is live."""

    def test_a_wrong_clock_of_the_host_changes_nothing(self):
        right = time.time
        for error in (-86_400, 86_400):
            with mock.patch.object(time, 'time', lambda error=error: (
                    right() + error)):
                self.deployment.start_engine()
                uuid = self.make_instance()
                self.lock(uuid)
                self.ask(uuid, 'unlock')
                self.wait_for(uuid, lock_state='unlocked')
                self.ask(uuid, 'delete')
                self.wait_until_gone(uuid)
                self.deployment.stop_engines()

    def test_a_claim_ends_by_the_clock_of_the_database(self):
        uuid = self.put_row()
        with mock.patch.object(time, 'time', lambda: 0.0):
            taken = claims.take(self.db, uuid, 'one', 30.0)
        with self.db.reader() as connection:
            [left] = connection.execute(sa.select(
                I.c.claim_until > clock.from_now(29)).where(
                    I.c.uuid == uuid)).scalars()
            [over] = connection.execute(sa.select(
                I.c.claim_until > clock.from_now(31)).where(
                    I.c.uuid == uuid)).scalars()
        self.assertEqual((True, False), (bool(left), bool(over)))
        self.assertLess(29, taken.claim.left())

    def test_a_jump_of_that_clock_ends_a_claim_for_its_holder_too(self):
        uuid = self.put_row()
        work = claims.take(self.db, uuid, 'one', 30.0)
        # As if its clock had gone on by an hour meanwhile.
        with self.db.writer() as connection:
            connection.execute(sa.update(I).values(
                claim_until=clock.from_now(-3570)))
        self.assertLess(29, work.claim.left())
        self.assertFalse(claims.renew(self.db, work.claim))
        self.assertFalse(claims.release(self.db, work.claim))
        self.assertIsNotNone(claims.take(self.db, uuid, 'two', 30.0))


def load_tests(loader: Any, tests: Any, pattern: Any) -> Any:  # noqa: ARG001
    """Return the suites of the backend of this run."""
    suites = [TestClocks, TestBusy] if backends.NAME == 'sqlite' else [
        TestClocks]
    return unittest.TestSuite(
        loader.loadTestsFromTestCase(suite) for suite in suites)
