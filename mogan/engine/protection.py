# SPDX-License-Identifier: Apache-2.0
"""The protection of an instance's node, as the instance's row says it."""

from collections.abc import Callable

from mogan.baremetal import driver
from mogan.baremetal.protection import Protection
from mogan.db import rows
from mogan.states import NodeProtection


def of(row: rows.Instance | rows.OnNode) -> Protection:
    """Return the protection that the instance's lock puts on its node."""
    return Protection(row.uuid, row.locked_reason, unmarked=(
        row.node_protection == NodeProtection.APPLIED))


def outcome(call: Callable[[], None],
            done: NodeProtection) -> NodeProtection:
    """Return the node's protection after a call that changes it; `done` is
    what the call is to lead to.  Raises DriverError."""
    try:
        call()
    except driver.NotProtectable:
        return NodeProtection.PENDING
    except driver.ProtectionUnsupported:
        return NodeProtection.UNSUPPORTED
    except driver.ForeignProtection:
        return NodeProtection.FOREIGN
    return done
