# SPDX-License-Identifier: Apache-2.0
"""What a node that can be taken over looks like, and what takes it over."""

from typing import Final

from wsme import types as wtypes

from mogan.api import types, views
from mogan.api.controllers.v1.shapes import instances, words

CREATE: Final = words.members(
    instances.DESCRIBING | {'node_uuid': words.UUID}, 'name', 'node_uuid')


class Adoption(wtypes.Base):
    """A node that is to become an instance."""

    name = wtypes.wsattr(str, mandatory=True)
    node_uuid = wtypes.wsattr(str, mandatory=True)
    description = wtypes.wsattr(str)
    metadata = wtypes.wsattr({str: str})


class ManageableServer(wtypes.Base):
    """A node that is in use and carries no instance."""

    uuid = types.attribute(str, schema=words.UUID)
    name = types.attribute(str)
    resource_class = types.attribute(str)
    power_state = types.attribute(str, nullable=True)
    provision_state = types.attribute(str, source='availability')
    image_source = types.attribute(str, nullable=True)
    traits = types.attribute([str])


class ManageableServers(wtypes.Base):
    """A page of them."""

    manageable_servers = types.attribute([ManageableServer])
    next = types.attribute(str, optional=True)


VIEW: Final = views.View(ManageableServer, mapping=True)
