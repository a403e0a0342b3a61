# SPDX-License-Identifier: Apache-2.0
"""The zones that nodes are in, as an engine sees them."""

from typing import Any

import pecan

from mogan.api.controllers.place import Place
from mogan.api.controllers.v1.shapes import availability_zones as shapes
from mogan.api.expose import expose


class AvailabilityZonesController(Place):
    """All zones."""

    @expose(shapes.AvailabilityZones,
            rule='mogan:availability_zone:get_all')
    def get(self) -> dict[str, Any]:
        """List the availability zones."""
        request = pecan.request
        return {'availability_zones': request.services.engine.list_zones(
            request.context)}
