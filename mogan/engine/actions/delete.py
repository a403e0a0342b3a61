# SPDX-License-Identifier: Apache-2.0
"""Wipe the instance's node and give it back; one that has not been taken
over yet is given back as it is.

A delete never turns back and never gives up: whatever stands in its way is
shown as a fault, and it is tried again.
"""

import dataclasses

from mogan import states
from mogan.baremetal import driver
from mogan.baremetal.driver import Availability
from mogan.engine import protection
from mogan.engine.results import Again, Done, Result
from mogan.engine.task import Task


def step(task: Task) -> Result:
    """Undeploy, or release, until no node carries the instance."""
    node = task.node()
    if node is None:
        return _gone(task)
    try:
        if task.row.adopting is not None:
            # What is on the node has never been the instance's.
            task.driver.release(node.uuid)
            return task.poll()
        return _undeploy(task, node)
    except driver.NotOurs:
        return _gone(task)


def _gone(task: Task) -> Result:
    # A call of the build that is still on its way may have taken a node
    # behind that look, and may not behind the next one.
    task.driver.seal_older()
    return Done(states.GONE) if task.node() is None else task.poll()


def _undeploy(task: Task, node: driver.Node) -> Result:
    if node.availability is Availability.UNDEPLOYING:
        # What an attempt before this one has met stays on show.
        return dataclasses.replace(task.poll(), working=False)
    if node.protected:
        # A lock long gone may have left that there; nothing else goes.
        ours = protection.of(task.row)
        if not ours.owns(node.protected_reason):
            raise driver.ForeignProtection(node.name, node.protected_reason)
        task.driver.unprotect(node.uuid, ours)
    task.driver.undeploy(node.uuid)
    if task.action.started_at and (
            node.availability is Availability.FAILED):
        again = task.back_off(node.last_error or 'The undeploy failed.')
        return Again(again.seconds, started=True, error=again.error)
    return task.poll(started=True)
