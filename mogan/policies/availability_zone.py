# SPDX-License-Identifier: Apache-2.0
"""Policy rules of availability zones."""

from mogan.policies.base import ANY_READER, rule

RULES = (
    rule('mogan:availability_zone:get_all', ANY_READER,
         'List the availability zones that instances can be built in.',
         'GET /v1/availability_zones'),
)
