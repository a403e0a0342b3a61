# SPDX-License-Identifier: Apache-2.0
"""Input that makes no sense where instances are called servers."""

from typing import Any, Final

from mogan.tests.functional import bad_input, base

_SERVER: Final = '/v1/servers/{uuid}'
_LOCK: Final = f'{_SERVER}/states/lock'
_PROVISION: Final = f'{_SERVER}/states/provision'
_NEW: Final = {'name': 'web', 'flavor_uuid': base.NOWHERE,
               'image_uuid': base.IMAGE}

_BODIES: list[tuple[str, str, Any, str]] = [
    ('PUT', _LOCK, {}, 'target'),
    ('PUT', _LOCK, {'target': None}, '$.target'),
    ('PUT', _LOCK, {'target': 'perhaps'}, '$.target'),
    ('PUT', _LOCK, {'target': 'true\n'}, '$.target'),
    ('PUT', _LOCK, {'target': 1}, '$.target'),
    ('PUT', _LOCK, {'target': 0}, '$.target'),
    ('PUT', _LOCK, {'target': {}}, '$.target'),
    ('PUT', _LOCK, {'target': [True]}, '$.target'),
    ('PUT', _LOCK, {'lock': None}, 'target'),
    ('PUT', _LOCK, {'target': True, 'reason': 'x'},
     "'reason'"),
    ('PUT', _SERVER + '/states/power', {'target': True}, '$.target'),
    ('PUT', _PROVISION, {}, 'target'),
    ('PUT', _PROVISION, {'target': 'delete'},
     '$.target'),
    ('PUT', _PROVISION,
     {'target': 'rebuild', 'preserve_ephemeral': True},
     '$.preserve_ephemeral: is not supported'),
    ('PUT', _PROVISION,
     {'target': 'rebuild', 'preserve_ephemeral': 'no'},
     '$.preserve_ephemeral'),
    ('PUT', _PROVISION,
     {'target': 'rebuild', 'image_uuid': 'x'}, '$.image_uuid'),
    ('POST', '/v1/servers', _NEW, '$'),
    ('POST', '/v1/servers', {}, "'server' is a required"),
    ('POST', '/v1/servers', {'server': None}, '$.server'),
    ('POST', '/v1/servers', {'server': []}, '$.server'),
    ('POST', '/v1/servers', {'server': {}}, 'required'),
    ('POST', '/v1/servers', {'server': _NEW}, 'flavor_uuid'),
    ('POST', '/v1/servers', {'server': _NEW | {'name': ''}},
     '$.server.name'),
    ('POST', '/v1/servers', {'server': _NEW | {'locked': True}},
     "'locked'"),
    ('POST', '/v1/servers', {'server': _NEW | {'max_count': 2}},
     '$.server.max_count'),
    ('POST', '/v1/servers', {'server': _NEW | {'min_count': 0}},
     '$.server.min_count'),
    ('POST', '/v1/servers', {'server': _NEW | {'adminPass': 'x'}},
     'adminPass'),
    ('POST', '/v1/servers', {'server': _NEW | {'personality': [
        {'path': '/etc/motd', 'contents': 'eA=='}]}}, 'personality'),
    ('POST', '/v1/servers', {'server': _NEW, 'scheduler_hints': {
        'group': base.IMAGE}}, '$.scheduler_hints: instance groups'),
    ('POST', '/v1/servers', {'server': _NEW | {'networks': []}},
     '$.server.networks'),
    ('POST', '/v1/servers', {'server': _NEW | {'key_name': 'none'}},
     '$.server.key_name'),
    ('POST', '/v1/servers', {'server': _NEW | {'user_data': '!'}},
     '$.server.user_data'),
    ('POST', '/v1/servers', {'server': _NEW | {'max_count': '2'}},
     '$.server.max_count'),
    ('POST', '/v1/servers', {'server': _NEW, 'more': 1}, "'more'"),
]
_PLACES: list[tuple[str, str, int, str]] = [
    ('GET', '/v1/servers?flavor_uuid=gold', 400, 'flavor_uuid'),
    ('GET', '/v1/servers?image_uuid=' + base.IMAGE, 400, 'image_uuid'),
    ('GET', '/v1/servers?ip=192', 400, 'ip'),
    ('GET', '/v1/servers?fields=uuid,secret', 400, 'secret'),
    ('GET', '/v1/servers?sort_key=image_uuid', 400, 'sort_key'),
    ('GET', '/v1/servers?all_tenants=perhaps', 400, 'all_tenants'),
    ('GET', f'/v1/servers/detail?marker={base.NOWHERE}', 400, 'marker'),
    ('GET', _SERVER + '?fields=uuid', 400, 'fields'),
    ('GET', '/v1/servers/web', 404, 'web'),
    ('GET', '/v1/servers/web/states', 404, 'web'),
    ('DELETE', '/v1/servers/web', 404, 'web'),
    ('GET', _SERVER + '/networks', 404, ''),
    ('PUT', _SERVER + '/states/unlock', 404, ''),
]
_METHODS: list[tuple[str, str, str]] = [
    ('PUT', '/v1/servers', 'GET, POST'),
    ('PUT', _SERVER, 'DELETE, GET, PATCH'),
    ('GET', _LOCK, 'PUT'),
]


class TestBadInput(bad_input.BadInputTest):

    def test_what_is_no_json_is_refused_by_every_request_with_a_body(self):
        self._check_no_json(('POST', '/v1/servers'), ('PATCH', _SERVER),
                            ('PUT', _LOCK), ('PUT', _PROVISION))

    def test_another_content_type_is_refused(self):
        self._check(415, 'application/json', self._send(
            'PUT', _LOCK, {'target': True}, {'Content-Type': 'text/plain'}),
            'type')

    def test_a_wrong_value_is_named_with_its_place(self):
        self._check_bodies(_BODIES)

    def test_a_wrong_place_or_query_is_named(self):
        self._check_places(_PLACES)

    def test_a_wrong_method_is_told_the_right_ones(self):
        self._check_methods(_METHODS)
