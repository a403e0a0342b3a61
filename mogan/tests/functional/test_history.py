# SPDX-License-Identifier: Apache-2.0
"""The history of requests."""

import datetime

from mogan.tests.functional import base

_REQUEST_ID = 'req-11111111-2222-3333-4444-555555555555'


class TestHistory(base.FunctionalTest):

    def test_it_tells_the_whole_life_and_outlives_it(self):
        uuid = self.make_instance()
        path = f'/v1/instances/{uuid}'
        self.lock(uuid, 'disk swap')
        self.expect(409, self.demo.delete(path))
        self.ask(uuid, 'unlock')
        self.wait_for(uuid, lock_state='unlocked')
        self.ask(uuid, 'rebuild', 'demo')
        self.wait_for(uuid, status='active')
        self.ask(uuid, 'delete', 'demo')
        self.wait_until_gone(uuid)
        self.assertEqual([
            ('delete', 'done', 'demo', {}),
            ('rebuild', 'done', 'demo', {'image_uuid': base.OTHER_IMAGE}),
            ('unlock', 'done', 'admin', {}),
            ('delete', 'refused', 'demo', {}),
            ('lock', 'done', 'admin', {'reason': 'disk swap'}),
            ('create', 'done', 'demo', {}),
        ], [(entry['action'], entry['outcome'], entry['user_id'],
             entry['arguments']) for entry in self.history(uuid)])
        self.expect(404, self.demo.get(f'{path}/actions'))

    def test_each_entry_says_when_and_by_which_request(self):
        uuid = self.make_instance()
        answer = self.expect(202, self.admin.lock(uuid))
        self.wait_for(uuid, lock_state='locked')
        entry = self.history(uuid)[0]
        self.assertEqual(answer.headers['x-openstack-request-id'],
                         entry['request_id'])
        created, finished = (
            datetime.datetime.fromisoformat(entry[name])
            for name in ('created_at', 'finished_at'))
        self.assertLessEqual(created, finished)
        self.assertLess(abs(
            (datetime.datetime.now(datetime.UTC) - created).total_seconds()),
            60)

    def test_the_same_refusal_counts_up_one_entry(self):
        uuid = self.put_row('active', 'locked')
        path = f'/v1/instances/{uuid}'
        for client in (self.demo, self.demo, self.admin, self.demo):
            self.expect(409, client.delete(path))
        last = self.expect(409, self.demo.power(uuid, 'off'))
        history = self.history(uuid)
        self.assertEqual(
            [('power_off', 'demo', 1), ('delete', 'admin', 1),
             ('delete', 'demo', 3)],
            [(entry['action'], entry['user_id'], entry['times'])
             for entry in history])
        self.assertIn('locked', history[0]['error'])
        self.assertEqual(last.headers['x-openstack-request-id'],
                         history[0]['request_id'])

    def test_a_refusal_tells_the_reason_of_the_last_time(self):
        uuid = self.put_row('active', 'locked')
        path = f'/v1/instances/{uuid}'
        for reason in ('disk swap', 'fan swap'):
            self.expect(202, self.admin.lock(uuid, reason))
            answer = self.expect(409, self.demo.delete(path))
        [refusal] = [entry for entry in self.history(uuid)
                     if entry['outcome'] == 'refused']
        self.assertEqual((2, answer.json['error']['message']),
                         (refusal['times'], refusal['error']))
        self.assertIn('fan swap', refusal['error'])

    def test_it_comes_in_pages(self):
        uuid = self.put_row()
        path = f'/v1/instances/{uuid}'
        for number in range(5):
            self.expect(200, self.demo.patch(path, [
                {'op': 'replace', 'path': '/name', 'value': f'{number}'}]))
        whole = self.history(uuid)
        seen, page_path = [], f'{path}/actions?limit=2'
        while page_path:
            page = self.expect(200, self.demo.get(page_path)).json
            seen += [entry['uuid'] for entry in page['actions']]
            page_path = page.get('next')
        self.assertEqual([entry['uuid'] for entry in whole], seen)
        self.assertEqual(5, len(seen))
        other = self.put_row()
        answer = self.expect(400, self.demo.get(
            f'/v1/instances/{other}/actions?marker={seen[0]}'))
        self.assertIn('marker', answer.message)

    def test_a_request_id_of_the_caller_is_kept(self):
        answer = self.demo.get('/v1/instances', headers={
            'X-OpenStack-Global-Request-ID': _REQUEST_ID})
        own = answer.headers['x-openstack-request-id']
        self.assertRegex(own, r'^req-[0-9a-f-]{36}$')
        self.assertNotEqual(_REQUEST_ID, own)


class TestDescriptions(base.FunctionalTest):

    engines = 0

    def setUp(self):
        super().setUp()
        self.uuid = self.put_row(metadata={'rack': '7', 'a/b': 'x'})
        self.path = f'/v1/instances/{self.uuid}'

    def _patch(self, *operations):
        return self.demo.patch(self.path, [
            dict(zip(('op', 'path', 'value'), operation, strict=False))
            for operation in operations])

    def test_every_operation_does_what_it_is_named(self):
        seen = self.expect(200, self._patch(
            ('test', '/name', 'web'),
            ('replace', '/name', 'db'),
            ('add', '/description', 'the \N{SNOWMAN} one'),
            ('add', '/metadata/new', 'y'),
            ('replace', '/metadata/rack', '8'),
            ('remove', '/metadata/a~1b'),
            ('add', '/metadata/a~0b', '~'))).json
        self.assertEqual(
            ('db', 'the \N{SNOWMAN} one',
             {'new': 'y', 'rack': '8', 'a~b': '~'}),
            (seen['name'], seen['description'], seen['metadata']))
        self.assertEqual(seen, self.demo.get(self.path).json)
        self.assertEqual({'fields': ['description', 'metadata', 'name']},
                         self.history(self.uuid)[0]['arguments'])

    def test_the_history_names_what_has_changed_and_no_more(self):
        self.expect(200, self._patch(('replace', '/metadata/rack', '8'),
                                     ('replace', '/name', 'web')))
        self.assertEqual({'fields': ['metadata']},
                         self.history(self.uuid)[0]['arguments'])

    def test_what_can_be_empty_can_be_removed(self):
        self._patch(('add', '/description', 'x'))
        seen = self.expect(200, self._patch(
            ('remove', '/description'), ('remove', '/metadata'))).json
        self.assertIsNone(seen['description'])
        self.assertEqual({}, seen['metadata'])

    def test_all_of_a_patch_is_done_or_nothing(self):
        before = self.row(self.uuid)
        for operation, status in (
                (('remove', '/metadata/none'), 400),
                (('replace', '/metadata/none', 'x'), 400),
                (('test', '/name', 'other'), 409),
                (('replace', '/status', 'error'), 400),
                (('add', '/locked', False), 400),
                (('replace', '/metadata/rack', 5), 400),
                (('remove', '/name'), 400),
                (('add', '/metadata/rack/deep', 'x'), 400),
                (('move', '/name', 'x'), 400)):
            answer = self.expect(status, self._patch(
                ('replace', '/description', 'half'), operation))
            self.assertIn('$', answer.message)
        self.assertEqual(before, self.row(self.uuid))
        self.assertEqual([], self.history(self.uuid))

    def test_metadata_has_an_end(self):
        self.expect(400, self._patch(
            ('add', '/metadata', {f'{n}': 'x' for n in range(129)})))
        self.expect(200, self._patch(
            ('add', '/metadata', {f'{n}': 'x' for n in range(128)})))
        self.expect(400, self._patch(('add', '/metadata/more', 'x')))
