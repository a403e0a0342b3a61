# SPDX-License-Identifier: Apache-2.0
"""The checks of [healthcheck] backends."""

import socket
import threading
import time

import fixtures
from oslo_db import options as db_options
from oslo_messaging import conffixture
from oslotest import base

from mogan.api.middleware import health
from mogan.db import migrations
from mogan.db.core import engine
from mogan.tests.unit.api.callers import make_conf
from mogan.tests.unit.api.test_app import AppTest


class Silent(health._Bounded):

    what = 'Silence'

    def __init__(self):
        super().__init__(None, {})
        self.asked = 0
        self.go_on = threading.Event()

    def ask(self):
        self.asked += 1
        self.go_on.wait(20)


class TestBounded(base.BaseTestCase):

    def test_nobody_waits_long_and_one_thread_asks(self):
        self.patch(health, '_TIMEOUT', 0.05)
        silent = Silent()
        self.addCleanup(silent.go_on.set)
        for _ in range(3):
            result = silent.healthcheck(0)
            self.assertFalse(result.available)
            self.assertIn('has not answered for 0.05 seconds', result.reason)
        self.assertEqual(1, silent.asked)
        silent.go_on.set()
        deadline = time.monotonic() + 20
        while not silent.healthcheck(0).available:
            self.assertLess(time.monotonic(), deadline)


class BackendTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())
        self.conf = make_conf()


class TestDatabase(BackendTest):

    def make(self, connection):
        db_options.set_defaults(self.conf, connection=connection)
        return health.Database(self.conf, {})

    def test_one_that_answers_is_healthy(self):
        url = f'sqlite:///{self.useFixture(fixtures.TempDir()).path}/db'
        db = engine.Database(url)
        self.addCleanup(db.dispose)
        migrations.upgrade(db, '0003')
        backend = self.make(url)
        result = backend.healthcheck(0)
        self.assertFalse(result.available)
        self.assertIn('The database has the revision 0003', result.reason)
        self.assertIn('run mogan-dbsync upgrade', result.reason)
        migrations.upgrade(db)
        for _ in range(2):
            result = backend.healthcheck(0)
            self.assertEqual((True, 'The database answers'),
                             (result.available, result.reason))

    def test_one_that_is_away_is_not(self):
        with socket.create_server(('127.0.0.1', 0)) as nobody:
            port = nobody.getsockname()[1]
        backend = self.make(
            f'mysql+pymysql://mogan:SECRET@127.0.0.1:{port}/mogan')
        result = backend.healthcheck(0)
        self.assertEqual((False, 'The database does not answer'),
                         (result.available, result.reason))
        self.assertNotIn('SECRET', self.log.output)


class TestBroker(BackendTest):

    def make(self, url):
        messaging = self.useFixture(conffixture.ConfFixture(self.conf))
        messaging.transport_url = url
        return health.Broker(self.conf, {})

    def test_one_that_takes_a_message_is_healthy(self):
        self.assertTrue(self.make('fake://').healthcheck(0).available)

    def test_one_that_is_away_is_not(self):
        with socket.create_server(('127.0.0.1', 0)) as nobody:
            port = nobody.getsockname()[1]
        backend = self.make(f'rabbit://mogan:SECRET@127.0.0.1:{port}/')
        result = backend.healthcheck(0)
        self.assertFalse(result.available)
        self.assertNotIn('SECRET', result.reason)


class TestBackends(AppTest):

    settings = ('[healthcheck]',
                'backends = mogan_database,disable_by_file',
                'disable_by_file_path = {directory}/drain')

    def test_the_api_asks_those_that_are_named(self):
        # There is no database here.
        status, headers, body = self.call('/healthcheck')
        self.assertEqual((503, '1'), (status, headers['retry-after']))
        self.assertIn(b'The database does not answer', body)
