# SPDX-License-Identifier: Apache-2.0
"""No secret gets into the log, the history or an answer."""

import base64
import contextlib
import sqlite3
import subprocess
import sys

from mogan.baremetal.simulated import faults, inventory
from mogan.db import models
from mogan.tests.functional.base import IMAGE
from mogan.tests.standalone import test_service
from mogan.tests.support import client, secrets

USER_DATA = '#cloud-config\npassword: user-data-secret-1\n'
WRONG = {'a wrong password': 'guessed-secret-2',
         'a token': 'gAAAAAtoken-secret-3',
         'what is no user data': 'no-base64-secret-4!',
         'the user data': 'user-data-secret-1'}


class Logged(test_service.Standalone):
    """It logs all that it can, into a file; answers are kept."""

    def __init__(self, directory, log):
        self.directory = directory
        self.answers = []
        with log.open('w') as file:
            self.process = subprocess.Popen(
                [sys.executable, '-m', 'mogan.cmd.standalone', '--port', '0',
                 '--state-dir', str(directory), '--debug'],
                stdout=file, stderr=file)
        test_service.eventually(lambda: 'Ctrl-C' in log.read_text(),
                                within=test_service.START)

    def request(self, *arguments, **options):
        seen = super().request(*arguments, **options)
        self.answers.append(f'{seen.headers}'.encode() + seen.body)
        return seen


class TestSecrets(test_service.StandaloneTest):

    def setUp(self):
        super().setUp()
        log = self.directory.parent / 'log'
        self.service = Logged(self.directory, log)
        self.addCleanup(self.service.stop, test_service.signal.SIGKILL)
        self.log = log
        flavors = self.service.request('demo', 'GET', '/v1/flavors').json
        self.wanted = {
            'name': 'web', 'flavor_uuid': flavors['flavors'][0]['uuid'],
            'image_uuid': IMAGE, 'user_data': base64.b64encode(
                USER_DATA.encode()).decode()}

    def create(self, status=201, **values):
        answer = self.service.request('demo', 'POST', '/v1/instances',
                                      self.wanted | values)
        self.assertEqual(status, answer.status, answer.body)
        return answer.json.get('uuid')

    def do(self, user, status, method, path, body=None):
        answer = self.service.request(user, method, path, body)
        self.assertEqual(status, answer.status, answer.body)

    def live(self):
        """Run all requests, of which only those fail that must."""
        uuid = self.create()
        path = f'/v1/instances/{uuid}'
        self.until(self.service, uuid, status='active')
        self.do('admin', 202, 'PUT', f'{path}/states/lock',
                {'lock': {'reason': 'disk swap'}})
        self.do('demo', 409, 'DELETE', path)
        self.do('demo', 403, 'PUT', f'{path}/states/unlock',
                {'unlock': None})
        self.do('admin', 202, 'PUT', f'{path}/states/unlock',
                {'unlock': None})
        self.until(self.service, uuid, lock_state='unlocked')
        self.do('admin', 200, 'GET', f'{path}/actions')
        return uuid

    def intrude(self):
        """Others, and what is wrong with requests."""
        for forged in (
                client.basic('admin', WRONG['a wrong password']),
                {'Authorization': f'Basic {WRONG["a wrong password"]}'},
                {'Authorization': f'Bearer {WRONG["a token"]}'},
                {'X-Auth-Token': WRONG['a token']}):
            answer = self.service.request(None, 'GET', '/v1/instances',
                                          forged=forged)
            self.assertEqual(401, answer.status)
        self.create(400, user_data=WRONG['what is no user data'])
        self.create(400, unknown='x')
        self.create(400, flavor_uuid=IMAGE)

    @contextlib.contextmanager
    def without(self, table):
        path = self.directory / 'mogan.sqlite'
        with contextlib.closing(sqlite3.connect(path, 30)) as connection:
            connection.execute(f'ALTER TABLE {table} RENAME TO elsewhere')
            connection.commit()
            yield
            connection.execute(f'ALTER TABLE elsewhere RENAME TO {table}')
            connection.commit()

    def break_things(self):
        """Let database and hardware fail; returns an instance."""
        with self.without(models.inputs.name):
            self.create(500)
        hardware = inventory.Inventory(self.directory / 'inventory.sqlite')
        self.addCleanup(hardware.close)
        hardware.add_fault(faults.Fault(faults.Mode.BREAK, 'deploy'))
        uuid = self.create()
        self.until(self.service, uuid, status='error')
        return uuid

    def test_none_gets_out(self):
        uuids = [self.live(), self.break_things()]
        self.intrude()
        for uuid in uuids:
            self.do('demo', 204, 'DELETE', f'/v1/instances/{uuid}')
            test_service.eventually(
                lambda uuid=uuid: self.service.see(uuid),
                until=lambda seen: seen.status == 404)
        kept = self.service.credentials
        self.assertEqual(0, self.service.stop()[0])
        hashes = [line.split(':')[1]
                  for line in (self.directory / 'users').read_text()
                  .splitlines() if line and not line.startswith('#')]
        log = self.log.read_bytes()
        self.assertIn(b' DEBUG ', log)
        self.assertIn(b'Traceback', log)    # of the table that was away
        self.assertEqual([], secrets.find(
            WRONG | {name: value for name, value in kept.items()
                     if name.endswith('PASSWORD')}
            | {f'hash {number}': value
               for number, value in enumerate(hashes)},
            {'the log': log,
             'the database': secrets.dump(self.directory / 'mogan.sqlite'),
             'answers': b'\n'.join(self.service.answers)}))
