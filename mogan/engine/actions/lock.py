# SPDX-License-Identifier: Apache-2.0
"""Protect the locked instance's node.

The row refuses deletes since the request was accepted; the node's own
protection stops those who go to the hardware's service directly.
"""

from mogan import states
from mogan.baremetal import driver
from mogan.engine.results import Done, Result
from mogan.engine.task import Task


def step(task: Task) -> Result:
    """Protect the node where there is one that can be."""
    node = task.node()
    if node is None:
        if task.row.node_uuid is None:
            return _locked('none')
        return _not_ours()
    if task.row.node_uuid is None:
        task.record(node_uuid=node.uuid)
    try:
        task.call(task.driver.protect, node.uuid, task.uuid,
                  task.row.locked_reason)
    except driver.NotProtectable:
        return _locked('pending')
    except driver.ProtectionUnsupported:
        return _locked('unsupported')
    except driver.NotOurs:
        return _not_ours()
    return _locked('applied')


def _locked(protection: str, error: str | None = None) -> Done:
    return Done(states.LockState.LOCKED, {'node_protection': protection},
                error)


def _not_ours() -> Done:
    return _locked('none', 'The node does not carry the instance any more, '
                           'so that there is nothing to protect.')
