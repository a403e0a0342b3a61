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
            task.destroy(task.driver.release, node.uuid, task.uuid)
            return task.poll()
        return _undeploy(task, node)
    except driver.NotOurs:
        return _gone(task)


def _gone(task: Task) -> Result:
    # A call of the build that is still on its way may have taken a node
    # behind that look, and may not behind the next one.
    task.seal_older()
    return Done(states.GONE) if task.node() is None else task.poll()


def _undeploy(task: Task, node: driver.Node) -> Result:
    if node.availability is Availability.UNDEPLOYING:
        # What an attempt before this one has met stays on show.
        return dataclasses.replace(task.poll(), working=False)
    if node.protected:
        # What an outsider, or a lock long gone, has left there.
        task.call(task.driver.unprotect, node.uuid, task.uuid)
    task.destroy(task.driver.undeploy, node.uuid, task.uuid)
    if task.action.started_at and (
            node.availability is Availability.FAILED):
        again = task.back_off(node.last_error or 'The undeploy failed.')
        return Again(again.seconds, started=True, error=again.error)
    return task.poll(started=True)
