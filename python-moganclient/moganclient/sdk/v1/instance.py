# SPDX-License-Identifier: Apache-2.0
from typing import Any

from openstack import resource

from moganclient.sdk.v1 import _base


class Instance(_base.Resource):
    """A whole machine that is assigned to a project."""

    resources_key = 'instances'
    base_path = '/instances'

    allow_fetch = True
    allow_delete = True

    #: The uuid.
    id = resource.Body('uuid')
    uuid = resource.Body('uuid', alternate_id=True)
    #: The name; several instances may have the same.
    name = resource.Body('name')
    description = resource.Body('description')
    project_id = resource.Body('project_id')
    #: Who asked for it.
    user_id = resource.Body('user_id')
    #: What it is doing: `building`, `active`, `stopped`, `error`, ...
    status = resource.Body('status')
    #: `power on`, `power off`, or None where it is not known.
    power_state = resource.Body('power_state')
    availability_zone = resource.Body('availability_zone')
    flavor_uuid = resource.Body('flavor_uuid')
    image_uuid = resource.Body('image_uuid')
    #: Texts by keys.
    metadata = resource.Body('metadata', type=dict)
    #: The key pair that was asked for, or None.
    key_name = resource.Body('key_name')
    #: The sizes that were asked for, by `root_gb`, ..., or None.
    partitions = resource.Body('partitions', type=dict)
    #: What was asked for, each with `net_id` or `port_id`.
    networks = resource.Body('networks', type=list)
    #: Whether it is protected from delete and rebuild.
    locked = resource.Body('locked', type=bool)
    #: `unlocked`, `locking`, `locked` or `unlocking`.
    lock_state = resource.Body('lock_state')
    #: Since when, a time in UTC as text, or None.
    locked_at = resource.Body('locked_at')
    #: Why, or None.
    locked_reason = resource.Body('locked_reason')
    #: Who holds the lock, or None; for administrators.
    locked_by = resource.Body('locked_by')
    #: The node that carries it; for administrators.
    node_uuid = resource.Body('node_uuid')
    #: `applied`, `pending`, `unsupported` or `none`; for administrators.
    node_protection = resource.Body('node_protection')
    #: What stands in its way, with `message`, `created_at` and `cause`, or
    #: None.
    fault: dict[str, Any] | None = resource.Body('fault')
    created_at = resource.Body('created_at')
    updated_at = resource.Body('updated_at')
    #: When it first became active.
    launched_at = resource.Body('launched_at')
    links = resource.Body('links')
