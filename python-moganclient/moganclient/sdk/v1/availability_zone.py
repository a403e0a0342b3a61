# SPDX-License-Identifier: Apache-2.0
from openstack import resource

from moganclient.sdk.v1 import _base


class AvailabilityZone(_base.Resource):
    """An availability zone."""

    resources_key = 'availability_zones'
    base_path = '/availability_zones'

    #: The name.
    id = resource.Body('name')
    name = resource.Body('name')
