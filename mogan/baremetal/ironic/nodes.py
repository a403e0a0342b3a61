# SPDX-License-Identifier: Apache-2.0
"""Ironic's nodes as the driver interface has them."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, Final

from mogan.baremetal import driver
from mogan.baremetal.driver import Availability, PowerState, PowerTarget
from mogan.baremetal.protection import Protection

SHOWN: Final = (
    'uuid', 'name', 'resource_class', 'provision_state', 'power_state',
    'target_power_state', 'instance_uuid', 'protected', 'protected_reason',
    'traits', 'maintenance', 'maintenance_reason', 'last_error',
    'properties')
# Asked for by a flavor: not each image can be booted so.
_SECURE_BOOT: Final = 'COMPUTE_SECURITY_UEFI_SECURE_BOOT'
# What a deploy asks the instance for and nodes say of themselves.
_HANDED: Final = frozenset({'boot_mode', 'boot_option', 'disk_label'})
# With what was deployed.
DEPLOYED: Final = (*SHOWN, 'instance_info')

# A rebuild shows itself as a deploy. States that are not named here are an
# operator's: enroll, manageable, inspecting, ...
AVAILABILITY: Final[Mapping[str, Availability]] = {
    'available': Availability.AVAILABLE,
    'deploying': Availability.DEPLOYING,
    'wait call-back': Availability.DEPLOYING,
    'deploy hold': Availability.DEPLOYING,
    'active': Availability.ACTIVE,
    'deleting': Availability.UNDEPLOYING,
    'cleaning': Availability.UNDEPLOYING,
    'clean wait': Availability.UNDEPLOYING,
    'clean hold': Availability.UNDEPLOYING,
    'deploy failed': Availability.FAILED,
    'error': Availability.FAILED,
    'clean failed': Availability.FAILED,
    **dict.fromkeys(
        ('rescue', 'rescuing', 'rescue wait', 'rescue failed', 'unrescuing',
         'unrescue failed', 'servicing', 'service wait', 'service hold',
         'service failed'), Availability.SERVICING),
}
# Where Ironic lets a node be protected.
PROTECTABLE: Final = frozenset({'active', 'rescue'})

POWER_REQUESTS: Final[Mapping[PowerTarget, str]] = {
    PowerTarget.ON: 'power on',
    PowerTarget.OFF: 'power off',
    PowerTarget.SOFT_OFF: 'soft power off',
    PowerTarget.REBOOT: 'rebooting',
    PowerTarget.SOFT_REBOOT: 'soft rebooting',
}
_POWER_TARGETS: Final = {
    request: target for target, request in POWER_REQUESTS.items()}
_POWER_STATES: Final = {state.value: state for state in PowerState}


def view(node: Mapping[str, Any]) -> driver.Node:
    """Return one of Ironic's nodes."""
    target = node['target_power_state']
    return driver.Node(
        uuid=node['uuid'], name=node['name'] or node['uuid'],
        resource_class=node['resource_class'] or '',
        availability=AVAILABILITY.get(node['provision_state'],
                                      Availability.UNAVAILABLE),
        power_state=_POWER_STATES.get(node['power_state']),
        # One that is not known is a change all the same.
        power_target=_POWER_TARGETS.get(target, PowerTarget.REBOOT)
        if target else None,
        instance_uuid=node['instance_uuid'], protected=node['protected'],
        protected_reason=node['protected_reason'],
        traits=tuple(sorted(node['traits'])),
        maintenance=node['maintenance'], last_error=node['last_error'],
        availability_zone=zone(node['properties']),
        maintenance_for_lock=bool(
            node['instance_uuid'] and maintained_for_lock(
                node, node['instance_uuid'])))


def foreign_protection(node: Mapping[str, Any], protection: Protection,
                       ) -> driver.ForeignProtection | None:
    """Return the error that a protection set by somebody else is, if the
    node has one."""
    if not node['protected'] or protection.owns(node['protected_reason']):
        return None
    return driver.ForeignProtection(node['name'] or node['uuid'],
                                    node['protected_reason'])


def maintenance_reason(protection: Protection) -> str:
    """Return the reason of the maintenance that a lock begins."""
    reason = f': {protection.reason}' if protection.reason else ''
    return _maintenance_mark(protection.instance_uuid) + reason


def _maintenance_mark(instance_uuid: str) -> str:
    return f'Mogan has locked the instance {instance_uuid}'


def maintained_for_lock(node: Mapping[str, Any], instance_uuid: str) -> bool:
    """Return whether a lock has put the node into maintenance."""
    return node['maintenance'] and (
        node['maintenance_reason'] or '').startswith(
            _maintenance_mark(instance_uuid))


def view_deployed(node: Mapping[str, Any]) -> driver.Node:
    """Return one of Ironic's nodes, with its image."""
    return dataclasses.replace(
        view(node), image_source=node['instance_info'].get('image_source'))


@dataclasses.dataclass(frozen=True, slots=True)
class Images:
    """The source of images, and their type and checksum where Ironic cannot
    find them out."""

    source: str = '{image_uuid}'
    type: str | None = None
    checksum: str | None = None


def instance_info(spec: driver.DeploySpec, images: Images,
                  properties: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the instance_info of the spec on a node with these properties.

    Raises Refused.
    """
    properties = properties or {}
    info: dict[str, Any] = {
        'display_name': spec.name,
        'image_source': _of_image(images.source, spec)}
    if images.type:
        info['image_type'] = images.type
    if images.checksum:
        info['image_checksum'] = _of_image(images.checksum, spec)
    if spec.traits:
        info['traits'] = sorted(spec.traits)
    disk = _disk(properties)
    if spec.partitions and images.type == 'whole-disk':
        raise driver.Refused('an image of a whole disk has the partitions '
                             'that it has: none can be asked for')
    if spec.partitions:
        info |= spec.partitions
    elif disk:
        info['root_gb'] = disk
    capabilities = {name: value for name, value
                    in _capabilities(properties).items() if name in _HANDED}
    if _SECURE_BOOT in spec.traits:
        capabilities['secure_boot'] = 'true'
    if capabilities:
        info['capabilities'] = capabilities
    return info


def masked(value: Any) -> bool:
    """Return whether Ironic keeps the value to itself."""
    return isinstance(value, str) and {*value} == {'*'}


def zone(properties: Mapping[str, Any] | None) -> str | None:
    """Return the availability zone that a node with these properties is in."""
    found = (properties or {}).get('availability_zone')
    return found if found and isinstance(found, str) else None


def suits(node: Mapping[str, Any], spec: driver.DeploySpec) -> bool:
    """Return whether a node of the class meets the rest of the spec."""
    return ({*spec.traits} <= {*node['traits']}
            and spec.availability_zone in {None, zone(node['properties'])}
            and holds(node['properties'], spec.partitions))


def holds(properties: Mapping[str, Any] | None,
          partitions: Mapping[str, int]) -> bool:
    """Return whether the partitions fit, as far as the disk is known."""
    disk = _disk(properties or {})
    return not disk or disk >= (
        partitions.get('root_gb', 0) + partitions.get('ephemeral_gb', 0)
        + math.ceil(partitions.get('swap_mb', 0) / 1024))


def _disk(properties: Mapping[str, Any]) -> int:
    """Return the gigabytes that partitions may take; 0 where unknown."""
    disk = str(properties.get('local_gb') or '')
    # One is left to partition tables and the config drive.
    return int(disk) - 1 if disk.isdecimal() and int(disk) > 1 else 0


def _of_image(template: str, spec: driver.DeploySpec) -> str:
    return template.replace('{image_uuid}', spec.image())


def _capabilities(properties: Mapping[str, Any]) -> dict[str, str]:
    """Parse the node's capabilities, `boot_mode:uefi,...`."""
    pairs = str(properties.get('capabilities') or '').split(',')
    return dict(pair.strip().split(':', 1) for pair in pairs if ':' in pair)
