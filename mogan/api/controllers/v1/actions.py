# SPDX-License-Identifier: Apache-2.0
"""An instance's history."""

from typing import Any, Final

import pecan

from mogan import exception
from mogan.api import types
from mogan.api.controllers import links
from mogan.api.controllers.place import Place
from mogan.api.controllers.v1 import access
from mogan.api.controllers.v1.shapes import actions as shapes
from mogan.api.expose import expose
from mogan.db import actions

_RULE: Final = 'mogan:instance:get_actions'
_DEFAULT_LIMIT: Final = 100


class ActionsController(Place):
    """What has been asked of one instance."""

    @expose(shapes.Actions, types.UuidOrNotFound(exception.InstanceNotFound),
            rule=_RULE, query={'limit': types.limit, 'marker': types.uuid})
    def get(self, uuid: str, limit: int = _DEFAULT_LIMIT,
            marker: str | None = None) -> dict[str, Any]:
        """Show an instance's history, the newest first."""
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
                    place='query argument marker', fault=f'the instance has '
                    f'no action {marker}')
        found = actions.history(db, uuid, limit=limit + 1, before=before)
        rows, more = found[:limit], len(found) > limit
        return links.page('actions', shapes.VIEW.many(rows, admin=admin),
                          rows[-1].uuid if more else None)
