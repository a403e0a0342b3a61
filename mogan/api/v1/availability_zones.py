# SPDX-License-Identifier: Apache-2.0
"""The availability zones of the nodes, as an engine sees them."""

from typing import Any

import pecan

from mogan.api.routing import Resource, route
from mogan.api.v1.schemas import availability_zones as schemas


class AvailabilityZonesController(Resource):
    """The availability zones."""

    @route(schemas.AvailabilityZones,
           rule='mogan:availability_zone:get_all')
    def get(self) -> dict[str, Any]:
        """List the availability zones."""
        request = pecan.request
        return {'availability_zones': request.services.engine.list_zones(
            request.context)}
