# SPDX-License-Identifier: Apache-2.0
"""What lies at the root: the versions."""

from typing import Any, Final

from wsme import types as wtypes

from mogan.api import types
from mogan.api.controllers import links, v1
from mogan.api.controllers.place import Place
from mogan.api.expose import expose


class Root(wtypes.Base):
    """The document at the root."""

    name = types.attribute(str)
    description = types.attribute(str)
    default_version = types.attribute(v1.Version)
    versions = types.attribute([v1.Version])


_WORDS: Final = {'name': 'Mogan',
                 'description': 'Bare-metal instances as a service'}


class RootController(Place):
    """The root of all paths."""

    v1 = v1.V1Controller()

    @expose(Root)
    def get(self) -> dict[str, Any]:
        """The versions that there are; anybody may read this."""
        version = v1.describe(links.base())
        return _WORDS | {'default_version': version, 'versions': [version]}
