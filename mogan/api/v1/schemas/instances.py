# SPDX-License-Identifier: Apache-2.0
"""Schemas of instances, and of requests to create or update one."""

import dataclasses
from typing import Any, Final

from wsme import types as wtypes

from mogan import states
from mogan.api import serialization, types
from mogan.api.v1.schemas import fields, inputs
from mogan.db import rows

_MOST_METADATA: Final = 128

_VALUE: Final[dict[str, Any]] = {
    'type': 'string', 'maxLength': fields.LONGEST, **fields.LINES}


class Description(wtypes.Base):
    """The description of an instance."""

    name = types.field(str, fields.NAME, required=True)
    description = types.field(str, fields.DESCRIPTION)
    metadata = types.field({str: str}, {
        'type': 'object', 'maxProperties': _MOST_METADATA,
        'propertyNames': {'minLength': 1, 'maxLength': fields.LONGEST,
                          **fields.LINE},
        'additionalProperties': _VALUE})


class NewInstance(inputs.Inputs, Description):
    """A request for an instance."""

    flavor_uuid = types.field(str, fields.UUID, required=True)
    image_uuid = types.field(str, fields.UUID, required=True)
    availability_zone = types.field(
        str, {'anyOf': [fields.NAME, {'type': 'null'}]})


# The description that a patch has made.
DESCRIBED: Final = types.body_schema(Description) | {
    'required': ['name', 'metadata']}
_PUT: Final = {
    **{f'/{name}': schema
       for name, schema in DESCRIBED['properties'].items()},
    f'/metadata/([^~/\\x00]|~[01]){{1,{fields.LONGEST}}}': _VALUE}
UPDATE: Final = fields.patch(_PUT, [path for path in _PUT if path != '/name'],
                            '/metadata/KEY')


def _fault(row: rows.Instance) -> dict[str, str] | None:
    """Return the fault of the instance, or else that of its lock."""
    return row.fault or row.lock_fault


def _networks(row: rows.Instance) -> Any:
    return row.networks or []


class Instance(wtypes.Base):
    """An instance in responses."""

    uuid = types.attribute(str, schema=fields.UUID)
    name = types.attribute(str)
    description = types.attribute(str, nullable=True)
    project_id = types.attribute(str)
    user_id = types.attribute(str)
    status = types.attribute(str, schema=fields.one_of(states.Status))
    power_state = types.attribute(str, nullable=True)
    availability_zone = types.attribute(str, nullable=True)
    flavor_uuid = types.attribute(str, nullable=True, schema=fields.UUID)
    image_uuid = types.attribute(str, nullable=True, schema=fields.UUID)
    metadata = types.attribute({str: str})
    key_name = types.attribute(str, nullable=True)
    partitions = types.attribute({str: int}, nullable=True)
    networks = types.attribute([{str: str}], source=_networks)
    locked = types.attribute(bool)
    lock_state = types.attribute(str, schema=fields.one_of(states.LockState))
    locked_at = types.attribute(types.timestamp, nullable=True)
    locked_reason = types.attribute(str, nullable=True)
    locked_by = types.attribute(str, admin=True, nullable=True)
    node_uuid = types.attribute(
        str, admin=True, nullable=True, schema=fields.UUID)
    node_protection = types.attribute(str, admin=True)
    fault = types.attribute({str: str}, source=_fault, nullable=True)
    created_at = types.attribute(types.timestamp)
    updated_at = types.attribute(types.timestamp, nullable=True)
    launched_at = types.attribute(types.timestamp, nullable=True)
    links = types.attribute([{str: str}], source=None, schema=fields.LINKS)


class Instances(wtypes.Base):
    """A page of instances."""

    instances = types.attribute([Instance])
    next = types.attribute(str, optional=True)


@dataclasses.dataclass(frozen=True)
class Dialect:
    """A name of instances in paths and lists, with its schemas.

    `page` is a page of a list; `summary` are the fields that it shows unless
    its caller chooses. `place` is the JSON path of the instance in a request
    body.
    """

    collection: str
    view: serialization.View
    page: type[wtypes.Base]
    summary: tuple[str, ...]
    place: str = '$'


VIEW: Final = serialization.View(Instance)
INSTANCES: Final = Dialect('instances', VIEW, Instances, (
    'uuid', 'name', 'description', 'status', 'power_state', 'locked',
    'links'))
ADMIN_FIELDS: Final = (frozenset(VIEW.names(admin=True))
                       - frozenset(VIEW.names()))
_COLUMNS: Final = {'fault': ('fault', 'lock_fault'), 'links': (),
                   'addresses': ()}


def columns(fields: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns that these fields are made of; the uuid in any
    case."""
    return tuple(dict.fromkeys(
        column for field in ('uuid', *fields)
        for column in _COLUMNS.get(field, (field,))))
