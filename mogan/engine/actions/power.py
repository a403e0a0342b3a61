# SPDX-License-Identifier: Apache-2.0
"""Change the power of the instance's node."""

from typing import Final

from mogan import states
from mogan.baremetal import driver
from mogan.baremetal.driver import PowerState, PowerTarget
from mogan.engine.results import Done, Failed, Result
from mogan.engine.task import Task

_TARGETS: Final[dict[states.Verb, tuple[PowerTarget, PowerState]]] = {
    states.Verb.POWER_ON: (PowerTarget.ON, PowerState.ON),
    states.Verb.POWER_OFF: (PowerTarget.OFF, PowerState.OFF),
    states.Verb.SOFT_POWER_OFF: (PowerTarget.SOFT_OFF, PowerState.OFF),
    states.Verb.REBOOT: (PowerTarget.REBOOT, PowerState.ON),
    states.Verb.SOFT_REBOOT: (PowerTarget.SOFT_REBOOT, PowerState.ON),
}

_REBOOTS: Final = frozenset({states.Verb.REBOOT, states.Verb.SOFT_REBOOT})


def step(task: Task) -> Result:
    """Send the change once, and wait until the node has made it."""
    target, wanted = _TARGETS[task.verb]
    node = task.node()
    if node is None:
        return Failed(states.Status.ERROR,
                      'The node does not carry the instance any more.')
    if task.action.started_at and not node.busy:
        return _outcome(node, wanted)
    if task.overdue:
        return _overdue(task, node, wanted)
    if node.busy and (task.action.started_at
                      or not interrupts(task.verb, node)):
        return task.poll()
    return _send(task, node, target)


def interrupts(verb: states.Verb, node: driver.Node) -> bool:
    """Return whether the verb's change does not wait until the node is
    idle: a soft one that it supersedes may take long."""
    return (verb in states.FORCED and node.power_target is not None
            and node.availability not in driver.BUSY)


def _overdue(task: Task, node: driver.Node,
              wanted: PowerState) -> Done | Failed:
    # Its answer was lost. Of a reboot nothing is left to be seen.
    if (task.verb not in _REBOOTS and not node.busy
            and node.power_state is wanted):
        return Done(status(node), {'power_state': node.power_state})
    return _failed(node, task.too_long)


def _send(task: Task, node: driver.Node, target: PowerTarget) -> Result:
    try:
        task.driver.power(node.uuid, target)
    except driver.NodeBusy as error:
        if not node.busy:
            raise
        return task.poll(error=str(error))
    except driver.NotOurs as error:
        return Failed(states.Status.ERROR, str(error))
    except driver.Refused as error:
        return _failed(node, str(error))
    return task.poll(started=True)


def _outcome(node: driver.Node, wanted: PowerState) -> Result:
    # A reboot that failed may have left the power as it was.
    if node.last_error or node.power_state is not wanted:
        return _failed(node, node.last_error
                       or 'The node did not change its power.')
    return Done(status(node), {'power_state': node.power_state})


def _failed(node: driver.Node, error: str) -> Failed:
    """Return a failure, with the instance as its node really is."""
    return Failed(status(node), error, {'power_state': node.power_state})


def status(node: driver.Node) -> states.Status:
    """Return the status of an instance whose deployed node is at rest."""
    match node.power_state:
        case PowerState.ON:
            return states.Status.ACTIVE
        case PowerState.OFF:
            return states.Status.STOPPED
        case _:
            return states.Status.ERROR
