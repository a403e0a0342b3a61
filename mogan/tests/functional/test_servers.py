# SPDX-License-Identifier: Apache-2.0
"""Instances under the name of servers: the same thing in other words."""

from typing import Any, ClassVar

from mogan.tests.functional import base, conformity, test_races


class TestServers(conformity.Conforming, base.FunctionalTest):

    engines = 0

    def test_a_server_and_an_instance_are_one(self):
        flavor = self.make_flavor()
        answer = self.expect(201, self.demo.post('/v1/servers', {'server': {
            'name': 'web', 'flavor_uuid': flavor, 'image_uuid': base.IMAGE,
            'networks': [{'net_id': base.NOWHERE}], 'min_count': 1,
            'max_count': '1', 'personality': [],
            'partitions': {'root_gb': '10'}}, 'scheduler_hints': {}}))
        path = f'/v1/servers/{answer.json["uuid"]}'
        self.assertTrue(answer.headers['location'].endswith(path))
        for address in (answer.headers['location'], path,
                        *(link['href'] for link in answer.json['links'])):
            self.assertEqual(answer.json, self.demo.get(address).json)
        self.assertEqual({'root_gb': 10}, answer.json['partitions'])
        self.assertEqual({}, answer.json['addresses'])
        instance = self.demo.get(
            f'/v1/instances/{answer.json["uuid"]}').json
        self.assertEqual({'addresses'},
                         answer.json.keys() - instance.keys())
        for name in instance.keys() - {'links'}:
            self.assertEqual(instance[name], answer.json[name])

    def test_lists_have_the_same_members_under_both_names(self):
        uuids = [self.put_row(name=name) for name in ('web', 'db', 'web-2')]
        self.put_row(project_id='other')
        for query in ('', '?name=web', '?all_tenants=False',
                      '?sort_key=name&sort_dir=desc', '?status=active'):
            servers, instances = (
                self.expect(200, self.demo.get(f'/v1/{kind}{query}'))
                .json[kind] for kind in ('servers', 'instances'))
            self.assertEqual([one['uuid'] for one in instances],
                             [one['uuid'] for one in servers])
        [one] = self.demo.get('/v1/servers?name=db').json['servers']
        self.assertEqual({'uuid', 'name', 'description', 'status',
                          'power_state', 'locked', 'links', 'addresses'},
                         one.keys())
        self.assertEqual(4, len(self.admin.get(
            '/v1/servers/detail?all_tenants=True').json['servers']))
        seen, path = [], '/v1/servers/detail?limit=2'
        while path:
            page = self.demo.get(path).json
            seen += [one['uuid'] for one in page['servers']]
            path = page.get('next')
            self.assertNotIn('instances', path or '')
        self.assertEqual(uuids, seen)

    def test_every_word_for_a_boolean_locks_or_unlocks(self):
        uuid = self.put_row()
        for target, state in (
                (True, 'locking'), (False, 'unlocking'),
                ('true', 'locking'), ('False', 'unlocking'),
                ('TRUE', 'locking'), ('0', 'unlocking'), ('On', 'locking'),
                ('on', 'locking'), ('no', 'unlocking')):
            self.expect(202, self.admin.put(
                f'/v1/servers/{uuid}/states/lock', {'target': target}))
            self.assertEqual(state, self.row(uuid)['lock_state'], target)

    def test_what_cannot_be_locked_is_refused(self):
        for status in ('building', 'rebuilding', 'deleting'):
            uuid = self.put_row(status)
            path = f'/v1/servers/{uuid}/states/lock'
            self.assertIn(status, self.expect(409, self.admin.put(
                path, {'target': True})).message)
            self.expect(202, self.admin.put(path, {'target': False}))

    def test_a_locked_server_is_there_for_everybody(self):
        uuid = self.put_row()
        path = f'/v1/servers/{uuid}'
        self.expect(202, self.admin.put(f'{path}/states/lock',
                                        {'target': True}))
        for client in (self.demo, self.admin):
            for answer in (
                    client.delete(path), client.put(
                        f'{path}/states/provision',
                        {'target': 'rebuild', 'preserve_ephemeral': False})):
                self.assertIn('lock', self.expect(409, answer).json['error'])
        self.expect(409, self.demo.patch(path, [
            {'op': 'replace', 'path': '/name', 'value': 'db'}]))
        self.expect(409, self.demo.put(f'{path}/states/power',
                                       {'target': 'off'}))
        self.assertEqual(('active', 'locking'), (
            self.row(uuid)['status'], self.row(uuid)['lock_state']))

    def test_a_rebuild_takes_the_image_that_is_there(self):
        for dialect, values in (('servers', {'preserve_ephemeral': None}),
                                ('instances', {})):
            uuid = self.put_row(image_uuid=base.OTHER_IMAGE)
            path = f'/v1/{dialect}/{uuid}/states/provision'
            for status in (202, 409):
                self.expect(status, self.demo.put(
                    path, {'target': 'rebuild'} | values))
            self.assertEqual({'image_uuid': base.OTHER_IMAGE},
                             self.history(uuid)[0]['arguments'])

    def test_one_that_is_not_known_has_to_be_named(self):
        for dialect in ('servers', 'instances'):
            uuid = self.put_row(image_uuid=None)
            path = f'/v1/{dialect}/{uuid}/states/provision'
            answer = self.expect(400, self.demo.put(
                path, {'target': 'rebuild'}))
            self.assertIn('$.image_uuid', answer.message)
            answer = self.expect(202, self.demo.put(
                path, {'target': 'rebuild', 'image_uuid': base.IMAGE}))
            self.assertTrue(answer.headers['location'].endswith(
                f'/v1/{dialect}/{uuid}/states'))
            self.assertEqual('rebuilding', self.demo.get(
                answer.headers['location']).json['status'])


class _Rules(base.FunctionalTest):
    """Owners have the one right of the two."""

    engines = 0

    def _lock(self, uuid: str, target: Any) -> int:
        return self.demo.put(f'/v1/servers/{uuid}/states/lock',
                             {'target': target}).status


class TestOwnersThatMayLock(_Rules):

    rules: ClassVar = {'mogan:instance:lock':
                       'role:member and project_id:%(project_id)s'}

    def test_they_lock_and_unlock_nothing(self):
        uuid = self.put_row()
        for target, status in ((False, 403), ('False', 403), (None, 400),
                               (True, 202), ('off', 403), ('yes', 202)):
            self.assertEqual(status, self._lock(uuid, target), target)
        self.assertEqual('locking', self.row(uuid)['lock_state'])
        self.assertEqual(403, self._lock(self.put_row(project_id='x'), True))


class TestOwnersThatMayUnlock(_Rules):

    rules: ClassVar = {'mogan:instance:unlock':
                       'role:member and project_id:%(project_id)s'}

    def test_they_unlock_and_lock_nothing(self):
        uuid = self.put_row('active', 'locked')
        for target, status in ((True, 403), ('True', 403), (None, 403),
                               (False, 202), ('on', 403)):
            self.assertEqual(status, self._lock(uuid, target), target)
        self.assertEqual('unlocking', self.row(uuid)['lock_state'])


class TestRaces(test_races.TestRaces):
    """The same races, locked and unlocked as servers, deleted as
    instances."""

    def _lock(self, uuid: str) -> Any:
        return lambda number: self.admins[number % 2].put(
            f'/v1/servers/{uuid}/states/lock', {'target': True})

    def _unlock(self, uuid: str) -> Any:
        return lambda number: self.admins[number % 2].put(
            f'/v1/servers/{uuid}/states/lock', {'target': False})
