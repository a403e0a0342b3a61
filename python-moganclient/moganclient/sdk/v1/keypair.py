# SPDX-License-Identifier: Apache-2.0
from openstack import resource

from moganclient.sdk.v1 import _base


class Keypair(_base.Resource):
    """A named public key to install on instances."""

    resources_key = 'keypairs'
    base_path = '/keypairs'

    #: The name; each user has their own.
    id = resource.Body('name')
    name = resource.Body('name')
    user_id = resource.Body('user_id')
    fingerprint = resource.Body('fingerprint')
    public_key = resource.Body('public_key')
    #: In the answer that made it, where no public key was given.
    private_key = resource.Body('private_key')
    type = resource.Body('type')
    created_at = resource.Body('created_at')
    updated_at = resource.Body('updated_at')
