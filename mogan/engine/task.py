# SPDX-License-Identifier: Apache-2.0
"""One action's view of its instance, its node and its driver."""

import base64
import dataclasses
import random
from typing import Any

from mogan import states
from mogan.baremetal import driver
from mogan.db import claims, flavors, inputs, instances
from mogan.db.engine import Database
from mogan.engine.results import Again

_FIRST_POLL = 0.03
_LAST_POLL = 10.0
_FIRST_BACK_OFF = 0.5
# So that all is done within half a minute after a fault that took long.
_LAST_BACK_OFF = 15.0
_LONG_TURN = 60.0


class ClaimLost(Exception):
    """The instance is, or may be, somebody else's by now: forget it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """How long the work of a verb may take, in seconds."""

    deploy: float = 3600
    rebuild: float = 3600
    power: float = 300

    def of(self, verb: states.Verb) -> float | None:
        """A verb's limit; none where it is tried for as long as it
        takes."""
        if verb in states.POWER:
            return self.power
        return {states.Verb.CREATE: self.deploy,
                states.Verb.ADOPT: self.deploy,
                states.Verb.REBUILD: self.rebuild}.get(verb)


def poll_after(elapsed: float) -> float:
    """Seconds to the next look at work that has run for so long."""
    return min(max(_FIRST_POLL, elapsed / 4), _LAST_POLL)


class Task:
    """What an action may do; every change goes through the claim."""

    def __init__(self, db: Database, hardware: driver.Driver,
                 claim: claims.Claim, row: instances.Row,
                 action: Any, limits: Limits) -> None:
        self.db = db
        self.driver = hardware
        self.claim = claim
        self.row = row
        self.action = action
        self.verb = states.Verb(action.verb)
        self.fence: int = action.fence
        self._limit = limits.of(self.verb)

    @property
    def uuid(self) -> str:
        """The instance's uuid."""
        return self.row.uuid

    @property
    def elapsed(self) -> float:
        """Seconds since the request, by the database's clock."""
        return (self.action.now - self.action.created_at).total_seconds()

    @property
    def waited(self) -> float:
        """Seconds since the driver began with it, or else since the
        request."""
        since = self.action.started_at or self.action.created_at
        return (self.action.now - since).total_seconds()

    @property
    def overdue(self) -> bool:
        """Whether the work takes longer than it may."""
        return self._limit is not None and self.elapsed > self._limit

    @property
    def too_long(self) -> str:
        """The error of an overdue action."""
        return (f'The {self.verb.value.replace("_", " ")} was not done '
                f'within {self._limit:g} seconds.')

    def order(self, *, whole: bool = False) -> driver.Order:
        """What the instance wants of its node; `whole`: with what the node
        is to hand to it."""
        # One that was taken over may have none.
        flavor = (flavors.get(self.db, self.row.flavor_uuid)
                  if self.row.flavor_uuid else None)
        image = self.action.arguments.get('image_uuid')
        return driver.Order(
            instance_uuid=self.uuid, name=self.row.name,
            image_uuid=image or self.row.image_uuid,
            resources=flavor.resources if flavor else {},
            traits=flavor.traits if flavor else (),
            availability_zone=self.row.availability_zone,
            metadata=self.row.metadata,
            partitions=self.row.partitions or {},
            networks=self.row.networks or (),
            **self._given() if whole else {})

    def _given(self) -> dict[str, Any]:
        given = inputs.get(self.db, self.uuid)
        if given is None:
            return {}
        return {'ssh_keys': given.ssh_keys or {}, 'user_data':
                given.user_data and base64.b64decode(
                    given.user_data).decode()}

    def node(self) -> driver.Node | None:
        """The node that carries the instance, if one does."""
        if self.row.node_uuid is None:
            return self.driver.find(self.uuid)
        node = self.driver.look([self.row.node_uuid]).get(self.row.node_uuid)
        if node is None or node.instance_uuid != self.uuid:
            return None
        return node

    def call(self, method: Any, *arguments: Any) -> Any:
        """Call the driver, with the action's number, while the lease
        surely covers the call's reach.  Raises ClaimLost, DriverError."""
        return self._send(method, *arguments, self.fence)

    def destroy(self, method: Any, *arguments: Any) -> Any:
        """Call the driver for what cannot be undone, under a lease just
        renewed.  Raises ClaimLost, DriverError."""
        self._renew()
        return self.call(method, *arguments)

    def seal(self) -> None:
        """Let no destructive call of this action take effect any more."""
        self.call(self.driver.seal, self.uuid)

    def seal_older(self) -> None:
        """Let no destructive call take effect any more that was sent for
        the instance before this action."""
        self._send(self.driver.seal, self.uuid, self.fence - 1)

    def record(self, **values: Any) -> None:
        """Write down what was found out.  Raises ClaimLost."""
        if not claims.record(self.db, self.claim, self.action, values):
            raise ClaimLost

    def poll(self, *, started: bool = False,
             error: str | None = None) -> Again:
        """Look again: soon after a short wait, later after a long one.

        `started`: the driver has begun with it just now.
        """
        return Again(poll_after(0 if started else self.waited),
                     started=started, error=error, working=not error)

    def wait_for_node(self, error: str) -> Again:
        """Look again at what is as yet no more than another's turn; it is
        shown when it takes long."""
        return Again(poll_after(self.waited),
                     error=error if self.waited > _LONG_TURN else None)

    def back_off(self, error: str) -> Again:
        """Try again: soon after the first failure, then ever later."""
        seconds = min(_FIRST_BACK_OFF * 2 ** min(self.action.attempts, 16),
                      _LAST_BACK_OFF)
        # Many that failed together do not come back together.
        return Again(seconds * random.uniform(0.75, 1.0),  # noqa: S311
                     error=error)

    def _send(self, method: Any, *arguments: Any) -> Any:
        self._cover()
        with driver.covering(self._covered):
            return method(*arguments)

    def _renew(self) -> None:
        if not claims.renew(self.db, self.claim):
            raise ClaimLost

    def _covered(self) -> bool:
        timing = self.driver.timing
        return self.claim.left() > timing.reach + timing.skew

    def _cover(self) -> None:
        if not self._covered():
            self._renew()
            if not self._covered():
                raise ClaimLost
