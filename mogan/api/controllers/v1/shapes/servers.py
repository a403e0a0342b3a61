# SPDX-License-Identifier: Apache-2.0
"""What instances look like as servers, the name that python-moganclient 0.1.0
knows them by, and what makes or changes one there."""

from typing import Any, Final

from wsme import types as wtypes

from mogan.api import types, views
from mogan.api.controllers.v1 import patching
from mogan.api.controllers.v1.shapes import instances, words

_COUNT: Final[dict[str, Any]] = {'anyOf': [
    {'type': 'integer', 'minimum': 1},
    {'type': 'string', 'pattern': '^[1-9][0-9]{0,8}$(?!\\n)'}]}
CREATE: Final = words.members({
    'server': words.members(
        instances.CREATE['properties'] | {
            'min_count': _COUNT, 'max_count': _COUNT,
            'personality': {'type': 'array'},
            'adminPass': {'type': 'string'}},
        *instances.CREATE['required']),
    'scheduler_hints': {'type': 'object'}}, 'server')
LOCK: Final = words.members({'target': words.BOOLEAN}, 'target')
REBUILD: Final = words.members(
    {'target': {'enum': ['rebuild']}, 'image_uuid': words.UUID,
     'preserve_ephemeral': {'type': ['boolean', 'null']}}, 'target')


class NewServer(instances.NewInstance):
    """A server that is asked for, with what others can do as well."""

    min_count = wtypes.wsattr(patching.Value())
    max_count = wtypes.wsattr(patching.Value())
    personality = wtypes.wsattr(patching.Value())
    adminPass = wtypes.wsattr(str)  # noqa: N815 - its name in the body


class Wrapped(wtypes.Base):
    """A server that is asked for, as it comes."""

    server = wtypes.wsattr(NewServer, mandatory=True)
    scheduler_hints = wtypes.wsattr(patching.Value())


class Lock(wtypes.Base):
    """Whether a server is to be locked."""

    target = wtypes.wsattr(types.boolean, mandatory=True)


class Rebuild(wtypes.Base):
    """A rebuild that is asked for."""

    target = wtypes.wsattr(wtypes.Enum(str, 'rebuild'), mandatory=True)
    image_uuid = wtypes.wsattr(str)
    preserve_ephemeral = wtypes.wsattr(bool)


class Server(instances.Instance):
    """An instance as it is shown under the name of a server."""

    addresses = types.attribute({str: [{str: str}]}, source=lambda _: {})


class Servers(wtypes.Base):
    """A page of servers."""

    servers = types.attribute([Server])
    next = types.attribute(str, optional=True)


VIEW: Final = views.View(Server)
SERVERS: Final = instances.Dialect('servers', VIEW, Servers, (
    *instances.INSTANCES.summary, 'addresses'), place='$.server')
