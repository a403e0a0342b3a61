# SPDX-License-Identifier: Apache-2.0
"""Removal of forged identity headers: only our own authentication may set
them."""

import re
from collections.abc import Iterable
from typing import Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

# Version documents, and what the API is.
PUBLIC: Final = frozenset({
    '', '/', '/v1', '/v1/', '/v1/openapi.json', '/v1/openapi.json/'})

_SUSPECT: Final = ('HTTP_X_', 'HTTP_OPENSTACK_')
_FORGED: Final = re.compile(
    r'HTTP_(X_(USER|PROJECT|TENANT|DOMAIN|ROLE|IS_ADMIN_PROJECT|'
    r'SERVICE(?!_TOKEN$)|IDENTITY|AUTH(?!_TOKEN$)|STORAGE|TOKEN)|'
    r'OPENSTACK_SYSTEM_SCOPE)')


class IdentityError(ValueError):
    """The configured authentication cannot work."""


class Stripped:
    """WSGI middleware that removes identity headers from each request."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment,
                 start_response: StartResponse) -> Iterable[bytes]:
        for name in [name for name in environ if name.startswith(_SUSPECT)
                     and _FORGED.match(name)]:
            del environ[name]
        return self._application(environ, start_response)
