# SPDX-License-Identifier: Apache-2.0
"""Version 1 of the API.  It grows by additions only."""

from typing import Any, Final

from wsme import types as wtypes

from mogan.api import types
from mogan.api.controllers import links
from mogan.api.controllers.place import Place
from mogan.api.controllers.v1 import (
    flavors,
    instances,
    manageable_servers,
    nodes,
)
from mogan.api.expose import expose

# What has been added can be told by the first; the last that still works as
# it did is the second.
VERSION: Final = '1.0'
MIN_VERSION: Final = '1.0'


class Version(wtypes.Base):
    """One version of the API."""

    id = types.attribute(str)
    status = types.attribute(str)
    version = types.attribute(str)
    min_version = types.attribute(str)
    links = types.attribute([{str: str}])


class V1(wtypes.Base):
    """The document of this version."""

    id = types.attribute(str)
    version = types.attribute(Version)
    links = types.attribute([{str: str}])


def describe(address: str) -> dict[str, Any]:
    """What there is to know of version 1, at the service's address."""
    return {'id': 'v1', 'status': 'CURRENT', 'version': VERSION,
            'min_version': MIN_VERSION,
            'links': [{'rel': 'self', 'href': f'{address}/v1/'}]}


class V1Controller(Place):
    """All that version 1 has."""

    flavors = flavors.FlavorsController()
    instances = instances.InstancesController()
    manageable_servers = manageable_servers.ManageableServersController()
    nodes = nodes.NodesController()

    @expose(V1)
    def get(self) -> dict[str, Any]:
        """The document of this version; anybody may read it."""
        version = describe(links.base())
        return {'id': version['id'], 'version': version,
                'links': version['links']}
