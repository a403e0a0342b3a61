# SPDX-License-Identifier: Apache-2.0
"""Hardware that is not there, for trials and tests, with all its faults.

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
from typing import Any, Final, TypeVar

from mogan.baremetal import configdrive, driver, faults, guards
from mogan.baremetal.driver import Availability, PowerState, PowerTarget
from mogan.baremetal.inventory import Inventory
from mogan.baremetal.turn import Call, Turn

_T = TypeVar('_T')

# The power state that a target leads to; a reboot has always work to do.
_REACHED: Final = {
    PowerTarget.ON: PowerState.ON,
    PowerTarget.OFF: PowerState.OFF,
    PowerTarget.SOFT_OFF: PowerState.OFF,
}
_WORDS: Final[dict[type[driver.Definite], str]] = {
    driver.NotOurs: 'not-ours',
    driver.Fenced: 'fenced',
    driver.NodeBusy: 'busy',
    driver.NotProtectable: 'not-protectable',
    driver.NoNodeAvailable: 'no-node',
    driver.Refused: 'state',
    guards.Protected: 'protected',
}
# What the journal says of a call that a fault kept from arriving.
_MET: Final = {
    faults.Mode.FAIL: 'refused:fault',
    faults.Mode.UNAVAILABLE: 'refused:fault',
    faults.Mode.BUSY: 'refused:fault',
    faults.Mode.TIMEOUT: 'nothing',
    faults.Mode.HANG: 'waiting',
}


@dataclasses.dataclass(frozen=True, slots=True)
class Durations:
    """How long the hardware's work takes, in seconds."""

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
        self.inventory = Inventory(path, clock=clock, patience=reach)
        self._durations = Durations(deploy_time, rebuild_time,
                                    undeploy_time, power_time)
        self._closing = threading.Event()

    @classmethod
    def from_conf(cls, conf: Any) -> 'SimulatedDriver':
        group = conf.simulated
        return cls(group.inventory, **{name: group[name] for name in (
            'deploy_time', 'rebuild_time', 'undeploy_time', 'power_time',
            'lease', 'reach', 'skew')})

    def nodes(self, *, marker: str | None = None,
              limit: int = 1000) -> list[driver.Node]:
        self._endure(Call('nodes'))
        return self.inventory.nodes(marker=marker, limit=limit)

    def zones(self) -> list[str]:
        self._endure(Call('zones'))
        return self.inventory.zones()

    def manageable(self, *, marker: str | None = None,
                   limit: int = 1000) -> list[driver.Node]:
        self._endure(Call('manageable'))
        return self.inventory.manageable(marker=marker, limit=limit)

    def look(self, uuids: Collection[str]) -> dict[str, driver.Node]:
        self._endure(Call('look', tuple(uuids)))
        return self.inventory.look(uuids)

    def find(self, instance_uuid: str) -> driver.Node | None:
        self._endure(Call('find', (), instance_uuid))
        return self.inventory.find(instance_uuid)

    def claim(self, order: driver.Order, fence: int) -> driver.Node:
        def act(turn: Turn) -> tuple[bool, driver.Node]:
            guards.admit(turn.fences(order.instance_uuid), fence)
            carrier = turn.carrier(order.instance_uuid)
            if carrier is not None:
                return False, carrier
            free = None
            # A node is one unit of one class.
            if list(order.resources.values()) == [1]:
                [resource_class] = order.resources
                free = turn.free(resource_class, order.traits,
                                 order.availability_zone)
            if free is None:
                raise driver.NoNodeAvailable(order.wanted())
            turn.change(free.uuid, instance_uuid=order.instance_uuid,
                        display_name=order.name, last_error=None)
            turn.raise_fences(order.instance_uuid, begun=fence, work='claim')
            return True, dataclasses.replace(
                free, instance_uuid=order.instance_uuid,
                last_error=None)

        return self._carry_out(
            Call('claim', (), order.instance_uuid, fence), act)

    def adopt(self, node_uuid: str, order: driver.Order,
              fence: int) -> driver.Node:
        call = Call('adopt', (node_uuid,), order.instance_uuid, fence)

        def act(turn: Turn) -> tuple[bool, driver.Node]:
            guards.admit(turn.fences(order.instance_uuid), fence)
            node = guards.there(turn, call)
            driver.assert_adoptable(node, order.instance_uuid)
            if node.instance_uuid is not None:
                return False, node
            turn.change(node_uuid, instance_uuid=order.instance_uuid,
                        display_name=order.name)
            turn.raise_fences(order.instance_uuid, begun=fence, work='adopt')
            return True, dataclasses.replace(
                node, instance_uuid=order.instance_uuid)

        return self._carry_out(call, act)

    def release(self, node_uuid: str, instance_uuid: str,
                fence: int) -> None:
        call = Call('release', (node_uuid,), instance_uuid, fence)

        def act(turn: Turn) -> tuple[bool, None]:
            node = guards.carrying(turn, call)
            guards.newest(turn.fences(instance_uuid), fence)
            guards.idle(node)
            turn.change(node_uuid, instance_uuid=None, display_name=None)
            turn.raise_fences(instance_uuid, begun=fence, work='release')
            return True, None

        self._carry_out(call, act)

    def deploy(self, node_uuid: str, order: driver.Order,
               fence: int) -> None:
        call = Call('deploy', (node_uuid,), order.instance_uuid, fence)

        def act(turn: Turn) -> tuple[bool, None]:
            node, again = guards.destructible(turn, call)
            image_uuid = turn.image(node_uuid)
            if again or (image_uuid == order.image_uuid and node.availability
                         in (Availability.DEPLOYING, Availability.ACTIVE)):
                return False, None
            guards.idle(node)
            if node.availability is Availability.ACTIVE:
                raise driver.Refused(f'{node.name} is active with another '
                                     f'image: only a rebuild replaces it')
            _begin(turn, call, Availability.DEPLOYING,
                   self._durations.deploy, image_uuid=order.image_uuid,
                   display_name=order.name,
                   config_drive=json.dumps(configdrive.config_drive(order)))
            return True, None

        self._carry_out(call, act)

    def rebuild(self, node_uuid: str, order: driver.Order,
                fence: int) -> None:
        call = Call('rebuild', (node_uuid,), order.instance_uuid, fence)

        def act(turn: Turn) -> tuple[bool, None]:
            node, again = guards.destructible(turn, call)
            if again:
                return False, None
            guards.unprotected(node)
            guards.idle(node)
            _begin(turn, call, Availability.REBUILDING,
                   self._durations.rebuild, image_uuid=order.image_uuid,
                   display_name=order.name,
                   config_drive=json.dumps(configdrive.config_drive(order)))
            return True, None

        self._carry_out(call, act)

    def undeploy(self, node_uuid: str, instance_uuid: str,
                 fence: int) -> None:
        call = Call('undeploy', (node_uuid,), instance_uuid, fence)

        def act(turn: Turn) -> tuple[bool, None]:
            # A repeated number is no reason to do nothing: a delete that
            # has failed is tried again until it is done.
            node, _ = guards.destructible(turn, call)
            if node.availability is Availability.UNDEPLOYING:
                return False, None
            guards.unprotected(node)
            guards.idle(node)
            # A node that was only claimed has nothing to be wiped.
            claimed = node.availability is Availability.AVAILABLE
            _begin(turn, call, Availability.UNDEPLOYING,
                   0.0 if claimed else self._durations.undeploy)
            return True, None

        self._carry_out(call, act)

    def power(self, node_uuid: str, instance_uuid: str, target: PowerTarget,
              fence: int) -> None:
        call = Call('power', (node_uuid,), instance_uuid, fence)

        def act(turn: Turn) -> tuple[bool, None]:
            node = guards.carrying(turn, call)
            applied = turn.fences(instance_uuid).power
            if fence < applied:
                raise driver.Fenced(f'power has seen number {applied}, and '
                                    f'{fence} is older')
            if fence == applied:
                return False, None
            guards.idle(node)
            turn.raise_fences(instance_uuid, power=fence)
            if _REACHED.get(target) is node.power_state:
                return False, None
            turn.change(node_uuid, power_target=target,
                        until=turn.now + self._durations.power,
                        breaks=turn.breaks, last_error=None)
            return True, None

        self._carry_out(call, act)

    def protect(self, node_uuid: str, instance_uuid: str, reason: str | None,
                fence: int) -> None:
        call = Call('protect', (node_uuid,), instance_uuid, fence)

        def act(turn: Turn) -> tuple[bool, None]:
            node = guards.protectable(turn, call)
            active = node.availability is Availability.ACTIVE
            if not (active or node.protected):
                raise driver.NotProtectable(
                    f'{node.name} is {node.availability}, not active')
            turn.raise_fences(instance_uuid, protection=fence)
            if node.protected and node.protected_reason == reason:
                return False, None
            turn.change(node_uuid, protected=True, protected_reason=reason)
            return True, None

        self._carry_out(call, act)

    def unprotect(self, node_uuid: str, instance_uuid: str,
                  fence: int) -> None:
        call = Call('unprotect', (node_uuid,), instance_uuid, fence)

        def act(turn: Turn) -> tuple[bool, None]:
            node = guards.protectable(turn, call)
            # Even where there is nothing to take off: a protect that is
            # older must not come after this.
            turn.raise_fences(instance_uuid, protection=fence)
            if not node.protected:
                return False, None
            turn.change(node_uuid, protected=False, protected_reason=None)
            return True, None

        self._carry_out(call, act)

    def seal(self, instance_uuid: str, fence: int) -> None:
        def act(turn: Turn) -> tuple[bool, None]:
            if fence <= turn.fences(instance_uuid).sealed:
                return False, None
            turn.raise_fences(instance_uuid, sealed=fence)
            return True, None

        self._carry_out(Call('seal', (), instance_uuid, fence), act)

    def close(self) -> None:
        # In this order, so that no call that waits arrives after all.
        self.inventory.close()
        self._closing.set()

    def _carry_out(self, call: Call,
                   act: Callable[[Turn], tuple[bool, _T]]) -> _T:
        """Check the call and give it its effect, in one transaction; `act`
        tells whether it had one, and the call's result."""
        late = self._endure(call)
        refusal: driver.Definite | None = None
        effect = False
        with self.inventory.turn() as turn:
            fault = None if late else _through(turn, call)
            try:
                effect, result = act(turn)
            except driver.Definite as error:
                refusal = error
            else:
                if isinstance(result, driver.Node):
                    call = dataclasses.replace(call,
                                               node_uuids=(result.uuid,))
            if turn.breaks is not None and not effect:
                fault = None    # work that never began cannot fail
            if fault is not None:
                faults.spend(turn.connection, fault)
            turn.record(call, _outcome(effect, refusal), fault)
        if fault is not None and fault.mode is faults.Mode.LOST:
            self._closing.wait(fault.seconds)
            raise driver.OutcomeUnknown(_text(fault))
        if refusal is not None:
            raise refusal
        return result

    def _endure(self, call: Call) -> bool:
        """Meet the first fault that keeps the call from arriving, or from
        arriving now; tells whether it arrives late."""
        if self.inventory.fault(call) is None:
            return False
        with self.inventory.turn() as turn:
            fault = turn.fault(call)
            if fault is None or fault.mode in faults.THROUGH:
                return False
            faults.spend(turn.connection, fault)
            turn.record(call, _MET[fault.mode], fault)
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


def _begin(turn: Turn, call: Call, work: Availability, seconds: float,
           **columns: str) -> None:
    """Put the node to work, and keep the call's number as begun."""
    [node_uuid] = call.node_uuids
    turn.change(node_uuid, availability=work, until=turn.now + seconds,
                breaks=turn.breaks, last_error=None, **columns)
    turn.raise_fences(call.instance_uuid, begun=call.fence, work=call.name)


def _through(turn: Turn, call: Call) -> faults.Fault | None:
    """The fault under which the call is carried out."""
    fault = turn.fault(call)
    if fault is None or fault.mode not in faults.THROUGH:
        return None
    if fault.mode is faults.Mode.BREAK:
        turn.breaks = _text(fault)
    return fault


def _text(fault: faults.Fault) -> str:
    return fault.message or f'scripted: {faults.MEANING[fault.mode]}'


def _outcome(effect: bool, refusal: driver.Definite | None) -> str:
    if refusal is not None:
        return f'refused:{_WORDS[type(refusal)]}'
    return 'effect' if effect else 'nothing'
