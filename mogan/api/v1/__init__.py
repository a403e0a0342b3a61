# SPDX-License-Identifier: Apache-2.0
"""Version 1 of the API.  It grows by additions only."""

from typing import Any, Final

import pecan
import pecan.core
from wsme import types as wtypes

from mogan.api import links, openapi, types
from mogan.api.routing import Resource, route
from mogan.api.v1 import (
    availability_zones,
    flavors,
    instances,
    keypairs,
    manageable_servers,
    nodes,
    servers,
)
from mogan.api.v1.schemas import fields

# What has been added can be told by the first; the last that still works as
# it did is the second.
VERSION: Final = '1.0'
MIN_VERSION: Final = '1.0'

DOCUMENT: Final = 'openapi.json'


class Version(wtypes.Base):
    """One version of the API."""

    id = types.attribute(str)
    status = types.attribute(str)
    version = types.attribute(str)
    min_version = types.attribute(str)
    links = types.attribute([{str: str}], schema=fields.LINKS)


class V1(wtypes.Base):
    """The document of this version."""

    id = types.attribute(str)
    version = types.attribute(Version)
    links = types.attribute([{str: str}], schema=fields.LINKS)


def describe(address: str) -> dict[str, Any]:
    """Return the description of version 1 below this base URL."""
    return {'id': 'v1', 'status': 'CURRENT', 'version': VERSION,
            'min_version': MIN_VERSION,
            'links': [{'rel': 'self', 'href': f'{address}/v1/'},
                      {'rel': 'describedby',
                       'href': f'{address}/v1/{DOCUMENT}'}]}


class DocumentController(Resource):
    """The OpenAPI description of the API."""

    path_segment = DOCUMENT

    @route(openapi.DOCUMENT)
    def get(self) -> bytes:
        """Show this document."""
        request, response = pecan.request, pecan.response
        root: Any = type(pecan.core.state.app.root)
        served = openapi.serve(
            root, VERSION,
            request.services.settings.public_endpoint or request.script_name)
        response.etag = served.tag
        response.conditional_response = True
        return served.body


class V1Controller(Resource):
    """Version 1 of the API."""

    availability_zones = availability_zones.AvailabilityZonesController()
    document = DocumentController()
    flavors = flavors.FlavorsController()
    instances = instances.InstancesController()
    keypairs = keypairs.KeyPairsController()
    manageable_servers = manageable_servers.ManageableServersController()
    nodes = nodes.NodesController()
    servers = servers.ServersController()

    @route(V1)
    def get(self) -> dict[str, Any]:
        """Show the version; needs no credentials."""
        version = describe(links.base())
        return {'id': version['id'], 'version': version,
                'links': version['links']}
