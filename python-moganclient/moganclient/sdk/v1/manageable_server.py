# SPDX-License-Identifier: Apache-2.0
from openstack import resource

from moganclient.sdk.v1 import _base


class ManageableServer(_base.Resource):
    """A deployed node that can be adopted as an instance."""

    resources_key = 'manageable_servers'
    base_path = '/manageable_servers'

    #: The uuid of the node.
    id = resource.Body('uuid')
    uuid = resource.Body('uuid', alternate_id=True)
    name = resource.Body('name')
    resource_class = resource.Body('resource_class')
    power_state = resource.Body('power_state')
    provision_state = resource.Body('provision_state')
    #: What it was deployed with, or None.
    image_source = resource.Body('image_source')
    traits = resource.Body('traits', type=list)
