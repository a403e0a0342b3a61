# SPDX-License-Identifier: Apache-2.0
from openstack import resource

from moganclient.sdk.v1 import _base


class Flavor(_base.Resource):
    """A type of instance: the resource class and traits of its node."""

    resources_key = 'flavors'
    base_path = '/flavors'

    allow_fetch = True
    allow_delete = True

    #: The uuid.
    id = resource.Body('uuid')
    uuid = resource.Body('uuid', alternate_id=True)
    #: The name; no two flavors have the same.
    name = resource.Body('name')
    description = resource.Body('description')
    #: An amount for each resource class.
    resources = resource.Body('resources', type=dict)
    #: What a node must be able to do.
    traits = resource.Body('traits', type=list)
    #: Whether all projects can see and have it.
    is_public = resource.Body('is_public', type=bool)
    #: Whether new instances cannot have it.
    disabled = resource.Body('disabled', type=bool)
    created_at = resource.Body('created_at')
    updated_at = resource.Body('updated_at')
    links = resource.Body('links')
