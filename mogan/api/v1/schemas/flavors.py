# SPDX-License-Identifier: Apache-2.0
"""Schemas of flavors, and of requests to create or update one."""

from typing import Any, Final

from wsme import types as wtypes

from mogan.api import serialization, types
from mogan.api.v1.schemas import fields

# As placement names resource classes and traits.
_SYMBOL: Final[dict[str, Any]] = {
    'description': 'a name of upper-case letters, digits and _',
    'maxLength': fields.LONGEST, 'pattern': '^[A-Z0-9_]+$(?!\\n)'}
_AMOUNT: Final[dict[str, Any]] = {'anyOf': [
    {'type': 'integer', 'minimum': 1, 'maximum': 2**31 - 1},
    {'description': 'a number from 1 to 999999999', 'type': 'string',
     'pattern': '^0*[1-9][0-9]{0,8}$(?!\\n)', 'maxLength': 16}]}


class Description(wtypes.Base):
    """The description of a flavor."""

    name = types.field(str, fields.NAME, required=True)
    description = types.field(str, fields.DESCRIPTION)
    is_public = types.field(types.boolean, fields.BOOLEAN, default=True)
    disabled = types.field(types.boolean, fields.BOOLEAN, default=False)


class NewFlavor(Description):
    """A request for a flavor."""

    resources = types.field({str: int}, {
        'type': 'object', 'minProperties': 1, 'maxProperties': 32,
        'propertyNames': _SYMBOL,
        'additionalProperties': _AMOUNT}, required=True)
    traits = types.field([str], {
        'type': 'array', 'maxItems': 64, 'uniqueItems': True,
        'items': {'type': 'string', **_SYMBOL}})


# The description that a patch has made.
DESCRIBED: Final = types.body_schema(Description) | {
    'required': ['name', 'is_public', 'disabled']}
UPDATE: Final = fields.patch(
    {f'/{name}': schema for name, schema in DESCRIBED['properties'].items()},
    ['/description'])


class Flavor(wtypes.Base):
    """A flavor in responses."""

    uuid = types.attribute(str, schema=fields.UUID)
    name = types.attribute(str)
    description = types.attribute(str, nullable=True)
    resources = types.attribute({str: int})
    traits = types.attribute([str])
    is_public = types.attribute(bool)
    disabled = types.attribute(bool)
    created_at = types.attribute(types.timestamp)
    updated_at = types.attribute(types.timestamp, nullable=True)
    links = types.attribute([{str: str}], source=None, schema=fields.LINKS)


class Flavors(wtypes.Base):
    """A page of flavors."""

    flavors = types.attribute([Flavor])
    next = types.attribute(str, optional=True)


VIEW: Final = serialization.View(Flavor)
