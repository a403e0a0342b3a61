# SPDX-License-Identifier: Apache-2.0
"""Request metrics by route; imported only where metrics are enabled."""

import time
from collections.abc import Iterable
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from mogan import exception
from mogan.api import openapi, root
from mogan.metrics import meters

# What is no route, and no method of one, is one: callers make up many.
_OTHER: Final = 'other'
_METHODS: Final = frozenset({'GET', 'POST', 'PUT', 'PATCH', 'DELETE'})
_END: Final = ''


class Routes:
    """The templates of paths, as a tree of path segments."""

    def __init__(self, templates: Iterable[str]) -> None:
        self._tree: dict[str, Any] = {}
        for template in templates:
            node = self._tree
            for word in template.strip('/').split('/'):
                node = node.setdefault(
                    '{}' if word.startswith('{') else f'/{word}', {})
            node[_END] = template

    def of(self, path: str) -> str:
        """Return the template that a path matches."""
        node: Any = self._tree
        for word in path.strip('/').split('/'):
            node = node.get(f'/{word}') or node.get('{}')
            if node is None:
                return _OTHER
        found: str = node.get(_END, _OTHER)
        return found


class RequestMetrics:
    """WSGI middleware that counts and times requests."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self._routes = Routes(['/healthcheck', *(
            route.path for route in openapi.routes(root.RootController))])

    def __call__(self, environ: WSGIEnvironment,
                 start_response: StartResponse) -> Iterable[bytes]:
        began = time.perf_counter()
        method = environ['REQUEST_METHOD']
        sent = ['500']

        def start(status: str, headers: list[tuple[str, str]],
                  exc_info: Any = None) -> Any:
            sent[0] = status[:3]
            return start_response(status, headers, exc_info)

        body = self._application(environ, start)
        # The path may have got its version meanwhile.
        route = self._routes.of(environ.get('PATH_INFO', ''))
        if method not in _METHODS:
            method = _OTHER
        meters.REQUESTS.labels(method, route, sent[0]).observe(
            time.perf_counter() - began)
        if isinstance(environ.get('mogan.error'), exception.InstanceLocked):
            meters.REFUSALS.labels(method, route).inc()
        return body
