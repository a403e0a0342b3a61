# SPDX-License-Identifier: Apache-2.0
"""What an instance finds out about itself, as cloud-init reads it."""

import re
from typing import Any

from mogan.baremetal import driver


def config_drive(order: driver.Order) -> dict[str, Any]:
    """The contents of the config drive, by file."""
    data: dict[str, Any] = {
        'uuid': order.instance_uuid, 'name': order.name,
        'hostname': host_name(order), 'meta': dict(order.metadata)}
    if order.availability_zone:
        data['availability_zone'] = order.availability_zone
    if order.ssh_keys:
        data['public_keys'] = dict(order.ssh_keys)
        data['keys'] = [{'name': name, 'type': 'ssh', 'data': key}
                        for name, key in order.ssh_keys.items()]
    drive: dict[str, Any] = {'meta_data': data}
    if order.user_data:
        drive['user_data'] = order.user_data
    return drive


def host_name(order: driver.Order) -> str:
    """The instance's name as far as a host can be called so (RFC 1123)."""
    label = re.sub('[^a-z0-9]+', '-', order.name.lower())[:63].strip('-')
    return label or order.instance_uuid
