# SPDX-License-Identifier: Apache-2.0
"""Makes the rows what their nodes are, where nobody works on them.

Somebody may turn a machine off, take it away or wipe it behind the service's
back, and a call that was given up may arrive after all.  The row follows;
the node is left alone whatever has become of it.
"""

import dataclasses
from typing import Any, Final

from oslo_log import log

from mogan import states
from mogan.baremetal import driver
from mogan.baremetal.driver import Availability, PowerState
from mogan.db import instances
from mogan.db.engine import Database
from mogan.engine.results import fault_of
from mogan.states import Status

LOG = log.getLogger(__name__)

# The cause of a fault that a look at the node has found.
NODE: Final = 'node'
# An instance in error for one of these is well when its node is: nothing
# has been left half done on it.
_MENDED: Final = frozenset({NODE, *(verb.value for verb in states.POWER)})
_DEPLOYED: Final = frozenset({Availability.ACTIVE, Availability.SERVICING})
_STATUSES: Final = {PowerState.ON: Status.ACTIVE,
                    PowerState.OFF: Status.STOPPED}

GONE: Final = ('The node is gone: the hardware management does not have it '
               'any more.')
TAKEN: Final = ('The node carries another instance: it was given away '
                'behind the back of the service.')
RELEASED: Final = ('The node does not carry the instance any more: it was '
                   'undeployed or released behind the back of the service.')
MAINTENANCE: Final = 'The node is in maintenance.'
UNKNOWN: Final = 'Whether the power of the node is on is not known.'
_UNDEPLOYED: Final = {
    Availability.AVAILABLE: 'The node is available and not deployed',
    Availability.UNDEPLOYING: 'The node is being undeployed',
    Availability.DEPLOYING: 'The node is being deployed anew',
    Availability.REBUILDING: 'The node is being rebuilt',
    Availability.FAILED: 'A deploy or undeploy of the node has failed',
    Availability.UNAVAILABLE: 'The node is not deployed any more',
}


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """What a look at a node makes of its instance.

    `trouble`: what is wrong, where something is; `apart`: the node does not
    carry the instance.
    """

    status: Status
    power_state: str | None
    trouble: str | None = None
    apart: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Sync:
    """Compares and writes; a request that has come in between wins."""

    db: Database

    def follow(self, row: instances.Row, node: driver.Node | None) -> bool:
        """Make a row what its node is, which was looked at after the row
        was read (none: it is gone); tells whether that changed it."""
        found = look(row, node)
        if found is None:
            return False
        values = _changes(row, found)
        if not values and found.status == row.status:
            return False
        if not instances.follow(self.db, row, found.status, values):
            return False
        if found.trouble:
            LOG.warning('The instance %s, which was %s, is %s: %s', row.uuid,
                        row.status, found.status, found.trouble)
        else:
            LOG.info('The instance %s, which was %s, is %s, as its node: %s',
                     row.uuid, row.status, found.status,
                     found.power_state or 'its power is not known')
        return True


def look(row: instances.Row, node: driver.Node | None) -> Finding | None:
    """What the node says of its instance; None where that is not for a
    look at the node to say."""
    status = Status(row.status)
    if row.status_action is not None or status not in states.FOLLOWS:
        return None
    ours = node is not None and node.instance_uuid == row.uuid
    power = node.power_state if node and ours else None
    if status is Status.ERROR and not (
            row.fault and row.fault.get('cause') in _MENDED):
        # What has failed on it is another matter.
        return Finding(status, power)
    lost = _lost(row, node)
    if lost or node is None:
        return Finding(Status.ERROR, power, lost, apart=not ours)
    if node.power_target is not None:
        return None
    if power is None and status is Status.ERROR:
        return Finding(status, power, UNKNOWN)
    return Finding(
        _STATUSES[power] if power else status, power, MAINTENANCE
        if node.maintenance and not node.maintenance_for_lock else None)


def _lost(row: instances.Row, node: driver.Node | None) -> str | None:
    """Why the instance is not on its node any more."""
    if node is None:
        return GONE
    if node.instance_uuid is None:
        return RELEASED
    if node.instance_uuid != row.uuid:
        return TAKEN
    if node.availability in _DEPLOYED:
        return None
    return (f'{_UNDEPLOYED[node.availability]}, behind the back of the '
            f'service{f": {node.last_error}" if node.last_error else "."}')


def _changes(row: instances.Row, found: Finding) -> dict[str, Any]:
    """The columns that are to be written beside the status."""
    values: dict[str, Any] = {}
    if found.power_state != row.power_state:
        values['power_state'] = found.power_state
    if (found.apart and row.node_protection != 'none'
            and row.lock_action is None):
        values['node_protection'] = 'none'
    fault = row.fault
    changed = found.status != row.status
    # What a request has left stays until the next one, or until it is not
    # true any more.
    ours = fault is not None and fault.get('cause') == NODE
    if found.trouble is None:
        if ours or (changed and fault is not None):
            values['fault'] = None
    elif changed or fault is None or (
            ours and fault['message'] != found.trouble):
        values['fault'] = fault_of(NODE, found.trouble, row.now)
    return values
