# SPDX-License-Identifier: Apache-2.0
"""Running machines that can be adopted as instances."""

import dataclasses
from typing import Any, Final

import pecan

from mogan import exception
from mogan.api import links, types
from mogan.api.routing import Resource, route
from mogan.api.v1 import instances
from mogan.api.v1.schemas import manageable_servers as schemas
from mogan.api.v1.schemas import servers as server_schemas
from mogan.db import adoptions

# With all that clients expect of a server.
_SHOWN: Final = dataclasses.replace(server_schemas.SERVERS,
                                    collection='instances')


class ManageableServersController(Resource):
    """The nodes that are in use without an instance."""

    @route(schemas.ManageableServers,
           rule='mogan:manageable_servers:get_all',
           query={'limit': types.limit, 'marker': types.uuid})
    def get(self, limit: int = types.MAX_LIMIT,
            marker: str | None = None) -> dict[str, Any]:
        """List the nodes that can be adopted."""
        request = pecan.request
        found = request.services.engine.list_manageable(
            request.context, marker, limit + 1)
        nodes, more = found[:limit], len(found) > limit
        return links.page('manageable_servers', schemas.VIEW.many(nodes),
                          nodes[-1]['uuid'] if more else None)

    @route(server_schemas.Server, rule='mogan:manageable_servers:create',
           body=schemas.Adoption, status_code=201,
           raises=(exception.NodeNotManageable, exception.NodeTaken),
           location=True)
    def post(self, wanted: schemas.Adoption) -> dict[str, Any]:
        """Adopt a node as an instance."""
        request = pecan.request
        node = _find(wanted.node_uuid.lower())
        row = adoptions.create(
            request.services.db, request.context, {
                'name': wanted.name,
                'description': wanted.description or None,
                'metadata': wanted.metadata or {}}, node,
            hidden_flavors=request.services.policy.check(
                request.context, 'mogan:flavor:get_hidden', {}))
        request.services.engine.nudge(request.context, row.uuid)
        links.locate(f'instances/{row.uuid}')
        return instances.shown(row, _SHOWN)


def _find(uuid: str) -> dict[str, Any]:
    """Return the current state of a node that can be adopted.

    Raises Invalid, NodeNotManageable, EngineUnavailable.
    """
    request = pecan.request
    node = request.services.engine.get_node(request.context, uuid)
    if node is None:
        raise exception.Invalid(place='node_uuid',
                                fault=f'node {uuid} not found')
    if node['obstacle']:
        raise exception.NodeNotManageable(uuid=uuid,
                                          obstacle=node['obstacle'])
    return node
