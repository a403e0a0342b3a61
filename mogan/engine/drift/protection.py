# SPDX-License-Identifier: Apache-2.0
"""The protection of nodes, repaired where it is not what the rows say."""

import dataclasses
import functools
from typing import Any

from oslo_log import log

from mogan.baremetal import driver
from mogan.baremetal.driver import Node
from mogan.db import claims, domains, rows
from mogan.db.core.engine import Database
from mogan.engine import lease, protection
from mogan.states import LockState, NodeProtection

LOG = log.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class ProtectionRepair:
    """Comparison and repair; every change has a claim of its own."""

    db: Database
    driver: driver.Driver
    name: str
    watch: claims.Watch = dataclasses.field(default_factory=claims.Watch)

    def repair(self, row: rows.OnNode, node: Node) -> bool:
        """Repair a node's protection where it is not what the row says;
        returns whether that was done."""
        return (row.lock_action is None and drifted(row, node)
                and self._repair(row.uuid))

    def _repair(self, uuid: str) -> bool:
        timing = self.driver.timing
        work = claims.take(self.db, uuid, self.name, timing.lease,
                           repair=True, watch=self.watch, skew=timing.skew)
        if work is None:
            return False
        row = work.row
        values: dict[str, Any] = {}
        # The survey's row may be out of date: the row as claimed counts.
        if (row.lock_action is None and row.node_uuid is not None
                and domains.unknown(row) is None):
            try:
                values = {'node_protection': self._protect(
                    work, row.node_uuid)}
            except driver.OutcomeUnknown as error:
                LOG.warning('The repair of instance %s is left to the next '
                            'claim: %s', uuid, error)
                return False
            except driver.Definite as error:
                LOG.warning('Cannot repair the protection of instance %s: %s',
                            uuid, error)
        claims.release(self.db, work.claim, values=values)
        found = values.get('node_protection')
        if found == NodeProtection.FOREIGN:
            LOG.warning('The node of the instance %s was protected by '
                        'somebody else, past the service', uuid)
        return found in {NodeProtection.APPLIED, NodeProtection.NONE}

    def _protect(self, work: claims.Work,
                 node_uuid: str) -> NodeProtection:
        """Make the node's protection what the row says, and return it."""
        row = work.row
        permit = driver.Permit(row.fence, functools.partial(
            lease.covers, work.claim, self.driver.timing))
        permit.assert_covered()
        method, done = (
            (self.driver.unprotect, NodeProtection.NONE)
            if row.lock_state == LockState.UNLOCKED
            else (self.driver.protect, NodeProtection.APPLIED))
        return protection.outcome(
            lambda: method(node_uuid, protection.of(row), permit), done)


def drifted(row: rows.OnNode, node: Node) -> bool:
    """Return whether a settled instance's node is protected otherwise than
    its row says."""
    if node.instance_uuid != row.uuid:
        return False
    wanted = protection.of(row)
    if node.protected and not wanted.owns(node.protected_reason):
        # It stays, and its row says whose it is.
        return row.node_protection != NodeProtection.FOREIGN
    if row.lock_state == LockState.UNLOCKED:
        return node.protected or row.node_protection != NodeProtection.NONE
    if row.node_protection == NodeProtection.UNSUPPORTED:
        return False
    return (not node.protected or node.protected_reason != wanted.text
            or row.node_protection != NodeProtection.APPLIED)
