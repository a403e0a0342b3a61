# SPDX-License-Identifier: Apache-2.0
"""Machines that run already: see them, and take one over as an instance."""

import dataclasses
from typing import Any, Final

import pecan

from mogan import exception
from mogan.api import types
from mogan.api.controllers import links
from mogan.api.controllers.place import Place
from mogan.api.controllers.v1 import instances
from mogan.api.controllers.v1.shapes import manageable_servers as shapes
from mogan.api.controllers.v1.shapes import servers as server_shapes
from mogan.api.expose import expose
from mogan.db import adoptions

# With all that clients expect of a server.
_SHOWN: Final = dataclasses.replace(server_shapes.SERVERS,
                                    collection='instances')


class ManageableServersController(Place):
    """The nodes that are in use and carry no instance."""

    @expose(shapes.ManageableServers,
            rule='mogan:manageable_servers:get_all',
            query={'limit': types.limit, 'marker': types.uuid})
    def get(self, limit: int = types.MAX_LIMIT,
            marker: str | None = None) -> dict[str, Any]:
        """List the nodes that can be taken over."""
        request = pecan.request
        found = request.services.engine.list_manageable(
            request.context, marker, limit + 1)
        nodes, more = found[:limit], len(found) > limit
        return links.page('manageable_servers', shapes.VIEW.many(nodes),
                          nodes[-1]['uuid'] if more else None)

    @expose(server_shapes.Server, rule='mogan:manageable_servers:create',
            body=shapes.Adoption, schema=shapes.CREATE, status_code=201,
            raises=(exception.NodeNotManageable, exception.NodeTaken),
            location=True)
    def post(self, wanted: shapes.Adoption) -> dict[str, Any]:
        """Take over a node as an instance."""
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
    """The node as it is now, which can be taken over.

    Raises Invalid, NodeNotManageable, EngineUnavailable.
    """
    request = pecan.request
    node = request.services.engine.get_node(request.context, uuid)
    if node is None:
        raise exception.Invalid(place='node_uuid',
                                fault=f'there is no node {uuid}')
    if node['obstacle']:
        raise exception.NodeNotManageable(uuid=uuid,
                                          obstacle=node['obstacle'])
    return node
