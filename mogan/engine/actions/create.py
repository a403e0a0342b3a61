# SPDX-License-Identifier: Apache-2.0
"""Give the instance a node and put its image on it."""

from mogan import states
from mogan.baremetal import driver
from mogan.baremetal.driver import Availability
from mogan.db.core import clock
from mogan.engine.results import Done, Failed, Result
from mogan.engine.task import Task


def step(task: Task) -> Result:
    """Claim a node, deploy, and wait until it is up."""
    try:
        if task.row.node_uuid is None and task.overdue:
            return _give_up(task, task.too_long)
        node = _own(task)
        if node is None:
            return _give_up(task, 'The node does not carry the instance any '
                                  'more.')
        return _go_on(task, node)
    except (driver.NoNodeAvailable, driver.NotOurs, driver.Fenced,
            driver.Refused) as error:
        return _give_up(task, str(error))


def _go_on(task: Task, node: driver.Node) -> Result:
    if node.availability is Availability.ACTIVE and not node.busy:
        task.driver.seal()
        return Done(states.Status.ACTIVE, {
            'power_state': node.power_state, 'launched_at': clock.NOW})
    if node.availability is Availability.FAILED:
        return _give_up(task, node.last_error or 'The deploy failed.')
    if task.overdue:
        return _give_up(task, task.too_long)
    if node.availability is Availability.AVAILABLE:
        task.driver.deploy(node.uuid, task.spec(with_secrets=True))
        return task.poll(started=True)
    return task.poll()


def _own(task: Task) -> driver.Node | None:
    if task.row.node_uuid is not None:
        return task.node()
    node = task.driver.claim(task.spec())
    # Before the first call that changes the node, so that a delete knows
    # where to look.
    task.record(node_uuid=node.uuid)
    return node


def _give_up(task: Task, error: str) -> Failed:
    # A call that is still on its way must not land in an instance that may
    # be locked by then.
    task.driver.seal()
    # One whose answer was lost may have been given a node all the same.
    node = task.node()
    return Failed(states.Status.ERROR, error,
                  {'node_uuid': node.uuid} if node else {})
