# SPDX-License-Identifier: Apache-2.0
"""The requests that calls are made of, each on the call's channel."""

import contextlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from mogan.baremetal import configdrive, driver
from mogan.baremetal.ironic import nodes
from mogan.baremetal.ironic.channel import Channel

# Several, so that those who look at the same time do not all want the same.
_CANDIDATES: Final = 20

Node = Mapping[str, Any]


def name(node: Node) -> str:
    return node['name'] or node['uuid']


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


def free_nodes(order: driver.Order) -> dict[str, Any]:
    """The query of free nodes of the class of an order, some of them."""
    return {
        'provision_state': 'available', 'associated': 'false',
        'maintenance': 'false', 'resource_class': next(iter(order.resources)),
        'fields': 'uuid,traits,properties,conductor_group',
        'limit': _CANDIDATES}
