# SPDX-License-Identifier: Apache-2.0
"""A database server whose clock is set while the service runs on it."""

import os
import shutil

from mogan.db import actions, claims, migrations
from mogan.db.core.engine import Database
from mogan.tests.functional import base
from mogan.tests.support import backends, clocks, databases, processes
from mogan.tests.support.deployment import TIMES, Deployment
from mogan.tests.support.processes import eventually
from mogan.tests.support.servers import make_directory

TEN_MINUTES = 600


class Stepped(Deployment):
    """On a database server of its own, which runs on the test's clock."""

    def __init__(self, server):
        self._server = server
        super().__init__()

    def open_database(self, backend):
        db = Database(self._server.url)
        migrations.upgrade(db)
        return db

    def close(self):
        super().close()
        self.db.dispose()


class TestServerClock(base.FunctionalTest):

    engines = 0

    def deploy(self):
        backends.chosen()   # skips where nothing can be tested
        if backends.NAME not in databases.DATABASES:
            self.skipTest('SQLite has no server')
        if clocks.library() is None:
            if os.environ.get('CI', '').lower() in {'1', 'true'}:
                self.fail('libfaketime is not installed')
            self.skipTest('libfaketime is not installed')
        directory = make_directory('clock')
        # The server may run as another user.
        directory.chmod(0o755)
        self.addCleanup(shutil.rmtree, directory, ignore_errors=True)
        self.clock = clocks.Clock(directory / 'clock')
        self.addCleanup(self.clock.close)
        family = processes.Family(directory)
        self.addCleanup(family.close)
        server = databases.DATABASES[backends.NAME](
            family, directory, clock=self.clock)
        server.prepare()
        server.start()
        server.wait()
        server.create_database()
        return Stepped(server)

    def test_requests_under_way_are_done_after_either_step(self):
        for seconds in (-TEN_MINUTES, TEN_MINUTES):
            self.clock.step(0)
            self.deployment.start_engine()
            deleted, locked = self.make_instance(), self.make_instance()
            self.deployment.stop_engines()
            for uuid in (deleted, locked):
                self.assertIsNotNone(claims.take(
                    self.db, uuid, 'a dead engine', TIMES['lease']))
            self.ask(deleted, 'delete')
            self.ask(locked, 'lock')
            self.clock.step(seconds)
            self.assertEqual(2, len(actions.unfinished(self.db, limit=10)))
            self.deployment.start_engine()
            self.wait_until_gone(deleted)
            self.wait_for(locked, lock_state='locked')
            self.assertEqual([], actions.unfinished(self.db, limit=10))
            self.deployment.stop_engines()

    def test_a_claim_stays_with_an_engine_that_renews_it(self):
        self.deployment.start_engine()
        uuid = self.make_instance()
        self.deployment.stop_engines()
        lease = 30.0
        work = claims.take(self.db, uuid, 'one', lease)
        watch = claims.Watch()
        self.clock.step(-TEN_MINUTES)

        def take():
            return claims.take(self.db, uuid, 'two', 0.2, watch=watch)

        self.assertIsNone(take())
        self.assertTrue(claims.renew(self.db, work.claim))
        self.assertIsNone(take())
        self.assertTrue(claims.renew(self.db, work.claim))
        taken = eventually(take)
        self.assertEqual(work.claim.seq + 1, taken.claim.seq)
