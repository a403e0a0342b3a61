# SPDX-License-Identifier: Apache-2.0
"""The nodes of instances, as an engine sees them."""

from typing import Any, Final

import pecan

from mogan.api import links, types
from mogan.api.routing import Resource, route
from mogan.api.v1.schemas import nodes as schemas

_RULE: Final = 'mogan:node:get_all'
_QUERY: Final = {'limit': types.limit, 'marker': types.uuid}


def _page(limit: int, marker: str | None) -> tuple[
        list[dict[str, Any]], str | None]:
    """Return a page of the nodes, by UUID, and the marker of the next one."""
    request = pecan.request
    found = request.services.engine.list_nodes(
        request.context, marker, limit + 1)
    nodes, more = found[:limit], len(found) > limit
    return nodes, nodes[-1]['uuid'] if more else None


class DetailController(Resource):
    """The nodes with all details."""

    @route(schemas.Nodes, rule=_RULE, query=_QUERY)
    def get(self, limit: int = types.MAX_LIMIT,
            marker: str | None = None) -> dict[str, Any]:
        """List the nodes by UUID."""
        nodes, following = _page(limit, marker)
        return links.page('nodes', [schemas.VIEW(node) for node in nodes],
                          following)


class NodesController(Resource):
    """The nodes by name."""

    detail = DetailController()

    @route(schemas.NodeNames, rule=_RULE, query=_QUERY)
    def get(self, limit: int = types.MAX_LIMIT,
            marker: str | None = None) -> dict[str, Any]:
        """List the names of the nodes, sorted within each page."""
        nodes, following = _page(limit, marker)
        return links.page('nodes', sorted(node['name'] for node in nodes),
                          following)
