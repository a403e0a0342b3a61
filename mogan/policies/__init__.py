# SPDX-License-Identifier: Apache-2.0
"""The default policy rules, one module for each resource."""

from typing import Any

from mogan.policies import (
    availability_zone,
    flavor,
    instance,
    keypair,
    manageable_server,
    node,
)


def list_rules() -> list[Any]:
    """Return all rules, for the enforcer and the sample generator."""
    return [*instance.RULES, *flavor.RULES, *node.RULES,
            *manageable_server.RULES, *availability_zone.RULES,
            *keypair.RULES]
