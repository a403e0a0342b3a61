# SPDX-License-Identifier: Apache-2.0
"""What a flavor looks like, and what makes or changes one."""

from typing import Any, Final

from wsme import types as wtypes

from mogan.api import types, views
from mogan.api.controllers.v1.shapes import words

# As the service that counts resources names them.
_SYMBOL: Final = '^[A-Z0-9_]+$(?!\\n)'
_DESCRIBING: Final[dict[str, Any]] = {
    'name': words.NAME, 'description': words.DESCRIPTION,
    'is_public': words.BOOLEAN, 'disabled': words.BOOLEAN}
CREATE: Final = words.members(
    _DESCRIBING | {
        'resources': {
            'type': 'object', 'minProperties': 1, 'maxProperties': 32,
            'propertyNames': {'maxLength': words.LONGEST,
                              'pattern': _SYMBOL},
            'additionalProperties': {'anyOf': [
                {'type': 'integer', 'minimum': 1, 'maximum': 2**31 - 1},
                {'type': 'string', 'pattern': '^0*[1-9][0-9]{0,8}$(?!\\n)',
                 'maxLength': 16}]}},
        'traits': {
            'type': 'array', 'maxItems': 64, 'uniqueItems': True, 'items': {
                'type': 'string', 'maxLength': words.LONGEST,
                'pattern': _SYMBOL}}},
    'name', 'resources')
UPDATE: Final = words.patch(
    {f'/{name}': schema for name, schema in _DESCRIBING.items()},
    ['/description'])
# What a patch has made of a flavor.
DESCRIBED: Final = words.members(_DESCRIBING, 'name', 'is_public',
                                 'disabled')


class NewFlavor(wtypes.Base):
    """A flavor that is asked for; the schema knows more of its values."""

    name = wtypes.wsattr(str, mandatory=True)
    description = wtypes.wsattr(str)
    resources = wtypes.wsattr({str: int}, mandatory=True)
    traits = wtypes.wsattr([str])
    is_public = wtypes.wsattr(types.boolean, default=True)
    disabled = wtypes.wsattr(types.boolean, default=False)


class Flavor(wtypes.Base):
    """A flavor as it is shown."""

    uuid = types.attribute(str, schema=words.UUID)
    name = types.attribute(str)
    description = types.attribute(str, nullable=True)
    resources = types.attribute({str: int})
    traits = types.attribute([str])
    is_public = types.attribute(bool)
    disabled = types.attribute(bool)
    created_at = types.attribute(types.moment)
    updated_at = types.attribute(types.moment, nullable=True)
    links = types.attribute([{str: str}], source=None, schema=words.LINKS)


class Flavors(wtypes.Base):
    """A page of flavors."""

    flavors = types.attribute([Flavor])
    next = types.attribute(str, optional=True)


VIEW: Final = views.View(Flavor)
