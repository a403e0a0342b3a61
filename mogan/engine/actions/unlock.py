# SPDX-License-Identifier: Apache-2.0
"""Take the protection off the instance's node, unless it is somebody
else's."""

import contextlib

from mogan import states
from mogan.baremetal import driver
from mogan.engine import protection
from mogan.engine.results import Done, Result
from mogan.engine.task import Task
from mogan.states import NodeProtection


def step(task: Task) -> Result:
    """Release the node, if one carries the instance."""
    node = task.node()
    left = NodeProtection.NONE
    if node is not None:
        with contextlib.suppress(driver.NotOurs):
            left = protection.outcome(
                lambda: task.driver.unprotect(
                    node.uuid, protection.of(task.row)), left)
    return Done(states.LockState.UNLOCKED, {'node_protection': left})
