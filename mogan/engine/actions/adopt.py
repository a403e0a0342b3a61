# SPDX-License-Identifier: Apache-2.0
"""Take over a node that somebody else has deployed, as it is.

Nothing here may touch what is on the node.  All or nothing: where it fails,
the node carries no instance, as before.
"""

import typing
import uuid

from oslo_log import log
from oslo_utils import uuidutils

from mogan import states
from mogan.baremetal import driver
from mogan.baremetal.driver import PowerState
from mogan.db.core import clock
from mogan.engine.results import Done, Failed, Result
from mogan.engine.task import Task

LOG = log.getLogger(__name__)


def step(task: Task) -> Result:
    """Give the node to the instance, once it is at rest."""
    if task.overdue:
        return _give_up(task, task.too_long)
    try:
        node = task.driver.adopt(
            typing.cast('str', task.row.adopting), task.spec())
    except (driver.NotOurs, driver.Refused) as error:
        return _give_up(task, str(error))
    except driver.Fenced as error:
        # It has been given up before, and not all was given back.
        return _give_up(task, task.action.error or str(error))
    # A call that is still on its way must not come after a delete.
    task.driver.seal()
    off = node.power_state is PowerState.OFF
    return Done(states.Status.STOPPED if off else states.Status.ACTIVE, {
        'node_uuid': node.uuid, 'adopting': None,
        'image_uuid': _image_uuid(node), 'power_state': node.power_state,
        'launched_at': clock.NOW})


def _image_uuid(node: driver.Node) -> str | None:
    """Return the image on the node, where it is named by its uuid."""
    source = node.image_source
    return str(uuid.UUID(source)) if uuidutils.is_uuid_like(source) else None


def _give_up(task: Task, error: str) -> Result:
    # First of all, so that nobody takes the node for this action any more:
    # a release that is late then takes it from no instance that has it.
    task.driver.seal()
    node = task.node()
    if node is not None:
        try:
            task.driver.release(node.uuid)
        except driver.NotOurs:
            pass    # by now
        except driver.DriverError as obstacle:
            LOG.warning('Node %s has still to be released: %s',
                        node.name, obstacle)
            # Shown is why it is given up, in the end too.
            if isinstance(obstacle, driver.OutcomeUnknown):
                raise driver.OutcomeUnknown(error) from obstacle
            return task.back_off(error)
    return Failed(states.Status.ERROR, error)
