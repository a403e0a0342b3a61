# SPDX-License-Identifier: Apache-2.0
"""mogan-standalone as its user meets it: a process, a directory, signals."""

import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys

import testtools
import yaml

from mogan.baremetal.simulated import faults, inventory
from mogan.tests.functional.base import IMAGE
from mogan.tests.support import client
from mogan.tests.support.files import temporary_directory
from mogan.tests.support.processes import eventually

# A busy machine may take its time to start an interpreter.
START = 60.0


class Standalone:
    """A running service; `stop` it."""

    def __init__(self, directory, *options, umask=-1, environment=None):
        self.directory = pathlib.Path(directory)
        self.process = subprocess.Popen(
            [sys.executable, '-m', 'mogan.cmd.standalone', '--port', '0',
             '--state-dir', str(self.directory), *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            umask=umask, env=os.environ | (environment or {}))
        self.welcome = self._read_welcome()

    def _read_welcome(self):
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if 'Ctrl-C' in line:
                return ''.join(lines)
        raise AssertionError(self.process.communicate()[1])

    @property
    def credentials(self):
        lines = (self.directory / 'credentials.env').read_text().split()
        return dict(line.split('=', 1) for line in lines)

    def request(self, user, method, path, body=None, forged=None):
        port = int(self.credentials['MOGAN_ENDPOINT'].rpartition(':')[2])
        headers = forged or {}
        if user:
            password = self.credentials[f'MOGAN_{user.upper()}_PASSWORD']
            headers = headers | client.basic(user, password)
        return client.ask(port, method, path, body, headers)

    def see(self, uuid):
        return self.request('admin', 'GET', f'/v1/instances/{uuid}')

    def stop(self, number=signal.SIGTERM):
        """Send a signal; returns the exit status and what was logged."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=START)
        return self.process.returncode, errors


class StandaloneTest(testtools.TestCase):

    def setUp(self):
        super().setUp()
        self.directory = temporary_directory(self) / 'state'

    def start(self, *options, **settings):
        service = Standalone(self.directory, *options, **settings)
        self.addCleanup(service.stop, signal.SIGKILL)
        return service

    def fails(self, *options):
        """Return the one line on standard error of a start that fails."""
        done = subprocess.run(
            [sys.executable, '-m', 'mogan.cmd.standalone', '--port', '0',
             *options], capture_output=True, text=True, check=False,
            timeout=START)
        self.assertEqual(1, done.returncode, done.stderr)
        self.assertEqual('', done.stdout)
        self.assertNotIn('Traceback', done.stderr)
        [line] = done.stderr.splitlines()
        return line

    def create(self, service, name='web'):
        flavors = service.request('demo', 'GET', '/v1/flavors').json
        answer = service.request('demo', 'POST', '/v1/instances', {
            'name': name, 'flavor_uuid': flavors['flavors'][0]['uuid'],
            'image_uuid': IMAGE})
        self.assertEqual(201, answer.status, answer.body)
        return answer.json['uuid']

    def until(self, service, uuid, **wanted):
        return eventually(
            lambda: service.see(uuid).json,
            until=lambda seen: wanted.items() <= seen.items())


class TestFirstStart(StandaloneTest):

    def test_it_brings_nodes_flavors_and_passwords(self):
        service = self.start()
        nodes = service.request('admin', 'GET', '/v1/nodes/detail').json
        classes = {node['resource_class'] for node in nodes['nodes']}
        self.assertEqual((8, 2), (len(nodes['nodes']), len(classes)))
        flavors = service.request('demo', 'GET', '/v1/flavors').json
        self.assertEqual(classes, {
            name for flavor in flavors['flavors']
            for name in flavor['resources']})
        path = self.directory / 'credentials.env'
        self.assertEqual(0o600, stat.S_IMODE(path.stat().st_mode))
        self.assertEqual({'MOGAN_ENDPOINT', 'MOGAN_ADMIN_PASSWORD',
                          'MOGAN_DEMO_PASSWORD'}, set(service.credentials))

    def test_it_says_where_it_answers_and_what_to_type(self):
        service = self.start()
        self.assertIn(service.credentials['MOGAN_ENDPOINT'],
                      service.welcome)
        self.assertIn('curl -u', service.welcome)
        for password in ('MOGAN_ADMIN_PASSWORD', 'MOGAN_DEMO_PASSWORD'):
            self.assertNotIn(service.credentials[password], service.welcome)

    def test_it_shows_a_cloud_of_its_file(self):
        service = self.start()
        [shown] = re.findall(r'^  clouds:\n.*?(?=\n\n)', service.welcome,
                             re.MULTILINE | re.DOTALL)
        written = yaml.safe_load(
            (self.directory / 'clouds.yaml').read_text())['clouds']
        written['mogan']['auth']['password'] = '...'
        self.assertEqual({'clouds': {'mogan': written['mogan']}},
                         yaml.safe_load(shown))

    def test_a_forged_header_makes_nobody_an_admin(self):
        service = self.start()
        self.assertEqual(401, service.request(
            None, 'GET', '/v1/instances').status)
        uuid = self.create(service)
        answer = service.request(
            'demo', 'PUT', f'/v1/instances/{uuid}/states/lock',
            {'lock': None}, {'X-Roles': 'admin', 'X-Project-Id': 'admin',
                             'X-Identity-Status': 'Confirmed'})
        self.assertEqual(403, answer.status)


class TestModes(StandaloneTest):

    def databases(self):
        """Return the files that contain user data, with their modes."""
        return {path: stat.S_IMODE(path.stat().st_mode)
                for path in self.directory.glob('*.sqlite*')}

    def test_nobody_else_reads_the_databases(self):
        # Where others get that far.
        self.directory.mkdir(mode=0o755)
        self.create(self.start(umask=0))
        found = self.databases()
        self.assertEqual(6, len(found), found)
        self.assertEqual({0o600}, set(found.values()))

    def test_those_that_others_could_read_are_closed_to_them(self):
        service = self.start()
        self.create(service)
        service.stop(signal.SIGKILL)
        found = self.databases()
        self.assertEqual(6, len(found), found)
        # What a group may was not given by itself.
        for before, after in ((0o644, 0o640), (0o660, 0o660)):
            for path in found:
                path.chmod(before)
            service = self.start()
            self.assertEqual({after}, set(self.databases().values()))
            service.stop(signal.SIGKILL)


class TestStop(StandaloneTest):

    def test_each_signal_ends_it_in_peace(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            status, errors = self.start().stop(number)
            self.assertEqual(0, status, errors)
            self.assertNotIn('Traceback', errors)

    def test_the_next_start_goes_on_from_there(self):
        service = self.start()
        uuid = self.create(service)
        self.until(service, uuid, status='active')
        service.request('admin', 'PUT', f'/v1/instances/{uuid}/states/lock',
                        {'lock': {'reason': 'disk swap'}})
        passwords = service.credentials['MOGAN_ADMIN_PASSWORD']
        self.assertEqual(0, service.stop()[0])

        service = self.start()
        self.assertEqual(passwords,
                         service.credentials['MOGAN_ADMIN_PASSWORD'])
        seen = self.until(service, uuid, lock_state='locked',
                          node_protection='applied')
        self.assertEqual(('active', 'disk swap'),
                         (seen['status'], seen['locked_reason']))
        answer = service.request('admin', 'DELETE', f'/v1/instances/{uuid}')
        self.assertEqual(409, answer.status)


class TestCrash(StandaloneTest):

    def crash_and_start(self, service):
        service.stop(signal.SIGKILL)
        return self.start()

    def test_an_accepted_request_is_carried_out_afterwards(self):
        service = self.start()
        ready = self.create(service, 'ready')
        self.until(service, ready, status='active')
        building = self.create(service, 'building')
        answer = service.request('admin', 'PUT',
                                 f'/v1/instances/{ready}/states/lock',
                                 {'lock': None})
        self.assertEqual(202, answer.status)

        service = self.crash_and_start(service)
        self.assertEqual(409, service.request(
            'admin', 'DELETE', f'/v1/instances/{ready}').status)
        self.until(service, ready, lock_state='locked')
        self.until(service, building, status='active')

        service.request('admin', 'PUT', f'/v1/instances/{ready}/states/unlock',
                        {'unlock': None})
        self.until(service, ready, lock_state='unlocked')
        for uuid in (ready, building):
            self.assertEqual(204, service.request(
                'demo', 'DELETE', f'/v1/instances/{uuid}').status)
        service = self.crash_and_start(service)
        for uuid in (ready, building):
            eventually(lambda uuid=uuid: service.see(uuid).status,
                       until=lambda status: status == 404)

    def adopt(self, service, store):
        """Start to adopt a node; returns it and the instance."""
        node = store.named('rack1-node05')
        store.set_active(node.uuid, active=True, image_source=IMAGE)
        answer = service.request('admin', 'POST', '/v1/manageable_servers', {
            'name': 'legacy', 'node_uuid': node.uuid})
        self.assertEqual(201, answer.status, answer.body)
        return node.uuid, answer.json['uuid']

    def test_a_machine_is_taken_over_wholly_or_not_at_all(self):
        # The call has taken effect, or has not, when the process dies.
        for mode in ('lost', 'timeout'):
            service = self.start()
            store = inventory.Inventory(self.directory / 'inventory.sqlite')
            self.addCleanup(store.close)
            store.add_fault(faults.Fault(faults.Mode(mode), 'adopt',
                                         seconds=60))
            node_uuid, uuid = self.adopt(service, store)
            eventually(lambda store=store: not store.list_faults())
            self.assertEqual('building', service.see(uuid).json['status'])

            service = self.crash_and_start(service)
            self.until(service, uuid, status='active', image_uuid=IMAGE,
                       power_state='power on')
            [node] = store.look([node_uuid]).values()
            self.assertEqual(('active', uuid),
                             (node.availability, node.instance_uuid))
            self.assertEqual(set(), {
                entry.call for entry in store.journal()
                if entry.node_uuid == node_uuid} - {'set', 'adopt'})
            service.stop()
            shutil.rmtree(self.directory)


class TestNoStart(StandaloneTest):

    def test_a_port_that_is_taken(self):
        with socket.create_server(('127.0.0.1', 0)) as taken:
            port = str(taken.getsockname()[1])
            line = self.fails('--state-dir', str(self.directory),
                              '--port', port)
        self.assertIn(port, line)
        self.assertIn('in use', line)

    def test_a_state_directory_that_cannot_be_one(self):
        self.directory.write_text('a file')
        line = self.fails('--state-dir', str(self.directory))
        self.assertIn(str(self.directory), line)

    def test_a_state_directory_that_is_in_use(self):
        self.start()
        line = self.fails('--state-dir', str(self.directory))
        self.assertIn('another service', line)

    def test_a_database_of_a_newer_release(self):
        self.start().stop()
        connection = sqlite3.connect(self.directory / 'mogan.sqlite')
        with connection:
            connection.execute(
                "UPDATE alembic_version SET version_num = '9999'")
        connection.close()
        line = self.fails('--state-dir', str(self.directory))
        self.assertIn('9999', line)

    def test_an_inventory_of_a_newer_release(self):
        self.start().stop()
        connection = sqlite3.connect(self.directory / 'inventory.sqlite')
        connection.execute('PRAGMA user_version = 9999')
        connection.close()
        line = self.fails('--state-dir', str(self.directory))
        self.assertIn('9999', line)

    def test_a_configuration_that_cannot_work(self):
        self.directory.mkdir()
        (self.directory / 'mogan.conf').write_text(
            '[simulated]\nlease = 1\nreach = 5\n')
        line = self.fails('--state-dir', str(self.directory))
        self.assertIn('lease', line)
