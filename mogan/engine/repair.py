# SPDX-License-Identifier: Apache-2.0
"""Makes the nodes' protection what the rows say, whoever has changed it."""

import dataclasses
from typing import Any

from oslo_log import log

from mogan import states
from mogan.baremetal import driver
from mogan.baremetal.driver import Node
from mogan.db import claims, instances
from mogan.db.engine import Database

LOG = log.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Repair:
    """Compares and mends; every change goes through a claim of its own."""

    db: Database
    driver: driver.Driver
    name: str

    def mend(self, row: instances.Row, node: Node) -> bool:
        """Set a node's protection right where it is not what the row says;
        tells whether that was done."""
        return (row.lock_action is None and drifted(row, node)
                and self._mend(row.uuid))

    def _mend(self, uuid: str) -> bool:
        work = claims.take(self.db, uuid, self.name,
                           self.driver.timing.lease, repair=True)
        if work is None:
            return False
        row = work.row
        values: dict[str, Any] = {}
        # What the round saw may be over: only the row as claimed counts.
        if row.lock_action is None and row.node_uuid is not None:
            try:
                values = {'node_protection': self._protect(work)}
            except driver.OutcomeUnknown as error:
                LOG.warning('Leaving the repair of %s: %s', uuid, error)
                return False
            except driver.Definite as error:
                LOG.warning('The protection of %s cannot be repaired: %s',
                            uuid, error)
        claims.release(self.db, work.claim, values=values)
        return values.get('node_protection') in ('applied', 'none')

    def _protect(self, work: claims.Work) -> str:
        """Bring the node to what the row says; returns its protection."""
        timing = self.driver.timing
        with driver.covering(
                lambda: work.claim.left() > timing.reach + timing.skew):
            driver.assert_covered()
            return self._apply(work.row)

    def _apply(self, row: instances.Row) -> str:
        if row.lock_state == states.LockState.UNLOCKED:
            self.driver.unprotect(row.node_uuid, row.uuid, row.fence)
            return 'none'
        try:
            self.driver.protect(row.node_uuid, row.uuid, row.locked_reason,
                                row.fence)
        except driver.NotProtectable:
            return 'pending'
        except driver.ProtectionUnsupported:
            return 'unsupported'
        return 'applied'


def drifted(row: instances.Row, node: Node) -> bool:
    """Whether a settled instance's node is protected otherwise than its
    row says."""
    if node.instance_uuid != row.uuid:
        return False
    if row.lock_state == states.LockState.UNLOCKED:
        return node.protected
    if row.node_protection == 'unsupported':
        return False
    return (not node.protected or node.protected_reason != row.locked_reason
            or row.node_protection != 'applied')
