# SPDX-License-Identifier: Apache-2.0
"""The personas that the rules of all resources are made of."""

from typing import Any, Final

from oslo_policy import policy

ADMIN: Final = 'role:admin'
# Admins work on the instances of every project.
MEMBER: Final = ('role:admin or '
                 '(role:member and project_id:%(project_id)s)')
READER: Final = ('role:admin or '
                 '(role:reader and project_id:%(project_id)s)')
ANY_MEMBER: Final = 'role:admin or role:member'
ANY_READER: Final = 'role:admin or role:reader'


def rule(name: str, check: str, description: str,
         *operations: str) -> policy.DocumentedRuleDefault:
    """Return a documented rule with project scope; `operations` as in 'GET
    /v1/flavors'."""
    described: list[Any] = []
    for operation in operations:
        method, path = operation.split(' ')
        described.append({'method': method, 'path': path})
    return policy.DocumentedRuleDefault(
        name=name, check_str=check, description=description,
        operations=described, scope_types=['project'])
