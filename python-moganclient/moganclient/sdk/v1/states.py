# SPDX-License-Identifier: Apache-2.0
from openstack import resource

from moganclient.sdk.v1 import _base


class States(_base.Resource):
    """The status of an instance, and its lock state."""

    base_path = '/instances/%(instance_uuid)s/states'
    requires_id = False
    allow_fetch = True

    instance_uuid = resource.URI('instance_uuid')
    status = resource.Body('status')
    power_state = resource.Body('power_state')
    locked = resource.Body('locked', type=bool)
    lock_state = resource.Body('lock_state')
    locked_at = resource.Body('locked_at')
    locked_reason = resource.Body('locked_reason')
    #: For administrators.
    locked_by = resource.Body('locked_by')
