# SPDX-License-Identifier: Apache-2.0
"""A driver that simulates hardware and its faults, for trials and tests.

It fences: a call's check and its effect are one durable transaction, so its
guarantee needs no clock and no `Timing.reach`.  Calls wait at most that long
for their transaction all the same, unless a fault has been scripted.
"""

import dataclasses
import json
import os
import threading
import time
from collections.abc import Callable, Collection
from typing import Final, TypeVar

from oslo_config import cfg

from mogan.baremetal import configdrive, driver
from mogan.baremetal.driver import Availability, PowerState, PowerTarget
from mogan.baremetal.protection import Protection
from mogan.baremetal.simulated import faults, preconditions
from mogan.baremetal.simulated.inventory import Inventory
from mogan.baremetal.simulated.transaction import Call, Transaction

_T = TypeVar('_T')

# The power state that a target leads to; a reboot has always work to do.
_REACHED: Final = {
    PowerTarget.ON: PowerState.ON,
    PowerTarget.OFF: PowerState.OFF,
    PowerTarget.SOFT_OFF: PowerState.OFF,
}
_REASONS: Final[dict[type[driver.Definite], str]] = {
    driver.NotOurs: 'not-ours',
    driver.Fenced: 'fenced',
    driver.NodeBusy: 'busy',
    driver.NotProtectable: 'not-protectable',
    driver.NoNodeAvailable: 'no-node',
    driver.Refused: 'state',
    driver.Protected: 'protected',
    driver.ForeignProtection: 'foreign',
}
# The outcome in the journal of a call that a fault kept from arriving.
_MET: Final = {
    faults.Mode.FAIL: 'refused:fault',
    faults.Mode.UNAVAILABLE: 'refused:fault',
    faults.Mode.BUSY: 'refused:fault',
    faults.Mode.TIMEOUT: 'nothing',
    faults.Mode.HANG: 'waiting',
}


# Seconds that the clocks of several processes, or their durations, may differ
# by.
_ALLOWANCE: Final = 60.0


@dataclasses.dataclass(frozen=True, slots=True)
class Durations:
    """Durations of the hardware's work, in seconds."""

    deploy: float = 1.0
    rebuild: float = 1.0
    undeploy: float = 1.0
    power: float = 0.2

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            if not 0 <= getattr(self, field.name) < float('inf'):
                raise ValueError(f'{field.name}_time must be a number of '
                                 f'seconds, not below 0')


class SimulatedDriver(driver.Driver):
    """Nodes in an inventory file that the processes of one host share.

    Times are in seconds, `clock` tells seconds since the epoch.  Nothing
    survives in the object: another one on the same file goes on.
    """

    fencing = True

    def __init__(self, path: str | os.PathLike[str], *,  # noqa: PLR0913
                 deploy_time: float = 1.0, rebuild_time: float = 1.0,
                 undeploy_time: float = 1.0, power_time: float = 0.2,
                 lease: float = 6.0, reach: float = 1.0, skew: float = 0.5,
                 clock: Callable[[], float] = time.time) -> None:
        if reach <= 0:
            raise ValueError('reach must be above 0: calls wait that long '
                             'for the inventory')
        self.timing = driver.Timing(lease, reach, skew)
        self._durations = Durations(deploy_time, rebuild_time,
                                    undeploy_time, power_time)
        self.inventory = Inventory(
            path, clock=clock, timeout=reach, longest=_ALLOWANCE + max(
                dataclasses.astuple(self._durations)))
        self._closing = threading.Event()

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts) -> 'SimulatedDriver':
        group = conf.simulated
        return cls(group.inventory, **{name: group[name] for name in (
            'deploy_time', 'rebuild_time', 'undeploy_time', 'power_time',
            'lease', 'reach', 'skew')})

    def nodes(self, *, marker: str | None = None,
              limit: int = 1000) -> list[driver.Node]:
        self._meet_fault(Call('nodes'))
        return self.inventory.nodes(marker=marker, limit=limit)

    def zones(self) -> list[str]:
        self._meet_fault(Call('zones'))
        return self.inventory.zones()

    def manageable(self, *, marker: str | None = None,
                   limit: int = 1000) -> list[driver.Node]:
        self._meet_fault(Call('manageable'))
        return self.inventory.manageable(marker=marker, limit=limit)

    def look(self, uuids: Collection[str]) -> dict[str, driver.Node]:
        self._meet_fault(Call('look', tuple(uuids)))
        return self.inventory.look(uuids)

    def find(self, instance_uuid: str) -> driver.Node | None:
        self._meet_fault(Call('find', (), instance_uuid))
        return self.inventory.find(instance_uuid)

    def claim(self, spec: driver.DeploySpec,
              permit: driver.Permit) -> driver.Node:
        call = Call('claim', (), spec.instance_uuid, permit.fence)

        def act(txn: Transaction) -> tuple[bool, driver.Node]:
            preconditions.unsealed(txn, call)
            carrier = txn.carrier(spec.instance_uuid)
            if carrier is not None:
                return False, carrier
            free = None
            # A node is one unit of one class.
            if list(spec.resources.values()) == [1]:
                [resource_class] = spec.resources
                free = txn.free(resource_class, spec.traits,
                                spec.availability_zone)
            if free is None:
                raise driver.NoNodeAvailable(spec.unmet_requirements())
            txn.change(free.uuid, instance_uuid=spec.instance_uuid,
                       display_name=spec.name, last_error=None)
            txn.begin(call)
            return True, dataclasses.replace(
                free, instance_uuid=spec.instance_uuid, last_error=None)

        return self._carry_out(call, act)

    def adopt(self, node_uuid: str, spec: driver.DeploySpec,
              permit: driver.Permit) -> driver.Node:
        call = Call('adopt', (node_uuid,), spec.instance_uuid, permit.fence)

        def act(txn: Transaction) -> tuple[bool, driver.Node]:
            preconditions.unsealed(txn, call)
            node = preconditions.existing(txn, call)
            driver.assert_adoptable(node, spec.instance_uuid)
            if node.instance_uuid is not None:
                return False, node
            txn.change(node_uuid, instance_uuid=spec.instance_uuid,
                       display_name=spec.name)
            txn.begin(call)
            return True, dataclasses.replace(
                node, instance_uuid=spec.instance_uuid)

        return self._carry_out(call, act)

    def release(self, node_uuid: str, instance_uuid: str,
                permit: driver.Permit) -> None:
        call = Call('release', (node_uuid,), instance_uuid, permit.fence)

        def act(txn: Transaction) -> tuple[bool, None]:
            node = preconditions.carrying(txn, call)
            preconditions.newest(txn.fences(instance_uuid), call)
            preconditions.idle(node)
            txn.change(node_uuid, instance_uuid=None, display_name=None)
            txn.begin(call)
            return True, None

        self._carry_out(call, act)

    def deploy(self, node_uuid: str, spec: driver.DeploySpec,
               permit: driver.Permit) -> None:
        call = Call('deploy', (node_uuid,), spec.instance_uuid, permit.fence)
        image = spec.image()

        def act(txn: Transaction) -> tuple[bool, None]:
            node, again = preconditions.destructible(txn, call)
            if again or (txn.image(node_uuid) == image and node.availability
                         in (Availability.DEPLOYING, Availability.ACTIVE)):
                return False, None
            preconditions.idle(node)
            if node.availability is Availability.ACTIVE:
                raise driver.Refused(f'{node.name} is active with another '
                                     f'image: only a rebuild replaces it')
            _begin(txn, call, Availability.DEPLOYING,
                   self._durations.deploy, image_uuid=image,
                   display_name=spec.name,
                   config_drive=json.dumps(configdrive.config_drive(spec)))
            return True, None

        self._carry_out(call, act)

    def rebuild(self, node_uuid: str, spec: driver.DeploySpec,
                permit: driver.Permit) -> None:
        call = Call('rebuild', (node_uuid,), spec.instance_uuid, permit.fence)
        image = spec.image()

        def act(txn: Transaction) -> tuple[bool, None]:
            node, again = preconditions.destructible(txn, call)
            if again:
                return False, None
            preconditions.unprotected(node)
            preconditions.idle(node)
            _begin(txn, call, Availability.REBUILDING,
                   self._durations.rebuild, image_uuid=image,
                   display_name=spec.name,
                   config_drive=json.dumps(configdrive.config_drive(spec)))
            return True, None

        self._carry_out(call, act)

    def undeploy(self, node_uuid: str, instance_uuid: str,
                 permit: driver.Permit) -> None:
        call = Call('undeploy', (node_uuid,), instance_uuid, permit.fence)

        def act(txn: Transaction) -> tuple[bool, None]:
            # A repeated number is no reason to do nothing: a delete that
            # has failed is tried again until it is done.
            node, _ = preconditions.destructible(txn, call)
            if node.availability is Availability.UNDEPLOYING:
                return False, None
            preconditions.unprotected(node)
            preconditions.idle(node)
            # A node that was only claimed has nothing to be wiped.
            claimed = node.availability is Availability.AVAILABLE
            _begin(txn, call, Availability.UNDEPLOYING,
                   0.0 if claimed else self._durations.undeploy)
            return True, None

        self._carry_out(call, act)

    def power(self, node_uuid: str, instance_uuid: str, target: PowerTarget,
              permit: driver.Permit) -> None:
        call = Call('power', (node_uuid,), instance_uuid, permit.fence)

        def act(txn: Transaction) -> tuple[bool, None]:
            node = preconditions.carrying(txn, call)
            applied = txn.fences(instance_uuid).power
            if call.fence < applied:
                raise driver.Fenced(f'power has seen number {applied}, and '
                                    f'{call.fence} is older')
            if call.fence == applied:
                return False, None
            preconditions.switchable(node, target)
            txn.raise_fences(instance_uuid, power=call.fence)
            if node.power_target is None and (
                    _REACHED.get(target) is node.power_state):
                return False, None
            txn.change(node_uuid, power_target=target,
                       until=txn.now + self._durations.power,
                       breaks=txn.breaks, last_error=None)
            return True, None

        self._carry_out(call, act)

    def protect(self, node_uuid: str, protection: Protection,
                permit: driver.Permit) -> None:
        instance_uuid = protection.instance_uuid
        call = Call('protect', (node_uuid,), instance_uuid, permit.fence)

        def act(txn: Transaction) -> tuple[bool, None]:
            node = preconditions.protectable(txn, call)
            active = node.availability is Availability.ACTIVE
            if not (active or node.protected):
                raise driver.NotProtectable(
                    f'{node.name} is {node.availability}, not active')
            txn.raise_fences(instance_uuid, protection=call.fence)
            preconditions.own(node, protection)
            if node.protected and node.protected_reason == protection.text:
                return False, None
            txn.change(node_uuid, protected=True,
                       protected_reason=protection.text)
            return True, None

        self._carry_out(call, act)

    def unprotect(self, node_uuid: str, protection: Protection,
                  permit: driver.Permit) -> None:
        instance_uuid = protection.instance_uuid
        call = Call('unprotect', (node_uuid,), instance_uuid, permit.fence)

        def act(txn: Transaction) -> tuple[bool, None]:
            node = preconditions.protectable(txn, call)
            # Even where there is nothing to take off: a protect that is
            # older must not come after this.
            txn.raise_fences(instance_uuid, protection=call.fence)
            preconditions.own(node, protection)
            if not node.protected:
                return False, None
            txn.change(node_uuid, protected=False, protected_reason=None)
            return True, None

        self._carry_out(call, act)

    def seal(self, instance_uuid: str, permit: driver.Permit) -> None:
        def act(txn: Transaction) -> tuple[bool, None]:
            if permit.fence <= txn.fences(instance_uuid).sealed:
                return False, None
            txn.raise_fences(instance_uuid, sealed=permit.fence)
            return True, None

        self._carry_out(Call('seal', (), instance_uuid, permit.fence), act)

    def close(self) -> None:
        # In this order, so that no call that waits arrives after all.
        self.inventory.close()
        self._closing.set()

    def _carry_out(self, call: Call,
                   act: Callable[[Transaction], tuple[bool, _T]]) -> _T:
        """Check the call and give it its effect, in one transaction; `act`
        tells whether it had one, and the call's result."""
        late = self._meet_fault(call)
        refusal: driver.Definite | None = None
        effect = False
        with self.inventory.transaction() as txn:
            fault = None if late else _through(txn, call)
            try:
                effect, result = act(txn)
            except driver.Definite as error:
                refusal = error
            else:
                if isinstance(result, driver.Node):
                    call = dataclasses.replace(call,
                                               node_uuids=(result.uuid,))
            if txn.breaks is not None and not effect:
                fault = None    # work that never began cannot fail
            if fault is not None:
                faults.spend(txn.connection, fault)
            txn.record(call, _outcome(effect, refusal), fault)
        if fault is not None and fault.mode is faults.Mode.LOST:
            self._closing.wait(fault.seconds)
            raise driver.OutcomeUnknown(_text(fault))
        if refusal is not None:
            raise refusal
        return result

    def _meet_fault(self, call: Call) -> bool:
        """Meet the first fault that keeps the call from arriving, or from
        arriving now; tells whether it arrives late."""
        if self.inventory.fault(call) is None:
            return False
        with self.inventory.transaction() as txn:
            fault = txn.fault(call)
            if fault is None or fault.mode in faults.THROUGH:
                return False
            faults.spend(txn.connection, fault)
            txn.record(call, _MET[fault.mode], fault)
        text = _text(fault)
        match fault.mode:
            case faults.Mode.FAIL:
                raise driver.Refused(text)
            case faults.Mode.UNAVAILABLE:
                raise driver.Unavailable(text)
            case faults.Mode.BUSY:
                raise driver.NodeBusy(text)
        self._closing.wait(fault.seconds)
        if fault.mode is faults.Mode.TIMEOUT:
            raise driver.OutcomeUnknown(text)
        return True


def _begin(txn: Transaction, call: Call, work: Availability, seconds: float,
           **columns: str) -> None:
    """Put the node to work, and keep the call's number as begun."""
    [node_uuid] = call.node_uuids
    txn.change(node_uuid, availability=work, until=txn.now + seconds,
               breaks=txn.breaks, last_error=None, **columns)
    txn.begin(call)


def _through(txn: Transaction, call: Call) -> faults.Fault | None:
    """Return the fault under which the call is carried out, if any."""
    fault = txn.fault(call)
    if fault is None or fault.mode not in faults.THROUGH:
        return None
    if fault.mode is faults.Mode.BREAK:
        txn.breaks = _text(fault)
    return fault


def _text(fault: faults.Fault) -> str:
    return fault.message or f'scripted: {faults.MEANING[fault.mode]}'


def _outcome(effect: bool, refusal: driver.Definite | None) -> str:
    if refusal is not None:
        return f'refused:{_REASONS[type(refusal)]}'
    return 'effect' if effect else 'nothing'
