# SPDX-License-Identifier: Apache-2.0
"""Instances under the name of servers, for python-moganclient 0.1.0.

The functions of instances and states do the work; here are only the
differences in that client's requests.
"""

from typing import Any, Final

from oslo_utils import strutils

from mogan import exception
from mogan import states as mogan_states
from mogan.api import validation
from mogan.api.routing import Resource, route
from mogan.api.v1 import access, instances, json_patch, states
from mogan.api.v1.schemas import inputs
from mogan.api.v1.schemas import instances as instance_schemas
from mogan.api.v1.schemas import servers as schemas

UUID: Final = states.UUID


def _verb(lock: bool) -> mogan_states.Verb:
    return mogan_states.Verb.LOCK if lock else mogan_states.Verb.UNLOCK


def _rule(body: bytes) -> str:
    """Return the rule for the body's lock or unlock; that for a lock where the
    body is not valid."""
    try:
        lock = strutils.bool_from_string(validation.loads(body)['target'],
                                         strict=True)
    except (exception.Invalid, LookupError, TypeError, ValueError):
        lock = True
    return f'mogan:instance:{_verb(lock)}'


class LockController(Resource):
    """The lock of a server, which protects it from delete and rebuild."""

    @route(None, UUID, rule=_rule, target=states.owner,
           body=schemas.Lock, status_code=202,
           raises=(exception.InvalidState,))
    def put(self, uuid: str, wanted: schemas.Lock) -> None:
        """Lock or unlock a server."""
        states.begin(uuid, _verb(wanted.target))


class ProvisionController(Resource):
    """The deployment of the server."""

    @route(None, UUID, rule='mogan:instance:rebuild', body=schemas.Rebuild,
           status_code=202, raises=(exception.InvalidState, exception.NoNode,
                   exception.InstanceLocked), location=True)
    def put(self, uuid: str, wanted: schemas.Rebuild) -> None:
        """Rebuild a server."""
        if wanted.preserve_ephemeral:
            raise exception.Invalid(
                place='$.preserve_ephemeral',
                fault='is not supported: a rebuild overwrites all '
                      'partitions')
        states.rebuild(uuid, wanted.image_uuid or None)


class StatesController(states.StatesController):
    """The states of one server."""

    lock = LockController()
    power = states.PowerController()
    provision = ProvisionController()


class DetailController(Resource):
    """The list with all details."""

    get = instances.lister(schemas.SERVERS, None)


class ServerController(Resource):
    """One server."""

    states = StatesController()

    @route(schemas.Server, UUID, rule='mogan:instance:get_one')
    def get(self, uuid: str) -> dict[str, Any]:
        """Show a server."""
        return instances.shown(access.find(uuid, 'mogan:instance:get_one'),
                               schemas.SERVERS)

    @route(schemas.Server, UUID, rule='mogan:instance:update',
           body=[json_patch.Operation], schema=instance_schemas.UPDATE,
           raises=(exception.InstanceLocked, exception.Conflict))
    def patch(self, uuid: str,
              operations: list[json_patch.Operation]) -> dict[str, Any]:
        """Update a server's name, description and metadata."""
        return instances.shown(instances.change(uuid, operations),
                               schemas.SERVERS)

    @route(None, UUID, rule='mogan:instance:delete', status_code=204,
           raises=(exception.InstanceLocked,))
    def delete(self, uuid: str) -> None:
        """Delete a server."""
        instances.delete(uuid)


class ServersController(Resource):
    """The servers."""

    get = instances.lister(schemas.SERVERS, schemas.SERVERS.summary)
    detail = DetailController()
    item = ServerController()

    @route(schemas.Server, rule='mogan:instance:create', body=schemas.Wrapped,
           status_code=201, raises=(exception.PortInUse,), location=True)
    def post(self, wanted: schemas.Wrapped) -> dict[str, Any]:
        """Create a server."""
        inputs.refuse({'scheduler_hints': wanted.scheduler_hints})
        inputs.refuse({name: getattr(wanted.server, name) for name in (
            'min_count', 'max_count', 'personality', 'adminPass')},
            '$.server')
        return instances.create(wanted.server, schemas.SERVERS)
