# SPDX-License-Identifier: Apache-2.0
"""Roles: the table roles.yaml, and rules that are overridden."""

import pathlib
from typing import Any, ClassVar

import yaml

from mogan.tests.functional import base, conformity

_TABLE = pathlib.Path(__file__).with_name('roles.yaml')
_USERS = ('admin', 'demo', 'reader', 'other', 'nobody', None)


class RequestsTest(base.FunctionalTest):
    """The objects of the table's requests, and their bodies."""

    def setUp(self):
        super().setUp()
        self.names = {
            'no': base.NOWHERE,
            'user': self.deployment.identity('demo')[0],
            'project': self.deployment.identity('demo')[1],
            'public': self.make_flavor(),
            'hidden': self.make_flavor(is_public=False),
            'disabled': self.make_flavor(disabled=True),
            'deleted': self.put_row(
                deleted_at=base.now())}
        self.in_use = self.hardware.named('node-0').uuid
        self.hardware.set_active(self.in_use, active=True)
        self._number = 0

    def body(self, method: str, path: str) -> Any:
        self._number += 1
        if method == 'PATCH':
            return [{'op': 'replace', 'path': '/description',
                     'value': f'{self._number}'}]
        collection = path.split('/')[-4 if '/states/' in path else -1]
        if (method, path.rsplit('/', 1)[-1], collection) == (
                'PUT', 'lock', 'servers'):
            return {'target': True}
        return {
            ('POST', 'instances'): {
                'name': 'web', 'image_uuid': base.IMAGE,
                'flavor_uuid': self.names['public']},
            ('POST', 'servers'): {'server': {
                'name': 'web', 'image_uuid': base.IMAGE,
                'flavor_uuid': self.names['public']}},
            ('POST', 'manageable_servers'): {
                'name': 'legacy', 'node_uuid': self.in_use},
            ('POST', 'keypairs'): {'name': f'new {self._number}'},
            ('POST', 'flavors'): {
                'name': f'new {self._number}', 'resources': {'A': 1}},
            ('PUT', 'lock'): {'lock': None},
            ('PUT', 'unlock'): {'unlock': None},
            ('PUT', 'power'): {'target': 'off'},
            ('PUT', 'provision'): {
                'target': 'rebuild', 'image_uuid': base.IMAGE},
        }.get((method, path.rsplit('/', 1)[-1]))


class TestRoles(conformity.Conforming, RequestsTest):

    def test_everybody_gets_what_the_table_says(self):
        for request, *expected in yaml.safe_load(_TABLE.read_text()):
            method, path = request.split(' ', 1)
            for user, status in zip(_USERS, expected, strict=True):
                names = self.names | {'mine': self.put_row(),
                                      'unused': self.make_flavor()}
                if '{pair}' in path:
                    names['pair'] = f'pair-{self._number}'
                    self.demo.post('/v1/keypairs', {'name': names['pair']})
                    self._number += 1
                answer = self.deployment.client(user).request(
                    method, path.format(**names), self.body(method, path))
                self.assertEqual(
                    status, answer.status, (user, request, answer.body))
        self.assertEqual(set(), conformity.successes() - self.seen)

    def test_only_admins_see_nodes_and_who_has_locked(self):
        uuid = self.put_row('active', 'locked', locked_reason='disk swap',
                            node_protection='applied')
        secret = {'node_uuid', 'locked_by', 'node_protection'}
        path = f'/v1/instances/{uuid}'
        self.assertLessEqual(secret, self.admin.get(path).json.keys())
        for client in (self.demo, self.reader):
            for seen in (client.get(path).json,
                         client.get('/v1/instances/detail')
                         .json['instances'][0],
                         client.get(f'{path}/states').json):
                self.assertTrue(secret.isdisjoint(seen.keys()), seen)
                self.assertEqual('disk swap', seen['locked_reason'])
        self.assertIn('locked_by',
                      self.admin.get(f'{path}/states').json)
        self.demo.delete(path)
        self.assertIn('user_id', self.history(uuid)[0])
        self.assertNotIn('user_id', self.demo.get(
            f'{path}/actions').json['actions'][0])

    def test_headers_give_nobody_another_identity(self):
        uuid = self.put_row()
        project = self.deployment.identity('demo')[1]
        forged = {'X-Roles': 'admin', 'X-Role': 'admin',
                  'X-Project-Id': project, 'X-User-Id': 'admin',
                  'X-Identity-Status': 'Confirmed',
                  'X-Is-Admin-Project': 'True', 'X-Tenant-Id': project,
                  'X-Service-Roles': 'admin', 'X-System-Scope': 'all'}
        path = f'/v1/instances/{uuid}'
        for client, status in ((self.anonymous, 401), (self.other, 404)):
            self.expect(status, client.get(path, headers=forged))
        self.expect(403, self.other.lock(uuid, headers=forged))
        self.expect(403, self.demo.lock(uuid, headers=forged))
        self.assertEqual('unlocked', self.row(uuid)['lock_state'])


class TestOwnersThatMayLock(base.FunctionalTest):

    engines = 0
    rules: ClassVar = {'mogan:instance:lock':
             'role:admin or (role:member and project_id:%(project_id)s)'}

    def test_an_owner_locks_what_is_his_and_nothing_else(self):
        uuid = self.put_row()
        path = f'/v1/instances/{uuid}/states/lock'
        self.expect(403, self.other.put(path, {'lock': None}))
        self.expect(403, self.reader.put(path, {'lock': None}))
        self.assertEqual('unlocked', self.row(uuid)['lock_state'])
        self.expect(202, self.demo.put(path, {'lock': None}))
        self.assertEqual(self.deployment.identity('demo')[0],
                         self.row(uuid)['locked_by'])
        # The other rule is as it was.
        self.expect(403, self.demo.unlock(uuid))

    def test_a_missing_instance_and_a_foreign_one_look_alike(self):
        answers = [self.other.lock(uuid)
                   for uuid in (self.put_row(), base.NOWHERE, 'x')]
        self.assertEqual([403, 403, 403],
                         [answer.status for answer in answers])
        self.assertEqual(1, len({answer.body for answer in answers}))


class TestOwnersThatOperate(base.FunctionalTest):

    engines = 0
    rules: ClassVar = {'mogan:instance:operate_locked':
             'role:admin or (role:member and project_id:%(project_id)s)'}

    def test_an_owner_turns_off_what_is_locked_but_deletes_it_not(self):
        uuid = self.put_row('active', 'locked')
        path = f'/v1/instances/{uuid}'
        self.expect(200, self.demo.patch(path, [
            {'op': 'replace', 'path': '/name', 'value': 'db'}]))
        self.expect(202, self.demo.power(uuid, 'off'))
        self.expect(409, self.demo.delete(path))
        self.expect(409, self.demo.rebuild(uuid, base.IMAGE))


class TestSupportThatSeesAll(base.FunctionalTest):

    engines = 0
    rules: ClassVar = {'mogan:instance:get_one': 'role:admin or role:reader'}

    def test_what_may_be_seen_and_not_changed_is_forbidden(self):
        path = f'/v1/instances/{self.put_row()}'
        self.expect(200, self.other.get(path))
        self.expect(403, self.other.delete(path))
        self.expect(403, self.other.put(f'{path}/states/power',
                                        {'target': 'off'}))
