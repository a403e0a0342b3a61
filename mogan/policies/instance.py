# SPDX-License-Identifier: Apache-2.0
"""Policy rules of instances."""

from mogan.policies.base import ADMIN, MEMBER, READER, rule

_ONE = '/v1/instances/{instance_uuid}'
# The same under the name that the first clients know it by.
_SERVER = '/v1/servers/{server_uuid}'
_LISTS = ('GET /v1/instances', 'GET /v1/instances/detail',
          'GET /v1/servers', 'GET /v1/servers/detail')

RULES = (
    rule('mogan:instance:create', MEMBER, 'Create an instance.',
         'POST /v1/instances', 'POST /v1/servers'),
    rule('mogan:instance:get_all', READER,
         'List the instances of the own project.', *_LISTS),
    rule('mogan:instance:get_all_tenants', ADMIN,
         'List the instances of every project (all_tenants).',
         *_LISTS),
    rule('mogan:instance:get_one', READER, 'Show an instance.',
         f'GET {_ONE}', f'GET {_SERVER}'),
    rule('mogan:instance:get_admin_fields', ADMIN,
         'See who locked an instance, its node and how the node is '
         'protected, filter by node, and see the history of a deleted '
         'instance.',
         *_LISTS, f'GET {_ONE}', f'GET {_ONE}/states',
         f'GET {_ONE}/actions', f'GET {_SERVER}', f'GET {_SERVER}/states'),
    rule('mogan:instance:update', MEMBER,
         'Change name, description and metadata of an instance.',
         f'PATCH {_ONE}', f'PATCH {_SERVER}'),
    rule('mogan:instance:delete', MEMBER,
         'Delete an instance. A lock refuses this to everybody.',
         f'DELETE {_ONE}', f'DELETE {_SERVER}'),
    rule('mogan:instance:get_states', READER,
         'Show the states of an instance.',
         f'GET {_ONE}/states', f'GET {_SERVER}/states'),
    rule('mogan:instance:set_power_state', MEMBER,
         'Turn an instance on or off, or reboot it.',
         f'PUT {_ONE}/states/power', f'PUT {_SERVER}/states/power'),
    rule('mogan:instance:rebuild', MEMBER,
         'Rebuild an instance. A lock refuses this to everybody.',
         f'PUT {_ONE}/states/provision', f'PUT {_SERVER}/states/provision'),
    rule('mogan:instance:lock', ADMIN,
         'Lock an instance against its deletion.',
         f'PUT {_ONE}/states/lock', f'PUT {_SERVER}/states/lock'),
    rule('mogan:instance:unlock', ADMIN, 'Unlock an instance.',
         f'PUT {_ONE}/states/unlock', f'PUT {_SERVER}/states/lock'),
    rule('mogan:instance:operate_locked', ADMIN,
         'Change the power and the description of a locked instance, as '
         'maintenance needs it. It does not allow to delete or rebuild it.',
         f'PUT {_ONE}/states/power', f'PATCH {_ONE}',
         f'PUT {_SERVER}/states/power', f'PATCH {_SERVER}'),
    rule('mogan:instance:get_actions', READER,
         'Show the history of an instance.', f'GET {_ONE}/actions'),
)
