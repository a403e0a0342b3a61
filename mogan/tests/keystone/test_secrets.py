# SPDX-License-Identifier: Apache-2.0
"""Neither a token nor a password of our own gets into a log or an answer,
whatever comes in and whatever goes wrong."""

import os

from mogan.tests.functional.base import NOWHERE
from mogan.tests.keystone import base
from mogan.tests.keystone.test_tokens import LIST
from mogan.tests.support import secrets, services
from mogan.tests.support.files import temporary_directory
from mogan.tests.support.processes import eventually, free_port
from mogan.tests.support.servers import shared_family

SERVICE = 'service-user-secret-1'
IRONIC = 'ironic-user-secret-2'
MALFORMED = 'gAAAAAmalformed-secret-3'
WORDS = 'no/token@secret-4'
CACHE = 'cache-secret-5'
# Everything is logged, also by libraries that are silent otherwise, and the
# audit is a part of it.
CONF = """\
[DEFAULT]
debug = true
default_log_levels =
[api]
host = 127.0.0.1
port = {port}
workers = 1
[database]
connection = sqlite:///{directory}/mogan.sqlite
[audit]
enabled = true
[audit_middleware_notifications]
use_oslo_messaging = false
[engine]
driver = ironic
workers = 1
[keystone_authtoken]
www_authenticate_uri = {url}
auth_url = {url}
auth_type = password
username = {user}
password = {service}
user_domain_name = Default
project_name = service
project_domain_name = Default
token_cache_time = 1
memcached_servers = 127.0.0.1:1
memcache_security_strategy = ENCRYPT
memcache_secret_key = {cache}
[ironic]
auth_url = {url}
auth_type = password
username = {user}
password = {ironic}
user_domain_name = Default
project_name = service
project_domain_name = Default
"""


class TestSecrets(base.KeystoneTest):

    engines = 0
    disturbs = True

    def setUp(self):
        super().setUp()
        self.directory = temporary_directory(self)
        self.user = f'watcher-{os.urandom(4).hex()}'
        self.keystone.make('user', self.user, domain_id='default',
                           password=SERVICE)
        project = self.deployment.identity('mogan')[1]
        self.keystone.grant(self.user, 'service', f'projects/{project}')
        self.port = free_port()
        self.config = self.directory / 'mogan.conf'
        self.config.write_text(CONF.format(
            directory=self.directory, port=self.port,
            url=self.keystone.url, user=self.user, service=SERVICE,
            ironic=IRONIC, cache=CACHE))
        self.answers = []

    def start(self, name):
        """Start one of the services, whose log is kept; ended with the
        test."""
        service = services.Service(
            name, services.command(name, self.config),
            family=shared_family(), log=self.directory / f'{name}.log')
        self.addCleanup(service.forget)
        service.start()
        return service

    def ask(self, status, token, method='GET', path=LIST, body=None, **more):
        answer = base.TokenClient(self.port, token, **more).request(
            method, path, body)
        self.answers.append(f'{answer.headers}'.encode() + answer.body)
        self.expect(status, answer)

    def up(self):
        """Return True if the server answers."""
        try:
            self.ask(200, None, path='/v1')
        except OSError:
            return False
        return True

    def intrude(self):
        """Tokens of all kinds; those that were good."""
        keystone = self.keystone
        good, revoked, other = (self.log_in(user) for user in (
            'demo', 'demo', 'other'))
        admin = self.log_in('admin')
        for token in (good, revoked, other, admin):
            self.ask(200, token)
        self.ask(404, admin, 'PUT', f'{LIST}/{NOWHERE}/states/lock',
                 {'lock': None})
        self.ask(403, good, 'POST', '/v1/flavors', {})
        keystone.revoke(revoked)
        self.ask(401, revoked)
        unscoped = keystone.log_in('demo', 'unscoped')
        self.ask(403, unscoped)
        for token in (MALFORMED, WORDS, good + MALFORMED):
            self.ask(401, token)
            self.ask(401, good, service_token=token)
        return [good, revoked, other, admin, unscoped]

    def expire(self):
        self.keystone.stop()
        self.keystone.start(expiration=3)
        token = self.log_in('demo')
        eventually(lambda: base.TokenClient(
            self.port, token).get(LIST).status,
            until=lambda status: status == 401)
        self.ask(401, token)
        self.keystone.stop()
        self.ask(503, token)
        return token

    def test_none_gets_out(self):
        done = services.run('dbsync', self.config, 'upgrade')
        self.assertEqual(0, done.returncode, done.stderr)
        engine = self.start('engine')
        api = self.start('api')
        eventually(self.up, within=60)
        tokens = self.intrude()
        eventually(lambda: 'does not take the user' in self.log('engine'),
                   within=60)
        tokens.append(self.expire())
        for process in (api, engine):
            process.terminate()
            self.assertEqual(0, process.wait(60))
        logs = {name: self.log(name).encode() for name in ('api', 'engine')}
        for name in (b' DEBUG keystoneauth', b' DEBUG keystonemiddleware',
                     b' DEBUG urllib3', b'"eventType": "activity"'):
            self.assertIn(name, logs['api'])
        self.assertIn(b' DEBUG keystoneauth', logs['engine'])
        self.assertEqual([], secrets.find(
            {'of the service': SERVICE, 'of Ironic': IRONIC,
             'of the cache': CACHE, 'malformed': MALFORMED, 'words': WORDS}
            | {f'token {number}': token
               for number, token in enumerate(tokens)},
            logs | {'answers': b'\n'.join(self.answers)}))

    def log(self, name):
        return (self.directory / f'{name}.log').read_text()
