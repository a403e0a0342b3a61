# SPDX-License-Identifier: Apache-2.0
"""Schemas of nodes that can be adopted, and of requests to adopt one."""

from typing import Final

from wsme import types as wtypes

from mogan.api import serialization, types
from mogan.api.v1.schemas import fields, instances


class Adoption(instances.Description):
    """A node that is to become an instance."""

    node_uuid = types.field(str, fields.UUID, required=True)


class ManageableServer(wtypes.Base):
    """A node that is in use without an instance."""

    uuid = types.attribute(str, schema=fields.UUID)
    name = types.attribute(str)
    resource_class = types.attribute(str)
    power_state = types.attribute(str, nullable=True)
    provision_state = types.attribute(str, source='availability')
    image_source = types.attribute(str, nullable=True)
    traits = types.attribute([str])


class ManageableServers(wtypes.Base):
    """A page of nodes that can be adopted."""

    manageable_servers = types.attribute([ManageableServer])
    next = types.attribute(str, optional=True)


VIEW: Final = serialization.View(ManageableServer, mapping=True)
