# SPDX-License-Identifier: Apache-2.0
"""mogan-api, mogan-engine and the commands as processes, behind PgBouncer."""

import unittest

from mogan.tests.processes.test_services import ServicesTest
from mogan.tests.support import backends
from mogan.tests.support.poolers import PgBouncer
from mogan.tests.support.processes import eventually


class TestPooler(ServicesTest):

    def setUp(self):
        super().setUp()
        pooler = PgBouncer(self.db.url)
        self.addCleanup(pooler.close)
        pooler.start()
        self.config.write_text(self.config.read_text().replace(
            self.db.url.render_as_string(hide_password=False),
            pooler.url.render_as_string(hide_password=False)))

    def test_a_life_with_a_lock(self):
        self.start('api')
        self.start('engine')
        eventually(self.answers, within=60)
        for _ in range(3):
            uuid = self.create()
            path = f'/v1/instances/{uuid}'
            self.until(uuid, status='active')
            self.request('admin', 'PUT', f'{path}/states/lock',
                         {'lock': None})
            self.until(uuid, lock_state='locked')
            self.assertEqual(409, self.request('demo', 'DELETE', path).status)
            self.request('admin', 'PUT', f'{path}/states/unlock',
                         {'unlock': None})
            self.until(uuid, lock_state='unlocked')
            self.assertEqual(204, self.request('demo', 'DELETE', path).status)
            eventually(lambda path=path: self.request(
                'admin', 'GET', path).status, within=60,
                until=lambda status: status == 404)
        for name in ('api', 'engine'):
            self.assertNotIn('prepared statement', self.log(name))

    def test_commands(self):
        done = self.run_command('dbsync', 'upgrade')
        self.assertEqual(0, done.returncode, done.stderr)
        done = self.run_command('status', 'upgrade', 'check')
        self.assertEqual(1, done.returncode, done.stdout + done.stderr)
        self.assertIn('PgBouncer', done.stdout)


def load_tests(loader: unittest.TestLoader, *_: object,
               ) -> unittest.TestSuite:
    """Return all of these if there is a PostgreSQL to connect to."""
    return (loader.loadTestsFromTestCase(TestPooler)
            if backends.NAME == 'postgresql' else unittest.TestSuite())
