# SPDX-License-Identifier: Apache-2.0
"""The states of an instance, and requests to change them."""

from typing import Any, Final

import pecan

from mogan import exception, states
from mogan.api import links, types
from mogan.api.routing import Resource, route
from mogan.api.v1 import access
from mogan.api.v1.schemas import states as schemas
from mogan.db import instances

UUID: Final = types.UuidOrNotFound(exception.InstanceNotFound)


def begin(uuid: str, verb: states.Verb,
          arguments: dict[str, Any] | None = None, *,
          operate_locked: bool = False) -> None:
    """Accept a request and notify the engine.

    Raises InstanceNotFound, InstanceLocked, InvalidState, NoNode.
    """
    request = pecan.request
    if instances.begin(request.services.db, request.context, uuid, verb,
                       arguments, operate_locked=operate_locked):
        request.services.engine.nudge(request.context, uuid)


def owner(uuid: str) -> dict[str, str]:
    """Return the instance's project as the target of policy rules.

    Nobody's where there is none: a missing instance and one of another project
    look alike.
    """
    try:
        row = instances.get(pecan.request.services.db,
                            UUID.frombasetype(uuid))
    except exception.InstanceNotFound:
        return {'project_id': ''}
    return {'project_id': row.project_id}


def rebuild(uuid: str, image_uuid: str | None) -> None:
    """Begin to rebuild an instance; from its current image, unless one is
    named.

    Raises InstanceNotFound, InstanceLocked, InvalidState, NoNode, Invalid.
    """
    row = access.find(uuid, 'mogan:instance:rebuild')
    image = image_uuid or row.image_uuid
    if image is None:
        raise exception.Invalid(
            place='$.image_uuid', fault='is required: the current image of '
            'the instance is not known')
    begin(uuid, states.Verb.REBUILD, {'image_uuid': image.lower()})
    _locate(uuid)


def _locate(uuid: str) -> None:
    links.locate(f'{links.collection()}/{uuid}/states')


class LockController(Resource):
    """The lock of the instance, which protects it from delete and rebuild."""

    @route(None, UUID, rule='mogan:instance:lock', target=owner,
           body=schemas.Lock, status_code=202,
           raises=(exception.InvalidState,))
    def put(self, uuid: str, wanted: schemas.Lock) -> None:
        """Lock an instance."""
        begin(uuid, states.Verb.LOCK,
              {'reason': wanted.lock.reason} if wanted.lock else None)


class UnlockController(Resource):
    """The end of the lock."""

    @route(None, UUID, rule='mogan:instance:unlock', target=owner,
           body=schemas.Unlock, status_code=202,
           raises=(exception.NotUnderstood,))
    def put(self, uuid: str, wanted: schemas.Unlock) -> None:
        """Unlock an instance."""
        begin(uuid, states.Verb.UNLOCK)


class PowerController(Resource):
    """The power state of the instance."""

    @route(None, UUID, rule='mogan:instance:set_power_state',
           body=schemas.Power, status_code=202,
           raises=(exception.InvalidState, exception.InstanceLocked),
           location=True)
    def put(self, uuid: str, wanted: schemas.Power) -> None:
        """Change an instance's power state."""
        row = access.find(uuid, 'mogan:instance:set_power_state')
        begin(uuid, schemas.TARGETS[wanted.target],
              operate_locked=access.may('mogan:instance:operate_locked',
                                        row))
        _locate(uuid)


class ProvisionController(Resource):
    """The deployment of the instance."""

    @route(None, UUID, rule='mogan:instance:rebuild',
           body=schemas.Provision, status_code=202,
           raises=(exception.InvalidState, exception.NoNode,
                   exception.InstanceLocked), location=True)
    def put(self, uuid: str, wanted: schemas.Provision) -> None:
        """Rebuild an instance."""
        rebuild(uuid, wanted.image_uuid or None)


class StatesController(Resource):
    """The states of one instance."""

    lock: Resource = LockController()
    unlock = UnlockController()
    power = PowerController()
    provision: Resource = ProvisionController()

    @route(schemas.States, UUID, rule='mogan:instance:get_states')
    def get(self, uuid: str) -> dict[str, Any]:
        """Show an instance's states."""
        row = access.find(uuid, 'mogan:instance:get_states')
        return schemas.VIEW(row, admin=access.sees_all(row))
