# SPDX-License-Identifier: Apache-2.0
"""The status of instances, made to follow their nodes.

Somebody may turn a machine off, take it away or wipe it behind the service's
back, and a call that was given up may arrive after all.  The row follows;
the node is left alone whatever has become of it.  A row that an action works
on is left to the action.
"""

import dataclasses
from collections.abc import Callable
from typing import Any, Final

from oslo_log import log

from mogan import states
from mogan.baremetal.driver import Availability, Node, PowerState
from mogan.db import instances, rows
from mogan.db.core.engine import Database
from mogan.engine.results import fault_of
from mogan.states import Status

LOG = log.getLogger(__name__)

# The cause of a fault found by a comparison with the node.
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
    """The status of an instance by its node.

    `trouble`: what is wrong, where something is; `apart`: the node does not
    carry the instance.
    """

    status: Status
    power_state: str | None
    trouble: str | None = None
    apart: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class StatusSync:
    """Comparison and update of rows; a request that has come since then
    wins."""

    db: Database

    def follow(self, row: rows.OnNode, node: Node | None) -> bool:
        """Make a row what its node is, which was read after the row (None:
        it is gone); returns whether that changed the row."""
        found = compare(row, node)
        if found is None:
            return False
        values = _changes(row, found)
        if not values and found.status == row.status:
            return False
        if not instances.follow(self.db, row, found.status, values):
            return False
        if found.trouble:
            LOG.warning('The status of instance %s has changed from %s to '
                        '%s: %s', row.uuid, row.status, found.status,
                        found.trouble)
        else:
            LOG.info('The status of instance %s has changed from %s to %s, '
                     'as its node: %s', row.uuid, row.status, found.status,
                     found.power_state or 'power unknown')
        return True


class _Case:
    """A settled row beside its node."""

    def __init__(self, row: rows.OnNode, node: Node | None) -> None:
        self.status = Status(row.status)
        # An instance whose request failed is not well when its node is.
        self.failed = self.status is Status.ERROR and not (
            row.fault and row.fault.get('cause') in _MENDED)
        self.node = node
        self.carries = node.instance_uuid if node else None
        self.apart = self.carries != row.uuid
        self.power = node.power_state if node and not self.apart else None

    @property
    def undeployed(self) -> str:
        """Return the fault of a node that is not deployed, else empty."""
        if self.node is None or self.node.availability in _DEPLOYED:
            return ''
        error = f': {self.node.last_error}' if self.node.last_error else '.'
        return (f'{_UNDEPLOYED[self.node.availability]}, behind the back of '
                f'the service{error}')

    @property
    def changing_power(self) -> bool:
        return self.node is not None and self.node.power_target is not None

    @property
    def in_maintenance(self) -> bool:
        return (self.node is not None and self.node.maintenance
                and not self.node.maintenance_for_lock)


def _as_it_is(case: _Case) -> Finding:
    return Finding(case.status, case.power)


def _nothing(_: _Case) -> None:
    return None


def _lost(trouble: str) -> Callable[[_Case], Finding]:
    return lambda case: Finding(Status.ERROR, case.power, trouble,
                                apart=case.apart)


def _by_power(trouble: str | None = None) -> Callable[[_Case], Finding]:
    return lambda case: Finding(
        _STATUSES[case.power] if case.power else case.status, case.power,
        trouble)


# The first condition that holds decides.
_RULES: Final[tuple[tuple[Callable[[_Case], bool],
                          Callable[[_Case], Finding | None]], ...]] = (
    (lambda case: case.failed, _as_it_is),
    (lambda case: case.node is None, _lost(GONE)),
    (lambda case: case.carries is None, _lost(RELEASED)),
    (lambda case: case.apart, _lost(TAKEN)),
    (lambda case: bool(case.undeployed),
     lambda case: _lost(case.undeployed)(case)),
    (lambda case: case.changing_power, _nothing),
    (lambda case: case.power is None and case.status is Status.ERROR,
     _by_power(UNKNOWN)),
    (lambda case: case.in_maintenance, _by_power(MAINTENANCE)),
    (lambda _: True, _by_power()),
)


def compare(row: rows.OnNode, node: Node | None) -> Finding | None:
    """Return the instance's status by its node; None where the node does not
    decide it."""
    if (row.status_action is not None
            or Status(row.status) not in states.FOLLOWS):
        return None
    case = _Case(row, node)
    return next(find(case) for holds, find in _RULES if holds(case))


def _changes(row: rows.OnNode, found: Finding) -> dict[str, Any]:
    """Return the columns to be written beside the status."""
    values: dict[str, Any] = {'power_state': found.power_state}
    if found.apart and row.lock_action is None:
        values['node_protection'] = 'none'
    return {name: value for name, value in values.items()
            if getattr(row, name) != value} | _changed_fault(row, found)


def _changed_fault(row: rows.OnNode, found: Finding) -> dict[str, Any]:
    fault, trouble = row.fault, found.trouble
    changed = found.status != row.status
    # The fault of a request stays until the next one, or until it is not
    # true any more.
    if not (changed or fault is None or fault.get('cause') == NODE):
        return {}
    shown = fault and fault.get('message')
    if trouble == shown and not (changed and trouble):
        return {}
    return {'fault': trouble and fault_of(NODE, trouble, row.now)}
