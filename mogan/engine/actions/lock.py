# SPDX-License-Identifier: Apache-2.0
"""Protect the locked instance's node.

The row refuses deletes since the request was accepted; the node's own
protection stops those who go to the hardware's service directly.
"""

from mogan import states
from mogan.baremetal import driver
from mogan.engine import protection
from mogan.engine.results import Done, Result
from mogan.engine.task import Task
from mogan.states import NodeProtection


def step(task: Task) -> Result:
    """Protect the node where there is one that can be."""
    node = task.node()
    if node is None:
        if task.row.node_uuid is None:
            return _locked(NodeProtection.NONE)
        return _not_ours()
    if task.row.node_uuid is None:
        task.record(node_uuid=node.uuid)
    try:
        return _locked(protection.outcome(
            lambda: task.driver.protect(node.uuid, protection.of(task.row)),
            NodeProtection.APPLIED))
    except driver.NotOurs:
        return _not_ours()


def _locked(found: NodeProtection, error: str | None = None) -> Done:
    return Done(states.LockState.LOCKED, {'node_protection': found}, error)


def _not_ours() -> Done:
    return _locked(NodeProtection.NONE,
                   'The node does not carry the instance any more, so that '
                   'there is nothing to protect.')
