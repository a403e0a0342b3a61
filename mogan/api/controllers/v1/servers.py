# SPDX-License-Identifier: Apache-2.0
"""Instances under the name of servers, for python-moganclient 0.1.0.

What is done is done by the functions of instances and states; here is only
what the client says in other words.
"""

from typing import Any, Final

from oslo_utils import strutils

from mogan import exception
from mogan import states as mogan_states
from mogan.api import strict
from mogan.api.controllers.place import Place
from mogan.api.controllers.v1 import access, instances, patching, states
from mogan.api.controllers.v1.shapes import inputs
from mogan.api.controllers.v1.shapes import instances as instance_shapes
from mogan.api.controllers.v1.shapes import servers as shapes
from mogan.api.expose import expose

UUID: Final = states.UUID


def _verb(lock: bool) -> mogan_states.Verb:
    return mogan_states.Verb.LOCK if lock else mogan_states.Verb.UNLOCK


def _rule(body: bytes) -> str:
    """The rule about what the body asks for; about locking where it asks for
    nothing."""
    try:
        lock = strutils.bool_from_string(strict.loads(body)['target'],
                                         strict=True)
    except (exception.Invalid, LookupError, TypeError, ValueError):
        lock = True
    return f'mogan:instance:{_verb(lock)}'


class LockController(Place):
    """Protects the server from delete and rebuild, or ends that."""

    @expose(None, UUID, rule=_rule, target=states.owner,
            body=shapes.Lock, schema=shapes.LOCK, status_code=202,
            raises=(exception.InvalidState,))
    def put(self, uuid: str, wanted: shapes.Lock) -> None:
        """Lock or unlock a server."""
        states.begin(uuid, _verb(wanted.target))


class ProvisionController(Place):
    """Puts an image on the server anew."""

    @expose(None, UUID, rule='mogan:instance:rebuild', body=shapes.Rebuild,
            schema=shapes.REBUILD, status_code=202,
            raises=(exception.InvalidState, exception.NoNode,
                    exception.InstanceLocked), location=True)
    def put(self, uuid: str, wanted: shapes.Rebuild) -> None:
        """Rebuild a server."""
        if wanted.preserve_ephemeral:
            raise exception.Invalid(
                place='$.preserve_ephemeral',
                fault='a rebuild preserves no partition')
        states.rebuild(uuid, wanted.image_uuid or None)


class StatesController(states.StatesController):
    """The states of one server."""

    lock = LockController()
    power = states.PowerController()
    provision = ProvisionController()


class DetailController(Place):
    """The list with all that there is."""

    get = instances.lister(shapes.SERVERS, None)


class ServerController(Place):
    """One server."""

    states = StatesController()

    @expose(shapes.Server, UUID, rule='mogan:instance:get_one')
    def get(self, uuid: str) -> dict[str, Any]:
        """Show a server."""
        return instances.shown(access.find(uuid, 'mogan:instance:get_one'),
                               shapes.SERVERS)

    @expose(shapes.Server, UUID, rule='mogan:instance:update',
            body=[patching.Operation], schema=instance_shapes.UPDATE,
            raises=(exception.InstanceLocked, exception.Conflict))
    def patch(self, uuid: str,
              operations: list[patching.Operation]) -> dict[str, Any]:
        """Change what describes a server."""
        return instances.shown(instances.change(uuid, operations),
                               shapes.SERVERS)

    @expose(None, UUID, rule='mogan:instance:delete', status_code=204,
            raises=(exception.InstanceLocked,))
    def delete(self, uuid: str) -> None:
        """Delete a server."""
        instances.delete(uuid)


class ServersController(Place):
    """All servers."""

    get = instances.lister(shapes.SERVERS, shapes.SERVERS.summary)
    detail = DetailController()
    item = ServerController()

    @expose(shapes.Server, rule='mogan:instance:create', body=shapes.Wrapped,
            schema=shapes.CREATE, status_code=201, location=True)
    def post(self, wanted: shapes.Wrapped) -> dict[str, Any]:
        """Ask for a server."""
        inputs.refuse({'scheduler_hints': wanted.scheduler_hints})
        inputs.refuse({name: getattr(wanted.server, name) for name in (
            'min_count', 'max_count', 'personality', 'adminPass')},
            '$.server')
        return instances.create(wanted.server, shapes.SERVERS)
