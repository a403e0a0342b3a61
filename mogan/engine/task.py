# SPDX-License-Identifier: Apache-2.0
"""An action's view of its instance, its node and its driver."""

import base64
import dataclasses
import random
from typing import Any

from mogan import exception, states
from mogan.baremetal import driver
from mogan.db import claims, domains, flavors, rows, secrets
from mogan.db.core.engine import Database
from mogan.engine.lease import ClaimLost, LeasedDriver
from mogan.engine.results import Again

_FIRST_POLL = 0.03
_LAST_POLL = 10.0
_UNKNOWN_POLL = 1.0
_FIRST_BACK_OFF = 0.5
# So that all is done within half a minute after a fault that took long.
_LAST_BACK_OFF = 15.0
_LONG_WAIT = 60.0


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """Time limits for the work of each verb, in seconds."""

    deploy: float = 3600
    rebuild: float = 3600
    power: float = 300

    def of(self, verb: states.Verb) -> float | None:
        """Return a verb's limit; None where it is retried for ever."""
        if verb in states.POWER:
            return self.power
        return {states.Verb.CREATE: self.deploy,
                states.Verb.ADOPT: self.deploy,
                states.Verb.REBUILD: self.rebuild}.get(verb)


def poll_after(elapsed: float) -> float:
    """Return the seconds to the next poll of work that has run so long."""
    if elapsed < 0:
        # The database's clock has gone back since it began.
        return _UNKNOWN_POLL
    return min(max(_FIRST_POLL, elapsed / 4), _LAST_POLL)


class Task:
    """An action under its claim, as its step sees it."""

    def __init__(self, db: Database, hardware: driver.Driver,
                 claim: claims.Claim, row: rows.Instance,
                 action: rows.ClaimedAction, limits: Limits) -> None:
        self.db = db
        self._hardware = hardware
        self.driver = LeasedDriver(db, hardware, claim, action.fence)
        self.claim = claim
        self.row = row
        self.action = action
        self.verb = states.Verb(action.verb)
        self._limit = limits.of(self.verb)

    @property
    def uuid(self) -> str:
        """Return the instance's uuid."""
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
        """Return whether the work has exceeded its time limit."""
        return self._limit is not None and self.elapsed > self._limit

    @property
    def too_long(self) -> str:
        """Return the error of an overdue action."""
        return (f'The {self.verb.value.replace("_", " ")} was not done '
                f'within {self._limit:g} seconds.')

    @property
    def image_uuid(self) -> str | None:
        """Return the image of the request, or else of the instance."""
        wanted: str | None = self.action.arguments.get('image_uuid')
        return wanted or self.row.image_uuid

    def spec(self, *, with_secrets: bool = False) -> driver.DeploySpec:
        """Return what the instance requires of its node; `with_secrets`:
        with the keys and user data that a deploy hands to it.

        Raises Refused where the rows do not tell.
        """
        try:
            # One that was taken over may have none.
            flavor = (flavors.get(self.db, self.row.flavor_uuid)
                      if self.row.flavor_uuid else None)
            domains.check_requirements(self.row, flavor)
        except (exception.FlavorNotFound,
                exception.RequirementNotUnderstood) as error:
            raise driver.Refused(error.message) from error
        return driver.DeploySpec(
            instance_uuid=self.uuid, name=self.row.name,
            image_uuid=self.image_uuid,
            resources=flavor.resources if flavor else {},
            traits=flavor.traits if flavor else (),
            availability_zone=self.row.availability_zone,
            metadata=self.row.metadata,
            partitions=self.row.partitions or {},
            networks=self.row.networks or (),
            **self._secrets() if with_secrets else {})

    def _secrets(self) -> dict[str, Any]:
        found = secrets.get(self.db, self.uuid)
        if found is None:
            return {}
        return {'ssh_keys': found.ssh_keys or {}, 'user_data':
                found.user_data and base64.b64decode(
                    found.user_data).decode()}

    def node(self) -> driver.Node | None:
        """Return the node that carries the instance, if one does."""
        if self.row.node_uuid is None:
            return self._hardware.find(self.uuid)
        node = self._hardware.look([self.row.node_uuid]).get(
            self.row.node_uuid)
        if node is None or node.instance_uuid != self.uuid:
            return None
        return node

    def record(self, **values: Any) -> None:
        """Write values to the row, under the claim.  Raises ClaimLost."""
        if not claims.record(self.db, self.claim, self.action, values):
            raise ClaimLost

    def poll(self, *, started: bool = False,
             error: str | None = None) -> Again:
        """Poll again: soon after a short wait, later after a long one.

        `started`: the driver has begun with it just now.
        """
        return Again(poll_after(0 if started else self.waited),
                     started=started, error=error, working=not error)

    def wait_for_node(self, error: str) -> Again:
        """Poll again for a node that is busy with other work; the error is
        shown when that takes long."""
        return Again(poll_after(self.waited),
                     error=error if self.waited > _LONG_WAIT else None)

    def back_off(self, error: str) -> Again:
        """Try again: soon after the first failure, then ever later."""
        seconds = min(_FIRST_BACK_OFF * 2 ** min(self.action.attempts, 16),
                      _LAST_BACK_OFF)
        # Many that failed together do not come back together.
        return Again(seconds * random.uniform(0.75, 1.0),  # noqa: S311
                     error=error)
