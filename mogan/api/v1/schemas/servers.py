# SPDX-License-Identifier: Apache-2.0
"""Schemas of servers, as python-moganclient 0.1.0 calls instances, and of
requests to create or update one."""

from typing import Any, Final

from wsme import types as wtypes

from mogan.api import serialization, types
from mogan.api.v1 import json_patch
from mogan.api.v1.schemas import fields, instances

_COUNT: Final[dict[str, Any]] = {'anyOf': [
    {'type': 'integer', 'minimum': 1},
    {'description': 'a number from 1 to 999999999', 'type': 'string',
     'pattern': '^[1-9][0-9]{0,8}$(?!\\n)'}]}


class NewServer(instances.NewInstance):
    """A request to create a server, with fields that are not supported."""

    min_count = types.field(json_patch.Value(), _COUNT)
    max_count = types.field(json_patch.Value(), _COUNT)
    personality = types.field(json_patch.Value(), {'type': 'array'})
    adminPass = types.field(  # noqa: N815 - its name in the body
        str, {'type': 'string'})


class Wrapped(wtypes.Base):
    """The body of a request to create a server."""

    server = types.field(NewServer, required=True)
    scheduler_hints = types.field(json_patch.Value(), {'type': 'object'})


class Lock(wtypes.Base):
    """A request to lock or unlock a server."""

    target = types.field(types.boolean, fields.BOOLEAN, required=True)


class Rebuild(wtypes.Base):
    """A request to rebuild a server."""

    target = types.field(str, {'enum': ['rebuild']}, required=True)
    image_uuid = types.field(str, fields.UUID)
    preserve_ephemeral = types.field(bool, {'type': ['boolean', 'null']})


class Server(instances.Instance):
    """An instance in responses about servers."""

    addresses = types.attribute({str: [{str: str}]}, source=lambda _: {})


class Servers(wtypes.Base):
    """A page of servers."""

    servers = types.attribute([Server])
    next = types.attribute(str, optional=True)


VIEW: Final = serialization.View(Server)
SERVERS: Final = instances.Dialect('servers', VIEW, Servers, (
    *instances.INSTANCES.summary, 'addresses'), place='$.server')
