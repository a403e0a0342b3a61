# SPDX-License-Identifier: Apache-2.0
"""Flavors: what kinds of instances there are."""

from typing import Any, Final

import pecan
from oslo_utils import strutils

from mogan import exception
from mogan.api import strict, types
from mogan.api.controllers import links
from mogan.api.controllers.place import Place
from mogan.api.controllers.v1 import patching
from mogan.api.controllers.v1.shapes import flavors as shapes
from mogan.api.expose import expose
from mogan.db import flavors

_UUID: Final = types.UuidOrNotFound(exception.FlavorNotFound)
_DESCRIBED: Final = strict.Schema(shapes.DESCRIBED)


def _sees_hidden() -> bool:
    request = pecan.request
    return request.services.policy.check(
        request.context, 'mogan:flavor:get_hidden', {})


def _shown(row: Any) -> dict[str, Any]:
    return shapes.VIEW(row) | {
        'links': links.of('flavors', row.uuid, links.base())}


class FlavorController(Place):
    """One flavor."""

    @expose(shapes.Flavor, _UUID, rule='mogan:flavor:get_one')
    def get(self, uuid: str) -> dict[str, Any]:
        """Show a flavor."""
        return _shown(flavors.get(pecan.request.services.db, uuid,
                                  hidden=_sees_hidden()))

    @expose(shapes.Flavor, _UUID, rule='mogan:flavor:update',
            body=[patching.Operation], schema=shapes.UPDATE,
            raises=(exception.FlavorExists, exception.Conflict))
    def patch(self, uuid: str,
              operations: list[patching.Operation]) -> dict[str, Any]:
        """Change what describes a flavor, and who may have it."""
        db = pecan.request.services.db
        row = flavors.get(db, uuid)
        old = {'name': row.name, 'description': row.description,
               'is_public': row.is_public, 'disabled': row.disabled}
        new = {'description': None} | patching.apply(operations, old)
        _DESCRIBED.check(new)
        for name in ('is_public', 'disabled'):
            new[name] = strutils.bool_from_string(new[name], strict=True)
        # Only these, so that a change of another field stays.
        return _shown(flavors.update(
            db, uuid, {name: value for name, value in new.items()
                       if value != old[name]}))

    @expose(None, _UUID, rule='mogan:flavor:delete', status_code=204,
            raises=(exception.FlavorInUse,))
    def delete(self, uuid: str) -> None:
        """Delete a flavor that no instance has."""
        flavors.delete(pecan.request.services.db, uuid)


class FlavorsController(Place):
    """All flavors."""

    item = FlavorController()

    @expose(shapes.Flavors, rule='mogan:flavor:get_all',
            query={'limit': types.limit, 'marker': types.uuid})
    def get(self, limit: int = types.MAX_LIMIT,
            marker: str | None = None) -> dict[str, Any]:
        """List the flavors that the caller may see."""
        rows, more = flavors.page(
            pecan.request.services.db, hidden=_sees_hidden(), limit=limit,
            marker=marker)
        return links.page('flavors', [_shown(row) for row in rows],
                          rows[-1].uuid if more else None)

    @expose(shapes.Flavor, rule='mogan:flavor:create', body=shapes.NewFlavor,
            schema=shapes.CREATE, status_code=201,
            raises=(exception.FlavorExists,), location=True)
    def post(self, wanted: shapes.NewFlavor) -> dict[str, Any]:
        """Add a flavor."""
        row = flavors.create(pecan.request.services.db, {
            'name': wanted.name, 'description': wanted.description or None,
            'resources': wanted.resources, 'traits': wanted.traits or [],
            'is_public': wanted.is_public, 'disabled': wanted.disabled})
        links.locate(f'flavors/{row.uuid}')
        return _shown(row)
