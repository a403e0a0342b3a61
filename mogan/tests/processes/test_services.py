# SPDX-License-Identifier: Apache-2.0
"""mogan-api and mogan-engine as processes, on a database server and
RabbitMQ, set up by configuration alone."""

import http.client
import json
import os
import signal

import sqlalchemy as sa
import testtools
from testtools import content, content_type

from mogan.baremetal.simulated import inventory
from mogan.db import models, revisions
from mogan.db.core import clock
from mogan.tests.functional.base import IMAGE
from mogan.tests.support import backends, client, processes, services
from mogan.tests.support.deployment import SMALL
from mogan.tests.support.files import temporary_directory
from mogan.tests.support.processes import eventually
from mogan.tests.support.servers import shared_family

CONF = """\
[DEFAULT]
auth_strategy = http_basic
http_basic_users_file = {directory}/users
transport_url = {transport}
control_exchange = {unique}
[api]
host = 127.0.0.1
port = {port}
workers = 2
[database]
connection = {database}
[engine]
topic = {unique}
workers = 2
sweep_interval = 0.2
[oslo_messaging_rabbit]
rabbit_quorum_queue = true
[simulated]
inventory = {directory}/inventory.sqlite
deploy_time = 0.3
undeploy_time = 0.3
lease = 2
reach = 0.5
skew = 0.1
"""


class ServicesTest(testtools.TestCase):

    def setUp(self):
        super().setUp()
        self.directory = temporary_directory(self)
        self.addOnException(self.attach_logs)
        backend = backends.chosen()
        self.db = backend.database(self.directory)
        self.port = processes.free_port()
        self.config = self.directory / 'mogan.conf'
        self.config.write_text(CONF.format(
            directory=self.directory, port=self.port,
            transport=backend.transport_url, unique=backends.UNIQUE,
            database=self.db.url.render_as_string(hide_password=False)))
        services.write_users(self.directory / 'users', (
            ('admin', 'admin', 'admin'), ('demo', 'demo', 'member')))
        hardware = inventory.Inventory(self.directory / 'inventory.sqlite')
        hardware.seed([inventory.new_node(f'node-{number}', SMALL)
                       for number in range(3)])
        hardware.close()

    def attach_logs(self, _):
        """Show what the services have logged with the failure."""
        for path in self.directory.glob('*.log'):
            self.addDetail(path.name, content.content_from_file(
                path, content_type.UTF8_TEXT, buffer_now=True))

    def start(self, name):
        """Start one of the services, with its workers; ended with the test."""
        service = services.Service(
            name, self.command(name), family=shared_family(), port=self.port,
            log=self.directory / f'{name}.log')
        self.addCleanup(service.forget)
        service.start()
        return service

    def command(self, name):
        """Return the command that runs one of the services."""
        return services.command(name, self.config)

    def run_command(self, name, *arguments):
        return services.run(name, self.config, *arguments)

    def request(self, user, method, path, body=None):
        """Send a request; returns the answer, or None without a server."""
        try:
            return client.ask(self.port, method, path, body,
                              client.basic(user, user))
        except (ConnectionError, http.client.BadStatusLine):
            return None

    def answers(self):
        answer = self.request('admin', 'GET', '/v1/nodes')
        return answer is not None and answer.status == 200

    def create(self):
        flavor = self.request('admin', 'POST', '/v1/flavors', {
            'name': f'flavor-{os.urandom(4).hex()}',
            'resources': {SMALL: 1}}).json
        return self.request('demo', 'POST', '/v1/instances', {
            'name': 'web', 'flavor_uuid': flavor['uuid'],
            'image_uuid': IMAGE}).json['uuid']

    def until(self, uuid, **wanted):
        return eventually(
            lambda: self.request('admin', 'GET',
                                 f'/v1/instances/{uuid}').json,
            within=60, until=lambda seen: wanted.items() <= seen.items())

    def log(self, name):
        return (self.directory / f'{name}.log').read_text()


class TestServices(ServicesTest):

    def test_the_lock_holds_while_workers_die(self):
        api, engine = self.start('api'), self.start('engine')
        eventually(self.answers, within=60)
        uuid = self.create()
        self.until(uuid, status='active')
        path = f'/v1/instances/{uuid}'

        # Nobody is there to hear of the lock.
        engine.kill()
        answer = self.request('admin', 'PUT', f'{path}/states/lock',
                              {'lock': {'reason': 'disk swap'}})
        self.assertEqual(202, answer.status)
        api.signal_workers(signal.SIGKILL)
        answer = eventually(lambda: self.request('admin', 'DELETE', path),
                            within=60)
        self.assertEqual(409, answer.status, answer.body)

        self.start('engine')
        self.until(uuid, lock_state='locked', node_protection='applied')
        self.assertEqual(409, self.request('demo', 'DELETE', path).status)
        self.request('admin', 'PUT', f'{path}/states/unlock',
                     {'unlock': None})
        self.until(uuid, lock_state='unlocked')
        self.assertEqual(204, self.request('demo', 'DELETE', path).status)
        eventually(lambda: self.request('admin', 'GET', path).status,
                   within=60, until=lambda status: status == 404)

    def test_sigterm_ends_them_in_peace(self):
        api, engine = self.start('api'), self.start('engine')
        eventually(self.answers, within=60)
        self.assertEqual(2, len(api.workers()))
        self.assertEqual(2, len(engine.workers()))
        for process in (api, engine):
            process.terminate()
        for name, process in (('api', api), ('engine', engine)):
            self.assertEqual(0, process.wait(60), self.log(name))
            self.assertNotIn('Traceback', self.log(name))

    def test_a_dead_worker_is_replaced(self):
        api = self.start('api')
        self.start('engine')
        eventually(self.answers, within=60)
        killed = api.workers()[0]
        os.kill(killed, signal.SIGKILL)
        eventually(api.workers, within=60,
                   until=lambda pids: len(pids) == 2 and killed not in pids)
        eventually(self.answers, within=60)


class TestWithoutABroker(ServicesTest):

    def test_the_lock_settles_and_the_services_stop(self):
        self.config.write_text(self.config.read_text().replace(
            backends.chosen().transport_url,
            'rabbit://guest:guest@127.0.0.1:1/'))
        api, engine = self.start('api'), self.start('engine')
        eventually(lambda: self.request('admin', 'GET', '/v1/flavors'),
                   within=60)
        uuid = self.create()
        self.until(uuid, status='active')
        answer = self.request('admin', 'PUT',
                              f'/v1/instances/{uuid}/states/lock',
                              {'lock': None})
        self.assertEqual(202, answer.status)
        self.until(uuid, lock_state='locked')
        self.assertEqual(503, self.request('admin', 'GET',
                                           '/v1/nodes').status)
        for process in (api, engine):
            process.terminate()
        for process in (api, engine):
            self.assertEqual(0, process.wait(60))


class TestCommands(ServicesTest):

    def test_the_state_of_the_schema_can_be_asked_for(self):
        done = self.run_command('dbsync', 'upgrade')
        self.assertEqual(0, done.returncode, done.stderr)
        done = self.run_command('dbsync', 'version')
        self.assertEqual((0, f'{revisions.head()}\n'),
                         (done.returncode, done.stdout))

    def test_the_checks_pass_on_a_database_that_keeps_its_word(self):
        done = self.run_command('status', 'upgrade', 'check', '--json')
        self.assertEqual(1, done.returncode, done.stdout + done.stderr)
        faults = [check for check in json.loads(done.stdout)['checks']
                  if check['result']]
        # An administrator makes the databases of the tests.
        self.assertEqual(['Account'], [check['check'] for check in faults])

    def test_what_is_not_done_yet_is_listed_with_its_age(self):
        self.start('api')
        eventually(lambda: self.request('admin', 'GET', '/v1/flavors'),
                   within=60)
        uuid = self.create()
        done = self.run_command('status', 'actions', '--json')
        [action] = json.loads(done.stdout)
        self.assertEqual((uuid, 'create', 0, None), (
            action['instance'], action['verb'], action['attempts'],
            action['error']))
        done = self.run_command('status', 'actions', '--older', '3600')
        self.assertNotIn(uuid, done.stdout)

    def test_old_history_can_be_removed(self):
        with self.db.writer() as connection:
            connection.execute(sa.insert(models.actions).values(
                uuid='u', instance_uuid='i', verb='lock', arguments={},
                user_id='admin', outcome='done', attempts=0, times=1,
                created_at=clock.from_now(-90_000),
                finished_at=clock.from_now(-90_000)))
        done = self.run_command('dbsync', 'purge', '--days', '2')
        self.assertIn('0 rows', done.stdout)
        done = self.run_command('dbsync', 'purge', '--days', '1')
        self.assertIn('1 rows', done.stdout)

    def test_a_database_that_is_away_is_one_line(self):
        nowhere = self.db.url.set(host='127.0.0.1', port=1)
        self.config.write_text(
            '[database]\nmax_retries = 1\nretry_interval = 0\nconnection = '
            f'{nowhere.render_as_string(hide_password=False)}\n')
        done = self.run_command('dbsync', 'version')
        self.assertEqual(1, done.returncode)
        self.assertNotIn('Traceback', done.stderr)
