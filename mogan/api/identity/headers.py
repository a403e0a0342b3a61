# SPDX-License-Identifier: Apache-2.0
"""Headers that speak of an identity come from nobody but ourselves."""

import re
from collections.abc import Callable
from typing import Any, Final

# Version documents, and what the API is.
PUBLIC: Final = frozenset({
    '', '/', '/v1', '/v1/', '/v1/openapi.json', '/v1/openapi.json/'})

_SUSPECT: Final = ('HTTP_X_', 'HTTP_OPENSTACK_')
_FORGED: Final = re.compile(
    r'HTTP_(X_(USER|PROJECT|TENANT|DOMAIN|ROLE|IS_ADMIN_PROJECT|'
    r'SERVICE(?!_TOKEN$)|IDENTITY|AUTH(?!_TOKEN$)|STORAGE|TOKEN)|'
    r'OPENSTACK_SYSTEM_SCOPE)')


class IdentityError(ValueError):
    """The configured way of knowing who asks cannot work."""


class Stripped:
    """Drops them from each request."""

    def __init__(self, application: Callable[..., Any]) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any],
                 start_response: Callable[..., Any]) -> Any:
        for name in [name for name in environ if name.startswith(_SUSPECT)
                     and _FORGED.match(name)]:
            del environ[name]
        return self._application(environ, start_response)
