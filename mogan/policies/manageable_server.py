# SPDX-License-Identifier: Apache-2.0
"""Policy rules of the adoption of running machines."""

from mogan.policies.base import ADMIN, rule

RULES = (
    rule('mogan:manageable_servers:get_all', ADMIN,
         'List the nodes that can be taken over as instances.',
         'GET /v1/manageable_servers'),
    rule('mogan:manageable_servers:create', ADMIN,
         'Take over a node as an instance.',
         'POST /v1/manageable_servers'),
)
