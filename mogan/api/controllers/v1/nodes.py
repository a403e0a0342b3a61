# SPDX-License-Identifier: Apache-2.0
"""The nodes that instances are built on, as an engine sees them."""

from typing import Any, Final

import pecan

from mogan.api import types
from mogan.api.controllers import links
from mogan.api.controllers.place import Place
from mogan.api.controllers.v1.shapes import nodes as shapes
from mogan.api.expose import expose

_RULE: Final = 'mogan:node:get_all'
_QUERY: Final = {'limit': types.limit, 'marker': types.uuid}


def _page(limit: int, marker: str | None, show: Any) -> dict[str, Any]:
    request = pecan.request
    found = request.services.engine.list_nodes(
        request.context, marker, limit + 1)
    nodes, more = found[:limit], len(found) > limit
    return links.page('nodes', [show(node) for node in nodes],
                      nodes[-1]['uuid'] if more else None)


class DetailController(Place):
    """The nodes with all that there is."""

    @expose(shapes.Nodes, rule=_RULE, query=_QUERY)
    def get(self, limit: int = types.MAX_LIMIT,
            marker: str | None = None) -> dict[str, Any]:
        """List the nodes."""
        return _page(limit, marker, shapes.VIEW)


class NodesController(Place):
    """The nodes by name."""

    detail = DetailController()

    @expose(shapes.NodeNames, rule=_RULE, query=_QUERY)
    def get(self, limit: int = types.MAX_LIMIT,
            marker: str | None = None) -> dict[str, Any]:
        """List the nodes' names."""
        return _page(limit, marker, lambda node: node['name'])
