# SPDX-License-Identifier: Apache-2.0
"""Policy rules of flavors."""

from mogan.policies.base import ADMIN, ANY_READER, rule

_ONE = '/v1/flavors/{flavor_uuid}'

RULES = (
    rule('mogan:flavor:get_all', ANY_READER, 'List the flavors.',
         'GET /v1/flavors'),
    rule('mogan:flavor:get_one', ANY_READER, 'Show a flavor.',
         f'GET {_ONE}'),
    rule('mogan:flavor:get_hidden', ADMIN,
         'See flavors that are disabled or not public, and create instances '
         'of those that are not public.',
         'GET /v1/flavors', f'GET {_ONE}', 'POST /v1/instances',
         'POST /v1/servers', 'POST /v1/manageable_servers'),
    rule('mogan:flavor:create', ADMIN, 'Create a flavor.',
         'POST /v1/flavors'),
    rule('mogan:flavor:update', ADMIN, 'Change a flavor.',
         f'PATCH {_ONE}'),
    rule('mogan:flavor:delete', ADMIN,
         'Delete a flavor that no instance uses.', f'DELETE {_ONE}'),
)
