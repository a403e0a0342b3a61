# SPDX-License-Identifier: Apache-2.0
from openstack import resource

from moganclient.sdk.v1 import _base


class Node(_base.Resource):
    """A machine that instances are deployed on; in a list without details,
    only its name."""

    resources_key = 'nodes'
    base_path = '/nodes'

    #: The uuid.
    id = resource.Body('uuid')
    uuid = resource.Body('uuid', alternate_id=True)
    name = resource.Body('name')
    resource_class = resource.Body('resource_class')
    #: `power on`, `power off`, or None where it is not known.
    power_state = resource.Body('power_state')
    #: `available`, `deploying`, `active`, `servicing`, `rebuilding`,
    #: `undeploying`, `failed` or `unavailable`.
    availability = resource.Body('availability')
    #: The availability zone, or None.
    availability_zone = resource.Body('availability_zone')
    #: The instance on it, or None.
    instance_uuid = resource.Body('instance_uuid')
    #: Whether it refuses to be wiped.
    is_protected = resource.Body('protected', type=bool)
    #: Why it does, or None.
    protected_reason = resource.Body('protected_reason')
    #: What it can do.
    traits = resource.Body('traits', type=list)
    #: Whether new instances are kept off it.
    is_maintenance = resource.Body('maintenance', type=bool)
    #: What went wrong last on it, or None.
    last_error = resource.Body('last_error')
