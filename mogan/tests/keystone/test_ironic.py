# SPDX-License-Identifier: Apache-2.0
"""The engine logs in to Ironic with Keystone: a real one of each."""

import json
import os
import pathlib
import tempfile

from mogan.baremetal import driver
from mogan.db import actions
from mogan.tests.ironic import base, server, test_outcomes
from mogan.tests.ironic.drivers import make_driver
from mogan.tests.ironic.front import Front
from mogan.tests.keystone.base import shared
from mogan.tests.support import services
from mogan.tests.support.processes import eventually
from mogan.tests.support.servers import Shared

# The catalog says where Ironic is.
LOGIN = {'auth_type': 'password', 'user_domain_name': 'Default',
         'endpoint_override': ''}
SYSTEM = LOGIN | {'username': 'hardware', 'password': 'hardware',
                  'system_scope': 'all'}
PROJECT = LOGIN | {'project_domain_name': 'Default'}
SERVICE = PROJECT | {'username': 'mogan', 'password': 'mogan',
                     'project_name': 'service'}
# To whom no node is shown: none has an owner.
MEMBER = PROJECT | {'username': 'demo', 'password': 'demo',
                    'project_name': 'demo'}


class Pair:
    """Ironic behind the shared Keystone, and a proxy in front of it, which
    the catalog knows.  Ironic remembers no token."""

    def __init__(self):
        self.keystone = shared()
        self.ironic = server.Ironic(authtoken={
            'auth_url': self.keystone.url, 'auth_type': 'password',
            'username': 'mogan', 'password': 'mogan',
            'user_domain_name': 'Default', 'project_name': 'service',
            'project_domain_name': 'Default', 'token_cache_time': -1})
        self.front = Front(self.ironic.port)
        try:
            self._start()
        except BaseException:
            self.close()
            shared.end()
            raise

    def _start(self):
        self.keystone.make('user', 'hardware', domain_id='default',
                           password='hardware')
        for user in ('hardware', 'admin'):
            self.keystone.grant(user, 'admin', 'system')
        self._token = self.keystone.log_in('admin',
                                           {'system': {'all': True}})
        self.ironic.auth = self._sign
        self.ironic.start()
        self.keystone.make_endpoint('baremetal', 'ironic', self.front.url)
        # So that the tests find all of this as well.
        self.keystone.keep()

    def restore(self):
        """Undo what a test has done to either."""
        self.front.seen.clear()
        try:
            shared.restore()
        finally:
            self.ironic.clear()

    def close(self):
        self.front.close()
        self.ironic.close()

    def _sign(self, request):
        request.headers['X-Auth-Token'] = self._token
        return request

    def options(self, login):
        return login | {'auth_url': self.keystone.url}


_shared = Shared(Pair, Pair.restore)


def pair():
    """Return the shared one."""
    server.require()
    if _shared().keystone is not shared():
        _shared.end()
    return _shared()


class StoryTest(base.IronicTest):

    login = SYSTEM

    def deploy(self):
        self.ironic = pair().ironic
        self.addCleanup(_shared.restore)
        return base.IronicDeployment(
            self.ironic, nodes=self.nodes, rules=self.rules,
            options=pair().options(self.login))

    def follow(self):
        """Follow an instance from its create to its delete."""
        uuid = self.make_instance()
        self.lock(uuid)
        node_uuid = self.see(uuid)['node_uuid']
        refused = self.ironic.provision(node_uuid, 'deleted')
        self.assertEqual(403, refused.status_code, refused.text)
        self.ask(uuid, 'unlock')
        self.wait_for(uuid, lock_state='unlocked')
        self.ask(uuid, 'delete')
        self.wait_until_gone(uuid)
        self.assertIsNone(self.ironic.node(node_uuid)['instance_uuid'])


class TestAdministratorOfTheSystem(StoryTest):

    def test_he_may_all_that_the_engine_does(self):
        self.follow()


class TestServiceRole(StoryTest):

    login = SERVICE

    def test_it_may_all_that_the_engine_does(self):
        self.follow()


class TestChangedPassword(StoryTest):

    def test_work_waits_until_it_is_right_again(self):
        uuid = self.make_instance()
        keystone = pair().keystone
        path = f'/users/{keystone.id_of("user", "hardware")}'
        try:
            keystone.do('PATCH', path, {'user': {'password': 'new-secret'}})
            self.expect(202, self.admin.lock(uuid))
            # The tokens of before have ended, and there are no others.
            eventually(
                lambda: [action.error for action in actions.unfinished(
                    self.db, limit=1)], within=60,
                until=lambda seen: 'not take the user' in str(seen))
            self.expect(409, self.admin.delete(f'/v1/instances/{uuid}'))
        finally:
            keystone.do('PATCH', path, {'user': {'password': 'hardware'}})
        self.wait_for(uuid, lock_state='locked')
        self.assertTrue(self.raw(uuid)['protected'])


class TestTokens(test_outcomes.OutcomeTest):
    """A token ends that keystoneauth holds to be good."""

    def install(self):
        self.front = pair().front
        self.addCleanup(_shared.restore)
        return pair().ironic

    def open(self, url=None, **options):
        opened = make_driver(self.ironic.url,
                             **pair().options(SYSTEM) | options)
        self.addCleanup(opened.close)
        return opened

    def revoke(self):
        pair().keystone.revoke(self.driver.client._session.get_token())
        self.front.seen.clear()
        return True

    def test_a_read_gets_another_one(self):
        self.revoke()
        [node] = self.driver.nodes()
        self.assertEqual(self.node_uuid, node.uuid)

    def test_a_call_whose_check_is_refused_is_not_made(self):
        self.revoke()
        self.assertRaises(driver.Unavailable, self.protect, self.driver)
        self.assertEqual(['GET'], [method for method, _ in self.front.seen])
        self.protect(self.driver)
        self.assertTrue(self.node()['protected'])

    def test_a_call_that_is_refused_is_not_sent_again_by_itself(self):
        with self.covering(self.revoke):
            refused = self.assertRaises(driver.Unavailable, self.protect,
                                        self.driver)
        self.assertIn('another login', str(refused))
        self.assertEqual(['PATCH'], [
            method for method, _ in self.front.seen])
        self.assertFalse(self.node()['protected'])
        # The next try begins with its own check, and a token of its own.
        self.protect(self.driver)
        self.assertTrue(self.node()['protected'])

    def test_who_may_not_see_every_node_takes_none_for_gone(self):
        member = self.open(**MEMBER, system_scope='')
        unseen = self.assertRaises(driver.Unavailable, member.look,
                                   [self.node_uuid])
        self.assertIn('it is not certain that it is gone', str(unseen))
        self.assertRaises(driver.Unavailable, member.find,
                          self.spec.instance_uuid)


class TestCheck(test_outcomes.base.BaseTestCase):

    def check(self, login):
        """Exit status, what is wrong with the driver, all that is printed."""
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / 'mogan.conf'
            path.write_text('\n'.join(
                ['[DEFAULT]', 'debug = true', '[database]',
                 f'connection = sqlite:///{directory}/mogan.sqlite',
                 '[engine]', 'driver = ironic', '[ironic]',
                 *(f'{name} = {value}'
                   for name, value in pair().options(login).items())]))
            done = [services.run(
                name, path, *words,
                environment=os.environ | {
                    'HOME': directory, 'PYTHONWARNINGS': 'ignore'})
                for name, *words in (('dbsync', 'upgrade'), (
                    'status', 'upgrade', 'check', '--json'))][1]
        [printed] = [line for line in done.stdout.splitlines()
                     if line.startswith('{')]
        [result] = [each for each in json.loads(printed)['checks']
                    if each['check'] == 'Hardware driver']
        return (done.returncode, result['details'],
                done.stdout + done.stderr)

    def test_who_is_let_in_passes(self):
        for login in (SYSTEM, SERVICE):
            self.assertIsNone(self.check(login)[1])

    def test_a_wrong_password_is_named_and_not_shown(self):
        status, result, printed = self.check(
            SYSTEM | {'password': 'not-so-secret'})
        self.assertEqual(2, status, result)
        self.assertIn('does not take the user and the password', result)
        self.assertNotIn('not-so-secret', printed)

    def test_a_user_without_the_rights_is_told(self):
        status, result, _ = self.check(MEMBER)
        self.assertEqual(2, status, result)
        self.assertIn('Ironic answered 403', result)
