# SPDX-License-Identifier: Apache-2.0
"""The requests of driver calls, each on the call's connection."""

import contextlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from mogan.baremetal import configdrive, driver
from mogan.baremetal.ironic import nodes, responses
from mogan.baremetal.ironic.connection import Connection

# Several, so that concurrent searches do not try the same one.
_CANDIDATES: Final = 20

Node = Mapping[str, Any]


def name(node: Node) -> str:
    return node['name'] or node['uuid']


def check(connection: Connection, node_uuid: str, instance_uuid: str) -> Node:
    """Return the node, which carries the instance.  Raises NotOurs."""
    node = connection.read(f'/v1/nodes/{node_uuid}',
                           {'fields': ','.join(nodes.DEPLOYED)})
    _own(node, instance_uuid)
    return node


def _own(node: Node, instance_uuid: str) -> None:
    if node['instance_uuid'] != instance_uuid:
        raise driver.NotOurs(
            f'{name(node)} does not carry instance {instance_uuid}')


def assert_state(node: Node, allowed: Collection[str], what: str) -> None:
    """Raise NodeBusy or Refused for a node in another state."""
    state = node['provision_state']
    if state in allowed:
        return
    if nodes.view(node).availability in driver.BUSY:
        raise driver.NodeBusy(f'{name(node)} is {state}')
    raise driver.Refused(f'{name(node)} is {state} and cannot be {what}')


def patch(connection: Connection, node_uuid: str, **values: Any) -> Node:
    """Set values of a node; returns what it is now."""
    return _patch(connection, node_uuid, [
        {'op': 'add', 'path': f'/{key}', 'value': value}
        for key, value in values.items()])


def _patch(connection: Connection, node_uuid: str,
           changes: Sequence[Mapping[str, Any]]) -> Node:
    answer = connection.write('PATCH', f'/v1/nodes/{node_uuid}', changes)
    try:
        return answer.nodes(nodes.DEPLOYED)
    except driver.Unavailable as error:
        # It was sent.
        raise driver.OutcomeUnknown(str(error)) from error


def set_instance_info(connection: Connection, node: Node,
                      spec: driver.DeploySpec, images: nodes.Images) -> Node:
    """Set the node's instance_info to what the spec deploys; returns the
    node as it is now.  Raises NotOurs."""
    info = nodes.instance_info(spec, images, node['properties'])
    if info.items() <= node['instance_info'].items():
        return node
    # All of it: what Ironic has found out is about the image before.
    changed = _patch_instance_info(connection, node, info)
    _own(changed, spec.instance_uuid)
    return changed


def _patch_instance_info(connection: Connection, node: Node,
                         info: Mapping[str, Any]) -> Node:
    """Set a node's instance_info, but for masked values and the config
    drive: a deploy brings its own."""
    before = node['instance_info']
    gone = before.keys() - info.keys() - {'configdrive'}
    changes = [{'op': 'remove', 'path': _path(key)} for key in gone] + [
        {'op': 'add', 'path': _path(key), 'value': value}
        for key, value in info.items()
        if not nodes.masked(value) and (
            key not in before or before[key] != value)]
    return _patch(connection, node['uuid'], changes) if changes else node


def _path(key: str) -> str:
    return f'/instance_info/{key.replace("~", "~0").replace("/", "~1")}'


def rebuild(connection: Connection, node: Node, spec: driver.DeploySpec,
            images: nodes.Images) -> None:
    """Start a rebuild; where Ironic refuses it, restore the node's
    instance_info."""
    changed = set_instance_info(connection, node, spec, images)
    try:
        provision(connection, node['uuid'], 'rebuild', spec)
    except driver.Refused:
        with contextlib.suppress(driver.Definite):
            _patch_instance_info(connection, changed, node['instance_info'])
        raise


def provision(connection: Connection, node_uuid: str, target: str,
              spec: driver.DeploySpec | None = None) -> None:
    """Start a deploy, a rebuild or an undeploy."""
    body: dict[str, Any] = {'target': target}
    if spec is not None:
        body['configdrive'] = configdrive.config_drive(spec)
    connection.write('PUT', f'/v1/nodes/{node_uuid}/states/provision', body)


def switch(connection: Connection, node: Node, target: driver.PowerTarget,
           soft_timeout: int) -> None:
    """Start a change of power.

    Raises NodeBusy where Ironic waits for the end of another one.
    """
    body: dict[str, Any] = {'target': nodes.POWER_REQUESTS[target]}
    if target in driver.SOFT:
        body['timeout'] = soft_timeout
    try:
        connection.write('PUT', f'/v1/nodes/{node["uuid"]}/states/power', body)
    except responses.Locked as error:
        # The other change's end is not a matter of moments.
        if node['target_power_state'] is None:
            raise
        raise driver.NodeBusy(
            f'Ironic is changing the power of {name(node)} and lets nobody '
            f'else do that until it is done or has failed') from error


def release(connection: Connection, node_uuid: str) -> None:
    """Take the instance off a node that has nothing to wipe."""
    connection.write('PATCH', f'/v1/nodes/{node_uuid}', [
        {'op': 'remove', 'path': '/instance_uuid'},
        {'op': 'add', 'path': '/instance_info', 'value': {}}])


def adopt(connection: Connection, node_uuid: str, instance_uuid: str) -> Node:
    """Give an active node to the instance; Ironic refuses where it has
    another one.  Raises NotOurs, NodeBusy, Refused."""
    node: Node = connection.read(f'/v1/nodes/{node_uuid}',
                                 {'fields': ','.join(nodes.DEPLOYED)})
    driver.assert_adoptable(nodes.view(node), instance_uuid)
    if node['instance_uuid'] is not None:
        return node
    node = patch(connection, node_uuid, instance_uuid=instance_uuid)
    try:
        driver.assert_adoptable(nodes.view(node), instance_uuid)
    except (driver.NodeBusy, driver.Refused):
        # The node has changed since it was read.
        disown(connection, node_uuid)
        raise
    return node


def disown(connection: Connection, node_uuid: str) -> None:
    """Take the instance off a node, and leave all the rest as it is."""
    connection.write('PATCH', f'/v1/nodes/{node_uuid}',
                     [{'op': 'remove', 'path': '/instance_uuid'}])


def free_nodes(spec: driver.DeploySpec) -> dict[str, Any]:
    """Return the query for a few free nodes of the spec's class."""
    return {
        'provision_state': 'available', 'associated': 'false',
        'maintenance': 'false', 'resource_class': next(iter(spec.resources)),
        'fields': 'uuid,traits,properties,conductor_group',
        'limit': _CANDIDATES}
