# SPDX-License-Identifier: Apache-2.0
"""Policy rules of key pairs."""

from mogan.policies.base import ADMIN, ANY_MEMBER, ANY_READER, rule

_ONE = '/v1/keypairs/{keypair_name}'

RULES = (
    rule('mogan:keypair:create', ANY_MEMBER, 'Add an own key pair.',
         'POST /v1/keypairs'),
    rule('mogan:keypair:get_all', ANY_READER, 'List the own key pairs.',
         'GET /v1/keypairs'),
    rule('mogan:keypair:get_one', ANY_READER, 'Show an own key pair.',
         f'GET {_ONE}'),
    rule('mogan:keypair:delete', ANY_MEMBER, 'Delete an own key pair.',
         f'DELETE {_ONE}'),
    rule('mogan:keypair:all_users', ADMIN,
         'Do the same with the key pairs of another user (user_id).',
         'POST /v1/keypairs', 'GET /v1/keypairs', f'GET {_ONE}',
         f'DELETE {_ONE}'),
)
