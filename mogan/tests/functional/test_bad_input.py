# SPDX-License-Identifier: Apache-2.0
"""Input that makes no sense: a 4xx that names the fault and the place, and
nothing half-written."""

import json
from typing import Any

from mogan.tests.functional import bad_input, base

_LOCK = '/v1/instances/{uuid}/states/lock'
_UNLOCK = '/v1/instances/{uuid}/states/unlock'
_POWER = '/v1/instances/{uuid}/states/power'
_PROVISION = '/v1/instances/{uuid}/states/provision'
_ONE = '/v1/instances/{uuid}'
_TAKE_OVER = '/v1/manageable_servers'
_RUNNING = {'name': 'legacy', 'node_uuid': base.NOWHERE}
_NEW = {'name': 'web', 'flavor_uuid': base.NOWHERE,
        'image_uuid': base.IMAGE}

# Characters that end a line, ring a bell or turn the text around.
_HIDDEN = ('\x07', '\x1b', '\x7f', '\x85', '\x9b', '\u202e', '\u2066')
_FOREIGN_TYPES = ('application/x-www-form-urlencoded', 'text/xml', '',
                  'application/xml', 'text/plain', 'multipart/form-data',
                  'application/json-patch+json; charset=utf-16',
                  'application/json; charset=latin-1')

# What else is wrong with a body: method, path, body, a part of the message.
_BODIES: list[tuple[str, str, Any, str]] = [
    ('PUT', _LOCK, {}, "'lock' is a required property"),
    ('PUT', _LOCK, {'unlock': None}, 'lock'),
    ('PUT', _LOCK, {'lock': None, 'unlock': None}, "'unlock'"),
    ('PUT', _LOCK, {'lock': True}, '$.lock'),
    ('PUT', _LOCK, {'lock': 'x'}, '$.lock'),
    ('PUT', _LOCK, {'lock': []}, '$.lock'),
    ('PUT', _LOCK, {'lock': {}}, 'reason'),
    ('PUT', _LOCK, {'lock': {'reason': None}}, '$.lock.reason'),
    ('PUT', _LOCK, {'lock': {'reason': ''}}, '$.lock.reason'),
    ('PUT', _LOCK, {'lock': {'reason': 'x' * 256}}, '$.lock.reason'),
    ('PUT', _LOCK, {'lock': {'reason': 'x', 'by': 'me'}}, "'by'"),
    *[('PUT', _LOCK, {'lock': {'reason': f'a{hidden}b'}}, '$.lock.reason')
      for hidden in _HIDDEN],
    ('PUT', _LOCK, {'lock': {'reason': 'two\nlines'}}, '$.lock.reason'),
    ('PUT', _LOCK, {'lock': {'reason': 'a\u200fb'}}, '$.lock.reason'),
    ('PUT', _LOCK, {'lock': {'reason': 'one line\n'}}, '$.lock.reason'),
    ('PUT', _LOCK, b'{"lock": {"reason": "\\ud800"}}', '$.lock.reason'),
    ('PUT', _LOCK, b'{"lock": {"reason": "\\u0000"}}', '$.lock.reason'),
    ('PUT', _UNLOCK, {}, "'unlock' is a required property"),
    ('PUT', _UNLOCK, {'lock': None}, 'lock'),
    ('PUT', _UNLOCK, {'unlock': False}, '$.unlock'),
    ('PUT', _UNLOCK, {'unlock': {'reason': 'x'}}, '$.unlock'),
    ('PUT', _POWER, {}, 'target'),
    ('PUT', _POWER, {'target': None}, '$.target'),
    ('PUT', _POWER, {'target': 'ON'}, '$.target'),
    ('PUT', _POWER, {'target': 'power on'}, '$.target'),
    ('PUT', _POWER, {'target': ['on']}, '$.target'),
    ('PUT', _POWER, {'target': 'on', 'force': True}, "'force'"),
    ('PUT', _PROVISION, {'image_uuid': base.IMAGE}, 'target'),
    ('PUT', _PROVISION, {'target': 'delete', 'image_uuid': base.IMAGE},
     '$.target'),
    ('PUT', _PROVISION, {'target': 'rebuild', 'image_uuid': 'x'},
     '$.image_uuid'),
    ('PUT', _PROVISION,
     {'target': 'rebuild', 'image_uuid': base.IMAGE + '\n'},
     '$.image_uuid'),
    ('POST', '/v1/instances', {}, 'required'),
    ('POST', '/v1/instances', {'instance': _NEW}, '$'),
    ('POST', '/v1/instances', [_NEW], '$'),
    ('POST', '/v1/instances', _NEW, 'flavor_uuid'),
    ('POST', '/v1/instances', _NEW | {'uuid': base.IMAGE}, "'uuid'"),
    ('POST', '/v1/instances', _NEW | {'locked': True}, "'locked'"),
    ('POST', '/v1/instances', _NEW | {'status': 'active'}, "'status'"),
    ('POST', '/v1/instances', _NEW | {'project_id': 'x'}, 'project_id'),
    ('POST', '/v1/instances', _NEW | {'node_uuid': base.IMAGE}, 'node_uuid'),
    ('POST', '/v1/instances', _NEW | {'name': None}, '$.name'),
    ('POST', '/v1/instances', _NEW | {'name': 5}, '$.name'),
    ('POST', '/v1/instances', _NEW | {'name': ''}, '$.name'),
    ('POST', '/v1/instances', _NEW | {'name': '  '}, '$.name'),
    ('POST', '/v1/instances', _NEW | {'name': 'a\nb'}, '$.name'),
    ('POST', '/v1/instances', _NEW | {'name': 'ab\n'}, '$.name'),
    ('POST', '/v1/instances', _NEW | {'name': 'x' * 256}, '$.name'),
    *[('POST', '/v1/instances', _NEW | {'name': f'a{hidden}b'}, '$.name')
      for hidden in _HIDDEN],
    *[('POST', '/v1/instances', _NEW | {'description': f'a{hidden}b'},
       '$.description') for hidden in _HIDDEN],
    *[('POST', '/v1/instances', _NEW | {'metadata': {'a': f'a{hidden}b'}},
       '$.metadata.a') for hidden in _HIDDEN],
    *[('POST', '/v1/instances', _NEW | {'metadata': {f'a{hidden}b': 'a'}},
       '$.metadata') for hidden in _HIDDEN],
    ('POST', '/v1/instances', _NEW | {'description': 5}, '$.description'),
    ('POST', '/v1/instances', _NEW | {'description': 'x' * 256},
     '$.description'),
    ('POST', '/v1/instances', _NEW | {'flavor_uuid': 'small'},
     '$.flavor_uuid'),
    ('POST', '/v1/instances', _NEW | {'image_uuid': None}, '$.image_uuid'),
    ('POST', '/v1/instances', _NEW | {'availability_zone': ''},
     '$.availability_zone'),
    ('POST', '/v1/instances', _NEW | {'metadata': None}, '$.metadata'),
    ('POST', '/v1/instances', _NEW | {'metadata': []}, '$.metadata'),
    ('POST', '/v1/instances', _NEW | {'metadata': {'a': 1}},
     '$.metadata.a'),
    ('POST', '/v1/instances', _NEW | {'metadata': {'a': None}},
     '$.metadata.a'),
    ('POST', '/v1/instances', _NEW | {'metadata': {'': 'x'}}, '$.metadata'),
    ('POST', '/v1/instances', _NEW | {'metadata': {'a': 'x' * 256}},
     '$.metadata.a'),
    ('POST', '/v1/instances', _NEW | {'metadata': {'a\0': 'x'}}, 'NUL'),
    ('POST', _TAKE_OVER, {}, 'required'),
    ('POST', _TAKE_OVER, {'name': 'legacy'}, 'node_uuid'),
    ('POST', _TAKE_OVER, {'node_uuid': base.NOWHERE}, 'name'),
    ('POST', _TAKE_OVER, [_RUNNING], '$'),
    ('POST', _TAKE_OVER, _RUNNING | {'node_uuid': 'rack1'}, '$.node_uuid'),
    ('POST', _TAKE_OVER, _RUNNING | {'node_uuid': None}, '$.node_uuid'),
    ('POST', _TAKE_OVER, _RUNNING | {'name': ''}, '$.name'),
    ('POST', _TAKE_OVER, _RUNNING | {'description': 5}, '$.description'),
    ('POST', _TAKE_OVER, _RUNNING | {'metadata': {'a': 1}}, '$.metadata.a'),
    ('POST', _TAKE_OVER, _RUNNING | {'metadata': None}, '$.metadata'),
    ('POST', _TAKE_OVER, _RUNNING | {'flavor_uuid': base.IMAGE},
     "'flavor_uuid'"),
    ('POST', _TAKE_OVER, _RUNNING | {'image_uuid': base.IMAGE},
     "'image_uuid'"),
    ('POST', _TAKE_OVER, _RUNNING | {'locked': True}, "'locked'"),
    ('POST', '/v1/flavors', {'name': 'x'}, 'resources'),
    ('POST', '/v1/flavors', {'name': 'x', 'resources': {}}, '$.resources'),
    ('POST', '/v1/flavors', {'name': 'x', 'resources': {'A': 0}},
     '$.resources.A'),
    ('POST', '/v1/flavors', {'name': 'x', 'resources': {'A': -1}},
     '$.resources.A'),
    ('POST', '/v1/flavors', {'name': 'x', 'resources': {'A': 1.5}},
     '$.resources.A'),
    ('POST', '/v1/flavors', {'name': 'x', 'resources': {'A': True}},
     '$.resources.A'),
    ('POST', '/v1/flavors', {'name': 'x', 'resources': {'A': 'two'}},
     '$.resources.A'),
    ('POST', '/v1/flavors', {'name': 'x', 'resources': {'a b': 1}},
     '$.resources'),
    ('POST', '/v1/flavors', {'name': 'x', 'resources': {'A': 10 ** 30}},
     '$.resources.A'),
    ('POST', '/v1/flavors',
     {'name': 'x', 'resources': {'A': 1}, 'is_public': 'perhaps'},
     '$.is_public'),
    ('POST', '/v1/flavors',
     {'name': 'x', 'resources': {'A': 1}, 'disabled': 1}, '$.disabled'),
    ('POST', '/v1/flavors',
     {'name': 'x', 'resources': {'A': 1}, 'traits': ['A', 'A']},
     '$.traits'),
    ('PATCH', _ONE, {}, '$'),
    ('PATCH', _ONE, [], '$'),
    ('PATCH', _ONE, [5], '$[0]'),
    ('PATCH', _ONE, [{'op': 'replace', 'path': '/name'}], 'value'),
    ('PATCH', _ONE, [{'op': 'replace', 'path': 'name', 'value': 'x'}],
     '$[0].path'),
    ('PATCH', _ONE, [{'op': 'replace', 'path': '/name', 'value': None}],
     '$[0].value'),
    ('PATCH', _ONE, [{'op': 'add', 'path': '/metadata/a', 'value': 'x'},
                     {'op': 'add', 'path': '/metadata/a', 'value': 5}],
     '$[1].value'),
    ('PATCH', _ONE, [{'op': 'add', 'path': f'/metadata/{"x" * 256}',
                      'value': 'x'}], '$[0].path'),
    ('PATCH', _ONE, [{'op': 'replace', 'path': '/name~2', 'value': 'x'}],
     '$[0].path'),
    ('PATCH', _ONE, [{'op': 'copy', 'path': '/name', 'from': '/status'}],
     '$[0]'),
    ('PATCH', _ONE, [{'op': 'add', 'path': '/metadata/~', 'value': 'x'}],
     '$[0].path'),
    ('PATCH', _ONE, [{'op': 'test', 'path': '/name', 'value': 'web'}] * 101,
     '$'),
]

# Paths and queries: method, path, status, a part of the message.
_PLACES: list[tuple[str, str, int, str]] = [
    ('GET', '/v1/instances?limit=0', 400, 'limit'),
    ('GET', '/v1/instances?limit=-1', 400, 'limit'),
    ('GET', '/v1/instances?limit=1001', 400, '1000'),
    ('GET', '/v1/instances?limit=ten', 400, 'limit'),
    ('GET', '/v1/instances?limit=1.5', 400, 'limit'),
    ('GET', '/v1/instances?limit=', 400, 'limit'),
    ('GET', '/v1/instances?limit=%D9%A1', 400, 'limit'),
    ('GET', '/v1/instances?limit=1&limit=2', 400, 'twice'),
    ('GET', '/v1/instances?marker=x', 400, 'marker'),
    ('GET', f'/v1/instances?marker={base.NOWHERE}', 400, 'marker'),
    ('GET', '/v1/instances?sort_key=image_uuid', 400, 'sort_key'),
    ('GET', '/v1/instances?sort_key=id;drop', 400, 'sort_key'),
    ('GET', '/v1/instances?sort_dir=up', 400, 'sort_dir'),
    ('GET', '/v1/instances?fields=', 400, 'fields'),
    ('GET', '/v1/instances?fields=nope', 400, '"nope" must be one of uuid'),
    ('GET', '/v1/instances?fields=uuid,secret', 400,
     '"uuid,secret" contains "secret", which must be one of uuid'),
    ('GET', '/v1/instances?fields=uuid,,name', 400, 'fields'),
    ('GET', '/v1/instances?fields=claim_by', 400, 'claim_by'),
    ('GET', '/v1/instances?status=asleep', 400, 'status'),
    ('GET', '/v1/instances?locked=perhaps', 400, 'locked'),
    ('GET', '/v1/instances?all_tenants=perhaps', 400, 'all_tenants'),
    ('GET', '/v1/instances?flavor_uuid=small', 400, 'flavor_uuid'),
    ('GET', '/v1/instances?name=', 400, 'name'),
    ('GET', '/v1/instances?name=%00', 400, 'NUL'),
    ('GET', '/v1/instances?name=%FF', 400, 'UTF-8'),
    ('GET', '/v1/instances?name=' + 'x' * 256, 400, 'name'),
    ('GET', '/v1/instances?colour=red', 400, 'colour'),
    ('GET', '/v1/instances?_method=delete', 400, '_method'),
    ('GET', '/v1/instances/detail?limit=x', 400, 'limit'),
    ('GET', '/v1/flavors?limit=x', 400, 'limit'),
    ('GET', '/v1/manageable_servers?limit=0', 400, 'limit'),
    ('GET', '/v1/manageable_servers?marker=x', 400, 'marker'),
    ('GET', '/v1/manageable_servers?name=x', 400, 'name'),
    ('GET', f'/v1/flavors?marker={base.NOWHERE}', 400, 'marker'),
    ('GET', '/v1/nodes?limit=x', 400, 'limit'),
    ('GET', _ONE + '?fields=uuid', 400, 'fields'),
    ('GET', _ONE + '/actions?limit=x', 400, 'limit'),
    ('GET', _ONE + f'/actions?marker={base.NOWHERE}', 400, 'marker'),
    ('DELETE', _ONE + '?force=true', 400, 'force'),
    ('GET', '/v1/instances/x', 404, 'x'),
    ('GET', '/v1/instances/%00', 400, 'NUL'),
    ('GET', '/v1/instances/%FF', 400, 'UTF-8'),
    ('GET', '/v1/instances/' + 'x' * 5000, 404, ''),
    ('GET', '/v2', 404, ''),
    ('GET', '/v1/instances/{uuid}/nothing', 404, ''),
    ('GET', '/v1/instances/{uuid}/states/nothing', 404, ''),
    ('GET', '/v1/instances/{uuid}/states/lock/more', 404, ''),
    ('GET', '/v1/instances//states', 404, ''),
    ('GET', '/v1/instances/_route', 404, ''),
    ('GET', '/v1/instances/__class__', 404, ''),
    ('GET', '/v1/_route', 404, ''),
    ('GET', '/v1/methods', 404, ''),
    ('GET', '/v1/item', 404, ''),
    ('GET', '/favicon.ico', 404, ''),
    ('PUT', '/v1/instances/states/lock', 404, ''),
    ('PUT', '/instances/states/lock', 404, ''),
]

_METHODS: list[tuple[str, str, str]] = [
    ('GET', _LOCK, 'PUT'), ('POST', _LOCK, 'PUT'),
    ('DELETE', _UNLOCK, 'PUT'), ('GET', _POWER, 'PUT'),
    ('PUT', _ONE, 'DELETE, GET, PATCH'),
    ('POST', _ONE, 'DELETE, GET, PATCH'),
    ('PUT', '/v1/instances', 'GET, POST'),
    ('DELETE', '/v1/instances', 'GET, POST'),
    ('POST', '/v1/instances/detail', 'GET'),
    ('POST', _ONE + '/states', 'GET'),
    ('DELETE', _ONE + '/actions', 'GET'),
    ('PUT', '/v1/flavors', 'GET, POST'),
    ('POST', '/v1/nodes', 'GET'),
    ('DELETE', _TAKE_OVER, 'GET, POST'),
    ('POST', '/v1', 'GET'), ('DELETE', '/', 'GET'),
    ('TRACE', _ONE, 'DELETE, GET, PATCH'),
    ('BREW', '/v1/flavors', 'GET, POST'),
    ('OPTIONS', '/v1/nodes', 'GET'),
]


class TestBadInput(bad_input.BadInputTest):

    def test_what_is_no_json_is_refused_by_every_request_with_a_body(self):
        self._check_no_json(
            ('PUT', _LOCK), ('PUT', _UNLOCK), ('PUT', _POWER),
            ('PUT', _PROVISION), ('PATCH', _ONE), ('POST', '/v1/instances'),
            ('POST', '/v1/flavors'), ('POST', _TAKE_OVER),
            ('PATCH', f'/v1/flavors/{base.NOWHERE}'))

    def test_another_content_type_is_refused_and_the_right_one_named(self):
        for given in _FOREIGN_TYPES:
            answer = self._send('PUT', _LOCK, {'lock': None},
                                {'Content-Type': given})
            self._check(415, 'Content-Type: application/json', answer,
                        given)

    def test_a_charset_of_json_is_no_other_type(self):
        self.expect(202, self._send(
            'PUT', _UNLOCK, {'unlock': None},
            {'Content-Type': 'application/JSON; Charset="UTF-8"'}))

    def test_a_body_where_there_is_none_to_be(self):
        for method, path in (('GET', _ONE), ('DELETE', _ONE),
                             ('GET', '/v1/instances')):
            self._check(400, 'body', self._send(method, path, {'a': 1}),
                        (method, path))

    def test_a_wrong_value_is_named_with_its_place(self):
        self._check_bodies(_BODIES)

    def test_a_wrong_place_or_query_is_named(self):
        self._check_places(_PLACES)

    def test_a_semicolon_is_a_part_of_a_value(self):
        for query in ('name=x;limit=ten', 'name=x;colour=red', 'name=;',
                      'name=x;all_tenants=perhaps'):
            answer = self._send('GET', f'/v1/instances?{query}')
            self.assertEqual(200, answer.status, query)
            self.assertEqual([], json.loads(answer.body)['instances'])

    def test_a_wrong_method_is_told_the_right_ones(self):
        self._check_methods(_METHODS)

    def test_only_json_can_be_answered(self):
        for accept, status in (
                ('application/json', 200), ('*/*', 200),
                ('application/*', 200), ('text/html, */*;q=0.1', 200),
                ('application/xml', 406), ('text/html', 406),
                ('application/json;q=0', 406)):
            answer = self._send('GET', _ONE, headers={'Accept': accept})
            self.assertEqual(status, answer.status, accept)
            self.assertIsInstance(json.loads(answer.body), dict)

    def test_credentials_that_are_none(self):
        for header in ('', 'Basic', 'Basic !!!', 'Bearer x', 'Basic eA==',
                       'Basic YWRtaW46d3Jvbmc=', 'Basic /////w=='):
            answer = self.anonymous.get(
                '/v1/instances', headers={'Authorization': header})
            self._check(401, '', answer, header)
            self.assertIn('Basic', answer.headers['www-authenticate'])

    def test_a_long_value_comes_back_short(self):
        answer = self._send('PUT', _POWER, {'target': 'x' * 100_000})
        self._check(400, '$.target', answer, 'long')


class TestOddInput(base.FunctionalTest):
    """Input that looks odd and is right."""

    engines = 0

    def test_a_whole_number_may_have_a_fraction_of_nothing(self):
        answer = self.expect(201, self.admin.post(
            '/v1/flavors', b'{"name": "large", "resources": '
            b'{"A": 2.0, "B": 1e1, "C": "3"}}'))
        self.assertEqual({'A': 2, 'B': 10, 'C': 3},
                         answer.json['resources'])
        self.assertIn(b'{"A":2,"B":10,"C":3}', answer.body)

    def test_texts_of_every_script_are_kept(self):
        flavor = self.make_flavor()
        name = 'web-\N{SNOWMAN}-\N{PILE OF POO}-\u00e9-\u0639'
        for description in ('', 'two\nlines', "'; DROP TABLE x; --",
                            '<b>', '\\u0000', '%s{}', 'x' * 255,
                            '\N{PILE OF POO}' * 255):
            uuid = self.ask_for_instance(
                flavor_uuid=flavor, name=name, description=description,
                metadata={name: description, '__class__': 'x'})
            seen = self.see(uuid)
            self.assertEqual(name, seen['name'])
            self.assertEqual(description or None, seen['description'])
            self.assertEqual({name: description, '__class__': 'x'},
                             seen['metadata'])

    def test_uuids_may_be_in_capitals(self):
        flavor = self.make_flavor()
        uuid = self.ask_for_instance(flavor_uuid=flavor.upper())
        self.assertEqual(flavor, self.see(uuid.upper())['flavor_uuid'])
        self.expect(200, self.demo.get(f'/v1/flavors/{flavor.upper()}'))

    def test_head_answers_as_get_without_a_body(self):
        uuid = self.put_row()
        answer = self.demo.request('HEAD', f'/v1/instances/{uuid}')
        self.assertEqual((200, b''), (answer.status, answer.body))
        answer = self.demo.request('HEAD', f'/v1/instances/{base.NOWHERE}')
        self.assertEqual((404, b''), (answer.status, answer.body))

    def test_a_slash_at_the_end_changes_nothing(self):
        uuid = self.put_row()
        for path in ('/v1/', '/v1/instances/', f'/v1/instances/{uuid}/',
                     f'/instances/{uuid}/states/'):
            self.expect(200, self.demo.get(path))

    def test_where_a_request_has_been_accepted_leads_to_what_it_changes(
            self):
        uuid = self.put_row()
        for path, body in (('power', {'target': 'reboot'}),):
            answer = self.expect(202, self.demo.put(
                f'/v1/instances/{uuid}/states/{path}', body))
            self.assertEqual(b'', answer.body)
            self.assertEqual('rebooting', self.demo.get(
                answer.headers['location']).json['status'])
        answer = self.demo.post('/v1/instances', {
            'name': 'web', 'image_uuid': base.IMAGE,
            'flavor_uuid': self.make_flavor()})
        self.assertEqual(
            answer.json, self.demo.get(answer.headers['location']).json)
