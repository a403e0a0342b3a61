# SPDX-License-Identifier: Apache-2.0
"""Lists: what is in them, in which order, and page by page."""

import itertools
from typing import Any

import sqlalchemy as sa

from mogan.db import models
from mogan.tests.functional import base

_FLAVORS = ['a0000000-0000-0000-0000-000000000000',
            'b0000000-0000-0000-0000-000000000000']


class TestLists(base.FunctionalTest):
    """Twenty instances of demo, five of another project, four deleted."""

    engines = 0

    def setUp(self):
        super().setUp()
        self.mine: list[dict[str, Any]] = []
        for number in range(20):
            lock_state = ('unlocked', 'locking', 'locked',
                          'unlocking')[number % 4]
            status = ('active', 'stopped', 'error')[number % 3]
            values = {'name': f'{"web" if number % 5 else "Db"}{number % 7}',
                      'flavor_uuid': _FLAVORS[number % 2],
                      'node_uuid': f'{number:08}-0000-0000-0000-{0:012}'}
            uuid = self.put_row(status, lock_state, **values)
            self.mine.append(values | {
                'uuid': uuid, 'status': status, 'number': number,
                'locked': lock_state != 'unlocked'})
            if number % 4 == 0:
                self.put_row(project_id='other', name='theirs')
            if number % 5 == 0:
                self.put_row(deleted_at=base.now(), node_uuid=None)

    def _list(self, query: str = '', client: Any = None) -> list[str]:
        """Return the uuids of all pages, in their order."""
        client = client or self.demo
        path, uuids = f'/v1/instances?{query}', []
        while path:
            page = self.expect(200, client.get(path)).json
            uuids += [one['uuid'] for one in page['instances']]
            path = page.get('next')
        return uuids

    def _expected(self, **wanted: Any) -> list[str]:
        return [one['uuid'] for one in self.mine
                if wanted.items() <= one.items()]

    def test_each_sees_his_own_instances_in_the_order_of_creation(self):
        self.assertEqual(self._expected(), self._list())
        self.assertEqual(5, len(self._list(client=self.other)))
        self.assertEqual([], self._list(client=self.admin))
        self.assertEqual(25, len(self._list('all_tenants=true',
                                            self.admin)))
        self.assertEqual(self._expected(), self._list(
            'all_tenants=1&project_id=demo', self.admin))

    def test_every_filter_finds_what_it_names(self):
        for query, wanted in (
                ('status=error', {'status': 'error'}),
                ('locked=true', {'locked': True}),
                ('locked=yes', {'locked': True}),
                ('locked=false', {'locked': False}),
                ('locked=0', {'locked': False}),
                (f'flavor_uuid={_FLAVORS[1]}',
                 {'flavor_uuid': _FLAVORS[1]}),
                ('status=active&locked=true',
                 {'status': 'active', 'locked': True}),
                ('status=deleting', {'status': 'deleting'})):
            self.assertEqual(self._expected(**wanted), self._list(query),
                             query)
        node_uuid = self.mine[3]['node_uuid']
        self.assertEqual([self.mine[3]['uuid']], self._list(
            f'all_tenants=true&node_uuid={node_uuid}', self.admin))

    def test_a_name_is_found_by_a_part_of_it_in_any_case(self):
        dbs = [one['uuid'] for one in self.mine if 'Db' in one['name']]
        for part in ('db', 'DB', 'Db'):
            self.assertEqual(dbs, self._list(f'name={part}'))
        for wildcard in ('%25', '_', '%2F', '%5C', 'w%25b'):
            self.assertEqual([], self._list(f'name={wildcard}'), wildcard)
        uuid = self.put_row(name=r'100%_a\b/c')
        for part in ('%25', '%25_', '%5C', '/c', '_a'):
            self.assertEqual([uuid], self._list(f'name={part}'), part)

    def test_pages_of_any_size_make_up_the_same_list(self):
        for query, limit in itertools.product(
                ('', 'sort_dir=desc&', 'sort_key=name&',
                 'sort_key=name&sort_dir=desc&', 'sort_key=status&',
                 'sort_key=status&sort_dir=desc&', 'locked=true&',
                 'sort_key=created_at&', 'status=active&sort_key=status&',
                 'locked=false&sort_key=name&',
                 'sort_key=name&name=e&'), (1, 3, 19, 20, 21)):
            self.assertEqual(self._list(f'{query}limit=1000'),
                             self._list(f'{query}limit={limit}'),
                             (query, limit))

    def test_a_sorted_list_is_in_that_order(self):
        for key in ('name', 'status'):
            ascending = self._list(f'sort_key={key}')
            self.assertEqual(set(self._expected()), set(ascending))
            values = {one['uuid']: one[key] for one in self.mine}
            numbers = {one['uuid']: one['number'] for one in self.mine}
            groups = [(value, [numbers[uuid] for uuid in uuids])
                      for value, uuids in itertools.groupby(
                          ascending, key=values.get)]
            # The database's own order of texts may know languages.
            self.assertEqual(len({value for value, _ in groups}),
                             len(groups))
            for _, inside in groups:
                self.assertEqual(sorted(inside), inside)
            self.assertEqual(ascending[::-1],
                             self._list(f'sort_key={key}&sort_dir=desc'))

    def test_there_is_a_next_link_only_where_there_is_more(self):
        for limit, more in ((19, True), (20, False), (21, False)):
            page = self.demo.get(f'/v1/instances?limit={limit}').json
            self.assertEqual(more, 'next' in page, limit)

    def test_the_next_link_keeps_all_arguments(self):
        page = self.demo.get(
            '/v1/instances/detail?limit=2&locked=true&sort_key=name'
            '&name=e%26b%20').json
        self.assertEqual({'instances': []}, page)
        self.put_row(name='e&b 1')
        self.put_row(name='e&b 2')
        link = self.demo.get(
            '/v1/instances/detail?limit=1&sort_key=name'
            '&name=e%26b%20').json['next']
        for part in ('/v1/instances/detail?', 'limit=1', 'sort_key=name',
                     'name=e%26b', 'marker='):
            self.assertIn(part, link)
        [second] = self.demo.get(link).json['instances']
        self.assertEqual('e&b 2', second['name'])

    def test_a_walk_goes_on_when_its_place_is_deleted(self):
        page = self.demo.get('/v1/instances?limit=7').json
        last = page['instances'][-1]['uuid']
        with self.db.writer() as connection:
            connection.execute(
                sa.update(models.instances)
                .where(models.instances.c.uuid == last)
                .values(deleted_at=base.now()))
        self.put_row(name='new')
        seen = [one['uuid'] for one in
                self.demo.get(page['next']).json['instances']]
        self.assertEqual(self._expected()[7:14], seen)

    def test_a_marker_has_to_be_an_instance_of_the_list(self):
        theirs = self._list(client=self.other)[0]
        for marker in (theirs, base.NOWHERE):
            answer = self.expect(400, self.demo.get(
                f'/v1/instances?marker={marker}'))
            self.assertIn('marker', answer.message)
        self.expect(200, self.admin.get(
            f'/v1/instances?all_tenants=true&marker={theirs}'))

    def test_the_caller_chooses_the_fields(self):
        for path in ('/v1/instances', '/v1/instances/detail'):
            [one] = self.demo.get(f'{path}?limit=1&fields=name,locked,fault'
                                  ).json['instances']
            self.assertEqual({'name', 'locked', 'fault'}, one.keys())
        [one] = self.demo.get('/v1/instances?limit=1').json['instances']
        self.assertEqual({'uuid', 'name', 'description', 'status',
                          'power_state', 'locked', 'links'}, one.keys())
        [one] = self.demo.get(
            '/v1/instances/detail?limit=1').json['instances']
        self.assertEqual(self.demo.get(
            f'/v1/instances/{one["uuid"]}').json, one)
        [one] = self.admin.get(
            '/v1/instances/detail?all_tenants=true&limit=1'
            ).json['instances']
        self.assertIn('locked_by', one)
        self.assertEqual(self.admin.get(
            f'/v1/instances/{one["uuid"]}').json, one)
        [one] = self.admin.get(
            '/v1/instances?all_tenants=true&limit=1&fields=node_uuid'
            ).json['instances']
        self.assertEqual({'node_uuid': self.mine[0]['node_uuid']}, one)

    def test_links_lead_to_the_instance(self):
        [one] = self.demo.get('/v1/instances?limit=1').json['instances']
        for link in one['links']:
            self.assertEqual(one['uuid'],
                             self.demo.get(link['href']).json['uuid'])
        self.assertEqual(['self', 'bookmark'],
                         [link['rel'] for link in one['links']])


class TestFlavors(base.FunctionalTest):

    engines = 0

    def test_only_admins_see_hidden_ones(self):
        public = self.make_flavor(name='public')
        hidden = self.make_flavor(name='hidden', is_public=False)
        disabled = self.make_flavor(name='disabled', disabled='true')
        self.assertEqual(
            [public, hidden, disabled],
            [one['uuid'] for one in
             self.admin.get('/v1/flavors').json['flavors']])
        self.assertEqual([public], [one['uuid'] for one in self.demo.get(
            '/v1/flavors').json['flavors']])
        # Nor are they told by where a list goes on.
        self.expect(400, self.demo.get(f'/v1/flavors?marker={hidden}'))
        self.expect(200, self.admin.get(f'/v1/flavors?marker={hidden}'))

    def test_they_come_in_pages(self):
        uuids = [self.make_flavor() for _ in range(5)]
        seen, path = [], '/v1/flavors?limit=2'
        while path:
            page = self.demo.get(path).json
            seen += [one['uuid'] for one in page['flavors']]
            path = page.get('next')
        self.assertEqual(uuids, seen)

    def test_an_instance_gets_no_flavor_that_is_not_offered(self):
        wanted = {'name': 'web', 'image_uuid': base.IMAGE}
        hidden = self.make_flavor(is_public=False)
        disabled = self.make_flavor(disabled=True)
        for client, flavor, status in (
                (self.demo, hidden, 400), (self.demo, disabled, 400),
                (self.demo, base.NOWHERE, 400), (self.admin, hidden, 201),
                (self.admin, disabled, 400)):
            answer = self.expect(status, client.post(
                '/v1/instances', wanted | {'flavor_uuid': flavor}))
            if status == 400:
                self.assertIn('flavor_uuid', answer.message)
        self.assertEqual([], self.demo.get(
            '/v1/instances').json['instances'])

    def test_one_in_use_stays_until_its_last_instance_is_gone(self):
        flavor = self.make_flavor()
        path = f'/v1/flavors/{flavor}'
        uuid = self.put_row(flavor_uuid=flavor)
        self.assertIn('in use', self.expect(
            409, self.admin.delete(path)).message)
        with self.db.writer() as connection:
            connection.execute(
                sa.update(models.instances)
                .where(models.instances.c.uuid == uuid)
                .values(deleted_at=base.now()))
        self.expect(204, self.admin.delete(path))
        self.expect(404, self.admin.get(path))
        self.expect(404, self.admin.delete(path))

    def test_two_cannot_have_one_name(self):
        self.make_flavor(name='small')
        large = self.make_flavor(name='large')
        for answer in (
                self.admin.post('/v1/flavors', {
                    'name': 'small', 'resources': {'A': 1}}),
                self.admin.patch(f'/v1/flavors/{large}', [
                    {'op': 'replace', 'path': '/name', 'value': 'small'}])):
            self.assertIn('small', self.expect(409, answer).message)
        # The same name again is no change.
        self.expect(200, self.admin.patch(f'/v1/flavors/{large}', [
            {'op': 'replace', 'path': '/name', 'value': 'large'}]))

    def test_a_change_leaves_the_other_fields_alone(self):
        uuid = self.make_flavor(description='old', traits=['HW_X'],
                                resources={'A': '007'})
        path = f'/v1/flavors/{uuid}'
        before = self.admin.get(path).json
        self.assertEqual({'A': 7}, before['resources'])
        after = self.expect(200, self.admin.patch(path, [
            {'op': 'replace', 'path': '/disabled', 'value': 'True'},
            {'op': 'remove', 'path': '/description'}])).json
        self.assertEqual(before | {
            'disabled': True, 'description': None,
            'updated_at': after['updated_at']}, after)
        self.assertEqual(after, self.admin.get(path).json)


class TestNodes(base.FunctionalTest):

    def test_their_names_are_in_order(self):
        nodes = self.expect(200, self.admin.get('/v1/nodes/detail'))
        # By uuid, which is made up.
        by_uuid = [node['name'] for node in nodes.json['nodes']]
        names = self.expect(200, self.admin.get('/v1/nodes'))
        self.assertGreater(len(by_uuid), 1)
        self.assertEqual(sorted(by_uuid), names.json['nodes'])
