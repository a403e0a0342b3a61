# SPDX-License-Identifier: Apache-2.0
"""The preconditions of calls to the simulated hardware.

Each is checked in the transaction of the call's effect.
"""

from mogan.baremetal import driver
from mogan.baremetal.protection import Protection
from mogan.baremetal.simulated.transaction import Call, Fences, Transaction


def existing(txn: Transaction, call: Call) -> driver.Node:
    """Return the call's node, whatever it carries."""
    [node_uuid] = call.node_uuids
    node = txn.node(node_uuid)
    if node is None:
        raise driver.NotOurs(f'there is no node {node_uuid}')
    return node


def carrying(txn: Transaction, call: Call) -> driver.Node:
    """Return the call's node, which carries the call's instance."""
    node = existing(txn, call)
    if node.instance_uuid != call.instance_uuid:
        raise driver.NotOurs(
            f'{node.name} does not carry instance {call.instance_uuid}')
    return node


def destructible(txn: Transaction, call: Call) -> tuple[driver.Node, bool]:
    """Return the call's node, where the call's number lets it destroy what
    is on it, and whether the same call has been carried out before."""
    node = carrying(txn, call)
    numbers = unsealed(txn, call)
    return node, (numbers.work, numbers.begun) == (call.name, call.fence)


def protectable(txn: Transaction, call: Call) -> driver.Node:
    """Return the call's node, where no newer call has changed its
    protection."""
    node = carrying(txn, call)
    applied = txn.fences(call.instance_uuid).protection
    if call.fence < applied:
        raise driver.Fenced(f'protection has seen number {applied}, and '
                            f'{call.fence} is older')
    return node


def unsealed(txn: Transaction, call: Call) -> Fences:
    """Refuse a destructive call whose number is too low; returns the
    instance's numbers.

    Beyond the sealed number, a call that is older than the last one that
    took effect is refused: what it was sent for is over.
    """
    numbers = txn.fences(call.instance_uuid)
    if call.fence <= numbers.sealed:
        raise driver.Fenced(
            f'the instance is sealed up to number {numbers.sealed}, and '
            f'{call.fence} is not above')
    newest(numbers, call)
    return numbers


def newest(numbers: Fences, call: Call) -> None:
    """Refuse a call that is older than the last one that took effect."""
    if call.fence < numbers.begun:
        raise driver.Fenced(f'number {numbers.begun} has taken effect, and '
                            f'{call.fence} is older')


def unprotected(node: driver.Node) -> None:
    """Refuse to destroy a protected node."""
    if node.protected:
        reason = (f': {node.protected_reason}' if node.protected_reason
                  else '')
        raise driver.Protected(f'{node.name} is protected{reason}')


def own(node: driver.Node, protection: Protection) -> None:
    """Refuse to change a protection that is not ours."""
    if node.protected and not protection.owns(node.protected_reason):
        raise driver.ForeignProtection(node.name, node.protected_reason)


def switchable(node: driver.Node, target: driver.PowerTarget) -> None:
    """Refuse a second change of power, but for a forced one during a soft
    one."""
    if not (target in driver.FORCED and node.power_target in driver.SOFT):
        idle(node)


def idle(node: driver.Node) -> None:
    """Refuse a busy node."""
    if node.busy:
        raise driver.NodeBusy(f'{node.name} is {node.availability}'
                              if node.power_target is None else
                              f'the power of {node.name} is being changed')
