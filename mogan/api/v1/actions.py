# SPDX-License-Identifier: Apache-2.0
"""The history of an instance."""

from typing import Any, Final

import pecan

from mogan import exception
from mogan.api import links, types
from mogan.api.routing import Resource, route
from mogan.api.v1 import access
from mogan.api.v1.schemas import actions as schemas
from mogan.db import actions

_RULE: Final = 'mogan:instance:get_actions'
_DEFAULT_LIMIT: Final = 100


class ActionsController(Resource):
    """The history of one instance: its actions."""

    @route(schemas.Actions, types.UuidOrNotFound(exception.InstanceNotFound),
           rule=_RULE, query={'limit': types.limit, 'marker': types.uuid})
    def get(self, uuid: str, limit: int = _DEFAULT_LIMIT,
            marker: str | None = None) -> dict[str, Any]:
        """List an instance's actions, newest first."""
        db = pecan.request.services.db
        row = access.find(uuid, _RULE, deleted=True)
        admin = access.sees_all(row)
        if row.deleted and not admin:
            raise exception.InstanceNotFound(uuid=uuid)
        before = None
        if marker is not None:
            before = actions.number(db, uuid, marker)
            if before is None:
                raise exception.Invalid(
                    place='query argument marker',
                    fault=f'action {marker} of this instance not found')
        found = actions.history(db, uuid, limit=limit + 1, before=before)
        rows, more = found[:limit], len(found) > limit
        return links.page('actions', schemas.VIEW.many(rows, admin=admin),
                          rows[-1].uuid if more else None)
