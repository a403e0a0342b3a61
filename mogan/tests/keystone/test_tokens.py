# SPDX-License-Identifier: Apache-2.0
"""Tokens of every kind, and the answers to them."""

import concurrent.futures
import time

from oslo_utils import uuidutils

from mogan.tests.keystone import base, server
from mogan.tests.support.processes import eventually

LIST = '/v1/instances'
# Seconds for which a token is remembered in these tests.
REMEMBERED = 2


class TestScopes(base.KeystoneTest):

    engines = 0

    def test_each_project_sees_its_own(self):
        mine = self.put_row()
        for user, seen in (('demo', [mine]), ('manager', [mine]),
                           ('reader', [mine]), ('other', []),
                           ('other-reader', [])):
            answer = self.expect(200, self.deployment.client(user).get(LIST))
            self.assertEqual(seen, [
                one['uuid'] for one in answer.json['instances']], user)
        self.expect(404, self.deployment.client('other-reader').get(
            f'{LIST}/{mine}'))
        # The administrator works on those of every project.
        self.expect(200, self.admin.get(f'{LIST}/{mine}'))

    def test_a_token_for_no_project_says_what_is_missing(self):
        self.keystone.grant('admin', 'admin', 'system')
        for scope in ({'system': {'all': True}},
                      {'domain': {'id': 'default'}}):
            holder = self.with_token(self.keystone.log_in('admin', scope))
            for path in (LIST, '/v1/flavors', '/v1/nodes'):
                answer = self.expect(403, holder.get(path))
                self.assertIn('project-scoped token', answer.message)

    def test_an_unscoped_token_is_one_for_no_project(self):
        unscoped = self.keystone.log_in('demo', 'unscoped')
        answer = self.expect(403, self.with_token(unscoped).get(LIST))
        self.assertIn('project-scoped token', answer.message)

    def test_the_service_users_own_token_may_nothing(self):
        self.expect(403, self.deployment.client('mogan').get(LIST))


class TestRefusedTokens(base.KeystoneTest):

    engines = 0

    def _refused(self, token, **options):
        answer = self.expect(401, self.with_token(token, **options)
                             .get(LIST))
        self.assertEqual({'code', 'title', 'message'},
                         answer.json['error'].keys())
        self.assertEqual(f'Keystone uri="{self.keystone.url}"',
                         answer.headers['www-authenticate'])
        self.assertRegex(answer.headers['x-openstack-request-id'], '^req-')

    def test_what_is_no_token_is_refused(self):
        good = self.log_in('demo')
        for token in (None, '', ' ', 'x', good[:-1], good + 'x',
                      good[::-1], 'gAAAAA' + 'x' * 200, 'a b', 'a\tb',
                      b'\xff\xfe', 'ä', '../users', 'x' * 300,
                      'x' * 9_000, 'x' * 50_000, '%00', '{}',
                      good + ',' + good):
            self._refused(token)
        self.expect(200, self.with_token(good).get(LIST))

    def test_a_service_token_that_is_none_is_refused(self):
        good = self.log_in('demo')
        for token in ('x', 'ä', self.log_in('other')):
            self._refused(good, service_token=token)

    def test_a_user_that_is_gone_is_out(self):
        keystone = self.keystone
        user_id = keystone.make('user', 'leaver', domain_id='default',
                                password='leaver')
        project_id = self.deployment.identity('demo')[1]
        keystone.grant('leaver', 'member', f'projects/{project_id}')
        token = keystone.log_in('leaver', server.in_project('demo'))
        keystone.do('DELETE', f'/users/{user_id}')
        self._refused(token)


class TestServiceTokens(base.KeystoneTest):
    """A service passes on the token of its user."""

    engines = 0
    disturbs = True

    def test_an_expired_token_counts_beside_a_services_token_only(self):
        uuid = self.put_row()
        self.keystone.stop()
        self.keystone.start(expiration=5)
        token = self.log_in('demo')
        self.expect(200, self.with_token(token).get(LIST))
        # Though it is remembered for longer.
        answer = eventually(lambda: self.with_token(token).get(LIST),
                            until=lambda answer: answer.status != 200)
        self.expect(401, answer)

        self.keystone.stop()
        self.keystone.start()
        for user, status in (('mogan', 200), ('other', 401)):
            self.expect(status, self.with_token(
                token, service_token=self.log_in(user)).get(
                    f'{LIST}/{uuid}'))
        # The rights are the user's.
        self.expect(403, self.with_token(
            token, service_token=self.log_in('mogan')).put(
                f'{LIST}/{uuid}/states/lock', {'lock': None}))


class TestApplicationCredentials(base.KeystoneTest):

    engines = 0

    def _holder(self, **values):
        [user_id, _] = self.deployment.identity('demo')
        made = self.keystone.do(
            'POST', f'/users/{user_id}/application_credentials',
            {'application_credential': {
                'name': uuidutils.generate_uuid(), 'secret': 's'} | values},
            headers={'X-Auth-Token': self.deployment.token('demo')})
        return self.with_token(self.keystone.log_in('demo', method={
            'methods': ['application_credential'],
            'application_credential': {
                'id': made['application_credential']['id'],
                'secret': 's'}}))

    def test_one_has_its_roles(self):
        path = f'{LIST}/{self.put_row()}'
        holder = self._holder(roles=[{'name': 'reader'}])
        self.expect(200, holder.get(path))
        self.expect(403, holder.delete(path))

    def test_one_that_is_restricted_to_another_service_is_refused(self):
        holder = self._holder(access_rules=[{
            'service': 'compute', 'method': 'GET', 'path': '/**'}])
        self.expect(401, holder.get(LIST))


class TestRevokedTokens(base.KeystoneTest):

    engines = 0
    options = {'token_cache_time': REMEMBERED}  # noqa: RUF012 - read only

    def test_a_token_that_is_remembered_ends_in_the_documented_time(self):
        token = self.log_in('demo')
        holder = self.with_token(token)
        self.expect(200, holder.get(LIST))
        self.keystone.revoke(token)
        revoked = time.monotonic()
        answer = eventually(lambda: holder.get(LIST),
                            until=lambda answer: answer.status != 200)
        self.expect(401, answer)
        # A second for the cache, which counts in whole ones, and one for
        # a busy machine.
        self.assertLess(time.monotonic() - revoked, REMEMBERED + 2)

    def test_a_token_that_is_not_remembered_ends_at_once(self):
        token = self.log_in('demo')
        self.keystone.revoke(token)
        self.expect(401, self.with_token(token).get(LIST))


class TestManyWrongTokens(base.KeystoneTest):

    engines = 0

    def test_they_keep_nobody_else_waiting_for_long(self):
        holder = self.with_token(self.log_in('demo'))
        self.expect(200, holder.get(LIST))

        def intrude(number):
            return self.with_token(f'gAAAAA{number}').get(LIST).status

        waited = []
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            intruders = [pool.submit(intrude, number)
                         for number in range(150)]
            while not all(one.done() for one in intruders):
                began = time.monotonic()
                self.expect(200, holder.get(LIST))
                waited.append(time.monotonic() - began)
        answers = {one.result() for one in intruders}
        self.assertIn(401, answers)
        # Some are turned away before Keystone is asked.
        self.assertLessEqual(answers, {401, 503})
        self.assertLess(max(waited), 5)
        # Newcomers are as welcome as before.
        self.expect(200, self.with_token(self.log_in('other')).get(LIST))
