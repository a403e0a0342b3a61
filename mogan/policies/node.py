# SPDX-License-Identifier: Apache-2.0
"""Policy rules of nodes."""

from mogan.policies.base import ADMIN, rule

RULES = (
    rule('mogan:node:get_all', ADMIN,
         'List the nodes that instances are built on.',
         'GET /v1/nodes', 'GET /v1/nodes/detail'),
)
