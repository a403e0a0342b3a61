# SPDX-License-Identifier: Apache-2.0
"""An instance's states: see them, and ask for others."""

from typing import Any, Final

import pecan

from mogan import exception, states
from mogan.api import types
from mogan.api.controllers import links
from mogan.api.controllers.place import Place
from mogan.api.controllers.v1 import access
from mogan.api.controllers.v1.shapes import states as shapes
from mogan.api.expose import expose
from mogan.db import instances

UUID: Final = types.UuidOrNotFound(exception.InstanceNotFound)


def begin(uuid: str, verb: states.Verb,
          arguments: dict[str, Any] | None = None, *,
          operate_locked: bool = False) -> None:
    """Accept a request and tell the engine.

    Raises InstanceNotFound, InstanceLocked, InvalidState, NoNode.
    """
    request = pecan.request
    if instances.begin(request.services.db, request.context, uuid, verb,
                       arguments, operate_locked=operate_locked):
        request.services.engine.nudge(request.context, uuid)


def owner(uuid: str) -> dict[str, str]:
    """Whose the instance is, for the rules that ask.

    Nobody's where there is none: a missing instance and a foreign one look
    alike.
    """
    try:
        row = instances.get(pecan.request.services.db,
                            UUID.frombasetype(uuid))
    except exception.InstanceNotFound:
        return {'project_id': ''}
    return {'project_id': row.project_id}


def rebuild(uuid: str, image_uuid: str | None) -> None:
    """Begin to rebuild an instance; of the image that it has, where none is
    named.

    Raises InstanceNotFound, InstanceLocked, InvalidState, NoNode, Invalid.
    """
    row = access.find(uuid, 'mogan:instance:rebuild')
    image = image_uuid or row.image_uuid
    if image is None:
        raise exception.Invalid(
            place='$.image_uuid', fault='the image that the instance has is '
            'not known, so one has to be named')
    begin(uuid, states.Verb.REBUILD, {'image_uuid': image.lower()})
    _locate(uuid)


def _locate(uuid: str) -> None:
    links.locate(f'{links.collection()}/{uuid}/states')


class LockController(Place):
    """Protects the instance from delete and rebuild."""

    @expose(None, UUID, rule='mogan:instance:lock', target=owner,
            body=shapes.Lock, schema=shapes.LOCK, status_code=202,
            raises=(exception.InvalidState,))
    def put(self, uuid: str, wanted: shapes.Lock) -> None:
        """Lock an instance."""
        begin(uuid, states.Verb.LOCK,
              {'reason': wanted.lock.reason} if wanted.lock else None)


class UnlockController(Place):
    """Ends the protection."""

    @expose(None, UUID, rule='mogan:instance:unlock', target=owner,
            body=shapes.Unlock, schema=shapes.UNLOCK, status_code=202)
    def put(self, uuid: str, wanted: shapes.Unlock) -> None:
        """Unlock an instance."""
        begin(uuid, states.Verb.UNLOCK)


class PowerController(Place):
    """Turns the instance on and off."""

    @expose(None, UUID, rule='mogan:instance:set_power_state',
            body=shapes.Power, schema=shapes.POWER, status_code=202,
            raises=(exception.InvalidState, exception.InstanceLocked),
            location=True)
    def put(self, uuid: str, wanted: shapes.Power) -> None:
        """Change an instance's power."""
        row = access.find(uuid, 'mogan:instance:set_power_state')
        begin(uuid, shapes.TARGETS[wanted.target],
              operate_locked=access.may('mogan:instance:operate_locked',
                                        row))
        _locate(uuid)


class ProvisionController(Place):
    """Puts an image on the instance anew."""

    @expose(None, UUID, rule='mogan:instance:rebuild',
            body=shapes.Provision, schema=shapes.PROVISION, status_code=202,
            raises=(exception.InvalidState, exception.NoNode,
                    exception.InstanceLocked), location=True)
    def put(self, uuid: str, wanted: shapes.Provision) -> None:
        """Rebuild an instance."""
        rebuild(uuid, wanted.image_uuid)


class StatesController(Place):
    """The states of one instance."""

    lock: Place = LockController()
    unlock = UnlockController()
    power = PowerController()
    provision: Place = ProvisionController()

    @expose(shapes.States, UUID, rule='mogan:instance:get_states')
    def get(self, uuid: str) -> dict[str, Any]:
        """Show an instance's states."""
        row = access.find(uuid, 'mogan:instance:get_states')
        return shapes.VIEW(row, admin=access.sees_all(row))
