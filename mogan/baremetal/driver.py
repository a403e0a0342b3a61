# SPDX-License-Identifier: Apache-2.0
"""The interface of bare-metal drivers.

Every method may be called twice with the same arguments, and may arrive
late: it acts only on a node that carries the given instance, and refuses
otherwise.  A method that changes something takes a permit.  A fencing driver
compares the permit's fence in the same step as the effect:

* claim, adopt, deploy, rebuild and undeploy at or below the highest number
  sealed for the instance are refused, so are release below the highest
  number of those that took effect, protect and unprotect below the highest
  number that was applied, and power below the highest number applied to
  power;
* `seal` sets the highest number sealed.

A driver that cannot fence keeps `Timing.reach` instead: it asks
`Permit.assert_covered` when all that is left to do is to send the effect.
"""

import abc
import dataclasses
import enum
from collections.abc import Callable, Collection, Mapping, Sequence

from oslo_config import cfg

from mogan.baremetal.protection import Protection


class Availability(enum.StrEnum):
    """The state of a node, the same for every driver."""

    AVAILABLE = 'available'
    DEPLOYING = 'deploying'
    ACTIVE = 'active'
    # Deployed, and an operator works on it.
    SERVICING = 'servicing'
    REBUILDING = 'rebuilding'
    UNDEPLOYING = 'undeploying'
    FAILED = 'failed'
    UNAVAILABLE = 'unavailable'


BUSY = frozenset({Availability.DEPLOYING, Availability.REBUILDING,
                  Availability.UNDEPLOYING})


class PowerState(enum.StrEnum):
    """The power of a node, as far as the driver knows."""

    ON = 'power on'
    OFF = 'power off'


class PowerTarget(enum.StrEnum):
    """A change of a node's power."""

    ON = 'on'
    OFF = 'off'
    SOFT_OFF = 'soft_off'
    REBOOT = 'reboot'
    SOFT_REBOOT = 'soft_reboot'


# These do not wait for an operating system.
FORCED = frozenset({PowerTarget.OFF, PowerTarget.REBOOT})
SOFT = frozenset({PowerTarget.SOFT_OFF, PowerTarget.SOFT_REBOOT})


@dataclasses.dataclass(frozen=True, slots=True)
class Timing:
    """The times that a driver's calls keep, in seconds.

    `lease` (L): how long a worker's claim of an instance lasts.  `reach`
    (D): a call takes effect within this time of its check, or never.
    `skew` (e): what the database's clock may gain on ours over one lease.
    """

    lease: float
    reach: float
    skew: float

    def __post_init__(self) -> None:
        if self.lease < 3 * self.reach or self.lease <= (
                self.reach + self.skew):
            raise ValueError(
                f'a lease of {self.lease} s is too short for calls that '
                f'reach {self.reach} s and a clock skew of {self.skew} s: '
                f'at least three times the reach, and more than reach and '
                f'skew together')


@dataclasses.dataclass(frozen=True, slots=True)
class Node:
    """A node as it was read.

    `image_source`: what was deployed on it, where the call tells it.
    `maintenance_for_lock`: a lock has put it into maintenance.
    """

    uuid: str
    name: str
    resource_class: str
    availability: Availability
    power_state: PowerState | None = None
    power_target: PowerTarget | None = None
    instance_uuid: str | None = None
    protected: bool = False
    protected_reason: str | None = None
    traits: tuple[str, ...] = ()
    maintenance: bool = False
    last_error: str | None = None
    availability_zone: str | None = None
    image_source: str | None = None
    maintenance_for_lock: bool = False

    @property
    def busy(self) -> bool:
        """Return whether a deploy, rebuild, undeploy or power change is
        under way."""
        return self.availability in BUSY or self.power_target is not None

    @property
    def obstacle(self) -> str | None:
        """Return the reason why no instance can take the node over as it is;
        None where one can."""
        if self.instance_uuid is not None:
            return f'carries the instance {self.instance_uuid}'
        if self.availability is not Availability.ACTIVE:
            return f'is {self.availability}, not active'
        if self.maintenance:
            return 'is in maintenance'
        if self.protected:
            return 'is protected: its protection has to be taken off first'
        return None


@dataclasses.dataclass(frozen=True, slots=True)
class DeploySpec:
    """The requirements of an instance on the node that carries it.

    `image_uuid`: None for an instance that has taken over a node and whose
    image is unknown.  `partitions`: sizes by `root_gb`, `ephemeral_gb` and
    `swap_mb`.  `networks`: a `net_id` or a `port_id` each.  `ssh_keys`:
    public keys in OpenSSH's format, by name.  Only deploy and rebuild need
    these two last ones, and no log may hold them.
    """

    instance_uuid: str
    name: str
    image_uuid: str | None
    resources: Mapping[str, int] = dataclasses.field(default_factory=dict)
    traits: Collection[str] = ()
    availability_zone: str | None = None
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)
    partitions: Mapping[str, int] = dataclasses.field(default_factory=dict)
    networks: Sequence[Mapping[str, str]] = ()
    user_data: str | None = dataclasses.field(default=None, repr=False)
    ssh_keys: Mapping[str, str] = dataclasses.field(
        default_factory=dict, repr=False)

    def image(self) -> str:
        """Return the image to put on the node.  Raises Refused."""
        if self.image_uuid is None:
            raise Refused('the instance has no image')
        return self.image_uuid

    def unmet_requirements(self) -> str:
        """Return the message for a spec that no free node meets."""
        units = ', '.join(f'{amount} of {name}'
                          for name, amount in self.resources.items())
        unmet = [f'no free node has {units or "no resources"}']
        if self.traits:
            unmet.append(f'the traits {", ".join(sorted(self.traits))}')
        if self.partitions:
            unmet.append('a disk for its partitions')
        text = ' and '.join(unmet)
        if self.availability_zone:
            text += f' in the availability zone {self.availability_zone}'
        return text


class DriverError(Exception):
    """A call that did not do what was asked."""


class OutcomeUnknown(DriverError):
    """No verdict came back: the call may have taken effect, or may yet."""


class Definite(DriverError):
    """An answer: the call had no effect and will have none."""


class Unavailable(Definite):
    """The driver's service cannot be reached; nothing was sent."""


class NodeBusy(Definite):
    """The node is doing something else; the same call may succeed later."""


class NotOurs(Definite):
    """The node is gone, or does not carry the instance (any more)."""


class NotProtectable(Definite):
    """The node cannot be protected in its present state."""


class ProtectionUnsupported(Definite):
    """The driver has nothing to protect a node with."""


class Fenced(Definite):
    """The call's number is too low: newer work has passed it."""


class NoNodeAvailable(Definite):
    """No free node meets the requirements."""


class Refused(Definite):
    """The driver's service refused the call, and would refuse it again."""


class Protected(Refused):
    """The node is protected from what the call would do to it."""


class ForeignProtection(Definite):
    """Somebody else has protected the node, for a reason of their own."""

    def __init__(self, name: str, reason: str | None) -> None:
        super().__init__(
            f'{name} was protected by somebody else, past the service'
            f'{f": {reason}" if reason else ""}; that has to be taken off '
            f'in the hardware management')


class TooLate(Definite):
    """The caller's lease does not cover the call any more; nothing was
    sent."""


def assert_adoptable(node: Node, instance_uuid: str) -> None:
    """Check that the instance has taken the node over, or can.

    Raises NotOurs, NodeBusy, Refused.
    """
    if node.instance_uuid not in {None, instance_uuid}:
        raise NotOurs(f'{node.name} {node.obstacle}')
    if node.busy:
        raise NodeBusy(f'{node.name} is at work')
    obstacle = dataclasses.replace(node, instance_uuid=None).obstacle
    if obstacle:
        raise Refused(f'{node.name} {obstacle}')


@dataclasses.dataclass(frozen=True, slots=True)
class Permit:
    """Permission for one call that changes something.

    `fence`: the number of the action that the call works for; it grows with
    each accepted request of an instance.  `covered` tells by the caller's
    clock whether its lease still covers the call's reach.
    """

    fence: int
    covered: Callable[[], bool]

    def assert_covered(self) -> None:
        """Ask the caller's clock; what a driver takes for its check of the
        node has to come before this.  Raises TooLate."""
        if not self.covered():
            raise TooLate('the claim of the instance is about to run out')


class Driver(abc.ABC):
    """One kind of hardware management; methods raise DriverError.

    Deploy, rebuild, undeploy and power return as soon as the work is under
    way; `look` tells when it is over.
    """

    timing: Timing
    fencing: bool

    @classmethod
    @abc.abstractmethod
    def from_conf(cls, conf: cfg.ConfigOpts) -> 'Driver':
        """Make a driver from the configuration.

        Raises ValueError where its times do not fit each other.
        """

    def check(self) -> None:
        """Check the connection.  Raises DriverError if calls would fail."""
        self.nodes(limit=1)

    @abc.abstractmethod
    def nodes(self, *, marker: str | None = None,
              limit: int = 1000) -> list[Node]:
        """Return a page of all nodes, by uuid, after the node `marker`."""

    @abc.abstractmethod
    def zones(self) -> list[str]:
        """Return the availability zones that the nodes are in, sorted;
        perhaps as they were half a minute ago."""

    @abc.abstractmethod
    def manageable(self, *, marker: str | None = None,
                   limit: int = 1000) -> list[Node]:
        """Return a page of the nodes that have no obstacle, by uuid, after
        the node `marker`, with their images."""

    @abc.abstractmethod
    def look(self, uuids: Collection[str]) -> dict[str, Node]:
        """Return those of these nodes that exist, in one query, by uuid."""

    @abc.abstractmethod
    def find(self, instance_uuid: str) -> Node | None:
        """Return the node that carries the instance, if one does."""

    @abc.abstractmethod
    def claim(self, spec: DeploySpec, permit: Permit) -> Node:
        """Give a free node that fits to the instance, or find its node.

        Raises NoNodeAvailable, Fenced.
        """

    @abc.abstractmethod
    def adopt(self, node_uuid: str, spec: DeploySpec, permit: Permit) -> Node:
        """Give an active node that has no instance to this one, and leave
        what is on it alone; returns it with its image.

        Raises NotOurs, NodeBusy, Fenced, Refused.
        """

    @abc.abstractmethod
    def release(self, node_uuid: str, instance_uuid: str,
                permit: Permit) -> None:
        """Take the instance off the node, and leave what is on it alone.

        Raises NotOurs, NodeBusy, Fenced.
        """

    @abc.abstractmethod
    def deploy(self, node_uuid: str, spec: DeploySpec, permit: Permit) -> None:
        """Start to put the image on the node.

        Raises NotOurs, Fenced; Refused where the spec has no image.
        """

    @abc.abstractmethod
    def rebuild(self, node_uuid: str, spec: DeploySpec,
                permit: Permit) -> None:
        """Start to put the image on the node again.

        Raises NotOurs, Fenced, Protected; Refused where the spec has no
        image.
        """

    @abc.abstractmethod
    def undeploy(self, node_uuid: str, instance_uuid: str,
                 permit: Permit) -> None:
        """Start to wipe the node and to take the instance off it.

        Raises NotOurs, Fenced, Protected.
        """

    @abc.abstractmethod
    def power(self, node_uuid: str, instance_uuid: str, target: PowerTarget,
              permit: Permit) -> None:
        """Start to change the node's power; off and reboot need not wait
        for the end of a soft change.  Raises NotOurs, NodeBusy, Fenced."""

    @abc.abstractmethod
    def protect(self, node_uuid: str, protection: Protection,
                permit: Permit) -> None:
        """Make the node refuse undeploy and rebuild; a protection that is
        not ours stays as it is.

        Raises NotOurs, Fenced, NotProtectable, ProtectionUnsupported,
        ForeignProtection.
        """

    @abc.abstractmethod
    def unprotect(self, node_uuid: str, protection: Protection,
                  permit: Permit) -> None:
        """Take our protection off, and no other.

        Raises NotOurs, Fenced, ForeignProtection.
        """

    @abc.abstractmethod
    def seal(self, instance_uuid: str, permit: Permit) -> None:
        """Refuse destructive calls for the instance up to this number from
        now on; nothing where the driver does not fence."""

    def close(self) -> None:  # noqa: B027 - most have nothing to close
        """Close connections, and end calls that still wait."""
