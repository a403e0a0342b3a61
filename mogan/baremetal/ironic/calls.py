# SPDX-License-Identifier: Apache-2.0
"""The requests that calls are made of, each on the call's channel."""

import contextlib
import math
import random
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from mogan.baremetal import configdrive, driver
from mogan.baremetal.ironic import answers, nodes
from mogan.baremetal.ironic.channel import Channel, boottime

# Free nodes that are asked for together: several, so that those who look at
# the same time do not all want the same; more where something has to be
# compared here.
_CANDIDATES: Final = 20
_CANDIDATES_COMPARED: Final = 500

Node = Mapping[str, Any]


def name(node: Node) -> str:
    return node['name'] or node['uuid']


def _carrier(channel: Channel, instance_uuid: str) -> Node | None:
    """The node that carries the instance, if one does."""
    found = channel.read('/v1/nodes', {
        'instance_uuid': instance_uuid, 'fields': ','.join(nodes.DEPLOYED)})
    return next(iter(found['nodes']), None)


def check(channel: Channel, node_uuid: str, instance_uuid: str) -> Node:
    """The node, which carries the instance.  Raises NotOurs."""
    node = channel.read(f'/v1/nodes/{node_uuid}',
                        {'fields': ','.join(nodes.DEPLOYED)})
    _own(node, instance_uuid)
    return node


def _own(node: Node, instance_uuid: str) -> None:
    if node['instance_uuid'] != instance_uuid:
        raise driver.NotOurs(
            f'{name(node)} does not carry instance {instance_uuid}')


def admit(node: Node, wanted: Collection[str], what: str) -> None:
    """Keep a node in another state from what cannot be done there."""
    state = node['provision_state']
    if state in wanted:
        return
    if nodes.view(node).availability in driver.BUSY:
        raise driver.NodeBusy(f'{name(node)} is {state}')
    raise driver.Refused(f'{name(node)} is {state} and cannot be {what}')


def patch(channel: Channel, node_uuid: str, **values: Any) -> Node:
    """Set values of a node; returns what it is now."""
    return _patch(channel, node_uuid, [
        {'op': 'add', 'path': f'/{key}', 'value': value}
        for key, value in values.items()])


def _patch(channel: Channel, node_uuid: str,
           changes: Sequence[Mapping[str, Any]]) -> Node:
    answer = channel.write('PATCH', f'/v1/nodes/{node_uuid}', changes)
    try:
        return answer.nodes(nodes.DEPLOYED)
    except driver.Unavailable as error:
        # It was sent.
        raise driver.OutcomeUnknown(str(error)) from error


def furnish(channel: Channel, node: Node, order: driver.Order,
            images: nodes.Images) -> Node:
    """Tell Ironic what to put on the node; returns what the node is now.

    Raises NotOurs.
    """
    info = nodes.instance_info(order, images, node['properties'])
    if info.items() <= node['instance_info'].items():
        return node
    # All of it: what Ironic has found out is about the image before.
    changed = _tell(channel, node, info)
    _own(changed, order.instance_uuid)
    return changed


def _tell(channel: Channel, node: Node, info: Mapping[str, Any]) -> Node:
    """Make this of a node's instance_info, but for what is masked, and for
    the config drive: a deploy brings its own."""
    told = node['instance_info']
    gone = told.keys() - info.keys() - {'configdrive'}
    changes = [{'op': 'remove', 'path': _member(key)} for key in gone] + [
        {'op': 'add', 'path': _member(key), 'value': value}
        for key, value in info.items()
        if not nodes.masked(value) and (
            key not in told or told[key] != value)]
    return _patch(channel, node['uuid'], changes) if changes else node


def _member(key: str) -> str:
    return f'/instance_info/{key.replace("~", "~0").replace("/", "~1")}'


def rebuild(channel: Channel, node: Node, order: driver.Order,
            images: nodes.Images) -> None:
    """Start a rebuild; where Ironic refuses it, the node is told again what
    it was told before."""
    changed = furnish(channel, node, order, images)
    try:
        provision(channel, node['uuid'], 'rebuild', order)
    except driver.Refused:
        with contextlib.suppress(driver.Definite):
            _tell(channel, changed, node['instance_info'])
        raise


def provision(channel: Channel, node_uuid: str, target: str,
              order: driver.Order | None = None) -> None:
    """Start a deploy, a rebuild or an undeploy."""
    body: dict[str, Any] = {'target': target}
    if order is not None:
        body['configdrive'] = configdrive.config_drive(order)
    channel.write('PUT', f'/v1/nodes/{node_uuid}/states/provision', body)


def release(channel: Channel, node_uuid: str) -> None:
    """Take the instance off a node that there is nothing to wipe on."""
    channel.write('PATCH', f'/v1/nodes/{node_uuid}', [
        {'op': 'remove', 'path': '/instance_uuid'},
        {'op': 'add', 'path': '/instance_info', 'value': {}}])


def adopt(channel: Channel, node_uuid: str, instance_uuid: str) -> Node:
    """Give an active node to the instance; Ironic refuses where it has
    another one.  Raises NotOurs, NodeBusy, Refused."""
    node: Node = channel.read(f'/v1/nodes/{node_uuid}',
                              {'fields': ','.join(nodes.DEPLOYED)})
    driver.assert_adoptable(nodes.view(node), instance_uuid)
    if node['instance_uuid'] is not None:
        return node
    node = patch(channel, node_uuid, instance_uuid=instance_uuid)
    try:
        driver.assert_adoptable(nodes.view(node), instance_uuid)
    except (driver.NodeBusy, driver.Refused):
        # Another one than was looked at.
        disown(channel, node_uuid)
        raise
    return node


def disown(channel: Channel, node_uuid: str) -> None:
    """Take the instance off a node, and leave all the rest as it is."""
    channel.write('PATCH', f'/v1/nodes/{node_uuid}',
                  [{'op': 'remove', 'path': '/instance_uuid'}])


class Taking:
    """The nodes that threads of this process take: two that want the same
    one keep each other waiting in Ironic for a second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # When a thread was done with a node.
        self._done: dict[str, float] = {}

    @contextlib.contextmanager
    def alone(self, node_uuid: str, seen: float) -> Iterator[bool]:
        """Whether no other thread is about to take the node, or was since
        it was seen to be free."""
        with self._lock:
            alone = self._done.get(node_uuid, 0.0) < seen
            if alone:
                self._done[node_uuid] = math.inf
        try:
            yield alone
        finally:
            if alone:
                self._done[node_uuid] = boottime()


def claim(channel: Channel, order: driver.Order, images: nodes.Images,
          taking: Taking) -> Node:
    """Give a free node to the instance, or find the one that it has.

    Raises NoNodeAvailable, Locked where one may become free in a moment.
    """
    busy = False
    for candidate, seen in _candidates(channel, order):
        with taking.alone(candidate['uuid'], seen) as alone:
            if not alone:
                busy = True
                continue
            try:
                node = _take(channel, candidate, order, images)
            except driver.NotOurs:
                # Deleted since it was listed.
                continue
            except answers.Conflict:
                # Somebody else's since then, unless the instance has a
                # node: Ironic gives it no second one.
                node = _carrier(channel, order.instance_uuid)
            except driver.NodeBusy:
                if channel.left <= 0:
                    raise
                busy = True
                continue
        if node is not None:
            return node
    carrier = _carrier(channel, order.instance_uuid)
    if carrier is not None:
        return carrier
    if busy:
        raise answers.Locked('Ironic is at work on every free node')
    raise driver.NoNodeAvailable(order.wanted())


def free_nodes(order: driver.Order) -> dict[str, Any]:
    """The query of free nodes of the class of an order."""
    return {
        'provision_state': 'available', 'associated': 'false',
        'maintenance': 'false', 'resource_class': next(iter(order.resources)),
        'fields': 'uuid,traits,properties',
        'limit': (_CANDIDATES_COMPARED if order.traits or order.partitions
                  or order.availability_zone else _CANDIDATES)}


def _candidates(channel: Channel, order: driver.Order,
                ) -> Iterator[tuple[Node, float]]:
    """Free nodes that fit the order, and since when they are known to
    be."""
    # A node is one unit of one class.
    if list(order.resources.values()) != [1]:
        return
    query = free_nodes(order)
    seen = boottime()
    while page := channel.read('/v1/nodes', query)['nodes']:
        query['marker'] = page[-1]['uuid']
        random.shuffle(page)
        yield from ((node, seen) for node in page
                    if nodes.suits(node, order))
        seen = boottime()


def _take(channel: Channel, candidate: Node,
          order: driver.Order, images: nodes.Images) -> Node | None:
    """The node, unless it must not be used any more since it was listed;
    Ironic refuses where it has an instance."""
    node = patch(channel, candidate['uuid'],
                 instance_uuid=order.instance_uuid,
                 instance_info=nodes.instance_info(
                     order, images, candidate['properties']))
    if node['provision_state'] == 'available' and not node['maintenance']:
        return node
    release(channel, node['uuid'])
    return None
