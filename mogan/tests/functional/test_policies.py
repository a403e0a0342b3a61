# SPDX-License-Identifier: Apache-2.0
"""Every rule can be overridden, and takes effect without a restart."""

from typing import Any, Final

from mogan import policies
from mogan.tests.functional import test_roles
from mogan.tests.support.client import Client
from mogan.tests.support.processes import eventually

_ONE: Final = '/v1/instances/{mine}'
# A request by which each rule shows, and the administrator's answer by
# default and where nobody passes the rule.
_RULES: Final = {
    'mogan:flavor:get_all': ('GET /v1/flavors', 200, 403),
    'mogan:flavor:get_one': ('GET /v1/flavors/{public}', 200, 403),
    'mogan:flavor:get_hidden': ('GET /v1/flavors/{hidden}', 200, 404),
    'mogan:flavor:create': ('POST /v1/flavors', 201, 403),
    'mogan:flavor:update': ('PATCH /v1/flavors/{public}', 200, 403),
    'mogan:flavor:delete': ('DELETE /v1/flavors/{unused}', 204, 403),
    'mogan:instance:create': ('POST /v1/instances', 201, 403),
    'mogan:instance:get_all': ('GET /v1/instances', 200, 403),
    'mogan:instance:get_all_tenants': (
        'GET /v1/instances?all_tenants=true', 200, 403),
    'mogan:instance:get_one': (f'GET {_ONE}', 200, 403),
    'mogan:instance:get_admin_fields': (
        'GET /v1/instances?node_uuid={no}', 200, 403),
    'mogan:instance:update': (f'PATCH {_ONE}', 200, 403),
    'mogan:instance:delete': (f'DELETE {_ONE}', 204, 403),
    'mogan:instance:get_states': (f'GET {_ONE}/states', 200, 403),
    'mogan:instance:set_power_state': (f'PUT {_ONE}/states/power', 202, 403),
    'mogan:instance:rebuild': (f'PUT {_ONE}/states/provision', 202, 403),
    'mogan:instance:lock': (f'PUT {_ONE}/states/lock', 202, 403),
    'mogan:instance:unlock': (f'PUT {_ONE}/states/unlock', 202, 403),
    'mogan:instance:operate_locked': (
        'PUT /v1/instances/{locked}/states/power', 202, 409),
    'mogan:instance:get_actions': (f'GET {_ONE}/actions', 200, 403),
    'mogan:availability_zone:get_all': (
        'GET /v1/availability_zones', 200, 403),
    'mogan:keypair:create': ('POST /v1/keypairs', 201, 403),
    'mogan:keypair:get_all': ('GET /v1/keypairs', 200, 403),
    'mogan:keypair:get_one': ('GET /v1/keypairs/none', 404, 403),
    'mogan:keypair:delete': ('DELETE /v1/keypairs/none', 404, 403),
    'mogan:keypair:all_users': (
        'GET /v1/keypairs?user_id={user}', 200, 403),
    'mogan:manageable_servers:get_all': (
        'GET /v1/manageable_servers', 200, 403),
    'mogan:manageable_servers:create': (
        'POST /v1/manageable_servers', 201, 403),
    'mogan:node:get_all': ('GET /v1/nodes', 200, 403),
}


class TestPolicies(test_roles.RequestsTest):

    def _names(self) -> dict[str, str]:
        return self.names | {
            'mine': self.put_row(), 'unused': self.make_flavor(),
            'locked': self.put_row('active', 'locked')}

    def _send(self, client: Client, request: str,
              names: dict[str, str]) -> Any:
        method, path = request.split(' ')
        return client.request(method, path.format(**names),
                              self.body(method, path))

    def test_each_rule_gives_way_to_the_file(self):
        self.assertEqual({rule.name for rule in policies.list_rules()},
                         _RULES.keys())
        for rule, (request, allowed, _) in _RULES.items():
            answer = self._send(self.admin, request, self._names())
            self.assertEqual(allowed, answer.status, (rule, answer.body))
        # The application that makes them hears of the file as well.
        prepared = [self._names() for _ in _RULES]
        for (rule, (request, _, refused)), names in zip(
                _RULES.items(), prepared, strict=True):
            self.deployment._override({rule: '!'})
            client = Client(self.deployment.make_application(), 'admin')
            answer = self._send(client, request, names)
            self.assertEqual(refused, answer.status, (rule, answer.body))

    def test_a_file_that_changes_is_in_force_without_a_restart(self):
        path = self.deployment.directory / 'policy.yaml'
        self.deployment._override({})
        client = Client(self.deployment.make_application(), 'demo')
        for text, status in (('"mogan:flavor:get_all": "!"', 403),
                             ('"mogan:flavor:get_all": ""', 200),
                             ('"mogan:flavor:get_all": "role:none"', 403),
                             ('# The defaults.', 200)):
            path.write_text(text)
            eventually(lambda: client.get('/v1/flavors').status,
                       until=lambda seen, status=status: seen == status)
