# SPDX-License-Identifier: Apache-2.0
"""Put an image on the instance's node again."""

from typing import Any, Final

from mogan import states
from mogan.baremetal import driver
from mogan.baremetal.driver import Availability
from mogan.db.core import clock
from mogan.engine.actions import power
from mogan.engine.results import Done, Failed, Result
from mogan.engine.task import Task

_LOST: Final = 'The node does not carry the instance any more.'


def step(task: Task) -> Result:
    """Send the rebuild once, and wait until the node is up."""
    try:
        node = task.node()
        if node is None:
            return _end(task, _LOST)
        if task.action.started_at and not node.busy:
            return _end(task)
        if task.overdue:
            return _end(task, task.too_long)
        if node.busy:
            return task.poll()
        # A build that failed early has left a node without an image.
        send = (task.driver.deploy
                if node.availability is Availability.AVAILABLE
                else task.driver.rebuild)
        send(node.uuid, task.spec(with_secrets=True))
        return task.poll(started=True)
    except (driver.NotOurs, driver.Fenced, driver.Refused) as error:
        fenced = isinstance(error, driver.Fenced)
        # An end that had to wait has sealed it, and said why.
        return _end(task, (fenced and task.action.error) or str(error),
                    untouched=isinstance(error, driver.Protected))


def _end(task: Task, error: str | None = None, *,
         untouched: bool = False) -> Result:
    """Give up because of an error, or else end as the node is.

    `untouched`: the error has kept the old image on the node.
    """
    task.driver.seal()
    # What began before the seal goes on wiping the node, and may have begun
    # behind the last look: no status that can be locked until it is over.
    node = task.node()
    if node is not None and node.busy:
        return task.poll(error=error)
    if (untouched and node is not None
            and node.availability is Availability.ACTIVE):
        return Failed(power.status(node), str(error),
                      {'power_state': node.power_state})
    if node is None or error is not None:
        return Failed(states.Status.ERROR, error or _LOST)
    if node.availability is not Availability.ACTIVE:
        return Failed(states.Status.ERROR,
                      node.last_error or 'The rebuild failed.')
    values: dict[str, Any] = {'image_uuid': task.image_uuid,
                              'power_state': node.power_state}
    if task.row.launched_at is None:
        # An instance whose build had failed starts its life here.
        values['launched_at'] = clock.NOW
    return Done(states.Status.ACTIVE, values)
