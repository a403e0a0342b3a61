# SPDX-License-Identifier: Apache-2.0
from openstack import resource

from moganclient.sdk.v1 import _base


class Action(_base.Resource):
    """A request for an instance, with its user and outcome."""

    resources_key = 'actions'
    base_path = '/instances/%(instance_uuid)s/actions'

    #: The uuid.
    id = resource.Body('uuid')
    uuid = resource.Body('uuid', alternate_id=True)
    instance_uuid = resource.Body('instance_uuid')
    #: `create`, `delete`, `lock`, ...
    action = resource.Body('action')
    #: What was asked for: the `reason` of a lock and the like.
    arguments = resource.Body('arguments', type=dict)
    #: `done`, `failed`, `superseded`, `refused`, or None while there is work
    #: to do.
    outcome = resource.Body('outcome')
    #: Why it failed, was refused, or has to wait.
    error = resource.Body('error')
    #: How often it was tried in vain.
    attempts = resource.Body('attempts', type=int)
    #: How often the same refusal was given.
    times = resource.Body('times', type=int)
    request_id = resource.Body('request_id')
    #: Who asked; for administrators.
    user_id = resource.Body('user_id')
    created_at = resource.Body('created_at')
    updated_at = resource.Body('updated_at')
    #: When it ended, or None.
    finished_at = resource.Body('finished_at')
