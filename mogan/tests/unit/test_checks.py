# SPDX-License-Identifier: Apache-2.0
"""Checks of the configuration files, and of services that are away."""

import json
import pathlib
import socket
import tempfile

from oslo_config import cfg
from oslotest import base

import mogan
from mogan.cmd.checks import options
from mogan.tests.unit.test_cmd_database import CommandTest

ROOT = pathlib.Path(mogan.__file__).parents[1]


class TestOptions(base.BaseTestCase):

    def check(self, text):
        with tempfile.TemporaryDirectory() as directory:
            file = pathlib.Path(directory) / 'mogan.conf'
            file.write_text(text)
            conf = cfg.ConfigOpts()
            conf(['--config-file', str(file)])
            found = options._options(conf)
            return found.code, (found.details or '').replace(str(file), '')

    def test_those_of_the_sample_are_known(self):
        path = ROOT / 'etc/mogan/mogan-config-generator.conf'
        named = [line.partition('=')[2].strip()
                 for line in path.read_text().splitlines()
                 if line.startswith('namespace')]
        self.assertEqual(named, list(options.NAMESPACES))

    def test_what_has_an_effect_passes(self):
        self.assertEqual((options.Code.SUCCESS, ''), self.check(
            '[DEFAULT]\ndebug = true\ntransport_url = fake://\n'
            '[api]\nport = 1\n[database]\nconnection = sqlite://\n'
            '[keystone_authtoken]\nauth_type = v3applicationcredential\n'
            'application_credential_id = x\nmemcached_servers = y\n'
            '[ironic]\nauth_type = v3oidcpassword\nclient_id = x\n'
            '[oslo_messaging_rabbit]\nrabbit_quorum_queue = true\n'))

    def test_each_misspelt_one_is_named_with_its_place(self):
        for text, fault in (
                ('[DEFAULT]\nautstrategy = noauth\n',
                 '[DEFAULT] autstrategy is not an option'),
                ('[engine]\nsweap_interval = 1\n',
                 ('[engine] sweap_interval is not an option (did you mean '
                  'sweep_interval?)')),
                ('[engin]\nworkers = 1\n',
                 '[engin] is not an option group (did you mean engine?)'),
                ('[ironic]\nauth_type = password\nclient_id = x\n',
                 '[ironic] client_id is not an option')):
            code, details = self.check(text)
            self.assertEqual(options.Code.WARNING, code, text)
            self.assertIn(f': {fault}', details)


class TestServices(CommandTest):

    def test_what_is_away_is_one_line_each(self):
        with socket.create_server(('127.0.0.1', 0)) as nobody:
            port = nobody.getsockname()[1]
        config = self.directory / 'mogan.conf'
        config.write_text(config.read_text().replace(
            'transport_url = fake://',
            f'transport_url = rabbit://mogan:SECRET@127.0.0.1:{port}/\n'
            f'auth_strategy = keystone')
            + '[engine]\ndriver = ironic\n[ironic]\nauth_type = none\n'
            f'endpoint_override = http://127.0.0.1:{port}\n'
            '[keystone_authtoken]\nauth_type = password\n'
            f'auth_url = http://127.0.0.1:{port}\nusername = mogan\n'
            'password = SECRET\nproject_name = x\n')
        done = self.command('status', 'upgrade', 'check', '--json')
        self.assertNotIn('Traceback', done.stderr)
        self.assertNotIn('SECRET', done.stdout + done.stderr)
        found = {one['check']: one['details']
                 for one in json.loads(done.stdout)['checks']}
        self.assertEqual(2, done.returncode)
        self.assertIn('the broker does not answer: Connection refused',
                      found['Broker'])
        for name in ('Keystone', 'Hardware driver'):
            self.assertIn(str(port), found[name])
        for details in found.values():
            self.assertNotIn('\n', details or '')


class TestPolicies(CommandTest):

    def test_a_directory_in_place_of_the_file_ends_no_other_check(self):
        with (self.directory / 'mogan.conf').open('a') as config:
            config.write(f'[oslo_policy]\npolicy_file = {self.directory}\n')
        found = self.checks()
        for name in ('Policy file', 'Policies'):
            self.assertIn('Is a directory', found[name])
        self.assertIn('Schema', found)
