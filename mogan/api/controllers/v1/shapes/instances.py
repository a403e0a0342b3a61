# SPDX-License-Identifier: Apache-2.0
"""What an instance looks like, and what makes or changes one."""

import dataclasses
from typing import Any, Final

from wsme import types as wtypes

from mogan import states
from mogan.api import types, views
from mogan.api.controllers.v1.shapes import inputs, words

_MOST_METADATA: Final = 128

_VALUE: Final[dict[str, Any]] = {
    'type': 'string', 'maxLength': words.LONGEST, 'pattern': words.TEXT}
DESCRIBING: Final[dict[str, Any]] = {
    'name': words.NAME,
    'description': words.DESCRIPTION,
    'metadata': {
        'type': 'object', 'maxProperties': _MOST_METADATA,
        'propertyNames': {'minLength': 1, 'maxLength': words.LONGEST,
                          'pattern': words.TEXT},
        'additionalProperties': _VALUE}}
CREATE: Final = words.members(
    DESCRIBING | inputs.PROPERTIES | {
        'flavor_uuid': words.UUID, 'image_uuid': words.UUID,
        'availability_zone': {'anyOf': [words.NAME, {'type': 'null'}]}},
    'name', 'flavor_uuid', 'image_uuid')
_PUT: Final = {f'/{name}': schema for name, schema in DESCRIBING.items()} | {
    f'/metadata/([^~/\\x00]|~[01]){{1,{words.LONGEST}}}': _VALUE}
UPDATE: Final = words.patch(_PUT, [path for path in _PUT if path != '/name'])
# What a patch has made of an instance.
DESCRIBED: Final = words.members(DESCRIBING, 'name', 'metadata')


class NewInstance(inputs.Inputs):
    """An instance that is asked for."""

    name = wtypes.wsattr(str, mandatory=True)
    description = wtypes.wsattr(str)
    flavor_uuid = wtypes.wsattr(str, mandatory=True)
    image_uuid = wtypes.wsattr(str, mandatory=True)
    availability_zone = wtypes.wsattr(str)
    metadata = wtypes.wsattr({str: str})


def _fault(row: Any) -> dict[str, str] | None:
    """What stands in the instance's way; in its lock's otherwise."""
    return row.fault or row.lock_fault


def _networks(row: Any) -> Any:
    return row.networks or []


class Instance(wtypes.Base):
    """An instance as it is shown."""

    uuid = types.attribute(str, schema=words.UUID)
    name = types.attribute(str)
    description = types.attribute(str, nullable=True)
    project_id = types.attribute(str)
    user_id = types.attribute(str)
    status = types.attribute(str, schema=words.one_of(states.Status))
    power_state = types.attribute(str, nullable=True)
    availability_zone = types.attribute(str, nullable=True)
    flavor_uuid = types.attribute(str, nullable=True, schema=words.UUID)
    image_uuid = types.attribute(str, nullable=True, schema=words.UUID)
    metadata = types.attribute({str: str})
    key_name = types.attribute(str, nullable=True)
    partitions = types.attribute({str: int}, nullable=True)
    networks = types.attribute([{str: str}], source=_networks)
    locked = types.attribute(bool)
    lock_state = types.attribute(str, schema=words.one_of(states.LockState))
    locked_at = types.attribute(types.moment, nullable=True)
    locked_reason = types.attribute(str, nullable=True)
    locked_by = types.attribute(str, admin=True, nullable=True)
    node_uuid = types.attribute(
        str, admin=True, nullable=True, schema=words.UUID)
    node_protection = types.attribute(str, admin=True)
    fault = types.attribute({str: str}, source=_fault, nullable=True)
    created_at = types.attribute(types.moment)
    updated_at = types.attribute(types.moment, nullable=True)
    launched_at = types.attribute(types.moment, nullable=True)
    links = types.attribute([{str: str}], source=None, schema=words.LINKS)


class Instances(wtypes.Base):
    """A page of instances."""

    instances = types.attribute([Instance])
    next = types.attribute(str, optional=True)


@dataclasses.dataclass(frozen=True)
class Dialect:
    """What instances are called in paths and lists, and how they look there.

    `page` is a page of a list; `summary` are the fields that it shows unless
    its caller chooses.  `place` is where a body has what is asked for.
    """

    collection: str
    view: views.View
    page: type[wtypes.Base]
    summary: tuple[str, ...]
    place: str = '$'


VIEW: Final = views.View(Instance)
INSTANCES: Final = Dialect('instances', VIEW, Instances, (
    'uuid', 'name', 'description', 'status', 'power_state', 'locked',
    'links'))
ADMIN_FIELDS: Final = (frozenset(VIEW.names(admin=True))
                       - frozenset(VIEW.names()))
_COLUMNS: Final = {'fault': ('fault', 'lock_fault'), 'links': (),
                   'addresses': ()}


def columns(fields: tuple[str, ...]) -> tuple[str, ...]:
    """The columns that these fields are made of; the uuid in any case."""
    return tuple(dict.fromkeys(
        column for field in ('uuid', *fields)
        for column in _COLUMNS.get(field, (field,))))
