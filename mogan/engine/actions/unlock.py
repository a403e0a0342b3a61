# SPDX-License-Identifier: Apache-2.0
"""Take the protection off the instance's node."""

import contextlib

from mogan import states
from mogan.baremetal import driver
from mogan.engine.results import Done, Result
from mogan.engine.task import Task


def step(task: Task) -> Result:
    """Release the node, if one carries the instance."""
    node = task.node()
    if node is not None:
        with contextlib.suppress(driver.NotOurs):
            task.call(task.driver.unprotect, node.uuid, task.uuid)
    return Done(states.LockState.UNLOCKED, {'node_protection': 'none'})
