# SPDX-License-Identifier: Apache-2.0
"""What lets a call through to the simulated hardware, and what does not.

Each is called in the transaction of the call's effect.
"""

from mogan.baremetal import driver
from mogan.baremetal.turn import Call, Fences, Turn


class Protected(driver.Refused):
    """The node's protection is in the way."""


def there(turn: Turn, call: Call) -> driver.Node:
    """The call's node, whatever it carries."""
    [node_uuid] = call.node_uuids
    node = turn.node(node_uuid)
    if node is None:
        raise driver.NotOurs(f'there is no node {node_uuid}')
    return node


def carrying(turn: Turn, call: Call) -> driver.Node:
    """The call's node, which carries the call's instance."""
    node = there(turn, call)
    if node.instance_uuid != call.instance_uuid:
        raise driver.NotOurs(
            f'{node.name} does not carry instance {call.instance_uuid}')
    return node


def destructible(turn: Turn, call: Call) -> tuple[driver.Node, bool]:
    """The call's node, where the call's number lets it destroy what is on
    it; and whether the same call has been carried out before."""
    node = carrying(turn, call)
    numbers = turn.fences(call.instance_uuid)
    admit(numbers, call.fence)
    return node, (numbers.work, numbers.begun) == (call.name, call.fence)


def protectable(turn: Turn, call: Call) -> driver.Node:
    """The call's node, where no newer call has seen to its protection."""
    node = carrying(turn, call)
    applied = turn.fences(call.instance_uuid).protection
    if call.fence < applied:
        raise driver.Fenced(f'protection has seen number {applied}, and '
                            f'{call.fence} is older')
    return node


def admit(numbers: Fences, fence: int) -> None:
    """Let a destructive call of this number through, or not.

    Beyond the sealed number, a call that is older than the last one that
    took effect is refused: what it was sent for is over.
    """
    if fence <= numbers.sealed:
        raise driver.Fenced(f'the instance is sealed up to number '
                            f'{numbers.sealed}, and {fence} is not above')
    newest(numbers, fence)


def newest(numbers: Fences, fence: int) -> None:
    """Keep out a call that is older than the last one that took effect."""
    if fence < numbers.begun:
        raise driver.Fenced(f'number {numbers.begun} has taken effect, and '
                            f'{fence} is older')


def unprotected(node: driver.Node) -> None:
    """Keep a protected node from being destroyed."""
    if node.protected:
        reason = (f': {node.protected_reason}' if node.protected_reason
                  else '')
        raise Protected(f'{node.name} is protected{reason}')


def idle(node: driver.Node) -> None:
    """Keep a node that is doing something from something else."""
    if node.busy:
        raise driver.NodeBusy(f'{node.name} is {node.availability}'
                              if node.power_target is None else
                              f'the power of {node.name} is being changed')
