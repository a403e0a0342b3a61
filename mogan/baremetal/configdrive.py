# SPDX-License-Identifier: Apache-2.0
"""The config drive of an instance, as cloud-init reads it."""

import re
from typing import Any

from mogan.baremetal import driver


def config_drive(spec: driver.DeploySpec) -> dict[str, Any]:
    """Return the contents of the config drive, by file."""
    data: dict[str, Any] = {
        'uuid': spec.instance_uuid, 'name': spec.name,
        'hostname': host_name(spec), 'meta': dict(spec.metadata)}
    if spec.availability_zone:
        data['availability_zone'] = spec.availability_zone
    if spec.ssh_keys:
        data['public_keys'] = dict(spec.ssh_keys)
        data['keys'] = [{'name': name, 'type': 'ssh', 'data': key}
                        for name, key in spec.ssh_keys.items()]
    drive: dict[str, Any] = {'meta_data': data}
    if spec.user_data:
        drive['user_data'] = spec.user_data
    return drive


def host_name(spec: driver.DeploySpec) -> str:
    """Return the instance's name as a valid host name (RFC 1123)."""
    label = re.sub('[^a-z0-9]+', '-', spec.name.lower())[:63].strip('-')
    return label or spec.instance_uuid
