# SPDX-License-Identifier: Apache-2.0
"""Driver calls for one instance, under its claim."""

from mogan.baremetal import driver
from mogan.baremetal.driver import DeploySpec, Node, Permit, PowerTarget
from mogan.baremetal.protection import Protection
from mogan.db import claims
from mogan.db.core.engine import Database


class ClaimLost(Exception):
    """The instance is, or may be, somebody else's by now: forget it."""


class LeasedDriver:
    """The changes of the driver, as an action makes them.

    Each is sent for the claim's instance, with the action's number, and only
    while the lease surely covers the call's reach; one that cannot be undone
    is sent under a lease just renewed.  Raises ClaimLost, DriverError.
    """

    def __init__(self, db: Database, hardware: driver.Driver,
                 claim: claims.Claim, fence: int) -> None:
        self._db = db
        self._driver = hardware
        self._claim = claim
        self._fence = fence

    def claim(self, spec: DeploySpec) -> Node:
        return self._driver.claim(spec, self._renewed())

    def adopt(self, node_uuid: str, spec: DeploySpec) -> Node:
        return self._driver.adopt(node_uuid, spec, self._renewed())

    def release(self, node_uuid: str) -> None:
        self._driver.release(node_uuid, self._claim.instance_uuid,
                             self._renewed())

    def deploy(self, node_uuid: str, spec: DeploySpec) -> None:
        self._driver.deploy(node_uuid, spec, self._renewed())

    def rebuild(self, node_uuid: str, spec: DeploySpec) -> None:
        self._driver.rebuild(node_uuid, spec, self._renewed())

    def undeploy(self, node_uuid: str) -> None:
        self._driver.undeploy(node_uuid, self._claim.instance_uuid,
                              self._renewed())

    def power(self, node_uuid: str, target: PowerTarget) -> None:
        self._driver.power(node_uuid, self._claim.instance_uuid, target,
                           self._permit(self._fence))

    def protect(self, node_uuid: str, protection: Protection) -> None:
        self._driver.protect(node_uuid, protection,
                             self._permit(self._fence))

    def unprotect(self, node_uuid: str, protection: Protection) -> None:
        self._driver.unprotect(node_uuid, protection,
                               self._permit(self._fence))

    def seal(self) -> None:
        """Let no destructive call of this action take effect any more."""
        self._driver.seal(self._claim.instance_uuid,
                          self._permit(self._fence))

    def seal_older(self) -> None:
        """Let no destructive call take effect any more that was sent for
        the instance before this action."""
        self._driver.seal(self._claim.instance_uuid,
                          self._permit(self._fence - 1))

    def _renewed(self) -> Permit:
        """Return a permit for what cannot be undone."""
        self._renew()
        return self._permit(self._fence)

    def _permit(self, fence: int) -> Permit:
        if not self._covered():
            self._renew()
            if not self._covered():
                raise ClaimLost
        return Permit(fence, self._covered)

    def _renew(self) -> None:
        if not claims.renew(self._db, self._claim):
            raise ClaimLost

    def _covered(self) -> bool:
        return covers(self._claim, self._driver.timing)


def covers(claim: claims.Claim, timing: driver.Timing) -> bool:
    """Return whether the lease covers the reach of a call sent now."""
    return claim.left() > timing.reach + timing.skew
