# SPDX-License-Identifier: Apache-2.0
"""Services that start while RabbitMQ does not let them in, or has queues of
another type or without a leader, and that go on as soon as this is mended.
"""

import itertools
import json
import os
import socket
import subprocess
import sys
import urllib.parse

import kombu

from mogan.tests.processes.test_metrics import MetricsTest
from mogan.tests.support import backends
from mogan.tests.support.processes import eventually

PASSWORD = 'secret'
# One that looks at the broker each second, whether that is well or not.
ENGINE = """
import sys
from mogan.cmd import engine
from mogan.engine import listener
listener._CHECK_INTERVAL = listener._LAST_BACK_OFF = 1.0
sys.exit(engine.main())
"""
_numbers = itertools.count()


class TestBrokerFaults(MetricsTest):
    """On a virtual host and with a user of the test's own."""

    def setUp(self):
        super().setUp()
        found = urllib.parse.urlsplit(backends.chosen().transport_url)
        if found.hostname not in {'127.0.0.1', 'localhost'}:
            self.skipTest('the broker is not of this host')
        self.name = f'{backends.UNIQUE}-{next(_numbers)}'
        self.broker = (f'{self.name}:{PASSWORD}@{found.hostname}:'
                       f'{found.port}/{self.name}')
        self.addCleanup(self.ctl, 'delete_vhost', self.name, check=False)
        self.addCleanup(self.ctl, 'delete_user', self.name, check=False)
        # Work that no message tells of waits for longer than the test.
        self.config.write_text(
            self.config.read_text()
            .replace(backends.chosen().transport_url,
                     f'rabbit://{self.broker}')
            .replace('sweep_interval = 0.2', 'sweep_interval = 900')
            .replace('workers = 2', 'workers = 1'))

    def command(self, name):
        if name == 'engine':
            return [sys.executable, '-c', ENGINE, '--config-file',
                    str(self.config)]
        return super().command(name)

    def ctl(self, *words, check=True):
        try:
            done = subprocess.run(
                ['/usr/sbin/rabbitmqctl', '-q', *words], text=True,
                capture_output=True, timeout=120, check=False)
        except FileNotFoundError:
            if os.environ.get('CI', '').lower() in {'1', 'true'}:
                raise
            self.skipTest('rabbitmqctl is not installed')
        if check:
            self.assertEqual(0, done.returncode, done.stderr)

    def add_user(self):
        self.ctl('add_user', self.name, PASSWORD)

    def add_vhost(self):
        self.ctl('add_vhost', self.name)
        self.allow()

    def allow(self):
        self.ctl('set_permissions', '-p', self.name, self.name,
                 *['.*'] * 3)

    def launch(self):
        self.start('api')
        self.start('engine')

    def health(self):
        return [self.get(service, '/healthcheck') for service in self.ports]

    def assert_deaf(self, reason, detail):
        """Check that health and logs have the reason, and that writes are
        accepted."""
        self.detail = detail
        for status, text in eventually(
                self.health, within=60, until=lambda seen: all(
                    status == 503 for status, _ in seen)):
            self.assertEqual(503, status)
            self.assertIn(f'The broker {reason}', text)
            self.assertNotIn(self.name, text)
        eventually(lambda: self.value('engine', 'mogan_engine_deaf'),
                   until=lambda seen: seen == 1, within=60)
        eventually(lambda: self.log('engine'), within=60,
                   until=lambda text: detail in text)
        checks = self.checks()
        self.assertIn(detail, checks['Broker'])
        self.assertNotIn('Options', checks)
        self.create()
        self.assertEqual(503, self.request('admin', 'GET',
                                           '/v1/nodes').status)

    def checks(self):
        """Return the findings of the upgrade check, by the check's name."""
        done = self.run_command('status', 'upgrade', 'check', '--json')
        return {one['check']: one['details']
                for one in json.loads(done.stdout)['checks']
                if one['result']}

    def lock(self, uuid, status):
        self.assertEqual(status, self.request(
            'admin', 'PUT', f'/v1/instances/{uuid}/states/lock',
            {'lock': None}).status)

    def assert_listens(self):
        """Check that a message leads to work, and that the service is healthy
        again."""
        eventually(self.answers, within=60)
        for status, text in eventually(
                self.health, within=60, until=lambda seen: all(
                    status == 200 for status, _ in seen)):
            self.assertEqual(200, status, text)
        eventually(lambda: self.value('engine', 'mogan_engine_deaf'),
                   until=lambda seen: seen == 0, within=60)
        self.assertNotIn('Broker', self.checks())
        uuid = self.create()
        self.until(uuid, status='active')
        self.lock(uuid, 202)
        self.until(uuid, lock_state='locked')
        for name in ('api', 'engine'):
            log = self.log(name)
            self.assertNotIn('Traceback', log)
            # The library's own lines, one for each attempt.
            self.assertLess(log.count('oslo.messaging'), 20, log[-4000:])
            self.assertNotIn(PASSWORD, log)
        # Another line has another cause: the broker was put right in steps.
        [_] = [line for line in self.log('engine').splitlines()
               if 'No messages can be taken' in line and self.detail in line]
        self.assertIn('Messages are taken from the broker again',
                      self.log('engine'))

    def test_a_login_that_is_refused(self):
        self.add_user()
        self.add_vhost()
        self.ctl('change_password', self.name, 'another')
        self.launch()
        self.assert_deaf('refuses the login', 'Login was refused')
        self.ctl('change_password', self.name, PASSWORD)
        self.assert_listens()

    def test_a_virtual_host_that_is_missing(self):
        self.add_user()
        self.launch()
        self.assert_deaf('refuses access to the virtual host',
                         f'vhost {self.name} not found')
        self.add_vhost()
        self.assert_listens()

    def test_queues_of_another_type(self):
        self.add_user()
        self.add_vhost()
        with kombu.Connection(f'amqp://{self.broker}') as broker:
            with broker.channel() as channel:
                channel.queue_declare(backends.UNIQUE, durable=True,
                                      auto_delete=False)
            self.launch()
            self.assert_deaf('has a queue or an exchange of another type',
                             "'x-queue-type' for queue")
            with broker.channel() as channel:
                channel.queue_delete(backends.UNIQUE)
        self.assert_listens()

    def test_a_queue_that_has_lost_its_leader(self):
        self.add_user()
        self.add_vhost()
        queue = f'{backends.UNIQUE}.{socket.gethostname()}'
        with kombu.Connection(f'amqp://{self.broker}') as broker, (
                broker.channel()) as channel:
            channel.queue_declare(queue, durable=True, auto_delete=False,
                                  arguments={'x-queue-type': 'quorum'})
        leader = f"'{self.name}_{queue}'"
        self.ctl('eval', f'sys:suspend({leader}).')
        self.launch()
        eventually(lambda: self.value('engine', 'mogan_engine_deaf'),
                   until=lambda seen: seen == 1, within=60)
        self.detail = f'no consumer of {queue}'
        self.assertIn(self.detail, self.log('engine'))
        self.ctl('eval', f'sys:resume({leader}).')
        self.assert_listens()

    def test_a_login_that_is_refused_later(self):
        self.add_user()
        self.add_vhost()
        self.launch()
        eventually(self.answers, within=60)
        self.ctl('change_password', self.name, 'another')
        self.ctl('close_all_user_connections', self.name, 'for the test')
        self.assert_deaf('refuses the login', 'Login was refused')
        self.ctl('change_password', self.name, PASSWORD)
        self.assert_listens()
