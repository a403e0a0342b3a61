# SPDX-License-Identifier: Apache-2.0
"""The context of a request: its id and the caller's identity."""

import operator
from typing import Any, Final

from oslo_context import context

# What policy rules can speak of, but for lists.
_POLICY_FACTS: Final = operator.attrgetter(
    'user_id', 'user_domain_id', 'project_id', 'project_domain_id',
    'domain_id', 'system_scope', 'is_admin_project', 'service_user_id',
    'service_user_domain_id', 'service_project_id',
    'service_project_domain_id')


class RequestContext(context.RequestContext):
    """The caller's identity and the id of the request.

    Every caller has a project: two missing ones would count as equal in a
    policy rule.
    """

    @classmethod
    def from_message(cls, values: dict[str, Any]) -> 'RequestContext':
        """Return the context that was sent with a message."""
        return cls.from_dict(values)

    def policy_key(self) -> tuple[Any, ...]:
        """Return a cache key: equal where all values that policy rules can
        refer to are equal."""
        return *_POLICY_FACTS(self), *self.roles, None, *self.service_roles

    def to_policy_values(self) -> dict[str, Any]:
        """Return the credentials that policy rules can refer to."""
        return {
            'user_id': self.user_id, 'user_domain_id': self.user_domain_id,
            'project_id': self.project_id,
            'project_domain_id': self.project_domain_id,
            'domain_id': self.domain_id, 'system_scope': self.system_scope,
            'roles': self.roles, 'is_admin_project': self.is_admin_project,
            'service_user_id': self.service_user_id,
            'service_user_domain_id': self.service_user_domain_id,
            'service_project_id': self.service_project_id,
            'service_project_domain_id': self.service_project_domain_id,
            'service_roles': self.service_roles}
