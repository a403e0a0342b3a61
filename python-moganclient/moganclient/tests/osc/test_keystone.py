# SPDX-License-Identifier: Apache-2.0
"""The commands of users of a real Keystone, whose catalog has the service.

MOGAN_TEST_KEYSTONE names the directory with its commands (`tox -e
moganclient` sets it).
"""

import importlib.util
import pathlib
import unittest

import fixtures
import yaml

from moganclient.tests.osc import base

_USERS = {'mogan': 'admin', 'mogan-demo': 'demo'}


class TestKeystone(base.OpenstackTest):

    def setUp(self):
        super().setUp()
        if importlib.util.find_spec('mogan') is None:
            raise unittest.SkipTest('the service is not installed here')
        from mogan.tests.keystone import base as behind  # noqa: PLC0415
        from mogan.tests.support import deployment  # noqa: PLC0415
        self.keystone = behind.shared()
        self.addCleanup(behind.shared.restore)
        deployed = behind.KeystoneDeployment(self.keystone, rules={},
                                             options={})
        self.addCleanup(deployed.close)
        deployed.start_engine()
        made = deployed.client('admin').post('/v1/flavors', {
            'name': 'baremetal-small', 'resources': {deployment.SMALL: 1}})
        self.assertEqual(201, made.status)
        self.endpoint = f'http://127.0.0.1:{deployed.port}'
        self.enter(f'{self.endpoint}/v1')
        self.directory = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path)
        self.clouds = self.directory / 'clouds.yaml'
        self.clouds.write_text(yaml.safe_dump({'clouds': {
            cloud: {'auth': self.auth(user)}
            for cloud, user in _USERS.items()}}))

    def auth(self, user):
        """Return a user's credentials, for the project of the same name."""
        return {'auth_url': self.keystone.url, 'username': user,
                'password': user, 'project_name': user,
                'user_domain_id': 'default', 'project_domain_id': 'default'}

    def enter(self, url):
        """Let the catalog say where the service is now."""
        self.leave()
        self.keystone.make_endpoint('baremetal_compute', 'mogan', url)

    def leave(self):
        """Let the catalog say nothing of it."""
        do = self.keystone.do
        for one in do('GET', '/services?type=baremetal_compute')['services']:
            do('DELETE', f'/services/{one["id"]}')

    def test_a_lock_holds_until_an_administrator_unlocks(self):
        self.create('web-1', cloud='mogan-demo')
        self.assertIn('Policy does not allow mogan:instance:lock',
                      self.refused('instance lock web-1', cloud='mogan-demo'))
        [row] = self.ask('instance lock web-1 --wait --reason',
                         'disk swap, ticket 4711')
        self.assertEqual('locked', row['Result'])
        admin = self.keystone.id_of('user', 'admin')
        [row] = self.ask('instance list --all-projects --locked')
        self.assertIn('Project', row)
        [row] = self.ask('instance list --all-projects --locked --long')
        self.assertEqual(('web-1', admin), (row['Name'], row['Locked By']))
        for options, holder in (({'cloud': 'mogan-demo'}, ''),
                                ({}, f' by {admin}')):
            self.assertRegex(
                self.refused('instance delete', self.uuid('web-1'),
                             **options),
                rf' is locked since 20\S+Z{holder}: disk swap, ticket 4711\. '
                'An administrator releases it with: openstack ')
        self.assertIn('Policy does not allow mogan:instance:unlock',
                      self.refused('instance unlock web-1',
                                   cloud='mogan-demo'))
        # Here the address ends without the version.
        self.enter(self.endpoint)
        [row] = self.ask('instance unlock web-1 --wait')
        self.assertEqual('unlocked', row['Result'])
        [row] = self.ask('instance delete web-1 --wait', cloud='mogan-demo')
        self.assertEqual('deleted', row['Result'])

    def uuid(self, name):
        return self.ask(f'instance show {name}', cloud='mogan-demo')['uuid']

    def log_in(self):
        """Return a new token of demo."""
        return self.keystone.log_in('demo', {'project': {
            'name': 'demo', 'domain': {'id': 'default'}}})

    def ways(self, token):
        """Yield the ways to use a token: as it is, and for a new one."""
        yield {'OS_AUTH_TYPE': 'admin_token', 'OS_TOKEN': token,
               'OS_ENDPOINT': f'{self.endpoint}/v1'}
        yield {'OS_AUTH_TYPE': 'v3token', 'OS_TOKEN': token,
               'OS_AUTH_URL': self.keystone.url, 'OS_PROJECT_NAME': 'demo',
               'OS_PROJECT_DOMAIN_ID': 'default'}

    def test_whoever_is_not_let_in_is_told_so_in_one_line(self):
        for way in self.ways(self.log_in()):
            self.assertEqual([], self.ask('instance list', cloud=None,
                                          more=way))
        # One that the service has seen is good for some minutes more.
        revoked = self.log_in()
        self.keystone.revoke(revoked)
        wrong = {f'OS_{name.upper()}': value for name, value in (
            self.auth('demo') | {'password': 'wrong'}).items()}
        # The last two are openstackclient's own, before the command.
        for way, line in zip(
                (*self.ways(revoked), wrong),
                ('^Not authenticated: The request needs valid credentials',
                 '^Failed to validate token ',
                 '^The request you have made requires authentication'),
                strict=True):
            self.assertRegex(
                self.refused('instance list', cloud=None, more=way), line)
        self.enter('http://127.0.0.1:1')
        self.assertRegex(self.refused('instance list'),
                         '^The service does not answer: .+ refused$')
        self.leave()
        self.assertIn('baremetal_compute', self.refused('instance list'))
