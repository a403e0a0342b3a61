# SPDX-License-Identifier: Apache-2.0
"""Proxy headers: the client address, the scheme and the host that a trusted
reverse proxy reports.

oslo.middleware's own middleware, whose option this is, trusts any value, and
also `Forwarded` and `X-Forwarded-Prefix`, which no proxy is asked to set: they
would be the client's.
"""

import functools
import ipaddress
import re
from collections.abc import Iterable
from typing import Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from oslo_config import cfg
from oslo_middleware import http_proxy_to_wsgi

_HOST: Final = re.compile(
    r'([a-z0-9._-]{1,255}|\[[0-9a-f:.]{2,45}\])(:[0-9]{1,5})?',
    re.ASCII | re.IGNORECASE)


class ProxyHeaders:
    """WSGI middleware that applies well-formed proxy headers and ignores
    others."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment,
                 start_response: StartResponse) -> Iterable[bytes]:
        scheme = _last(environ, 'HTTP_X_FORWARDED_PROTO').lower()
        if scheme in {'http', 'https'}:
            environ['wsgi.url_scheme'] = scheme
        host = _last(environ, 'HTTP_X_FORWARDED_HOST')
        if _HOST.fullmatch(host):
            environ['HTTP_HOST'] = host
        address = _address(_last(environ, 'HTTP_X_FORWARDED_FOR'))
        if address:
            environ['REMOTE_ADDR'] = address
        return self._application(environ, start_response)


def _last(environ: WSGIEnvironment, name: str) -> str:
    """Return the last value of a header: some proxies append theirs to the
    client's."""
    value: str = environ.get(name, '')
    return value.rpartition(',')[2].strip()


@functools.lru_cache(maxsize=1024)
def _address(text: str) -> str | None:
    try:
        # The name of an interface may have any character.
        return None if '%' in text else str(ipaddress.ip_address(text))
    except ValueError:
        return None


def configured(conf: cfg.ConfigOpts) -> bool:
    """Return whether proxy headers are trusted."""
    conf.register_opts(http_proxy_to_wsgi.OPTS, 'oslo_middleware')
    return bool(conf.oslo_middleware.enable_proxy_headers_parsing)


def wrap(application: WSGIApplication,
         conf: cfg.ConfigOpts) -> WSGIApplication:
    """Return the application behind a proxy, if so configured."""
    return ProxyHeaders(application) if configured(conf) else application
