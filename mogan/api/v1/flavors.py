# SPDX-License-Identifier: Apache-2.0
"""The flavors of instances."""

from typing import Any, Final

import pecan
from oslo_utils import strutils

from mogan import exception
from mogan.api import links, types, validation
from mogan.api.routing import Resource, route
from mogan.api.v1 import json_patch
from mogan.api.v1.schemas import flavors as schemas
from mogan.db import flavors, rows

_UUID: Final = types.UuidOrNotFound(exception.FlavorNotFound)
_DESCRIBED: Final = validation.Schema(schemas.DESCRIBED)


def _sees_hidden() -> bool:
    request = pecan.request
    return request.services.policy.check(
        request.context, 'mogan:flavor:get_hidden', {})


def _shown(row: rows.Flavor) -> dict[str, Any]:
    return schemas.VIEW(row) | {
        'links': links.of('flavors', row.uuid, links.base())}


class FlavorController(Resource):
    """One flavor."""

    @route(schemas.Flavor, _UUID, rule='mogan:flavor:get_one')
    def get(self, uuid: str) -> dict[str, Any]:
        """Show a flavor."""
        return _shown(flavors.get(pecan.request.services.db, uuid,
                                  hidden=_sees_hidden()))

    @route(schemas.Flavor, _UUID, rule='mogan:flavor:update',
           body=[json_patch.Operation], schema=schemas.UPDATE,
           raises=(exception.FlavorExists, exception.Conflict))
    def patch(self, uuid: str,
              operations: list[json_patch.Operation]) -> dict[str, Any]:
        """Change a flavor's description and availability."""
        db = pecan.request.services.db
        row = flavors.get(db, uuid)
        old = {'name': row.name, 'description': row.description,
               'is_public': row.is_public, 'disabled': row.disabled}
        new = {'description': None} | json_patch.apply(operations, old)
        _DESCRIBED.check(new)
        for name in ('is_public', 'disabled'):
            new[name] = strutils.bool_from_string(new[name], strict=True)
        # Only these, so that a change of another field stays.
        return _shown(flavors.update(
            db, uuid, {name: value for name, value in new.items()
                       if value != old[name]}))

    @route(None, _UUID, rule='mogan:flavor:delete', status_code=204,
           raises=(exception.FlavorInUse,))
    def delete(self, uuid: str) -> None:
        """Delete a flavor that no instance uses."""
        flavors.delete(pecan.request.services.db, uuid)


class FlavorsController(Resource):
    """The flavors."""

    item = FlavorController()

    @route(schemas.Flavors, rule='mogan:flavor:get_all',
           query={'limit': types.limit, 'marker': types.uuid})
    def get(self, limit: int = types.MAX_LIMIT,
            marker: str | None = None) -> dict[str, Any]:
        """List the flavors that the caller may see."""
        with validation.invalid_at('query argument marker',
                                   exception.FlavorNotFound):
            rows, more = flavors.page(
                pecan.request.services.db, hidden=_sees_hidden(), limit=limit,
                marker=marker)
        return links.page('flavors', [_shown(row) for row in rows],
                          rows[-1].uuid if more else None)

    @route(schemas.Flavor, rule='mogan:flavor:create', body=schemas.NewFlavor,
           status_code=201, raises=(exception.FlavorExists,), location=True)
    def post(self, wanted: schemas.NewFlavor) -> dict[str, Any]:
        """Create a flavor."""
        row = flavors.create(pecan.request.services.db, {
            'name': wanted.name, 'description': wanted.description or None,
            'resources': wanted.resources, 'traits': wanted.traits or [],
            'is_public': wanted.is_public, 'disabled': wanted.disabled})
        links.locate(f'flavors/{row.uuid}')
        return _shown(row)
