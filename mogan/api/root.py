# SPDX-License-Identifier: Apache-2.0
"""The root of the API: the versions."""

from typing import Any, Final

from wsme import types as wtypes

from mogan.api import links, types, v1
from mogan.api.routing import Resource, route


class Root(wtypes.Base):
    """The document at the root."""

    name = types.attribute(str)
    description = types.attribute(str)
    default_version = types.attribute(v1.Version)
    versions = types.attribute([v1.Version])


_WORDS: Final = {'name': 'Mogan',
                 'description': 'Bare-metal instances as a service'}


class RootController(Resource):
    """The root of the API."""

    v1 = v1.V1Controller()

    @route(Root)
    def get(self) -> dict[str, Any]:
        """List the API versions; needs no credentials."""
        version = v1.describe(links.base())
        return _WORDS | {'default_version': version, 'versions': [version]}
